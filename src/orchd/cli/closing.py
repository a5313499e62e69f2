"""How `run` closes: what came of it in one line, and the exit code."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from orchd.core.statuses import OPEN
from orchd.model.work import Status, Task

if TYPE_CHECKING:
    from orchd.app import Served

OK, BAD, NEEDS_PERSON, INTERRUPTED = 0, 1, 6, 130

COUNTED: Mapping[Status, str] = {
    Status.LANDED: "landed",
    Status.UNCHANGED: "had nothing to change",
    Status.FAILED: "failed",
    Status.HELD: "waiting for you",
    Status.CANCELLED: "cancelled",
    Status.WAITING: "still waiting",
}


def close_run(served: Served) -> tuple[str, int]:
    """The closing line and the exit code: 0 all well, 1 something failed, 6 a person is needed, 130 interrupted."""
    state = served.state
    counts = Counter(task.status for task in state.tasks.values() if is_of_this_run(task, served))
    parts = [f"{counts[status]} {words}" for status, words in COUNTED.items() if counts[status]]
    going_on = sum(task.status in OPEN for task in state.tasks.values())
    left = f"{going_on} go on under their supervisors and are adopted at the next start"
    parts += [left] if going_on and served.signals else []
    parts += [f"{len(state.problems)} problem(s) in files"] if state.problems else []
    parts += [f"landing waits: {state.save.hold}"] if state.save and state.save.hold else []
    return ", ".join(parts) or "nothing to do", _judge(served, counts)


def _judge(served: Served, counts: Counter[Status]) -> int:
    if signal.SIGINT in served.signals:
        return INTERRUPTED
    save = served.state.save
    if counts[Status.HELD] or (save is not None and save.hold is not None):
        return NEEDS_PERSON
    bad = counts[Status.FAILED] or served.state.problems or (counts[Status.WAITING] and not served.signals)
    return BAD if bad else OK


def is_of_this_run(task: Task, served: Served) -> bool:
    """Held and waiting tasks count whenever they came; finished ones only if they finished now."""
    return task.status in (Status.HELD, Status.WAITING) or task.ended_ms >= served.started_ms
