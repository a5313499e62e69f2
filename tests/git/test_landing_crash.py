"""Landing is killed at every effect, and inside git itself; the next look and landing repair whatever was left."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from git_world import World, git, titles, write
from pygit2.transaction import ReferenceTransaction

from orchd.adapters import index_lock, main_move
from orchd.adapters.checkout import Checkout
from orchd.adapters.checkout_repair import CUT_SECONDS
from orchd.adapters.index_lock import ASIDE
from orchd.adapters.main_move import RECORD
from orchd.adapters.ref_store import RefStore
from orchd.errors import GitError
from orchd.model.save import Hold, Save

CHANGES: dict[str, str | bytes | None] = {"a.txt": "1\n", "new/c.txt": "c\n", "gone.txt": None}
EFFECTS = (
    (subprocess.Popen, "communicate"),
    (ReferenceTransaction, "commit"),
    (Path, "hardlink_to"),
    (Path, "replace"),
    (Path, "unlink"),
)


def die_at(count: int) -> None:
    """Make this process kill itself before (even) or after (odd) its n-th effect."""
    done = 0

    def wrap(owner: type, name: str) -> None:
        real: Callable[..., object] = getattr(owner, name)

        def step(*arguments: object, **options: object) -> object:
            nonlocal done
            done += 1
            if done * 2 == count:
                os.kill(os.getpid(), signal.SIGKILL)
            result = real(*arguments, **options)
            if done * 2 + 1 == count:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        setattr(owner, name, step)

    for owner, name in EFFECTS:
        wrap(owner, name)


def land_and_die(world: World, save: Save, count: int) -> bool:
    """Land in a child that dies on the way. Whether it died."""
    child = os.fork()
    if child == 0:
        die_at(count)
        saves = world.saves()
        saves.land(save, titles(save))
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def age_locks(world: World) -> None:
    """As if somebody came back minutes later."""
    for lock in (world.top / ".git").rglob("*.lock"):
        os.utime(lock, (time.time() - 60, time.time() - 60))


def snapshot(world: World) -> dict[str, bytes]:
    return {
        str(path.relative_to(world.top)): path.read_bytes()
        for path in world.top.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(world.top).parts
    }


def check_landed(world: World, save: Save) -> None:
    age_locks(world)
    saves = world.saves()
    if not saves.look(save, world.main).landed:
        assert saves.look(save, world.main).hold is None
        saves.land(save, titles(save))
    assert saves.look(save, world.main).landed == world.main
    assert git(world.top, "rev-parse", "main^{tree}") == save.chain[-1].tree
    assert git(world.top, "status", "--porcelain") == "?? mine"
    assert snapshot(world) == {"a.txt": b"1\n", "new/c.txt": b"c\n", "src/b.txt": b"b\n", "mine": b"mine"}
    assert not list((world.top / ".git").rglob("*.lock"))
    assert not (world.place.orch / RECORD).exists()


def test_a_kill_at_any_effect_of_landing_is_repaired(tmp_path: Path, templates: object) -> None:
    count, died = 2, True
    while died:
        folder = tmp_path / str(count)
        folder.mkdir()
        world = templates.copy(folder)
        write(world.top, {"mine": "mine"})
        save = world.gated(world.saves(), world.plan(world.branch_tip(CHANGES)))
        died = land_and_die(world, save, count)
        check_landed(world, save)
        count += 1
    assert count > 14


def kill_git_at(world: World, path: str) -> None:
    """git dies while it writes `path`, after the paths before it."""
    write(world.top, {".git/info/attributes": f"{path} filter=crash\n"})
    git(world.top, "config", "filter.crash.smudge", "kill -9 $PPID")


def test_a_git_that_dies_in_the_middle_of_the_checkout_is_repaired_at_once(world: World) -> None:
    (world.top / ".git/info").mkdir(exist_ok=True)
    saves = world.saves()
    save = world.gated(saves, world.plan(world.branch_tip(CHANGES)))
    kill_git_at(world, "new/c.txt")
    with pytest.raises(GitError, match="read-tree"):
        saves.land(save, titles(save))
    assert world.main == save.base
    assert git(world.top, "status", "--porcelain") == ""
    assert not (world.top / ".git/index.lock").exists()


def test_while_git_dies_during_the_repair_too_the_save_is_held_and_then_lands_by_itself(world: World) -> None:
    (world.top / ".git/info").mkdir(exist_ok=True)
    write(world.top, {"mine": "mine"})
    saves = world.saves()
    save = world.gated(saves, world.plan(world.branch_tip(CHANGES)))
    kill_git_at(world, "a.txt")
    saves.land(save, titles(save))
    record = (world.place.orch / RECORD).read_bytes()
    seen = saves.look(save, world.main)
    assert (seen.hold, seen.offered) == (Hold.DIRTY, True)
    assert seen.hold_detail[0].startswith("an interrupted move cannot be repaired: git read-tree")
    saves.land(save, titles(save))
    assert (world.place.orch / RECORD).read_bytes() == record
    git(world.top, "config", "filter.crash.smudge", "cat")
    assert saves.look(save, world.main).hold is None
    check_landed(world, save)


def half_move(world: World) -> Save:
    """A checkout in which orchd was killed between moving the files and moving main."""
    saves = world.saves()
    save = world.gated(saves, world.plan(world.branch_tip(CHANGES)))
    child = os.fork()
    if child == 0:
        RefStore.move = die_before_main(RefStore.move)
        saves.land(save, titles(save))
        os._exit(0)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
    assert (world.top / "a.txt").read_text() == "1\n"
    return save


def die_before_main(real: Callable[..., bool]) -> Callable[..., bool]:
    def move(self: RefStore, name: str, *arguments: str) -> bool:
        if name == "refs/heads/main":
            os.kill(os.getpid(), signal.SIGKILL)
        return real(self, name, *arguments)

    return move


def pass_time(world: World, seconds: float) -> None:
    record = world.place.orch / RECORD
    os.utime(record, (time.time() - seconds, time.time() - seconds))


def test_what_a_person_wrote_into_a_half_moved_checkout_stays_and_holds_the_save(world: World) -> None:
    save = half_move(world)
    write(world.top, {"a.txt": "mine, meanwhile\n"})
    saves = world.saves()
    seen = saves.look(save, world.main)
    assert seen.hold is Hold.DIRTY
    assert seen.hold_detail == ("an interrupted move cannot be repaired: a.txt",)
    before, record = snapshot(world), (world.place.orch / RECORD).read_bytes()
    saves.land(save, titles(save))
    assert snapshot(world) == before
    assert (world.place.orch / RECORD).read_bytes() == record
    assert world.main == save.base


def test_a_repair_goes_on_when_the_person_has_put_the_own_work_into_a_commit(world: World) -> None:
    save = half_move(world)
    write(world.top, {"a.txt": "mine, meanwhile\n"})
    saves = world.saves()
    saves.look(save, world.main)
    git(world.top, "commit", "-q", "-m", "mine", "a.txt")
    assert saves.look(save, world.main).hold is None
    saves = world.saves()
    assert git(world.top, "status", "--porcelain") == ""
    assert (world.top / "a.txt").read_text() == "mine, meanwhile\n"
    assert not (world.place.orch / RECORD).exists()


def test_a_file_that_a_person_shortened_after_the_crash_is_never_taken_for_a_torn_write(world: World) -> None:
    save = half_move(world)
    pass_time(world, CUT_SECONDS + 5)
    write(world.top, {"a.txt": "1"})
    assert world.saves().look(save, world.main).hold is Hold.DIRTY
    assert (world.top / "a.txt").read_text() == "1"


def test_a_write_that_was_cut_off_is_completed_and_its_bytes_are_kept(world: World) -> None:
    save = half_move(world)
    write(world.top, {"mine": "mine", "new/c.txt": "", "a.txt": "1"})
    check_landed(world, save)
    kept = git(world.top, "for-each-ref", "--format=%(refname)", "refs/orch/attic/checkout/").splitlines()
    assert [git(world.top, "cat-file", "blob", name) for name in kept] == ["1", ""]
    assert kept == ["refs/orch/attic/checkout/1", "refs/orch/attic/checkout/2"]


def test_what_a_person_staged_in_a_half_moved_checkout_stays(world: World) -> None:
    save = half_move(world)
    (world.top / ".git/index.lock").unlink()
    write(world.top, {"a.txt": "staged\n"})
    git(world.top, "add", "a.txt")
    write(world.top, {"a.txt": "1\n"})
    before = git(world.top, "ls-files", "--stage")
    assert world.saves().look(save, world.main).hold is Hold.DIRTY
    assert git(world.top, "ls-files", "--stage") == before


def test_what_a_person_staged_elsewhere_outlives_the_repair(world: World) -> None:
    half_move(world)
    (world.top / ".git/index.lock").unlink()
    write(world.top, {"src/b.txt": "staged\n"})
    git(world.top, "add", "src/b.txt")
    world.saves()
    assert git(world.top, "status", "--porcelain") == "M  src/b.txt"


def test_a_merge_that_a_person_began_in_a_half_moved_checkout_is_waited_for(world: World) -> None:
    save = half_move(world)
    write(world.top, {".git/MERGE_HEAD": f"{world.main}\n"})
    before = snapshot(world)
    saves = world.saves()
    assert saves.look(save, world.main).hold_detail == ("an interrupted move cannot be repaired: a merge is not finished",)
    assert snapshot(world) == before


def test_a_lock_of_somebody_else_is_left_alone(world: World) -> None:
    save = half_move(world)
    lock = world.top / ".git/index.lock"
    lock.write_text("")
    age_locks(world)
    saves = world.saves()
    assert saves.look(save, world.main).hold is Hold.DIRTY
    assert lock.exists()
    lock.unlink()
    assert saves.look(save, world.main).hold is None


def test_a_git_of_the_dead_orchd_that_is_still_at_work_is_waited_for(world: World) -> None:
    save = half_move(world)
    orphan = subprocess.Popen(["sleep", "60"], env=os.environ | {"GIT_INDEX_FILE": str(world.top / ".git" / ASIDE)})
    try:
        saves = world.saves()
        assert "git is still at work" in saves.look(save, world.main).hold_detail[0]
    finally:
        orphan.kill()
        orphan.wait()
    assert saves.look(save, world.main).hold is None


def test_a_lost_race_for_main_puts_the_checkout_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    saves = world.saves()
    save = world.gated(saves, world.plan(world.branch_tip(CHANGES)))
    repo = world.open()
    foreign = repo.write_commit(repo.tree_of(save.base), [save.base], "foreign\n", 0)
    real = ReferenceTransaction.lock_ref

    def overtaken(self: ReferenceTransaction, name: str) -> None:
        if name == "refs/heads/main":
            monkeypatch.setattr(ReferenceTransaction, "lock_ref", real)
            git(world.top, "update-ref", name, foreign)
        real(self, name)

    monkeypatch.setattr(ReferenceTransaction, "lock_ref", overtaken)
    saves.land(save, titles(save))
    assert world.main == foreign
    assert git(world.top, "status", "--porcelain") == ""
    assert (world.top / "gone.txt").exists()


@pytest.mark.parametrize("command", [("add", "mine"), ("switch", "-q", "topic"), ("commit", "-q", "-m", "x", "-a")])
def test_git_commands_of_the_person_wait_outside_while_the_checkout_moves(
    world: World, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    """Without the lock each of them leaves the changes of the save staged, or reverts them."""
    saves = world.saves()
    git(world.top, "branch", "topic")
    save = world.gated(saves, world.plan(world.branch_tip(CHANGES)))
    write(world.top, {"mine": "mine"})
    codes: list[int] = []
    before_main(monkeypatch, lambda: codes.append(subprocess.run(["git", *command], cwd=world.top, check=False).returncode))
    saves.land(save, titles(save))
    assert codes == [128]
    check_landed(world, save)


def test_without_the_lock_a_commit_of_the_person_takes_the_work_of_the_save(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin of the lock."""
    saves = world.saves()
    save = world.gated(saves, world.plan(world.branch_tip(CHANGES)))
    monkeypatch.setattr(index_lock, "create_durably", lambda path, content: True)
    before_main(monkeypatch, lambda: git(world.top, "commit", "-q", "-m", "mine", "-a"))
    saves.land(save, titles(save))
    assert git(world.top, "log", "-1", "--format=%s", "main") == "mine"
    assert git(world.top, "show", "main:a.txt") == "1"


