"""How `run` closes: what came of it in one line, and the exit code."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from orchd.core.screens import list_held
from orchd.core.session_telling import waits_for_person
from orchd.core.statuses import ACTIVE, BUSY
from orchd.model.ids import SessionId, TaskId
from orchd.model.problem import Problem
from orchd.model.save import Save
from orchd.model.session import Landing
from orchd.model.snapshot import State
from orchd.model.work import Status, Task

if TYPE_CHECKING:
    from orchd.app import Served

OK, BAD, NEEDS_PERSON, INTERRUPTED = 0, 1, 6, 130

COUNTED: Mapping[Status, str] = {
    Status.LANDED: "landed",
    Status.INTEGRATED: "integrated, not landed",
    Status.UNCHANGED: "had nothing to change",
    Status.FAILED: "failed",
    Status.HELD: "waiting for you",
    Status.CANCELLED: "cancelled",
    Status.WITHDRAWN: "withdrawn",
    Status.WAITING: "still waiting",
}


def close_run(served: Served) -> tuple[str, int]:
    """The closing line and the exit code: 0 all well, 1 something failed, 6 a person is needed, 130 interrupted."""
    counts = Counter(task.status for task in tasks_of_run(served))
    parts = [f"{counts[status]} {words}" for status, words in COUNTED.items() if counts[status]]
    parts += [f"{counts[Status.READY]} done, not saved: `orchd save`"] if counts[Status.READY] and not served.signals else []
    parts += tell_going_on(served.state) if served.signals else []
    problems, save = _problems_of_run(served), _held_save(served)
    parts += [f"{len(problems)} problem(s) in files"] if problems else []
    parts += [f"landing waits: {save.hold}"] if save else []
    parts += [f"session {name} cannot land: not all of it has ended well" for name in _stuck_sessions(served)]
    return ", ".join(parts) or "nothing to do", _judge(served, counts)


def tell_going_on(state: State) -> list[str]:
    """What goes on without us, and what the next orchd goes on with."""
    running = sum(task.status in ACTIVE for task in state.tasks.values())
    ended = sum(task.status in BUSY - ACTIVE for task in state.tasks.values())
    told = [f"{running} go on under their supervisors and are adopted at the next start"] if running else []
    return told + ([f"{ended} have ended and are saved at the next start"] if ended else [])


def tasks_of_run(served: Served) -> list[Task]:
    """The tasks that count, in their order: of those that were asked for, what has moved, and what is held or waits."""
    wanted = _wanted(served)
    tasks = sorted(served.state.tasks.values(), key=lambda task: task.order)
    return [task for task in tasks if (wanted is None or task.spec.id in wanted) and _counts(task, served.before)]


def _judge(served: Served, counts: Counter[Status]) -> int:
    if signal.SIGINT in served.signals:
        return INTERRUPTED
    if counts[Status.HELD] or _held_save(served):
        return NEEDS_PERSON
    bad = counts[Status.FAILED] or _problems_of_run(served) or (counts[Status.WAITING] and not served.signals)
    if bad:
        return BAD
    return NEEDS_PERSON if _stuck_sessions(served) else OK


def _counts(task: Task, before: State) -> bool:
    was = before.tasks.get(task.spec.id)
    if was is None and task.status is Status.LANDED and task.ended_ms < task.seen_ms:
        return False  # main said so to a state that has just begun
    moved = was is None or (was.status, was.generation, was.attempt) != (task.status, task.generation, task.attempt)
    return moved or task.status in (Status.HELD, Status.WAITING)


def _wanted(served: Served) -> frozenset[TaskId] | None:
    from orchd.core.arbiter import expand_only

    return None if served.only is None else expand_only(served.only, served.state.tasks)


def _problems_of_run(served: Served) -> list[Problem]:
    """Of a run that was asked for tasks, only the problems of their files."""
    wanted = _wanted(served)
    return [p for p in served.state.problems if wanted is None or p.file.rpartition("/")[2].partition(".")[0] in wanted]


def _stuck_sessions(served: Served) -> list[SessionId]:
    """Sessions that were to land by themselves and cannot, because a task of theirs ended badly, in this run or before."""
    sessions = served.state.sessions.values() if served.only is None else ()
    return [
        session.spec.id
        for session in sessions
        if session.spec.landing is Landing.ON_COMPLETE and not session.paused and waits_for_person(session, served.state)
    ]


def _held_save(served: Served) -> Save | None:
    """The save, or task judged by itself, that waits for a person, if it concerns this run."""
    save, wanted = served.state.save, _wanted(served)
    held = (*([save] if save and save.hold else []), *list_held(served.state))
    return next((one for one in held if wanted is None or any(item.task in wanted for item in one.items)), None)
