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
SCREENED = frozenset({Status.READY, Status.SAVING, Status.FAILED})
"""What its own gates said about the result of a task is still of use."""

SUCCEEDED = frozenset({Status.LANDED, Status.UNCHANGED})
"""What `needs` waits for."""


def may_lack(task: Task) -> bool:
    """Whether what needs `task` goes on without it."""
    return task.spec.optional and task.status is Status.FAILED


QUESTIONS = frozenset({Reason.CLAIM, Reason.CONFLICT})
"""The reasons of a held result that a person can answer; with the others it can only be run again or given up."""


def is_open_question(task: Task) -> bool:
    """Whether a person can answer for `task` now: its result strayed outside its claim, or conflicts with what landed."""
    return task.status is Status.HELD and task.reason in QUESTIONS


def has_strayed(task: Task) -> bool:
    """Whether the question is about paths outside its claim."""
    return is_open_question(task) and task.reason is Reason.CLAIM


def is_disputed(task: Task) -> bool:
    """Whether the question is about a conflict."""
    return is_open_question(task) and task.reason is Reason.CONFLICT
