"""Who held a claim before, and comes late: nothing of it gets in, whoever brings it. Each guard has a twin without it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from git_world import World, git, titles

from orchd.adapters import evidence
from orchd.adapters.airlock import GitAirlock
from orchd.adapters.git_saves import GitSaves
from orchd.adapters.git_state import GitStateStore
from orchd.adapters.lease_reader import StoredLeases
from orchd.errors import OrchdError
from orchd.model.claim import Lease, PathSpec
from orchd.model.config import Config
from orchd.model.run import AdmitOrder, CommandResult, Entry, Exit, Outcome, Returned
from orchd.model.save import Save
from orchd.model.snapshot import State
from orchd.model.work import Reason

EVERYTHING = (PathSpec("**"),)


def store(world: World, *leases: Lease) -> StoredLeases:
    """A repository whose stored state has these leases."""
    made = GitStateStore(world.open())
    assert made.commit(made.load(), State("me", 1, leases={lease.task: lease for lease in leases}), (), 1)
    return StoredLeases(world.open())


def lease(fence: int, task: str = "t", expired_ms: int = 0) -> Lease:
    return Lease(task, "me", 1, EVERYTHING, 1, fence=fence, expired_ms=expired_ms)


def admit(world: World, fence_of: Callable[[str], int | None], *, made: int, asked: int, change: bool = True) -> Returned:
    """The result of a run that was made under one fence and is to be accepted under another."""
    tip = world.work_tip({"new.txt": "late\n"}) if change else ""
    if change:
        world.pack("t.1.1", tip, world.main)
    world.leave_exit("t.1.1", Exit(Outcome.EXITED, (CommandResult("run", 0, 0.1),), tip, fence=made))
    order = AdmitOrder("t.1.1", "default", "t", world.main, EVERYTHING, accept=True, fence=asked)
    GitAirlock(world.open(), "main", fence_of).admit(order, Config())
    returned = evidence.read_returned(world.place, "t.1.1")
    assert returned is not None
    return returned


def branches(world: World) -> list[str]:
    return git(world.top, "for-each-ref", "--format=%(refname)", "refs/heads/session", "refs/orch/attic").split()


def test_a_result_of_the_present_lease_comes_in(world: World) -> None:
    assert admit(world, store(world, lease(2)).fence_of, made=2, asked=2).entry is Entry.ACCEPTED


STALE = {
    "made under an earlier lease": ([lease(2)], 1, 2, "granted under fence 2"),
    "brought by a daemon that slept through a takeover": ([lease(3)], 2, 2, "held under fence 3 now"),
    "of a claim that nobody holds any more": ([], 2, 2, "nobody holds this claim now"),
    "of a lease that expired": ([lease(2, expired_ms=9)], 2, 2, "nobody holds this claim now"),
}


@pytest.mark.parametrize("case", STALE)
def test_a_late_result_is_refused_and_kept(world: World, case: str) -> None:
    leases, made, asked, said = STALE[case]
    returned = admit(world, store(world, *leases).fence_of, made=made, asked=asked)
    assert (returned.entry, returned.reason) == (Entry.REFUSED, Reason.FENCED)
    assert said in returned.detail[0]
    assert branches(world) == ["refs/orch/attic/t/1"]
    assert git(world.top, "show", "refs/orch/attic/t/1:new.txt") == "late"


def test_without_the_guard_the_work_of_a_late_daemon_gets_in(world: World) -> None:
    store(world, lease(3))
    assert admit(world, lambda _: 2, made=2, asked=2).entry is Entry.ACCEPTED
    assert branches(world) == ["refs/heads/session/default/task/t"]


def test_a_late_result_without_changes_does_not_count_as_done(world: World) -> None:
    returned = admit(world, store(world, lease(2)).fence_of, made=1, asked=2, change=False)
    assert (returned.entry, returned.reason) == (Entry.REFUSED, Reason.FENCED)


def fenced_save(world: World, saves: GitSaves) -> Save:
    """Two tasks that were saved under fences 5 and 6, gated and ready to land."""
    plan = world.plan(world.branch_tip({"one.txt": "1\n"}), world.branch_tip({"two.txt": "2\n"}))
    items = tuple(replace(item, fence=fence) for fence, item in enumerate(plan.items, 5))
    return world.gated(saves, replace(plan, items=items))


TAKEN_OVER = {
    "another holder": [lease(5, "t1"), lease(7, "t2")],
    "no holder": [lease(5, "t1")],
    "an expired holder": [lease(5, "t1", expired_ms=9), lease(6, "t2")],
}


@pytest.mark.parametrize("case", TAKEN_OVER)
def test_a_daemon_that_slept_through_a_takeover_lands_nothing(world: World, case: str) -> None:
    saves = GitSaves(world.open(), "main", store(world, *TAKEN_OVER[case]).lease_of)
    save, before = fenced_save(world, saves), world.main
    with pytest.raises(OrchdError, match="was taken over"):
        saves.land(save, titles(save), None)
    assert world.main == before


def test_under_the_leases_that_it_was_planned_under_a_save_lands(world: World) -> None:
    saves = GitSaves(world.open(), "main", store(world, lease(5, "t1"), lease(6, "t2")).lease_of)
    save, before = fenced_save(world, saves), world.main
    saves.land(save, titles(save), None)
    assert world.main != before


def test_without_the_guard_a_daemon_that_slept_through_a_takeover_lands(world: World) -> None:
    store(world, *TAKEN_OVER["another holder"])
    saves = GitSaves(world.open(), "main", {"t1": lease(5, "t1"), "t2": lease(6, "t2")}.get)
    save, before = fenced_save(world, saves), world.main
    saves.land(save, titles(save), None)
    assert world.main != before
