"""Groups of statuses. Apart from the table of moves, because clients need no more than these."""

from __future__ import annotations

from orchd.model.work import Reason, Status, Task

ACTIVE = frozenset({Status.RUNNING, Status.STOPPING})
"""A supervisor works, or should."""

BUSY = ACTIVE | {Status.READY, Status.SAVING}
"""Orchd itself has something to do about it."""

OPEN = BUSY | {Status.INTEGRATED}
"""Claims are held."""

FINISHED = frozenset(Status) - OPEN - {Status.WAITING}
SUCCEEDED = frozenset({Status.LANDED, Status.UNCHANGED})
"""What `needs` waits for."""


def is_open_question(task: Task) -> bool:
    """Whether a person can answer for `task` now: its result strayed outside its claim."""
    return task.status is Status.HELD and task.reason is Reason.CLAIM
