from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pygit2
import pytest
from git_world import World, git

from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_saves import GitSaves
from orchd.adapters.unsynced import Unsynced
from orchd.errors import GitError


class Disk:
    """What was synced, in its order: paths as they were then."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.synced: list[Path] = []
        self.broken = False
        self._fsync = os.fsync
        patch.setattr(os, "fsync", self._sync)

    def _sync(self, handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}").readlink()
        if self.broken and len(path.name) == 38:
            raise OSError(errno.EIO, "Input/output error")
        self._fsync(handle)
        self.synced.append(path)

    def holds(self, path: Path) -> bool:
        """Whether an object is there after a power cut: its content, then its name."""
        last = [at for at, one in enumerate(self.synced) if one == path]
        return bool(last) and path.parent in self.synced[last[-1] :]


class Watched:
    """The library, with a look at each object that a ref is about to reach."""

    def __init__(self, library: pygit2.Repository, look: Callable[[str], None]) -> None:
        self._real, self._look = library, look

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[object]:
        with self._real.transaction() as change:
            yield WatchedChange(change, self._look)


class WatchedChange:
    def __init__(self, change: object, look: Callable[[str], None]) -> None:
        self._real, self._look = change, look

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    def set_target(self, name: str, new: str, **more: object) -> None:
        self._look(new)
        self.__getattr__("set_target")(name, new, **more)  # type: ignore[operator]


def watch(world: World, disk: Disk) -> tuple[GitRepo, set[Path]]:
    """The repository, and the objects that a ref could reach before they were on the disk."""
    store, repo = world.top / ".git/objects", world.open()
    before, early = set(store.glob("??/*")), set[Path]()

    def look(new: str) -> None:
        listed = git(world.top, "rev-list", "--objects", new).splitlines()
        paths = {store / line[:2] / line[2:40] for line in listed}
        early.update(path for path in paths - before if path.exists() and not disk.holds(path))

    library: object = Watched(repo.library, look)
    assert isinstance(repo.refs.library, pygit2.Repository)
    return replace(repo, refs=replace(repo.refs, library=library)), early  # type: ignore[arg-type]


def results(world: World) -> list[str]:
    return [world.branch_tip({f"folder/{name}.txt": name, f"{name}.txt": name}) for name in "abc"]


def save(world: World, repo: GitRepo, tips: list[str]) -> None:
    saves = GitSaves(repo, "main", world.lease_of)
    world.landed(saves, world.gated(saves, world.plan(*tips)))


def test_no_object_of_a_save_is_reachable_before_it_is_durable_and_each_is_synced_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, tips = Disk(monkeypatch), results(world)
    repo, early = watch(world, disk)
    save(world, repo, tips)
    assert not early
    objects = [path for path in disk.synced if len(path.name) == 38]
    assert len(objects) > 15
    assert len(objects) == len(set(objects))


def test_without_the_sync_before_a_ref_moves_a_power_cut_would_take_objects_of_main(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Unsynced, "sync", lambda _: None)
    tips = results(world)
    repo, early = watch(world, Disk(monkeypatch))
    save(world, repo, tips)
    assert early


def test_what_a_dead_orchd_left_unsynced_is_synced_by_whoever_writes_it_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    for repo in (world.open(), world.open()):
        blob = repo.write_blob(b"the same")
        assert not [path for path in disk.synced if path.name == blob[2:]]
    repo.refs.force("refs/orch/x", blob)
    assert disk.holds(world.top / ".git/objects" / blob[:2] / blob[2:])


def test_where_the_disk_fails_no_ref_moves_and_the_objects_are_written_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, repo = Disk(monkeypatch), world.open()
    blob = repo.write_blob(b"something")
    path = world.top / ".git/objects" / blob[:2] / blob[2:]
    file, disk.broken = path.stat().st_ino, True
    with pytest.raises(GitError, match="cannot be written durably"):
        repo.refs.move("refs/orch/x", "", blob)
    assert not repo.refs.read("refs/orch/x")
    disk.broken = False
    assert repo.refs.move("refs/orch/x", "", blob)
    assert path.stat().st_ino != file, "a sync after one that failed says nothing about what was to be written before"
    assert git(world.top, "cat-file", "blob", blob) == "something"


def test_an_object_that_was_packed_meanwhile_is_no_reason_to_stop(world: World) -> None:
    repo = world.open()
    tip = repo.write_commit(repo.tree_of(world.main), [world.main], "packed", 0)
    git(world.top, "update-ref", "refs/heads/other", tip)
    git(world.top, "repack", "-adq")
    git(world.top, "prune-packed")
    assert repo.refs.move("refs/orch/x", "", tip)
