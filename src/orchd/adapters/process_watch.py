"""One thread that waits for the end of processes that are not our children, and says so at once.

Rule: it only wakes; what the end means is read from the evidence by whoever was woken.
"""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable

from orchd.adapters.processes import Identity, open_process

_READ_BYTES = 4096


class ProcessWatch:
    """Calls `wake` from its thread when a process ends. The thread starts with the first process."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._handles: dict[Identity, int] = {}
        self._lock = threading.Lock()
        self._changed, self._change = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._thread: threading.Thread | None = None

    def add(self, who: Identity) -> None:
        """Watch it, once. When it has ended already, wake at once."""
        with self._lock:
            if who in self._handles:
                return
            handle = open_process(who)
            if handle is not None:
                self._handles[who] = handle
        if handle is None:
            self._wake()
        else:
            self._look_again()

    def close(self) -> None:
        """End the thread. Closing twice is fine."""
        if self._change < 0:
            return
        os.close(self._change)
        self._change = -1
        if self._thread:
            self._thread.join()
        os.close(self._changed)
        for handle in self._handles.values():
            os.close(handle)
        self._handles.clear()

    def _look_again(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="process-watch", daemon=True)
            self._thread.start()
        os.write(self._change, b".")

    def _run(self) -> None:
        while True:
            with self._lock:
                watched = {handle: who for who, handle in self._handles.items()}
            ready = _wait((*watched, self._changed))
            if self._changed in ready and not os.read(self._changed, _READ_BYTES):
                return
            ended = [watched[handle] for handle in ready if handle in watched]
            self._forget(ended)
            if ended:
                self._wake()

    def _forget(self, ended: list[Identity]) -> None:
        with self._lock:
            for who in ended:
                os.close(self._handles.pop(who))


def _wait(handles: tuple[int, ...]) -> list[int]:
    poll = select.poll()
    for handle in handles:
        poll.register(handle, select.POLLIN)
    return [handle for handle, _ in poll.poll()]
