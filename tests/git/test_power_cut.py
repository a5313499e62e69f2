"""What a machine loses that goes down before all is on the disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from git_world import World, git

from orchd.adapters import git_repo, power_cut
from orchd.adapters.git_repo import GitRepo

BIG = os.urandom(50_000)
CUTS = pytest.mark.parametrize("cut", [0, 20_000], ids=["empty", "cut"])


def file_of(world: World, oid: str) -> Path:
    return world.top / ".git/objects" / oid[:2] / oid[2:]


def lose(world: World, oid: str, length: int) -> None:
    """What is left of a file whose bytes were not synced."""
    path = file_of(world, oid)
    path.chmod(0o644)
    os.truncate(path, length)


def write_both(repo: GitRepo) -> tuple[str, str]:
    blob = repo.write_blob(BIG)
    tree = repo.unsynced.write(lambda: _tree_with(repo, blob))
    return blob, tree


def _tree_with(repo: GitRepo, blob: str) -> object:
    builder = repo.library.TreeBuilder()
    builder.insert("big", blob, 0o100644)
    return builder.write()


def reboot(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(power_cut, "boot_id", lambda: name)


@CUTS
def test_what_was_lost_before_it_was_synced_is_written_again(world: World, monkeypatch: pytest.MonkeyPatch, cut: int) -> None:
    reboot(monkeypatch, "one")
    blob, tree = write_both(world.open())
    lose(world, blob, cut)
    lose(world, tree, 0)
    reboot(monkeypatch, "two")
    repo = world.open()
    assert write_both(repo) == (blob, tree)
    assert {path.name for path in power_cut.lost_objects(world.place).iterdir()} == {blob, tree}
    assert repo.refs.move("refs/orch/x", "", tree)
    assert git(world.top, "cat-file", "-s", f"{tree}:big") == str(len(BIG))
    git(world.top, "fsck", "--strict")


def test_without_looking_after_a_boot_a_ref_would_lead_to_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git_repo, "set_lost_aside", lambda _: ())
    _, tree = write_both(world.open())
    lose(world, tree, 0)
    repo = world.open()
    assert write_both(repo)[1] == tree
    assert repo.refs.move("refs/orch/x", "", tree)
    assert file_of(world, tree).stat().st_size == 0, "git and its library take the empty file for the object"


def test_only_once_for_each_boot_and_only_what_is_young(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    reboot(monkeypatch, "one")
    young, old = world.open().write_blob(b"young"), world.open().write_blob(b"old")
    for oid in (young, old):
        lose(world, oid, 0)
    os.utime(file_of(world, old), (1, 1))
    world.open().write_blob(b"other")
    assert file_of(world, young).exists(), "it is the same boot: the kernel still has all bytes"
    reboot(monkeypatch, "two")
    assert power_cut.set_lost_aside(world.place) == (file_of(world, young),)
    assert file_of(world, old).exists(), "it was never ours to write"
    assert power_cut.set_lost_aside(world.place) == ()


def test_what_is_whole_stays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    reboot(monkeypatch, "one")
    blob, tree = write_both(world.open())
    reboot(monkeypatch, "two")
    world.open().write_blob(b"other")
    assert file_of(world, blob).exists() and file_of(world, tree).exists()
    assert not power_cut.lost_objects(world.place).exists()
    assert power_cut.boot_mark(world.place).read_text() == "two"


def test_where_we_never_were_nothing_is_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power_cut, "_is_whole", lambda _: pytest.fail("it reads"))
    power_cut.boot_mark(world.place).unlink(missing_ok=True)
    assert power_cut.set_lost_aside(world.place) == ()
