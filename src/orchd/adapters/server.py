"""Who serves this repository now, for clients: light, and true also after a kill."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

from orchd.adapters.place import Place
from orchd.model.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Server:
    """The process that holds the lock. `since_ms` is when it started to serve."""

    pid: int
    host: str
    since_ms: int


def server_file(place: Place) -> Path:
    """Written by the holder of the lock."""
    return place.orch / "server.json"


def read_server(place: Place) -> Server | None:
    """The holder of the lock, or None. The record of a killed one is not believed: the kernel has released its lock."""
    try:
        data = json.loads(server_file(place).read_bytes())
        return Server(data["pid"], data["host"], data["since_ms"]) if _is_locked(place) else None
    except (FileNotFoundError, ValueError, KeyError):
        return None


def _is_locked(place: Place) -> bool:
    """Asks /proc/locks instead of trying the lock, so that a look never gets in the way of a starting daemon."""
    lock = (place.orch / "lock").stat()
    wanted = f"{os.major(lock.st_dev):02x}:{os.minor(lock.st_dev):02x}:{lock.st_ino}"
    try:
        return any(wanted in line for line in Path("/proc/locks").read_text(encoding="ascii").splitlines())
    except FileNotFoundError:
        return _cannot_lock(place)


def _cannot_lock(place: Place) -> bool:
    with (place.orch / "lock").open("rb") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
