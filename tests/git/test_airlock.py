from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import zlib
from hashlib import sha1

import pytest
from git_world import World, commit, git, titles, write

from orchd.adapters import airlock, evidence, patience
from orchd.adapters.quarantine import Quarantine
from orchd.core.duties import is_reachable
from orchd.errors import GitError
from orchd.model.claim import Mode, PathSpec
from orchd.model.limits import UNPACK_OBJECTS, VERDICT_TRIES
from orchd.model.run import CommandResult, Entry, Exit, Outcome, Phase, Returned, RunSeen
from orchd.model.work import Reason, StepMade

RUN = "fix.1.1"
BRANCH = "refs/heads/session/default/task/fix"
ATTIC = "refs/orch/attic/fix/1"


def refs(world: World) -> str:
    return git(world.top, "for-each-ref", "refs/orch", "refs/heads/session")


def has(world: World, oid: str) -> bool:
    return subprocess.run(["git", "cat-file", "-e", oid], cwd=world.top, check=False).returncode == 0


def bring(world: World, files: dict[str, str | bytes | None], *, claims: tuple[str, ...] = ("**",), accept: bool = True):
    tip = world.work_tip(files)
    world.pack(RUN, tip, world.main)
    return world.admit(RUN, tip, claims=claims, accept=accept)


def check_clean(world: World) -> None:
    assert not list((world.place.orch / "airlock").glob("*"))
    git(world.top, "fsck", "--strict", "--no-dangling")


@pytest.mark.parametrize("count", [1, UNPACK_OBJECTS + 1])
def test_an_accepted_result_is_on_its_branch_and_admitting_again_changes_nothing(world: World, count: int) -> None:
    returned = bring(world, {f"n{number}": str(number) for number in range(count)})
    assert (returned.entry, returned.ref) == (Entry.ACCEPTED, BRANCH)
    assert git(world.top, "rev-parse", BRANCH) == returned.tip
    before = refs(world)
    assert world.admit(RUN, returned.tip) == returned
    assert refs(world) == before
    check_clean(world)


def test_a_thin_pack_is_completed_from_the_main_objects(world: World) -> None:
    text = "".join(f"line {number}\n" for number in range(3000))
    commit(world.work, {"big": text})
    git(world.work, "push", "-q", "origin", "HEAD:refs/heads/side")
    git(world.top, "update-ref", "refs/heads/main", "refs/heads/side")
    git(world.top, "reset", "-q", "--hard")
    tip = world.work_tip({"big": text + "more\n"} | {f"n{number}": str(number) for number in range(UNPACK_OBJECTS + 1)})
    pack = world.pack(RUN, tip, world.main, "--thin")
    assert pack.stat().st_size < len(text)
    assert world.admit(RUN, tip).entry is Entry.ACCEPTED
    check_clean(world)


def test_a_path_outside_the_claim_is_refused_and_kept_in_the_attic(world: World) -> None:
    returned = bring(world, {"src/b.txt": "B\n", "a.txt": "A\n"}, claims=("src/**",))
    assert (returned.entry, returned.reason, returned.ref) == (Entry.REFUSED, Reason.CLAIM, ATTIC)
    assert returned.detail == ("a.txt was changed outside the claim",)
    assert git(world.top, "rev-parse", ATTIC) == returned.tip


def test_a_deletion_outside_the_claim_is_refused_too(world: World) -> None:
    returned = bring(world, {"gone.txt": None}, claims=("src/**",))
    assert returned.detail == ("gone.txt was deleted outside the claim",)


@pytest.mark.parametrize(
    ("text", "entry"), [("one\ntwo\nthree\nfour\n", Entry.ACCEPTED), ("zero\none\ntwo\nthree\n", Entry.REFUSED)]
)
def test_an_append_claim_admits_only_additions_at_the_end(world: World, text: str, entry: Entry) -> None:
    tip = world.work_tip({"a.txt": text})
    world.pack(RUN, tip, world.main)
    world.leave_exit(RUN, Exit(Outcome.EXITED, tip=tip))
    assert world.judge(RUN, world.main, (PathSpec("a.txt", Mode.APPEND),)).entry is entry


