"""What may be merged at all."""

from __future__ import annotations

from dataclasses import replace

from git_world import World, commit, git

from orchd.model.work import Reason


def test_what_main_dropped_does_not_come_back_with_a_task(world: World) -> None:
    """The task was started from a commit that a person then took off main: merging its tip would bring that back."""
    first = world.main
    commit(world.top, {"secret": "s\n"})
    dropped = world.main
    git(world.work, "fetch", "-q", "origin")
    git(world.work, "reset", "-q", "--hard", dropped)
    tip = world.branch_tip({"a.txt": "1\n"})
    git(world.top, "reset", "-q", "--hard", first)
    save = world.plan(tip)
    started = replace(save, items=tuple(replace(item, base=dropped) for item in save.items))
    saves = world.saves()
    saves.merge(started, ["t"])
    seen = saves.look(started, world.main).chain
    assert seen is not None and seen.chain == ()
    [gone] = seen.excluded
    assert gone.reason is Reason.BASE and "moved back" in gone.detail[0]
