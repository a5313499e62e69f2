"""Several clones, one remote: what people ask of a session is heard by its owner only, and a pause outlives the owner."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from clones_world import Clone, Family, make_family
from stories import wait_until


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Family]:
    made = make_family(tmp_path)
    yield made
    made.stop()


def serve(family: Family) -> tuple[Clone, Clone]:
    """The owner of the usual session, and the other one, which knows it."""
    for clone in family.clones:
        clone.serve()
    wait_until(lambda: any("owns  session default" in clone.said for clone in family.clones), "somebody owns the session")
    owner, standby = sorted(family.clones, key=lambda clone: "owns  session default" not in clone.said)
    wait_until(lambda: "elsewhere  session default" in standby.said, "the standby sees who owns it")
    return owner, standby


@pytest.mark.slow
def test_a_paused_session_stays_paused_when_its_owner_is_killed_until_the_standby_is_asked(
    family: Family, tmp_path: Path
) -> None:
    flag, log = tmp_path / "go", tmp_path / "log"
    script = f"echo slow >> {log}; until test -e {flag}; do sleep 0.02; done; echo slow > slow"
    family.person.task("slow", script, claims=["slow"], timeout=60)
    family.person.task("later", f"echo later >> {log}; echo later > later", claims=["later"], needs=["slow"])
    family.person.commit("two tasks")
    family.push()
    owner, standby = serve(family)
    wait_until(log.exists, "one runs")
    for request in (("cancel", "slow"), ("retry", "slow"), ("session", "pause", "default"), ("session", "cancel", "default")):
        said = standby.orchd(*request, code=2)
        assert "session default belongs to another clone" in said and "ask in the clone of" in said, said
    owner.orchd("session", "pause", "default")
    wait_until(lambda: "session default, as its owner has it" in standby.said, "the pause is published")
    owner.kill()
    flag.touch()
    wait_until(lambda: "(epoch 2, after" in standby.said, "the standby takes over")
    wait_until(lambda: "paused" in standby.orchd("explain", "slow"), "and says that it is paused")
    assert log.read_text() == "slow\n" and family.landed() == []
    standby.orchd("session", "resume", "default")
    wait_until(lambda: sorted(family.landed()) == ["later", "slow"], "it goes on when somebody says so")
    owner.serve()
    wait_until(lambda: set(owner.statuses().values()) == {"landed"}, "the old owner learns of it")
    assert "paused\tno" in owner.orchd("session", "show", "default")


@pytest.mark.slow
def test_a_request_takes_a_session_over_from_an_owner_that_is_gone(family: Family, tmp_path: Path) -> None:
    family.person.task("flaky", f"test -e {tmp_path / 'go'} && echo done > done", claims=["done"])
    family.person.commit("a task")
    family.push()
    owner, standby = serve(family)
    wait_until(lambda: standby.statuses().get("flaky") == "failed", "it fails, and the standby knows it")
    owner.kill()
    (tmp_path / "go").touch()
    refused = "session default belongs to another clone"
    wait_until(lambda: refused not in standby.orchd("retry", "flaky", code=None), "it is asked for once the owner is silent")
    wait_until(lambda: family.landed() == ["flaky"], "the standby takes over and does it")


@pytest.mark.slow
def test_a_fork_goes_by_its_rules_in_the_clone_that_takes_it_over(family: Family, tmp_path: Path) -> None:
    family.person.task("base", "echo base > base", claims=["base"])
    family.person.commit("a task")
    family.push()
    owner, standby = serve(family)
    wait_until(lambda: family.landed() == ["base"], "there is a checkpoint")
    wait_until(owner.checkpoints, "which the owner has")
    owner.orchd("session", "fork", "trial", owner.checkpoints()[0])
    wait_until(lambda: "session trial, as its owner has it: landing manual" in standby.said, "the fork is published")
    owner.kill()
    family.person.task("work", "cat base > work", claims=["work"], session="trial")
    family.person.commit("work for it")
    family.push()
    wait_until(lambda: standby.statuses().get("work") == "integrated", "it is taken over, and lands when somebody says so")
    assert family.landed() == ["base"]
    standby.orchd("session", "land", "trial")
    wait_until(lambda: sorted(family.landed()) == ["base", "work"], "now")
    wait_until(lambda: "2 checkpoint(s)" in standby.orchd("verify", code=None), "the standby's branch follows")
    assert "0 break(s)" in standby.orchd("verify", code=None), "it knows what the other clone noted"
