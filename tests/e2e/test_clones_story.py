"""Several clones, one remote: two daemons on two clones of one bare repository."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from clones_world import LONG, Family, make_family
from stories import Repo, wait_until


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Family]:
    made = make_family(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Family]:
    made = make_family(tmp_path, LONG)
    yield made
    made.stop()


def test_two_daemons_run_each_of_twenty_tasks_exactly_once(patient: Family, tmp_path: Path) -> None:
    family = patient
    log = tmp_path / "log"
    names = [f"t{at}" for at in range(20)]
    for name in names:
        family.person.task(name, f"echo {name} >> {log}; echo {name} > {name}", claims=[name])
    family.person.commit("twenty tasks")
    for clone in family.clones:
        clone.serve()
    family.push()
    wait_until(lambda: len(family.landed()) >= 20, "all have landed")
    assert Counter(family.landed()) == Counter(names)
    assert Counter(log.read_text().split()) == Counter(names)
    for clone in family.clones:
        wait_until(lambda clone=clone: set(clone.statuses().values()) == {"landed"}, "each clone knows it")
        wait_until(lambda clone=clone: clone.git("rev-parse", "main") == family.remote_main(), "its branch follows")
        assert clone.git("status", "--porcelain") == ""
    assert family.bare.git("fsck", "--strict", "--no-dangling") == ""


def owner_of(family: Family) -> int:
    """The clone whose daemon owns the usual session."""
    wait_until(lambda: any("owns  session default" in clone.said for clone in family.clones), "somebody owns the session")
    return next(at for at, clone in enumerate(family.clones) if "owns  session default" in clone.said)


def gated_task(family: Family, tmp_path: Path, name: str = "slow") -> Path:
    """A task that goes on until its flag is there."""
    flag = tmp_path / "go"
    log = tmp_path / "log"
    script = f"echo {name} >> {log}; until test -e {flag}; do sleep 0.02; done; echo {name} > {name}"
    family.person.task(name, script, claims=[name], timeout=60)
    return flag


def test_the_standby_takes_over_when_the_owner_is_killed_and_nothing_lands_twice(family: Family, tmp_path: Path) -> None:
    flag = gated_task(family, tmp_path)
    family.person.task("quick", "echo q > q", claims=["q"])
    family.person.task("next", "echo n > n", claims=["n"], needs=["slow"])
    family.person.commit("three tasks")
    family.push()
    for clone in family.clones:
        clone.serve()
    first = owner_of(family)
    owner, standby = family.clones[first], family.clones[1 - first]
    wait_until(lambda: (tmp_path / "log").exists() and "quick" in family.landed(), "one landed, one runs")
    owner.kill()
    flag.touch()
    wait_until(lambda: len(family.landed()) >= 3, "the standby finishes")
    assert sorted(family.landed()) == ["next", "quick", "slow"]
    assert "(epoch 2, after" in standby.said
    assert "seen  quick" in standby.said or "known  quick" in standby.said, "main may have said first that it has landed"
    assert "started  quick" not in standby.said
    owner.serve()
    wait_until(lambda: set(owner.statuses().values()) == {"landed"}, "the old owner comes back and learns of it")
    assert owner.git("for-each-ref", "refs/orch/attic/slow") or "stopped here" in owner.said
    assert sorted(family.landed()) == ["next", "quick", "slow"]


def test_an_owner_that_was_cut_off_cannot_land_keeps_its_work_and_says_so(family: Family, tmp_path: Path) -> None:
    flag = gated_task(family, tmp_path)
    family.person.commit("a task")
    family.push()
    for clone in family.clones:
        clone.serve()
    first = owner_of(family)
    owner, standby = family.clones[first], family.clones[1 - first]
    wait_until((tmp_path / "log").exists, "it runs")
    owner.git("remote", "set-url", "origin", str(tmp_path / "nowhere.git"))
    wait_until(lambda: "cannot reach `origin`" in owner.said, "the owner says that it is cut off")
    wait_until(lambda: "(epoch 2, after" in standby.said, "the standby takes over")
    wait_until(lambda: (tmp_path / "log").read_text().count("slow") == 2, "and starts the task")
    flag.touch()
    wait_until(lambda: "ready  slow" in owner.said, "the old owner's attempt is done")
    wait_until(lambda: family.landed() == ["slow"], "the standby's attempt lands")
    [landing] = [line for line in family.subjects() if line.startswith("Land ")]
    assert "    landed  " not in owner.said
    assert set(owner.statuses().values()) <= {"ready", "saving"}
    owner.git("remote", "set-url", "origin", str(family.bare.top))
    wait_until(lambda: "owns it (epoch 2); stopped here, with their work kept: slow" in owner.said, "it says so")
    wait_until(lambda: set(owner.statuses().values()) == {"landed"}, "and learns what landed")
    assert [line for line in family.subjects() if line.startswith("Land ")] == [landing]
    assert owner.git("show", "session/default/task/slow:slow") == "slow", "its own work is still there"
    wait_until(lambda: owner.git("rev-parse", "main") == family.remote_main(), "its branch follows")


@pytest.mark.slow
def test_what_gates_said_in_one_clone_is_known_in_the_other(family: Family) -> None:
    config = (family.person.top / ".orch/config.yaml").read_text()
    family.person.write(".orch/config.yaml", config + "gates: [{name: unit, run: 'true'}]\n")
    family.person.task("one", "echo 1 > one", claims=["one"])
    family.person.commit("a gated task")
    family.push()
    for clone in family.clones:
        clone.serve()
    wait_until(lambda: family.landed() == ["one"], "the first has landed")
    family.person.task("two", "echo 2 > two", claims=["two"])
    family.person.commit("another")
    family.push()
    wait_until(lambda: sorted(family.landed()) == ["one", "two"], "what was said about the first goes with the second")
    trees = {
        family.bare.git("rev-parse", f"{commit}^{{tree}}") for commit in family.bare.git("log", "--format=%H", "main").split()
    }
    for clone in family.clones:
        wait_until(lambda clone=clone: trees & noted(clone), "each clone knows a result")


def noted(repo: Repo) -> set[str]:
    """The trees on which a clone has results of gates."""
    return set(repo.git("for-each-ref", "refs/notes/orch/gates") and repo.git("notes", "--ref=orch/gates", "list").split())
