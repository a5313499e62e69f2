"""Several clones, one remote: they never give out the same number."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from clones_world import LONG, Clone, Family, make_family
from stories import wait_until


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Family]:
    made = make_family(tmp_path, LONG)
    made.person.write("migrations/0007_old.py", "")
    made.person.commit("a migration")
    made.push()
    yield made
    made.stop()


def drop(clone: Clone, name: str, session: str, run: str) -> None:
    """A task that only this clone hears of."""
    path = clone.task(name, run, session=session, claims=[f"migrations/*_{name}.py", {"migration": "next"}], timeout=60)
    path.rename(path.parents[1] / "inbox" / path.name)


def remote_names(family: Family) -> set[str]:
    return {name.rpartition("/")[2] for name in family.bare.main_files() if "migrations/" in name}


@pytest.mark.slow
def test_tasks_of_two_clones_and_people_get_different_numbers_and_nobody_gets_one_without_the_remote(
    family: Family, tmp_path: Path
) -> None:
    meet = tmp_path / "meet"
    meet.mkdir()
    for clone, name, session in zip(family.clones, ("users", "orders"), ("one", "two"), strict=True):
        (clone.top / ".orch" / "inbox").mkdir(exist_ok=True)
        wait = f"touch {meet}/{name}; until [ -e {meet}/go ]; do sleep 0.01; done"
        drop(clone, name, session, f"{wait}; echo {name} > migrations/${{ORCHD_MIGRATION}}_{name}.py")
        clone.serve()
    wait_until(lambda: len(list(meet.iterdir())) == 2, "both run at the same time")
    assert family.person.orchd("number", "migration").strip() == "0010", "in a clone that no daemon ever served"
    (meet / "go").touch()
    wait_until(lambda: len(family.landed()) == 2, "both land")
    numbers = {name.partition("_")[2]: name.partition("_")[0] for name in remote_names(family)}
    assert {numbers["users.py"], numbers["orders.py"]} == {"0008", "0009"}

    first, second = family.clones
    second.git("remote", "set-url", "origin", str(tmp_path / "nowhere.git"))
    wait_until(lambda: "cannot reach `origin`" in second.said, "it is cut off")
    said = second.orchd("number", "migration", code=3)
    assert "cannot reach `origin`, which gives the numbers" in said and "no number was given" in said
    drop(second, "late", "two", "echo late > migrations/${ORCHD_MIGRATION}_late.py")
    wait_until(lambda: "late" in second.statuses(), "it is taken in")
    explained = second.orchd("explain", "late")
    assert "the shared remote has not given its number yet (migration)" in explained or "not ours to run now" in explained
    drop(first, "soon", "one", "echo soon > migrations/${ORCHD_MIGRATION}_soon.py")
    wait_until(lambda: "0011_soon.py" in remote_names(family), "the other goes on")
    assert second.statuses()["late"] == "waiting"
    second.git("remote", "set-url", "origin", str(family.bare.top))
    wait_until(lambda: "0012_late.py" in remote_names(family), "it gets its own when the remote answers")
