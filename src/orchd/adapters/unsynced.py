"""Objects that were written and need not be on the disk yet: they are synced together, before a ref moves to any of them.

The library would sync each object and its folder by itself, which is most of what a save waits for. What a dead orchd left
unsynced is written again by whoever needs it, and counts as unsynced then, although it is there. Rule: no ref moves, and
nothing is pushed, before all of them are durable; an object that could not be synced is written anew, because the kernel
tells of a failure once and calls the file clean afterwards.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pygit2
from pygit2.enums import Option

from orchd.adapters.durable import sync_file, sync_folder, write_durably
from orchd.errors import GitError
from orchd.model.ids import Oid


class Unsynced:
    """The unsynced objects of the store in `folder`. Whatever is not written through here the library syncs by itself."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting: dict[Oid, None] = {}
        self._doubted = False
        _let_sync(durably=True)

    def write(self, make: Callable[[], object]) -> Oid:
        """Let the library write one object: what `make` returns is its id."""
        _let_sync(durably=False)
        try:
            oid = str(make())
        finally:
            _let_sync(durably=True)
        self._waiting[oid] = None
        return oid

    def sync(self) -> None:
        """Make all of them durable. Raises GitError when the disk does not take one; then they are all unsynced still."""
        if not self._waiting:
            return
        paths = [path for path in map(self._path, self._waiting) if path.exists()]  # the others were packed meanwhile
        try:
            if self._doubted:
                _rewrite(paths)
            _sync_all(paths)
            for folder in (*{path.parent for path in paths}, self._folder):
                sync_folder(folder)
        except OSError as error:
            self._doubted = True
            raise GitError(f"objects cannot be written durably: {error}", "is the disk full, or broken?") from error
        self._waiting.clear()
        self._doubted = False

    def _path(self, oid: Oid) -> Path:
        return self._folder / oid[:2] / oid[2:]


def _let_sync(*, durably: bool) -> None:
    pygit2.option(Option.ENABLE_FSYNC_GITDIR, durably)


def _sync_all(paths: Iterable[Path]) -> None:
    """All are given to the disk before the first is waited for, so that it writes them together."""
    for path in paths:
        _begin_writing(path)
    for path in paths:
        sync_file(path)


def _begin_writing(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(handle)


def _rewrite(paths: Iterable[Path]) -> None:
    for path in paths:
        write_durably(path, path.read_bytes())