def test_a_person_who_leaves_main_before_the_lock_keeps_a_clean_checkout(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    saves = world.saves()
    save = world.gated(saves, world.plan(world.branch_tip(CHANGES)))
    real = main_move.write_durably

    def leave_main(path: Path, content: bytes) -> None:
        git(world.top, "switch", "-q", "-c", "topic")
        monkeypatch.setattr(main_move, "write_durably", real)
        real(path, content)

    monkeypatch.setattr(main_move, "write_durably", leave_main)
    saves.land(save, titles(save))
    assert git(world.top, "status", "--porcelain") == ""
    assert world.main == save.base
    saves.land(save, titles(save))
    assert saves.look(save, world.main).landed
    assert git(world.top, "status", "--porcelain") == ""
    assert (world.top / "gone.txt").exists()


def before_main(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Do something between moving the files and moving main."""
    real = RefStore.move

    def move(self: RefStore, name: str, *arguments: str) -> bool:
        if name == "refs/heads/main":
            monkeypatch.setattr(RefStore, "move", real)
            act()
        return real(self, name, *arguments)

    monkeypatch.setattr(RefStore, "move", move)


def test_a_checkout_that_left_main_while_it_moved_goes_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """`switch -c` moves HEAD without the lock."""
    saves = world.saves()
    save = world.gated(saves, world.plan(world.branch_tip(CHANGES)))
    before_main(monkeypatch, lambda: git(world.top, "symbolic-ref", "HEAD", "refs/heads/topic"))
    git(world.top, "branch", "topic")
    saves.land(save, titles(save))
    assert saves.look(save, world.main).landed
    assert git(world.top, "status", "--porcelain") == ""
    assert (world.top / "gone.txt").exists()


def test_a_work_tree_that_switches_to_main_meanwhile_moves_too(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked = link_worktree(world, tmp_path)
    saves = world.saves()
    save = world.gated(saves, world.plan(world.branch_tip(CHANGES)))
    before_main(monkeypatch, lambda: git(linked, "switch", "-q", "main"))
    saves.land(save, titles(save))
    assert saves.look(save, world.main).landed
    assert git(linked, "status", "--porcelain") == ""
    assert (linked / "a.txt").read_text() == "1\n"
    assert not (world.place.orch / RECORD).exists()


def link_worktree(world: World, tmp_path: Path) -> Path:
    """A second work tree, on another branch; the first one has left main."""
    git(world.top, "checkout", "-q", "--detach")
    git(world.top, "worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    return tmp_path / "linked"


def test_a_git_command_in_any_work_tree_holds_the_save(world: World, tmp_path: Path) -> None:
    linked = link_worktree(world, tmp_path)
    saves = world.saves()
    save = world.gated(saves, world.plan(world.branch_tip(CHANGES)))
    lock = world.top / ".git/worktrees/linked/index.lock"
    lock.touch()
    saves.land(save, titles(save))
    seen = saves.look(save, world.main)
    assert (seen.hold, seen.offered, world.main) == (Hold.DIRTY, True, save.base)
    assert str(linked) in seen.hold_detail[0]
    lock.unlink()
    world.landed(saves, save)


def test_an_ignored_file_that_appears_while_the_checkout_is_judged_is_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(world.top, {".git/info/exclude": "*.log\n"})
    saves = world.saves()
    save = world.gated(saves, world.plan(world.branch_tip({"x.log": "theirs\n"})))
    real = Checkout.list_dirty

    def list_dirty(self: Checkout) -> list[str]:
        found = real(self)
        write(world.top, {"x.log": "mine\n"})
        return found

    monkeypatch.setattr(Checkout, "list_dirty", list_dirty)
    saves.land(save, titles(save))
    assert (world.top / "x.log").read_text() == "mine\n"
    assert saves.look(save, world.main).hold is Hold.UNTRACKED
