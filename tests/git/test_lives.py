"""Live commits: held by a ref while the task runs, never accepted, and never lost when its result lacks them."""

from __future__ import annotations

from pathlib import Path

from git_world import World, git

from orchd.adapters import evidence
from orchd.adapters.git_lives import GitLives
from orchd.adapters.live_evidence import read_live
from orchd.model.claim import PathSpec
from orchd.model.config import Config
from orchd.model.run import AdmitOrder, CommandResult, Entry, Exit, Live, Outcome

RUN = "t1.1.1"
REF = f"refs/orch/live/{RUN}"
ATTIC = "refs/orch/attic/t1/1"


def leave_pack(world: World, tip: str, number: int = 1) -> Path:
    """A pack as the supervisor leaves it."""
    folder = evidence.run_folder(world.place, RUN) / "live"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.pack"):
        old.unlink()
    return world.pack(RUN, tip, world.main).rename(folder / f"{number}.{tip}.pack")


def order(world: World, *claims: str) -> AdmitOrder:
    return AdmitOrder(RUN, "default", "t1", world.main, tuple(map(PathSpec, claims or ("**",))), accept=True)


def refs(world: World) -> dict[str, str]:
    lines = git(world.top, "for-each-ref", "--format=%(refname) %(objectname)", "refs/orch", "refs/heads/session").splitlines()
    return dict(line.split(" ") for line in lines)


def test_what_was_committed_is_held_and_not_accepted(world: World) -> None:
    tip = world.work_tip({"new": "n\n"})
    leave_pack(world, tip)
    assert read_live(world.place, RUN) == Live(fresh=tip)
    lives = GitLives(world.open())
    for _ in range(2):
        lives.take(order(world), Config())
        assert refs(world) == {REF: tip}
    assert read_live(world.place, RUN) == Live(tip)
    assert lives.held() == {RUN} == GitLives(world.open()).held()
    git(world.top, "fsck", "--strict")


def test_what_stands_against_it_is_only_told(world: World) -> None:
    tip = world.work_tip({"new": "n\n"})
    leave_pack(world, tip)
    GitLives(world.open()).take(order(world, "src/**"), Config())
    assert read_live(world.place, RUN) == Live(tip, detail=("new was added outside the claim",))
    assert refs(world) == {REF: tip}


def test_a_pack_that_git_refuses_is_not_held_and_not_looked_at_again(world: World) -> None:
    first, second = world.work_tip({"new": "n\n"}), world.work_tip({"other": "o\n"})
    leave_pack(world, first)
    lives = GitLives(world.open())
    lives.take(order(world), Config())
    leave_pack(world, second, 2).write_bytes(b"no pack at all")
    assert read_live(world.place, RUN) == Live(first, fresh=second)
    lives.take(order(world), Config())
    seen = read_live(world.place, RUN)
    assert seen is not None and (seen.tip, seen.fresh) == (first, "") and "git refuses its pack" in seen.detail[0]
    assert refs(world) == {REF: first}


def test_without_a_pack_nothing_happens(world: World) -> None:
    GitLives(world.open()).take(order(world), Config())
    assert refs(world) == {} and read_live(world.place, RUN) is None


def test_a_result_that_holds_the_live_commits_needs_no_attic(world: World) -> None:
    tip = world.work_tip({"new": "n\n"})
    leave_pack(world, tip)
    lives = GitLives(world.open())
    lives.take(order(world), Config())
    world.pack(RUN, tip, world.main)
    assert world.admit(RUN, tip).entry is Entry.ACCEPTED
    lives.release([RUN])
    assert refs(world) == {"refs/heads/session/default/task/t1": tip}


def test_live_commits_of_a_lost_workspace_go_to_the_attic_and_the_record_leads_there(world: World) -> None:
    tip = world.work_tip({"new": "n\n"})
    leave_pack(world, tip)
    lives = GitLives(world.open())
    lives.take(order(world), Config())
    world.leave_exit(RUN, Exit(Outcome.LOST))
    for _ in range(2):
        returned = world.judge(RUN, world.main, (PathSpec("**"),), accept=False)
        assert (returned.entry, returned.tip, returned.ref) == (Entry.UNCHANGED, tip, ATTIC)
        assert returned.detail == (f"what it had committed while it ran is kept as {ATTIC}",)
    lives.release([RUN])
    assert refs(world) == {ATTIC: tip}


def test_a_result_without_the_live_commits_does_not_lose_them(world: World) -> None:
    dropped, tip = world.work_tip({"new": "n\n"}), world.work_tip({"other": "o\n"})
    leave_pack(world, dropped)
    GitLives(world.open()).take(order(world), Config())
    world.pack(RUN, tip, world.main)
    returned = world.admit(RUN, tip)
    assert (returned.entry, returned.tip) == (Entry.ACCEPTED, tip)
    assert refs(world)[ATTIC] == dropped


def test_a_ref_is_not_let_go_before_another_one_holds_its_commit(world: World) -> None:
    tip = world.work_tip({"new": "n\n"})
    leave_pack(world, tip)
    lives = GitLives(world.open())
    lives.take(order(world), Config())
    lives.release([RUN, "never.1.1"])
    assert refs(world) == {ATTIC: tip}
    lives.release([RUN])
    assert lives.held() == frozenset()


def test_the_exit_of_a_run_says_nothing_of_live_commits_that_were_never_made(world: World) -> None:
    world.leave_exit(RUN, Exit(Outcome.EXITED, (CommandResult("run", 0, 0.1),)))
    assert world.judge(RUN, world.main, (PathSpec("**"),)).detail == ()
