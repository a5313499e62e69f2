"""One promoter at a time in an environment of this repository: a locked file, which says who has it.

The kernel lets go of it when its process dies, however it dies. Standard library only.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator

from orchd.adapters.place import Place
from orchd.model.limits import PROMOTION_RACE_SECONDS

_LOOK_SECONDS = 0.02


@contextlib.contextmanager
def hold_environment(place: Place, environment: str, who: str) -> Iterator[str | None]:
    """Hold the lock and give None; or give who has it, in their words (empty: unknown)."""
    folder = place.orch / "environments"
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / f"{environment}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield _read_holder(handle)
            return
        _write_holder(handle, who)
        yield None
        os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def _write_holder(handle: int, who: str) -> None:
    os.ftruncate(handle, 0)
    os.pwrite(handle, who.encode(errors="replace"), 0)


def _read_holder(handle: int) -> str:
    """Whoever has just taken it may not have written yet."""
    until = time.monotonic() + PROMOTION_RACE_SECONDS
    while not (said := os.pread(handle, 4096, 0)) and time.monotonic() < until:
        time.sleep(_LOOK_SECONDS)
    return said.decode(errors="replace")
