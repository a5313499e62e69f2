"""Whether a run had room on the disk. Standard library only: the supervisor imports it."""

from __future__ import annotations

import os
from collections.abc import Iterable

from orchd.model.limits import ROOM_BYTES

WORDS = ("no space left", "disk quota exceeded")
"""What the C library says to ENOSPC and EDQUOT, and git after it."""


def was_starved(said: str, folders: Iterable[str]) -> bool:
    """Whether what was `said` about the preparation is about room, or one of the `folders` has hardly any."""
    return any(word in said.lower() for word in WORDS) or any(map(_is_full, folders))


def _is_full(folder: str) -> bool:
    try:
        seen = os.statvfs(folder)
    except OSError:
        return False
    return seen.f_bavail * seen.f_frsize < ROOM_BYTES
