"""Heartbeats: a supervisor shows that it is not stuck, and a daemon measures for how long one has shown nothing.

A beat is a higher number in the file `beat` of the run folder, written by a timer signal, so that it goes on whatever the
supervisor waits for. Nothing is synced: after a power cut nobody asks. Rule: only whether the file changes is looked at, and
how long it did not is measured on the watcher's own monotonic clock, so no jump of any clock ends a lease. Standard library
only.
"""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from orchd.adapters.run_files import BEAT
from orchd.model.limits import BEAT_SECONDS, LOOK_SECONDS

_BEAT_BYTES = 64


class Watched(NamedTuple):
    """What the file said when it was last looked at, when that was, and for how long it had said so."""

    said: bytes
    looked_at: float
    silent_seconds: float


class HeartbeatWatch:
    """The heartbeats of many runs. `monotonic` is the clock of this process, in seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._watched: dict[Path, Watched] = {}

    def measure(self, folder: Path) -> float:
        """For how many seconds the run in `folder` has shown no heartbeat while it was watched. Of the time since the last
        question no more than LOOK_SECONDS count: whoever did not look (it was stopped, or busy) knows nothing."""
        now, before = self._monotonic(), self._watched.get(folder)
        if before is not None and now - before.looked_at < LOOK_SECONDS / 2:
            return before.silent_seconds
        said = _read(folder / BEAT)
        same = before is not None and before.said == said
        silent = before.silent_seconds + min(now - before.looked_at, LOOK_SECONDS) if before and same else 0.0
        self._watched[folder] = Watched(said, now, silent)
        return silent

    def forget(self, folder: Path) -> None:
        """It has ended."""
        self._watched.pop(folder, None)


def begin_beating(folder: Path) -> None:
    """From now on, until this process ends, its heartbeat is seen in `folder`: the first after BEAT_SECONDS, so that a
    short run costs nothing. What cannot be written is tried again at the next beat."""
    count = itertools.count(1)

    def beat(*_: object) -> None:
        try:
            handle = os.open(folder / BEAT, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return
        try:
            os.pwrite(handle, f"{next(count)} {read_boot_seconds():.2f}\n".encode(), 0)
        except OSError:
            return
        finally:
            os.close(handle)

    signal.signal(signal.SIGALRM, beat)
    signal.setitimer(signal.ITIMER_REAL, BEAT_SECONDS, BEAT_SECONDS)


def read_beat_age(folder: Path) -> float | None:
    """How many seconds ago the last heartbeat of a run of this boot was, for people. None: there was none yet."""
    said = _read(folder / BEAT).split()
    try:
        return max(0.0, read_boot_seconds() - float(said[1]))
    except (IndexError, ValueError):
        return None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb", buffering=0) as file:
            return file.read(_BEAT_BYTES)
    except OSError:
        return b""


def read_boot_seconds() -> float:
    """The machine's clock that no person sets; the same for all its processes."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
