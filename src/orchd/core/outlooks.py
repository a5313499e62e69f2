"""How the recovery of a task ended, in one word and one line: always with the checkpoint from which it went on, or could."""

from __future__ import annotations

from collections import Counter

from orchd.model.recovery import Outlook
from orchd.model.work import Status, Task

DONE = frozenset({Status.READY, Status.SAVING, Status.INTEGRATED, Status.LANDED, Status.UNCHANGED})


def find_outlook(task: Task) -> Outlook | None:
    """How it ended; None: nothing had to be recovered, or it has not ended."""
    if task.status in DONE and task.tried:
        return Outlook.PARTIAL if task.skipped else Outlook.RECOVERED
    return task.outlook if task.status is Status.FAILED else None


def tell_recovery(task: Task) -> str:
    """`recovered from step plan (1f2e3d4c5b6a), after 2 unavailable`; empty: there is nothing to tell."""
    if not task.tried:
        return ""
    outlook = find_outlook(task)
    failures = Counter(str(one.failure) for one in task.tried)
    after = ", ".join(f"{count} x {failure}" for failure, count in failures.items())
    return f"{outlook or 'goes on'}, from {_tell_checkpoint(task)}, after {after}"


def _tell_checkpoint(task: Task) -> str:
    begin = task.tried[-1].begin
    name = next((made.name for made in reversed(task.steps) if made.commit == begin), "an earlier step")
    return f"step {name} ({begin[:12]})" if begin else "its beginning"
