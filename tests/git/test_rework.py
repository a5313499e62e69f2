"""Taking up a held result again: judged by the same policy, put back as git objects, the same commit however often."""

from __future__ import annotations

import itertools
import os
import subprocess
from pathlib import Path

import pytest
from git_world import World, commit, git

from orchd.adapters import evidence
from orchd.adapters.airlock import GitAirlock
from orchd.adapters.outside import list_outside
from orchd.core.policy import name_change
from orchd.model.claim import Mode, PathSpec
from orchd.model.config import Config
from orchd.model.run import AdmitOrder, Entry, Returned
from orchd.model.work import Answer, Reason, Rework, Source, Status, Task, TaskSpec

ATTIC = "refs/orch/attic/t/1"
BRANCH = "refs/heads/session/default/task/t"
FILES = {"src/b.txt": "B\n", "a.txt": "A\n", "gone.txt": None, "new/deep/x.txt": "x\n"}
CLAIM = (PathSpec("src/**"),)


class Killed(BaseException):
    """In the place of a kill."""


def hold(world: World, files: dict[str, str | bytes | None] = FILES, claims: tuple[PathSpec, ...] = CLAIM) -> Rework:
    """A result that strayed, as the airlock keeps it."""
    tip = world.work_tip(files)
    world.pack("t.1.1", tip, world.main)
    world.admit("t.1.1", tip)
    (evidence.run_folder(world.place, "t.1.1") / "returned.json").unlink()
    git(world.top, "update-ref", "-d", BRANCH)
    returned = world.judge("t.1.1", world.main, claims)
    assert (returned.entry, returned.reason, returned.ref) == (Entry.REFUSED, Reason.CLAIM, ATTIC)
    return Rework(Answer.DROP, tip, world.main, ATTIC)


def answer(world: World, rework: Rework, claims: tuple[PathSpec, ...] = CLAIM, *, accept: bool = True) -> Returned:
    order = AdmitOrder("t.1.2", "default", "t", rework.base, claims, accept)
    GitAirlock(world.open(), "main", world.fence_of).rework(order, rework, Config())
    returned = evidence.read_returned(world.place, "t.1.2")
    assert returned is not None
    return returned


def changed(world: World, tip: str, base: str = "") -> list[str]:
    return git(world.top, "diff", "--name-status", base or world.main, tip).replace("\t", " ").splitlines()


def test_what_is_outside_the_claim_is_put_back_on_the_base_and_the_original_stays(world: World) -> None:
    rework = hold(world)
    returned = answer(world, rework)
    assert (returned.entry, returned.ref) == (Entry.ACCEPTED, BRANCH)
    assert changed(world, returned.tip) == ["M src/b.txt"]
    assert git(world.top, "rev-parse", f"{returned.tip}^") == rework.base
    assert git(world.top, "rev-parse", ATTIC) == rework.tip
    assert rework.tip in git(world.top, "log", "-1", "--format=%B", returned.tip)
    git(world.top, "fsck", "--strict", "--no-dangling")


def test_a_wider_claim_lets_the_very_result_in(world: World) -> None:
    rework = hold(world)
    claims = (*CLAIM, PathSpec("a.txt"), PathSpec("gone.txt"), PathSpec("new/**"))
    returned = answer(world, Rework(Answer.WIDEN, rework.tip, rework.base, rework.ref), claims)
    assert (returned.entry, returned.tip, returned.ref) == (Entry.ACCEPTED, rework.tip, BRANCH)


def test_a_claim_that_is_still_too_narrow_holds_the_rest_again(world: World) -> None:
    rework = hold(world)
    returned = answer(world, Rework(Answer.WIDEN, rework.tip, rework.base, rework.ref), (*CLAIM, PathSpec("new/**")))
    assert (returned.entry, returned.reason, returned.ref) == (Entry.REFUSED, Reason.CLAIM, ATTIC)
    assert returned.detail == ("a.txt was changed outside the claim", "gone.txt was deleted outside the claim")


