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

from orchd.adapters.main_move import RECORD
from orchd.model.save import Hold, Save

CHANGES: dict[str, str | bytes | None] = {"a.txt": "1\n", "new/c.txt": "c\n", "gone.txt": None}
EFFECTS = (
    (subprocess.Popen, "communicate"),
    (ReferenceTransaction, "commit"),
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


@pytest.mark.parametrize("path", ["a.txt", "new/c.txt"])
def test_a_git_that_dies_in_the_middle_of_the_checkout_is_repaired(world: World, path: str) -> None:
    (world.top / ".git/info").mkdir(exist_ok=True)
    write(world.top, {"mine": "mine"})
    saves = world.saves()
    save = world.gated(saves, world.plan(world.branch_tip(CHANGES)))
    kill_git_at(world, path)
    with pytest.raises(Exception, match="read-tree"):
        saves.land(save, titles(save))
    assert world.main == save.base
    assert (world.top / ".git/index.lock").exists()
    git(world.top, "config", "filter.crash.smudge", "cat")
    age_locks(world)
    assert saves.look(save, world.main).hold is None
    check_landed(world, save)


def half_move(world: World) -> Save:
    """A checkout in which git died after it had written everything but the index."""
    (world.top / ".git/info").mkdir(exist_ok=True)
    saves = world.saves()
    save = world.gated(saves, world.plan(world.branch_tip(CHANGES)))
    kill_git_at(world, "new/c.txt")
    with pytest.raises(Exception, match="read-tree"):
        saves.land(save, titles(save))
    git(world.top, "config", "filter.crash.smudge", "cat")
    return save


def test_what_a_person_wrote_into_a_half_moved_checkout_stays_and_holds_the_save(world: World) -> None:
    save = half_move(world)
    write(world.top, {"a.txt": "mine, meanwhile\n"})
    age_locks(world)
    saves = world.saves()
    assert saves.look(save, world.main).hold is Hold.DIRTY
    saves.land(save, titles(save))
    assert (world.top / "a.txt").read_text() == "mine, meanwhile\n"
    assert world.main == save.base


def test_a_write_that_was_cut_off_is_completed(world: World) -> None:
    save = half_move(world)
    write(world.top, {"mine": "mine", "new/c.txt": "", "a.txt": "1"})
    check_landed(world, save)


def test_a_lock_that_may_be_alive_is_left_alone(world: World) -> None:
    save = half_move(world)
    saves = world.saves()
    assert saves.look(save, world.main).hold is Hold.DIRTY
    assert (world.top / ".git/index.lock").exists()


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


def test_a_commit_of_the_person_while_the_checkout_moves_is_kept_with_all_its_bytes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    saves = world.saves()
    save = world.gated(saves, world.plan(world.branch_tip(CHANGES)))
    real = ReferenceTransaction.lock_ref

    def overtaken(self: ReferenceTransaction, name: str) -> None:
        if name == "refs/heads/main":
            monkeypatch.setattr(ReferenceTransaction, "lock_ref", real)
            write(world.top, {"mine": "mine"})
            git(world.top, "add", "mine")
            git(world.top, "commit", "-q", "-m", "mine")
        real(self, name)

    monkeypatch.setattr(ReferenceTransaction, "lock_ref", overtaken)
    saves.land(save, titles(save))
    assert git(world.top, "log", "-1", "--format=%s") == "mine"
    assert git(world.top, "status", "--porcelain") == ""
    assert (world.top / "mine").read_text() == "mine"
