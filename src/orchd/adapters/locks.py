"""Lock files that a killed process left behind: they block their ref for ever.

Rule: only locks of refs that nobody but orchd writes, only old ones, only those that no live process has open.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from orchd.adapters.durable import remove_quietly

OWN_FOLDERS = ("refs/orch/", "refs/heads/session/", "refs/tags/checkpoint/", "refs/notes/orch/")
STALE_SECONDS = 2.0
"""A git process closes a lock a moment before it renames it, so a young one may be alive though nobody has it open."""


def sweep_locks(git_dir: Path) -> tuple[Path, ...]:
    """Remove stale locks of our own refs and return them."""
    found = (lock for folder in OWN_FOLDERS for lock in (git_dir / folder).rglob("*.lock"))
    return remove_stale(found)


def remove_stale(locks: Iterable[Path]) -> tuple[Path, ...]:
    """Remove those of `locks` that are old and that no live process has open, and return them."""
    old = [lock for lock in locks if _age_seconds(lock) >= STALE_SECONDS]
    if not old:
        return ()
    live = open_files()
    stale = tuple(lock for lock in old if str(lock.resolve()) not in live)
    for lock in stale:
        remove_quietly(lock)
    return stale


def open_files() -> frozenset[str]:
    """Everything that the processes of this user have open."""
    return frozenset(link for process in Path("/proc").glob("[0-9]*") for link in _list_open(process))


def _list_open(process: Path) -> Iterator[str]:
    """Processes come and go while they are listed."""
    with contextlib.suppress(OSError):
        for link in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                yield str(link.readlink())


def _age_seconds(lock: Path) -> float:
    """A lock of the future is as old as it is far away: the clock was set back."""
    try:
        return abs(time.time() - lock.stat().st_mtime)
    except FileNotFoundError:
        return 0.0
