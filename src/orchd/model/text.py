"""Times and numbers as people read them."""

from __future__ import annotations

from datetime import UTC, datetime


def moment_of(at_ms: int) -> str:
    """YYYY-MM-DDThh:mm:ssZ of milliseconds since 1970."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day_of(at_ms: int) -> str:
    """YYYY-MM-DD in UTC of milliseconds since 1970."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d")
