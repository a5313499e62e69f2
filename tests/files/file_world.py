"""What the tests of input files share: a good task, a moment, a clock."""

from __future__ import annotations

GOOD = "title: Do it\nrun: make it\n"
LONG_AGO = 1_000_000_000


class Clock:
    """Monotonic seconds, set by the test. The wall clock stands still shortly after `LONG_AGO`."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now
