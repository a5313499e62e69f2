"""The watcher and the timer only ring; whatever events are lost, the next look repairs."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from stories import Repo, wait_until
from watchdog.observers import inotify_c

from orchd import assembly
from orchd.adapters import watch
from orchd.adapters.intents import drop_intent
from orchd.adapters.leadership import take_leadership
from orchd.adapters.place import Place
from orchd.adapters.watch import OVERFLOW_LOGGER, Watcher
from orchd.engine.bell import Bell
from orchd.engine.reconcile import Reconciler
from orchd.model.limits import LOOK_SECONDS
from orchd.model.snapshot import Verb


class Rings:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


@contextmanager
def watching(place: Place) -> Iterator[Rings]:
    rings = Rings()
    watcher = Watcher(place, rings)
    watcher._timer.add_job = lambda *_, **__: None  # no timer: what rings is an event
    watcher.start()
    try:
        yield rings
    finally:
        watcher.close()


def test_a_dropped_file_a_moved_branch_and_an_intent_ring(repo: Repo, place: Place) -> None:
    (repo.top / ".orch/tasks").mkdir(parents=True)
    place.intents.mkdir(parents=True)
    with watching(place) as rings:
        for act in (
            lambda: repo.task("new", "true"),
            lambda: repo.git("update-ref", "refs/heads/main", repo.git("commit-tree", "-m", "x", "main^{tree}")),
            lambda: drop_intent(place, Verb.RETRY, "new"),
        ):
            before = rings.count
            act()
            wait_until(lambda before=before: rings.count > before, "a ring")


def test_reading_does_not_ring(repo: Repo, place: Place) -> None:
    file = repo.task("new", "true")
    with watching(place) as rings:
        file.read_text()
        list((repo.top / ".orch/tasks").iterdir())
        fence(file.parent, rings)
        assert rings.count <= 3, "only the fence rang"


def test_without_the_event_filter_reading_rings_for_ever(repo: Repo, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin: every look would wake the next one."""
    monkeypatch.setattr(watch, "WATCHED_EVENTS", None)
    file = repo.task("new", "true")
    with watching(place) as rings:
        before = rings.count
        file.read_text()
        wait_until(lambda: rings.count > before, "reading rang")


def test_an_overflow_of_the_kernel_queue_rings(repo: Repo, place: Place) -> None:
    """watchdog tells nobody but its log; this also fails if it renames that log."""
    assert inotify_c.logger.name == OVERFLOW_LOGGER
    with watching(place) as rings:
        before = rings.count
        logging.getLogger(OVERFLOW_LOGGER).warning("Inotify queue overflowed; filesystem events were lost")
        assert rings.count > before


def test_a_folder_that_was_made_anew_is_watched_again(repo: Repo, place: Place) -> None:
    repo.task("new", "true")
    rings = Rings()
    watcher = Watcher(place, rings)
    watcher.start()
    try:
        shutil.rmtree(repo.top / ".orch")
        (repo.top / ".orch/tasks").mkdir(parents=True)
        watcher.renew()
        before = rings.count
        wait_until(lambda: repo.task("other", "true") and rings.count > before, "a ring")
    finally:
        watcher.close()


def test_what_events_lost_the_next_look_finds(repo: Repo, place: Place) -> None:
    """No watcher at all: the loop still sees a dropped file within LOOK_SECONDS."""
    bell, leader = Bell(), take_leadership(place)

    class Nobody:
        def told(self, *_: object) -> None: ...

        def trouble(self, text: str) -> None:
            raise AssertionError(text)

    with assembly.open_ports(place, leader, Nobody(), bell.ring) as ports:
        reconciler = Reconciler(ports, bell)
        reconciler.lead()
        thread = threading.Thread(target=reconciler.run, kwargs={"until_idle": False})
        thread.start()
        repo.task("late", "echo x > late", claims=["late"])
        wait_until(lambda: "late" in repo.main_files(), "it landed", LOOK_SECONDS * 5)
        reconciler.drain()
        thread.join(20)
        assert not thread.is_alive()
    leader.release()


def fence(folder: Path, rings: Rings) -> None:
    """All events before this one have been delivered when it returns."""
    before = rings.count
    (folder / "fence").touch()
    wait_until(lambda: rings.count > before, "the fence")
