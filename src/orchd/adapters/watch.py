"""The watcher and the timer: they only ring the bell. Events are hints; every look reads the files and refs themselves.

Rule: never watch `.git` recursively, and never ask for read events, or our own looks would wake us for ever.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from apscheduler.schedulers.background import BackgroundScheduler
from watchdog import events
from watchdog.observers import Observer
from watchdog.observers.api import ObservedWatch

from orchd.adapters.gc_guard import renew_guard
from orchd.adapters.place import Place
from orchd.model.limits import LOOK_SECONDS

WATCHED_EVENTS: list[type[events.FileSystemEvent]] = [
    events.FileCreatedEvent,
    events.FileClosedEvent,
    events.FileMovedEvent,
    events.FileDeletedEvent,
    events.DirCreatedEvent,
    events.DirMovedEvent,
    events.DirDeletedEvent,
]
OVERFLOW_LOGGER = "watchdog.observers.inotify_c"
logging.getLogger("watchdog").addHandler(logging.NullHandler())
"""What it says when it is closed between two events is of no use to anybody, and would be printed."""


class Watcher:
    """Rings when task files, refs or intents may have changed, when the kernel lost events, and every LOOK_SECONDS."""

    def __init__(self, place: Place, ring: Callable[[], None]) -> None:
        self._place = place
        self._folders = _folders(place)
        self._ring = ring
        self._watches: dict[Path, tuple[int, ObservedWatch]] = {}
        self._observer = Observer()
        self._doorbell = _Doorbell(ring)
        self._overflow = _Overflow(ring)
        self._timer = BackgroundScheduler(timezone="UTC")

    def start(self) -> None:
        """Begin to watch. Folders that do not exist yet are found by the timer."""
        self.renew()
        self._observer.start()
        logging.getLogger(OVERFLOW_LOGGER).addHandler(self._overflow)
        self._timer.add_job(self._tick, "interval", seconds=LOOK_SECONDS, coalesce=True, misfire_grace_time=None)
        self._timer.start()

    def close(self) -> None:
        """End both threads."""
        self._timer.shutdown(wait=False)
        self._observer.stop()
        self._observer.join()
        logging.getLogger(OVERFLOW_LOGGER).removeHandler(self._overflow)

    def renew(self) -> None:
        """Watch folders that appeared or were made anew; a watch on a removed folder is silently dead."""
        for folder, recursive in self._folders.items():
            inode = folder.stat().st_ino if folder.is_dir() else 0
            known, watch = self._watches.get(folder, (0, None))
            if inode == known:
                continue
            if watch is not None:
                self._observer.unschedule(watch)
                del self._watches[folder]
            if inode:
                fresh = self._observer.schedule(self._doorbell, str(folder), recursive=recursive, event_filter=WATCHED_EVENTS)
                self._watches[folder] = (inode, fresh)

    def _tick(self) -> None:
        self.renew()
        renew_guard(self._place)
        self._ring()


class _Doorbell(events.FileSystemEventHandler):
    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring

    def on_any_event(self, event: events.FileSystemEvent) -> None:
        self._ring()


class _Overflow(logging.Handler):
    """watchdog reports a queue overflow only to its log."""

    def __init__(self, ring: Callable[[], None]) -> None:
        super().__init__(logging.WARNING)
        self._ring = ring

    def emit(self, record: logging.LogRecord) -> None:
        self._ring()


def _folders(place: Place) -> dict[Path, bool]:
    """Each watched folder, and whether with all below it."""
    folders = {place.git_dir: False, place.git_dir / "refs" / "heads": False, place.intents: False}
    return folders | ({place.checkout / ".orch": True} if place.checkout else {})
