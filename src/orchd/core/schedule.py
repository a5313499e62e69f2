"""Schedules: since when, and until when, finished tasks wait for their save.

Rule: what somebody asked for is due, and so is what waits for a time that has come. Nothing else goes to main.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchd.core.screens import is_cleared
from orchd.core.sessions import session_of, takes_saves, works_apart
from orchd.core.statuses import BUSY
from orchd.model.config import Config
from orchd.model.ids import SessionId
from orchd.model.save import AT_ONCE, Schedule, When
from orchd.model.session import Session
from orchd.model.snapshot import State
from orchd.model.work import Status, Task


def schedule_of(session: Session, config: Config) -> Schedule:
    """When finished tasks of a session are saved. What goes to a line always goes at once: others build on it."""
    if works_apart(session):
        return AT_ONCE
    return session.spec.save or config.save


def waits_for_word(task: Task, state: State, config: Config) -> bool:
    """Whether a finished task is not saved before somebody asks for it."""
    by_hand = schedule_of(session_of(state, task.spec.session), config).when is When.MANUAL
    return task.status is Status.READY and by_hand and not task.due


def is_busy(task: Task, state: State, config: Config) -> bool:
    """Whether orchd itself could go on with an open task; with a ready one that waits for a person it could not."""
    if task.status is not Status.READY:
        return task.status in BUSY
    return takes_saves(session_of(state, task.spec.session)) and not waits_for_word(task, state, config)


def list_ends(state: State, config: Config) -> Mapping[SessionId, int]:
    """The moments (milliseconds) at which what is ready of a session is due, where a time was set."""
    ends = dict[SessionId, int]()
    for task in _waiting(state, config):
        schedule = schedule_of(session_of(state, task.spec.session), config)
        if schedule.when is When.EVERY and not task.due:
            end = task.ended_ms + int(schedule.every_seconds * 1000)
            ends[task.spec.session] = min(end, ends.get(task.spec.session, end))
    return ends


def list_due(state: State, config: Config, now_ms: int, *, rushed: bool) -> list[Task]:
    """The finished tasks that may be saved now; not those that their own gates are still to judge. `rushed`: times that were
    set count as over. So they do when the clock was set back."""
    ends = list_ends(state, config)
    due = (task for task in _waiting(state, config) if rushed or task.due or _is_over(task, ends, now_ms))
    return [task for task in due if is_cleared(task, state, config)]


def next_end_ms(state: State, config: Config, now_ms: int) -> int | None:
    """When time alone makes something due that is not due now."""
    return min((end for end in list_ends(state, config).values() if end > now_ms), default=None)


def _is_over(task: Task, ends: Mapping[SessionId, int], now_ms: int) -> bool:
    return task.spec.session not in ends or now_ms >= ends[task.spec.session] or now_ms < task.ended_ms


def _waiting(state: State, config: Config) -> Iterable[Task]:
    """The finished tasks that need no person any more."""
    return (task for task in state.tasks.values() if task.status is Status.READY and is_busy(task, state, config))
