"""Why something is in the attic, in words."""

from __future__ import annotations

EXTRA = "What the task committed besides its result"
"""Also the subject of the commit that holds it."""

REPLACED = "replaced by a later attempt"
REPAIRED = "replaced in your checkout by a repair"
UNREAD = "not collected yet, or nobody knows its run"


def name_end(status: str, reason: str) -> str:
    """Why the result of an attempt was put away, from the status and the reason that it ended with."""
    return f"{status}: {reason}" if reason and reason != status else status
