"""Sessions: where their tasks start, where their saves go, when their line lands. Questions to the state, nothing else.

Rule: what is not on main yet is on the line, in one order; whoever starts from the line is built on all that is on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TypeAlias

from orchd.model.ids import Oid, SessionId, TaskId
from orchd.model.limits import SESSIONS_KEPT
from orchd.model.save import Excluded, Save, SaveItem, SaveStep, Target
from orchd.model.session import Landing, Session, SessionSpec
from orchd.model.snapshot import State
from orchd.model.work import Reason, Status, Task

Names: TypeAlias = tuple[TaskId, ...]

SETTLED = frozenset({Status.INTEGRATED, Status.LANDED, Status.UNCHANGED, Status.CANCELLED, Status.WITHDRAWN})
"""A session lands by itself once all its tasks are one of these: done, or taken out by a person."""


def session_of(state: State, name: SessionId) -> Session:
    """The session; one without a record has no settings of its own."""
    return state.sessions.get(name) or _without_record(name)


@lru_cache(maxsize=SESSIONS_KEPT)
def _without_record(name: SessionId) -> Session:
    return Session(SessionSpec(name))


def works_apart(session: Session) -> bool:
    """Whether its tasks are saved to its line first. What an earlier policy left on the line lands before anything else."""
    return session.spec.landing is not Landing.AUTO or bool(session.line)


def tip_of(state: State, session: Session) -> Oid:
    """The end of its line, or where it was pinned; empty when it has neither."""
    return state.tasks[session.line[-1]].commit if session.line else session.pinned


def find_start(state: State, name: SessionId, main: Oid) -> Oid:
    """The commit that the next task of a session starts from. Never newer than what a save under way goes to: its work
    could not be integrated there."""
    save = state.save
    if save is not None and save.target is Target.LINE and save.session == name:
        return save.base
    return tip_of(state, session_of(state, name)) or main


def is_landing_due(state: State, session: Session) -> bool:
    """Whether the line of a session is to land now."""
    if not session.line or session.paused:
        return False
    if session.asked or session.spec.landing is Landing.AUTO:
        return True
    return session.spec.landing is Landing.ON_COMPLETE and not find_unsettled(state, session.spec.id)


def find_unsettled(state: State, name: SessionId) -> tuple[Task, ...]:
    """The tasks of a session that keep it from being complete."""
    return tuple(task for task in state.tasks.values() if task.spec.session == name and task.status not in SETTLED)


def takes_saves(session: Session) -> bool:
    """Whether ready tasks of a session may be saved now. Pausing keeps work from main, not from the line."""
    return works_apart(session) or not session.paused


def is_on_line(task: Task, state: State) -> bool:
    """Whether the work of a task is on the line of its session, so that the next ones of the session are built on it."""
    return task.spec.id in session_of(state, task.spec.session).line


def may_be_given_up(save: Save, main: Oid) -> bool:
    """Whether a save can be dropped now, because nothing of it can be on main: it has not come so far, or the checkout is in
    the way and `main` is where the save began."""
    kept_off = save.hold is not None and main == save.base
    return save.target is Target.LINE or save.step in (SaveStep.PLANNED, SaveStep.MERGED) or kept_off


def is_recalled(save: Save, state: State, main: Oid) -> bool:
    """Whether the session of a save to main was paused in time."""
    return save.target is Target.MAIN and session_of(state, save.session).paused and may_be_given_up(save, main)


def is_touched(save: Save, task: Task) -> bool:
    """Whether a save works on a task, or goes to the line that the task is on."""
    if task.status is Status.INTEGRATED:
        return save.target is Target.LINE and save.session == task.spec.session
    return task.status is Status.SAVING


def exclude_built_on(save: Save, culprits: Sequence[Excluded]) -> tuple[Excluded, ...]:
    """What falls out of a landing line: the first of `culprits`, and whatever was built on it."""
    if not save.start or not culprits:
        return tuple(culprits)
    guilty = culprits[0].item
    at = save.items.index(guilty)
    lost = {item.tip for item in save.items[at:]}
    built = (item for item in save.items[at + 1 :] if item.base in lost)
    return culprits[0], *(Excluded(item, Reason.BUILT_ON, (guilty.task,)) for item in built)


def split_line(tasks: Mapping[TaskId, Task], session: Session, cut: TaskId) -> tuple[Names, Names, Names]:
    """The line when `cut` is taken out of it: what stays, what was built on it, and what can be integrated again."""
    at = session.line.index(cut)
    behind = session.line[at + 1 :]
    lost = {tasks[name].commit for name in session.line[at:]}
    built = tuple(name for name in behind if tasks[name].base in lost)
    return session.line[:at], built, tuple(name for name in behind if name not in built)


def keep_line(session: Session, kept: Names) -> Session:
    """The session with only this beginning of its line. Who asked for its landing is served once nothing of it is left."""
    return replace(session, line=kept, start=session.start if kept else "", asked=session.asked and bool(kept))


def kept_items(save: Save) -> tuple[SaveItem, ...]:
    """The items before the first that was left out: of a line that did not land, only these are still on it."""
    gone = {excluded.item.task for excluded in save.excluded}
    first = next((at for at, item in enumerate(save.items) if item.task in gone), len(save.items))
    return save.items[:first]
