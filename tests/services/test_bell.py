"""The bell wakes the loop, from threads and from signal handlers."""

from __future__ import annotations

import os
import signal
import threading
import time

from orchd.engine.bell import Bell


def test_a_ring_before_or_during_the_wait_ends_it() -> None:
    bell = Bell()
    bell.ring()
    bell.ring()
    started = time.monotonic()
    bell.wait(30)
    threading.Timer(0.05, bell.ring).start()
    bell.wait(30)
    assert time.monotonic() - started < 20


def test_without_a_ring_the_wait_ends_by_itself() -> None:
    bell = Bell()
    bell.ring()
    bell.wait(30)
    bell.wait(0.01)


def test_a_signal_handler_may_ring_at_any_moment() -> None:
    """A `threading.Event` deadlocks here when the signal meets the loop inside its lock."""
    bell = Bell()
    before = signal.signal(signal.SIGUSR1, lambda *_: bell.ring())
    try:
        for _ in range(2000):
            os.kill(os.getpid(), signal.SIGUSR1)
            bell.wait(5)
    finally:
        signal.signal(signal.SIGUSR1, before)
