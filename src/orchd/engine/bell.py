"""The bell that wakes the loop. Safe from any thread and from signal handlers, which a `threading.Event` is not."""

from __future__ import annotations

import os
import select


class Bell:
    """Rings are counted as one until they are heard."""

    def __init__(self) -> None:
        self._handle = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poll = select.poll()
        self._poll.register(self._handle, select.POLLIN)

    def ring(self) -> None:
        """Wake whoever waits now, or the next one who does."""
        os.eventfd_write(self._handle, 1)

    def wait(self, seconds: float) -> None:
        """Return at the next ring, at once if one is unheard, or after `seconds`."""
        if self._poll.poll(max(0.0, seconds) * 1000):
            os.eventfd_read(self._handle)