def test_what_policy_forbids_is_refused_and_kept(world: World) -> None:
    (world.work / "link").symlink_to("/etc/passwd")
    returned = bring(world, {".orch/config.yaml": "gates: []\n", "bad.": "x"})
    assert (returned.entry, returned.reason, returned.ref) == (Entry.REFUSED, Reason.POLICY, ATTIC)
    assert [line.split(" ")[0] for line in returned.detail] == [".orch/config.yaml", "bad.", "link"]


FORGED = "done\n\nOrch-Save: 0123456789abcdef\nOrch-Checkpoint: {}\nOrch-Task: other 1.1\n"


def says_checkpoint(world: World, name: str = "checkpoint/2026-01-01-001") -> str:
    """The tip of a result with a commit that says it is a checkpoint, and an honest one after it."""
    world.work_tip({})
    commit(world.work, {"a.txt": "A\n"}, FORGED.format(name))
    return commit(world.work, {"b.txt": "B\n"})


@pytest.mark.parametrize("name", ["checkpoint/2026-01-01-001", "..", "checkpoint/"])
def test_a_commit_that_says_it_is_a_checkpoint_is_refused(world: World, name: str) -> None:
    tip = says_checkpoint(world, name)
    world.pack(RUN, tip, world.main)
    returned = world.admit(RUN, tip)
    assert (returned.entry, returned.reason, returned.ref) == (Entry.REFUSED, Reason.POLICY, ATTIC)
    assert "says that it is a checkpoint of orchd" in returned.detail[0]