def test_no_answer_lets_in_what_policy_forbids(world: World) -> None:
    """A result that holds both is refused for policy; here the answer names another commit than the one that was held."""
    tip = world.branch_tip({".orch/config.yaml": "gates: []\n", "src/b.txt": "B\n"})
    returned = answer(world, Rework(Answer.WIDEN, tip, world.main, ATTIC), (PathSpec("**"),))
    assert (returned.entry, returned.reason) == (Entry.REFUSED, Reason.POLICY)


@pytest.mark.parametrize("said", [said for said in Answer if said not in (Answer.RESTORE, Answer.TASK)])
def test_killed_between_any_two_effects_it_comes_to_the_same(
    world: World, said: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = hold(world)
    rework = Rework(said, held.tip, held.base, held.ref, held.base)
    claims = CLAIM if said is Answer.DROP else (PathSpec("**"),)
    written: list[Path] = []
    real = evidence.write_durably
    for limit in itertools.count():
        left = iter(range(limit))

        def die(path: Path, content: bytes, left=left) -> None:
            if next(left, None) is None:
                raise Killed
            written.append(path)
            real(path, content)

        monkeypatch.setattr(evidence, "write_durably", die)
        try:
            returned = answer(world, rework, claims)
        except Killed:
            continue
        break
    monkeypatch.setattr(evidence, "write_durably", real)
    assert limit == 2 and {path.name for path in written} == {"exit.json", "returned.json"}
    assert (returned.entry, returned.ref) == (Entry.ACCEPTED, BRANCH)
    assert git(world.top, "for-each-ref", "--format=%(refname)", "refs/orch/attic") == ATTIC
    assert answer(world, rework, claims) == returned


def test_when_nothing_is_left_the_record_leads_to_the_original(world: World) -> None:
    rework = hold(world, {"a.txt": "A\n"})
    assert answer(world, rework) == Returned(Entry.UNCHANGED, rework.tip, ATTIC)
    assert not git(world.top, "for-each-ref", BRANCH)


def test_a_cancelled_answer_only_keeps_the_work(world: World) -> None:
    rework = hold(world)
    assert answer(world, rework, accept=False) == Returned(Entry.KEPT, rework.tip, ATTIC)


def test_a_result_that_is_gone_is_said(world: World) -> None:
    returned = answer(world, Rework(Answer.WIDEN, "1" * 40, world.main, ATTIC))
    assert (returned.entry, returned.ref) == (Entry.REFUSED, "") and "is gone" in returned.detail[0]


def test_files_and_folders_that_took_each_others_place_are_put_back(world: World) -> None:
    git(world.work, "checkout", "-q", "--detach", world.main)
    (world.work / "src/b.txt").unlink()
    (world.work / "src").rmdir()
    (world.work / "src").write_text("now a file")
    (world.work / "gone.txt").unlink()
    rework = hold(world, {"gone.txt/in": "x", "ok": "y"}, (PathSpec("ok"),))
    assert len(changed(world, rework.tip)) == 5
    assert changed(world, answer(world, rework, (PathSpec("ok"),)).tip) == ["A ok"]


def test_modes_links_and_odd_names_are_put_back(world: World) -> None:
    git(world.work, "fetch", "-q", "origin")
    odd = os.fsdecode(b"caf\xe9")
    for name in (odd, "tab\there"):
        (world.top / name).write_text("odd\n")
    (world.top / "link").symlink_to("a.txt")
    git(world.top, "add", "-A")
    git(world.top, "commit", "-qm", "odd names")
    git(world.work, "fetch", "-q", "origin")
    git(world.work, "checkout", "-q", "--detach", world.main)
    (world.work / "a.txt").chmod(0o755)
    for name in (odd, "tab\there", "link"):
        (world.work / name).unlink()
    rework = hold(world, {"src/b.txt": "B\n"})
    task = Task(TaskSpec("t", "t", "r", claims=CLAIM), Status.HELD, "1", Source.FILE, 1, 0, tip=rework.tip, base=rework.base)
    outside = list_outside(world.place, task)
    assert outside is not None
    told = {f"{name_change(change)} {change.path}" for change in outside}
    assert told == {"changed a.txt", f"deleted {odd}", "deleted link", "deleted tab\there"}
    assert changed(world, answer(world, rework).tip) == ["M src/b.txt"]


def test_the_list_of_a_client_is_the_one_of_the_airlock(world: World) -> None:
    """Also for files that may only grow."""
    claims = (PathSpec("src/**", Mode.APPEND), PathSpec("a.txt", Mode.APPEND), PathSpec("new/**", Mode.READ))
    rework = hold(world, FILES | {"a.txt": "one\ntwo\nthree\nfour\n"}, claims)
    task = Task(TaskSpec("t", "t", "r", claims=claims), Status.HELD, "1", Source.FILE, 1, 0, tip=rework.tip, base=rework.base)
    outside = list_outside(world.place, task)
    assert outside is not None
    said = tuple(f"{change.path} was {name_change(change)} outside the claim" for change in outside)
    assert said == world.judge("t.1.1", world.main, claims).detail
    assert [change.path for change in outside] == ["gone.txt", "new/deep/x.txt", "src/b.txt"]
    assert list_outside(world.place, Task(task.spec, Status.HELD, "1", Source.FILE, 1, 0, tip="1" * 40, base="2" * 40)) is None


def test_it_works_in_a_bare_repository(bare_world: World) -> None:
    assert answer(bare_world, hold(bare_world)).entry is Entry.ACCEPTED


def test_without_leaving_the_commits_between_out_what_was_dropped_would_land(world: World) -> None:
    """The twin: a commit on top of the result has the dropped content in its history."""
    rework = hold(world)
    tree = git(world.top, "rev-parse", f"{answer(world, rework).tip}^{{tree}}")
    on_top = git(world.top, "commit-tree", "-p", rework.tip, "-m", "on top", tree)
    kept = subprocess.run(
        ["git", "rev-list", "--objects", f"{rework.base}..{on_top}"], cwd=world.top, capture_output=True, text=True, check=True
    ).stdout
    ours = git(world.top, "rev-list", "--objects", f"{rework.base}..{answer(world, rework).tip}")
    assert "new/deep/x.txt" in kept and "new/deep/x.txt" not in ours


def bring_back(world: World, source: str, base: str, *, accept: bool = True) -> Returned:
    return answer(world, Rework(Answer.RESTORE, source, base, ""), (PathSpec("**"),), accept=accept)


def test_a_tree_of_mains_history_comes_back_as_a_commit_on_its_base_whatever_policy_says_of_its_files(world: World) -> None:
    old = world.main
    commit(world.top, {".github/workflows/x.yml": "on: push\n", "a.txt": "changed\n", "b c/new.txt": "new\n"})
    now = world.main
    returned = bring_back(world, old, now)
    assert (returned.entry, returned.ref) == (Entry.ACCEPTED, BRANCH)
    assert git(world.top, "rev-parse", f"{returned.tip}^{{tree}}") == git(world.top, "rev-parse", f"{old}^{{tree}}")
    assert git(world.top, "rev-parse", f"{returned.tip}^@") == now
    assert f"Orch-Restores: {old}" in git(world.top, "log", "-1", "--format=%B", returned.tip)
    assert bring_back(world, old, now).tip == returned.tip, "the same commit however often"


def test_what_was_never_on_main_does_not_come_back_and_what_is_there_changes_nothing(world: World) -> None:
    strange = world.branch_tip({".github/workflows/x.yml": "on: push\n"})
    returned = bring_back(world, strange, world.main)
    assert (returned.entry, returned.reason, returned.ref) == (Entry.REFUSED, Reason.POLICY, "")
    assert "is not part of main" in returned.detail[0]
    assert bring_back(world, world.main, world.main).entry is Entry.UNCHANGED
    assert bring_back(world, "0" * 39 + "1", world.main).entry is Entry.UNCHANGED
    assert bring_back(world, world.main, world.main, accept=False).entry is Entry.UNCHANGED
