"""Everything that runs below this process: start it, read what it prints, wait, end all of it.

As a subreaper this process becomes the parent of every descendant whose own parent died, so "no child is left" means that
nothing is left. Rule: `run` returns only then. Standard library only; one thread; one instance in a process.
"""

from __future__ import annotations

import contextlib
import math
import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from orchd.adapters.processes import find_below, kill_all, send_signal
from orchd.adapters.spawn import Start, become_subreaper

Sink: TypeAlias = Callable[[bytes], object]

_READ_BYTES = 65536
_KILL_ROUND_SECONDS = 0.005
_LONGEST_ROUND_SECONDS = 1.0
_WATCH_SECONDS = 0.5


class Ended(NamedTuple):
    """How a process ended: the exit code or minus the signal, and whether its time ran out."""

    code: int
    timed_out: bool


class ProcessTree:
    """Makes this process a subreaper that obeys SIGTERM by ending what runs below it."""

    def __init__(self) -> None:
        become_subreaper()
        self.stopping = False
        self._enough = False
        self._codes: dict[int, int] = {}
        self._sink: Sink = len
        self._pulse: Callable[[], object] = int
        self._pulse_seconds = math.inf
        self._output, self._input = os.pipe2(os.O_CLOEXEC)
        self._woken, wake = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        os.set_blocking(self._output, False)
        self._poll = select.poll()
        self._poll.register(self._output, select.POLLIN)
        self._poll.register(self._woken, select.POLLIN)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._stop)

    def run(self, start: Start, seconds: float, grace: float, sink: Sink) -> Ended:
        """Start something, give it `seconds` or until this process is told to stop, then end all that is left: a polite
        signal, `grace` seconds, kill. What they print goes to `sink`. What runs can stop this very process (SIGSTOP to its
        parent): then the time is not kept until somebody lets it go on (SIGCONT)."""
        self._sink, self._enough = sink, False
        deadline = time.monotonic() + seconds
        child = start(self._input)
        pulse_at = time.monotonic() + self._pulse_seconds
        while child not in self._codes and not (self.stopping or self._enough) and (now := time.monotonic()) < deadline:
            if now >= pulse_at:
                self._pulse()
                pulse_at = time.monotonic() + self._pulse_seconds
            self._wait(min(deadline, pulse_at) - time.monotonic())
        timed_out = child not in self._codes and not self.stopping
        self._end(grace)
        while self._copy_output():
            pass
        return Ended(self._codes.pop(child), timed_out)

    def end_early(self) -> None:
        """Whoever listens or pulses has seen enough: end what runs as if its time had run out."""
        self._enough = True

    def set_pulse(self, pulse: Callable[[], object], seconds: float) -> None:
        """Call `pulse` every `seconds` while something runs. It may start processes below this one, but must not wait."""
        self._pulse, self._pulse_seconds = pulse, seconds

    @contextlib.contextmanager
    def also_pulse(self, pulse: Callable[[], object]) -> Iterator[None]:
        """In the block `pulse` is called too, about once a second."""
        before, seconds = self._pulse, self._pulse_seconds

        def both() -> None:
            before()
            pulse()

        self.set_pulse(both, min(seconds, _WATCH_SECONDS))
        try:
            yield
        finally:
            self.set_pulse(before, seconds)

    def take_code(self, pid: int) -> int | None:
        """The exit code (or minus the signal) of a process that a pulse started, once. None: it goes on."""
        return self._codes.pop(pid, None)

    def ignore_stop(self) -> None:
        """From here on SIGTERM changes nothing: what follows is short and must be finished."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self.stopping = False

    def _stop(self, *_: object) -> None:
        self.stopping = True

    def _end(self, grace: float) -> None:
        if not self._is_any_left():
            return
        for listed in find_below(os.getpid()):
            send_signal(listed.identity, signal.SIGTERM)
        until = time.monotonic() + grace
        while self._is_any_left() and time.monotonic() < until:
            self._wait(until - time.monotonic())
        pause = _KILL_ROUND_SECONDS
        while self._is_any_left():
            # In rounds, because what is being killed may still be forking.
            kill_all(find_below(os.getpid()))
            self._wait(pause)
            pause = min(2 * pause, _LONGEST_ROUND_SECONDS)

    def _wait(self, seconds: float) -> None:
        """Until something happens: output, the end of a child, a signal."""
        for handle, _ in self._poll.poll(max(0.0, seconds) * 1000 + 1):
            if handle == self._output:
                self._copy_output()
            else:
                os.read(self._woken, _READ_BYTES)
                self._is_any_left()

    def _copy_output(self) -> bool:
        try:
            data = os.read(self._output, _READ_BYTES)
        except BlockingIOError:
            return False
        self._sink(data)
        return True

    def _is_any_left(self) -> bool:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return True
                self._codes[pid] = os.waitstatus_to_exitcode(status)
        return False
