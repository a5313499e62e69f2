"""The system's clocks."""

from __future__ import annotations

import time


class SystemClock:
    """Port `Clock` on the real time."""

    def now_ms(self) -> int:
        """Milliseconds since 1970 in UTC."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds that only go forward."""
        return time.monotonic()