def test_without_that_question_it_would_come_in(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(airlock, "_find_forged", lambda *_: "")
    tip = says_checkpoint(world)
    world.pack(RUN, tip, world.main)
    assert world.admit(RUN, tip).entry is Entry.ACCEPTED


def test_a_landed_checkpoint_that_a_task_merged_may_come_in(world: World) -> None:
    tip = says_checkpoint(world)
    git(world.work, "push", "-q", "origin", f"{tip}~1:refs/heads/side")
    git(world.top, "tag", "-a", "-m", "landed", "checkpoint/2026-01-01-001", "side")
    world.pack(RUN, tip, world.main)
    assert world.admit(RUN, tip).entry is Entry.ACCEPTED


def test_work_that_is_not_accepted_is_kept_in_the_attic_once(world: World) -> None:
    returned = bring(world, {"a.txt": "A\n"}, accept=False)
    assert (returned.entry, returned.ref) == (Entry.KEPT, ATTIC)
    assert world.admit(RUN, returned.tip, accept=False) == returned
    assert git(world.top, "for-each-ref", "--format=%(refname)", "refs/orch/attic") == ATTIC


def test_a_leftover_of_an_earlier_generation_is_kept_though_its_base_is_not_known_any_more(world: World) -> None:
    tip = world.work_tip({"a": "kept"})
    world.pack(RUN, tip, world.main)
    returned = world.admit(RUN, tip, accept=False, base="")
    assert (returned.entry, returned.ref) == (Entry.KEPT, ATTIC)


def test_nothing_changed_is_unchanged(world: World) -> None:
    assert world.admit(RUN, "").entry is Entry.UNCHANGED
    assert world.admit(RUN, world.main).entry is Entry.UNCHANGED
    returned = bring(world, {})
    assert (returned.entry, returned.ref) == (Entry.UNCHANGED, ATTIC)


def test_a_result_that_could_not_be_collected_keeps_the_workspace(world: World) -> None:
    world.leave_exit(RUN, Exit(Outcome.EXITED, detail="the disk is full"))
    returned = world.judge(RUN, world.main, ())
    assert (returned.entry, returned.ref, returned.reason, returned.detail) == (
        Entry.KEPT,
        "",
        Reason.WORKSPACE,
        ("the disk is full", f"the workspace of {RUN} is kept: `orchd attic list` says where"),
    )


def test_no_workspace_is_said_to_be_kept_where_none_was_made(world: World) -> None:
    world.leave_exit(RUN, Exit(Outcome.UNPREPARED, detail="the disk is full"))
    returned = world.judge(RUN, world.main, ())
    assert (returned.entry, returned.detail) == (Entry.UNCHANGED, ())


def test_what_the_branch_held_goes_to_the_attic_unless_main_has_it(world: World) -> None:
    git(world.top, "update-ref", BRANCH, world.main)
    first = bring(world, {"a.txt": "1\n"})
    assert git(world.top, "for-each-ref", "refs/orch/attic") == ""
    second = bring(world, {"a.txt": "2\n"})
    assert git(world.top, "rev-parse", ATTIC, BRANCH).split() == [first.tip, second.tip]


def bring_with_extra(world: World, tip: str, *, accept: bool = True) -> tuple[str, Returned]:
    """A result, and a stray commit beside it."""
    extra = world.work_tip({"stray.txt": "precious"})
    pack = world.pack(RUN, extra, world.main)
    with pack.open("wb") as out:
        asked = f"{extra}\n{tip or extra}\n^{world.main}\n".encode()
        subprocess.run(["git", "pack-objects", "--revs", "--stdout", "-q"], cwd=world.work, input=asked, stdout=out, check=True)
    world.leave_exit(RUN, Exit(Outcome.EXITED, tip=tip, extra=extra))
    return extra, world.judge(RUN, world.main, (PathSpec("**"),), accept=accept)


def test_commits_that_are_not_part_of_the_result_go_to_the_attic_and_are_told(world: World) -> None:
    tip = world.work_tip({"a.txt": "A\n"})
    extra, returned = bring_with_extra(world, tip)
    assert (returned.entry, returned.tip, returned.ref) == (Entry.ACCEPTED, tip, BRANCH)
    assert returned.detail == (f"commits that are not part of its result are kept as {ATTIC}",)
    assert git(world.top, "rev-parse", ATTIC) == extra
    assert world.judge(RUN, world.main, (PathSpec("**"),), accept=True) == returned
    assert git(world.top, "for-each-ref", "--format=%(refname)", "refs/orch/attic") == ATTIC


@pytest.mark.parametrize("accept", [True, False])
def test_commits_are_kept_and_told_when_nothing_was_changed(world: World, accept: bool) -> None:
    extra, returned = bring_with_extra(world, "", accept=accept)
    assert (returned.entry, returned.tip, returned.ref) == (Entry.UNCHANGED, extra, ATTIC)
    assert ATTIC in returned.detail[0]
    assert git(world.top, "rev-parse", ATTIC) == extra


def test_work_that_is_only_kept_and_its_extra_commits_have_a_place_each(world: World) -> None:
    tip = world.work_tip({"a.txt": "A\n"})
    extra, returned = bring_with_extra(world, tip, accept=False)
    assert (returned.entry, returned.ref) == (Entry.KEPT, ATTIC)
    assert git(world.top, "rev-parse", ATTIC, "refs/orch/attic/fix/2").split() == [tip, extra]


def bring_repository(world: World, base: str, *, accept: bool) -> Returned:
    git(world.work, "checkout", "-q", "--detach", base)
    write(world.work, {"x": "x"})
    git(world.work, "add", "x")
    git(world.work, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},deep/inner")
    git(world.work, "commit", "-qm", "inner")
    tip = git(world.work, "rev-parse", "HEAD")
    world.pack(RUN, tip, world.main)
    return world.admit(RUN, tip, accept=accept, base=base)


@pytest.mark.parametrize(("accept", "entry"), [(True, Entry.REFUSED), (False, Entry.KEPT)])
def test_a_repository_inside_keeps_the_workspace_though_the_rest_is_in_the_attic(
    world: World, accept: bool, entry: Entry
) -> None:
    returned = bring_repository(world, world.main, accept=accept)
    assert (returned.entry, returned.ref, returned.partial) == (entry, ATTIC, True)
    kept = f"the workspace of {RUN} is kept: `orchd attic list` says where"
    assert returned.detail[-1] == f"a repository inside it is not part of its result; {kept}"
    assert not is_reachable(RunSeen(Phase.ENDED, Exit(Outcome.EXITED), returned))


def test_a_submodule_that_the_base_has_is_no_reason_to_keep_the_workspace(world: World) -> None:
    base = world.work_tip({})
    git(world.work, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},deep/inner")
    git(world.work, "commit", "-qm", "inner")
    git(world.top, "fetch", "-q", str(world.work), "+HEAD:refs/heads/side")
    base = git(world.top, "rev-parse", "side")
    git(world.work, "checkout", "-q", "--detach", base)
    write(world.work, {"deep/y": "y"})
    git(world.work, "add", "deep/y")
    git(world.work, "commit", "-qm", "more")
    tip = git(world.work, "rev-parse", "HEAD")
    world.pack(RUN, tip, base)
    returned = world.admit(RUN, tip, accept=False, base=base)
    assert (returned.entry, returned.ref, returned.partial, returned.detail) == (Entry.KEPT, ATTIC, False, ())


def test_an_unrelated_history_is_refused(world: World) -> None:
    git(world.work, "checkout", "-q", "--orphan", "other")
    tip = commit(world.work, {"z": "z"})
    world.pack(RUN, tip, world.main)
    returned = world.admit(RUN, tip)
    assert (returned.entry, returned.reason) == (Entry.REFUSED, Reason.POLICY)


def make_pack(*objects: tuple[int, bytes]) -> bytes:
    """A pack spelled out by hand: (type, content)."""
    body = b"PACK" + (2).to_bytes(4, "big") + len(objects).to_bytes(4, "big")
    for kind, content in objects:
        size, byte = len(content) >> 4, (kind << 4) | (len(content) & 15)
        head = []
        while size:
            head.append(byte | 128)
            byte, size = size & 127, size >> 7
        body += bytes([*head, byte]) + zlib.compress(content)
    return body + sha1(body).digest()


def spell_commit(world: World, tree: bytes) -> tuple[str, bytes]:
    """A pack with a tree and a commit on main, and the commit's id."""
    tree_id = sha1(b"tree %d\0" % len(tree) + tree).hexdigest()
    who = "A <a@example.org> 1 +0000"
    text = f"tree {tree_id}\nparent {world.main}\nauthor {who}\ncommitter {who}\n\nx\n".encode()
    return sha1(b"commit %d\0" % len(text) + text).hexdigest(), make_pack((1, text), (2, tree))


MISSING = bytes(range(20))
BROKEN = {
    "lacks a blob": b"100644 x\0" + MISSING,
    "has .git in a tree": b"40000 .git\0" + bytes.fromhex("4b825dc642cb6eb9a060e54bf8d69288fbee4904"),
    "is not sorted": b"100644 b\0" + MISSING + b"100644 a\0" + MISSING,
}


@pytest.mark.parametrize("tree", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_object_does_not_enter(world: World, tree: bytes) -> None:
    tip, pack = spell_commit(world, tree)
    world.pack(RUN, world.main, world.main).write_bytes(pack)
    returned = world.admit(RUN, tip)
    assert (returned.entry, returned.ref, returned.reason) == (Entry.REFUSED, "", Reason.POLICY)
    assert not has(world, tip)
    assert refs(world) == ""
    check_clean(world)


def test_without_strict_a_broken_object_enters(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin: the same pack through an unpack without checks."""

    def unpack(self: Quarantine, pack: object) -> str:
        environment = os.environ | {"GIT_OBJECT_DIRECTORY": str(self.folder)}
        pack_bytes = evidence.result_pack(world.place, RUN).read_bytes()
        subprocess.run(["git", "unpack-objects", "-q"], cwd=world.top, env=environment, input=pack_bytes, check=True)
        return ""

    monkeypatch.setattr(Quarantine, "unpack", unpack)
    tip, pack = spell_commit(
        world, BROKEN["is not sorted"].replace(MISSING, bytes.fromhex(git(world.top, "rev-parse", "HEAD:a.txt")))
    )
    world.pack(RUN, world.main, world.main).write_bytes(pack)
    assert world.admit(RUN, tip).entry is Entry.ACCEPTED
    assert has(world, tip)


@pytest.mark.parametrize("content", [b"", b"PACK", b"nonsense" * 10])
def test_a_torn_pack_does_not_enter(world: World, content: bytes) -> None:
    tip = world.work_tip({"a.txt": "1\n"})
    world.pack(RUN, tip, world.main).write_bytes(content)
    returned = world.admit(RUN, tip)
    assert (returned.entry, returned.ref) == (Entry.REFUSED, "")
    assert not has(world, tip)


KILLED = "kill -9 $$"
FULL = "echo 'error: unable to write file: No space left on device' >&2; exit 128"


def spoil_git(world: World, monkeypatch: pytest.MonkeyPatch, verb: str, trouble: str) -> None:
    """From now on this git command comes to grief, as it does on a machine that is full."""
    folder = world.top.parent / "bin"
    folder.mkdir()
    real = shutil.which("git")
    (folder / "git").write_text(f'#!/bin/sh\ncase " $* " in *" {verb} "*) {trouble};; esac\nexec {real} "$@"\n')
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


@pytest.mark.parametrize("trouble", [KILLED, FULL])
@pytest.mark.parametrize(("verb", "count"), [("unpack-objects", 1), ("index-pack", UNPACK_OBJECTS + 1)])
def test_the_trouble_of_this_machine_is_no_verdict_on_a_task(
    world: World, monkeypatch: pytest.MonkeyPatch, trouble: str, verb: str, count: int
) -> None:
    tip = world.work_tip({f"n{number}": str(number) for number in range(count)})
    world.pack(RUN, tip, world.main)
    with monkeypatch.context() as patch:
        spoil_git(world, patch, verb, trouble)
        with pytest.raises(GitError):
            world.admit(RUN, tip)
    assert evidence.read_returned(world.place, RUN) is None
    assert world.admit(RUN, tip).entry is Entry.ACCEPTED
    check_clean(world)


@pytest.mark.parametrize("full", [False, True])
def test_a_pack_that_can_never_be_checked_ends_and_a_full_disk_does_not_end_it(
    world: World, monkeypatch: pytest.MonkeyPatch, full: bool
) -> None:
    tip = world.work_tip({"a.txt": "1\n"})
    world.pack(RUN, tip, world.main)
    monkeypatch.setattr(patience, "VERDICT_SECONDS", 0)
    if full:
        monkeypatch.setattr(patience, "ROOM_BYTES", 1 << 62)
    spoil_git(world, monkeypatch, "unpack-objects", KILLED)
    for _ in range(VERDICT_TRIES - 1):
        with pytest.raises(GitError):
            world.admit(RUN, tip)
    with pytest.raises(GitError) if full else contextlib.nullcontext():
        returned = world.admit(RUN, tip)
        assert (returned.entry, returned.reason, returned.ref) == (Entry.REFUSED, Reason.WORKSPACE, "")
    check_clean(world)


@pytest.mark.parametrize("full", [False, True])
def test_what_git_can_never_merge_is_left_out_and_the_rest_is_merged(
    world: World, monkeypatch: pytest.MonkeyPatch, full: bool
) -> None:
    tips = (world.branch_tip(files) for files in ({"a.txt": "ONE\ntwo\nthree\n"}, {"a.txt": "1\ntwo\nthree\n"}, {"x": "x"}))
    save, saves = world.plan(*tips), world.saves()
    monkeypatch.setattr(patience, "VERDICT_SECONDS", 0)
    if full:
        monkeypatch.setattr(patience, "ROOM_BYTES", 1 << 62)
    spoil_git(world, monkeypatch, "merge-tree", KILLED)
    for _ in range(VERDICT_TRIES - 1 + full):
        with pytest.raises(GitError):
            saves.merge(save, titles(save))
    if not full:
        saves.merge(save, titles(save))
        chain = saves.look(save, world.main).chain
        assert chain is not None
        assert [(one.item.task, one.reason) for one in chain.excluded] == [("t2", Reason.PROOF)]
        assert [link.item.task for link in chain.chain] == ["t1", "t3"]


@pytest.mark.parametrize("trouble", [KILLED, FULL, "exit 2"])
def test_a_merge_that_was_killed_is_no_conflict(world: World, monkeypatch: pytest.MonkeyPatch, trouble: str) -> None:
    mine, theirs = world.branch_tip({"a.txt": "ONE\ntwo\nthree\n"}), world.branch_tip({"a.txt": "1\ntwo\nthree\n"})
    save, saves = world.plan(mine, theirs), world.saves()
    with monkeypatch.context() as patch:
        spoil_git(world, patch, "merge-tree", trouble)
        with pytest.raises(GitError):
            saves.merge(save, titles(save))
    saves.merge(save, titles(save))
    chain = saves.look(save, world.main).chain
    assert chain is not None
    assert [one.reason for one in chain.excluded] == [Reason.CONFLICT]


def test_a_missing_pack_or_tip_does_not_enter(world: World) -> None:
    tip = world.work_tip({"a.txt": "1\n"})
    assert world.admit(RUN, tip).detail[0] == "its pack is missing"
    world.pack(RUN, world.main, world.main)
    assert "is not a commit" in world.admit(RUN, tip).detail[0]


def test_a_tree_that_spells_endless_paths_is_refused_in_no_time(world: World) -> None:
    entries, level = [], b"100644 f\0" + bytes.fromhex(git(world.top, "rev-parse", "HEAD:a.txt"))
    for _ in range(12):
        entries.append((2, level))
        below = sha1(b"tree %d\0" % len(level) + level).digest()
        level = b"".join(b"40000 %02d\0" % number + below for number in range(20))
    tip, last = spell_commit(world, level)
    text = zlib.decompress(last[14:])
    world.pack(RUN, world.main, world.main).write_bytes(make_pack((1, text), *entries, (2, level)))
    returned = world.admit(RUN, tip)
    assert (returned.entry, returned.reason) == (Entry.REFUSED, Reason.POLICY)
    assert returned.detail == ("more changes than can be judged; at most 2000 files may come in",)


def test_a_quarantine_that_was_interrupted_is_made_anew(world: World) -> None:
    (world.place.orch / "airlock" / RUN / "aa").mkdir(parents=True)
    assert bring(world, {"a.txt": "1\n"}).entry is Entry.ACCEPTED
    check_clean(world)


def begin_at(world: World, files: dict[str, str | bytes | None]) -> str:
    """A step checkpoint that came in with an earlier attempt."""
    tip = world.work_tip(files)
    world.pack("fix.1.0", tip, world.main)
    assert world.admit("fix.1.0", tip, accept=False).entry is Entry.KEPT
    return tip


def resume(world: World, start: str, left: Exit, claims: tuple[str, ...] = ("**",)) -> Returned:
    world.leave_exit(RUN, left)
    return world.judge(RUN, world.main, tuple(map(PathSpec, claims)), start=start)


DONE = (CommandResult("two", 0, 0.1),)


def test_an_attempt_that_adds_nothing_to_its_checkpoint_brings_the_checkpoint(world: World) -> None:
    start = begin_at(world, {"made": "1"})
    returned = resume(world, start, Exit(Outcome.EXITED, DONE))
    assert (returned.entry, returned.tip, git(world.top, "rev-parse", BRANCH)) == (Entry.ACCEPTED, start, start)
    assert resume(world, start, Exit(Outcome.EXITED, DONE), ("other",)).reason is Reason.CLAIM


def test_an_attempt_that_could_not_be_collected_does_not_pass_for_its_checkpoint(world: World) -> None:
    start = begin_at(world, {"made": "1"})
    returned = resume(world, start, Exit(Outcome.EXITED, DONE, detail="its .git was replaced or removed"))
    assert (returned.entry, returned.reason) == (Entry.KEPT, Reason.WORKSPACE)


def test_only_checkpoints_that_a_ref_holds_are_told(world: World) -> None:
    first, other = world.work_tip({"made": "1"}), "1" * 40
    steps = tuple(StepMade(name, oid) for name, oid in (("none", world.main), ("one", first), ("ghost", other)))
    world.pack(RUN, first, world.main)
    world.leave_exit(RUN, Exit(Outcome.EXITED, DONE, first, steps=steps))
    returned = world.judge(RUN, world.main, (PathSpec("**"),), accept=False)
    assert [step.name for step in returned.steps] == ["none", "one"]
    apart = world.work_tip({"apart": "1"})
    world.leave_exit("fix.1.2", Exit(Outcome.EXITED, DONE, steps=(StepMade("one", apart),)))
    assert world.judge("fix.1.2", world.main, (PathSpec("**"),), accept=False).steps == ()
