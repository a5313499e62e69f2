"""Keeps `git gc` away while orchd serves a repository: a `git gc --prune=now` beside a writer removes objects that were
just written and are not yet in a ref, and that corrupted repositories in minutes.

git itself asks for this by the file `gc.pid`: while the process that it names lives, `git gc` refuses (`--force` overrides)
and automatic gc does nothing. Rule: a gc that is running already is waited for, never overwritten.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchd.adapters.durable import create_durably, remove_quietly
from orchd.adapters.place import Place
from orchd.errors import Busy

GC_PID = "gc.pid"
WAIT_SECONDS = 60.0
BELIEVED_SECONDS = 12 * 3600.0
"""git takes an older `gc.pid` for a leftover."""


@contextmanager
def keep_gc_away(place: Place) -> Iterator[None]:
    """Hold `gc.pid` for the block. Raises Busy when a gc goes on for longer than WAIT_SECONDS."""
    path, mine = place.git_dir / GC_PID, f"{os.getpid()} {socket.gethostname()}".encode()
    until = time.monotonic() + WAIT_SECONDS
    while not create_durably(path, mine):
        if not _is_live(path):
            remove_quietly(path)
        elif time.monotonic() > until:
            raise Busy("a `git gc` is running in this repository", "start orchd again when it has ended")
        else:
            time.sleep(0.1)
    try:
        yield
    finally:
        remove_quietly(path)


def renew_guard(place: Place) -> None:
    """Keep the file young; git does not believe one of half a day."""
    path = place.git_dir / GC_PID
    if path.exists():
        os.utime(path)


def _is_live(path: Path) -> bool:
    """What git asks: young enough, and from another machine or from a process that lives."""
    try:
        pid, host = path.read_text(encoding="utf-8").split()
        young = time.time() - path.stat().st_mtime < BELIEVED_SECONDS
    except FileNotFoundError:
        return False
    except ValueError:
        return True
    return young and (host != socket.gethostname() or Path(f"/proc/{pid}").exists())
