"""Objects that were written and need not be on the disk yet: they are synced together, before a ref moves to any of them.

The library would sync each object and its folder by itself, which is most of what a save waits for. What a dead orchd left
unsynced is written again by whoever needs it, and counts as unsynced then, although it is there. Rule: no ref moves, and
nothing is pushed, before all of them are durable; an object that could not be synced is written anew, because the kernel
tells of a failure once and calls the file clean afterwards.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pygit2
from pygit2.enums import Option

from orchd.adapters.durable import sync_folder, write_durably
from orchd.errors import GitError
from orchd.model.ids import Oid

TOGETHER = 200
"""Files that are open at the same time; a process may have 1024, or as few as 256."""


class Unsynced:
    """The unsynced objects of the store in `folder`. Whatever is not written through here the library syncs by itself.
    `before` is called before the first is written; who only looks leaves no trace."""

    def __init__(self, folder: Path, before: Callable[[], object]) -> None:
        self._folder = str(folder)
        self._before: Callable[[], object] | None = before
        self._waiting: dict[Oid, None] = {}
        self._doubted = False
        _let_sync(durably=True)

    def write(self, make: Callable[[], object]) -> Oid:
        """Let the library write one object: what `make` returns is its id."""
        if self._before:
            self._before()
            self._before = None
        with unsynced():
            oid = str(make())
        self._waiting[oid] = None
        return oid

    def sync(self) -> None:
        """Make all of them durable. Raises GitError when the disk does not take one; then they are all unsynced still."""
        if not self._waiting:
            return
        try:
            if self._doubted:
                _rewrite(Path(self._path(oid[:2], oid[2:])) for oid in self._waiting)
            waiting = list(self._waiting)
            groups = [waiting[start : start + TOGETHER] for start in range(0, len(waiting), TOGETHER)]
            folders = {oid[:2] for group in groups for oid in self._sync_files(group)}
            for folder in (*map(self._path, folders), self._folder):
                sync_folder(folder)
        except OSError as error:
            self._doubted = True
            raise GitError(f"objects cannot be written durably: {error}", "is the disk full, or broken?") from error
        self._waiting.clear()
        self._doubted = False

    def _sync_files(self, oids: Sequence[Oid]) -> Iterator[Oid]:
        """All are given to the disk before the first is waited for, so that it writes them together. Those that are still
        there; the others were packed meanwhile."""
        handles: dict[Oid, int] = {}
        try:
            for oid in oids:
                with contextlib.suppress(FileNotFoundError):
                    handles[oid] = os.open(self._path(oid[:2], oid[2:]), os.O_RDONLY)
                    os.posix_fadvise(handles[oid], 0, 0, os.POSIX_FADV_DONTNEED)
            for oid, handle in handles.items():
                os.fsync(handle)
                yield oid
        finally:
            for handle in handles.values():
                os.close(handle)

    def _path(self, *names: str) -> str:
        return "/".join((self._folder, *names))


@contextlib.contextmanager
def unsynced() -> Iterator[None]:
    """Objects that the library writes in this block are not synced, whatever else says so."""
    _let_sync(durably=False)
    try:
        yield
    finally:
        _let_sync(durably=True)


def _let_sync(*, durably: bool) -> None:
    pygit2.option(Option.ENABLE_FSYNC_GITDIR, durably)


def _rewrite(paths: Iterable[Path]) -> None:
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            write_durably(path, path.read_bytes())
