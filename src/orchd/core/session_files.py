"""Session files become settings, and settings become defaults of tasks.

Rule: settings can hold work back from main, so what is unclear or has vanished never makes a session freer while anything
of it is unsettled: the last settings hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from orchd.core.sessions import find_unsettled
from orchd.model.ids import SessionId
from orchd.model.message import (
    Event,
    SessionEnded,
    SessionFileLost,
    SessionSeen,
)
from orchd.model.problem import Problem
from orchd.model.session import Session, SessionFileSeen, SessionsSeen, TaskDefaults
from orchd.model.snapshot import FileSeen, Snapshot, State
from orchd.model.work import TaskSpec

T = TypeVar("T")
PLAIN = TaskDefaults()


def read_sessions(state: State, snapshot: Snapshot) -> Iterator[Event]:
    """What the session files say that the state does not know yet, and which sessions are over."""
    seen = snapshot.sessions
    for file in seen.good:
        event = _settle(file, state)
        old = state.sessions.get(file.spec.id)
        if old is None or (old.spec, old.file, old.pinned) != (event.spec, event.file, event.base):
            yield event
    there = {file.spec.id for file in seen.good} | (seen.bad | seen.unsettled)
    for name, session in state.sessions.items():
        if session.file and name not in there:
            yield SessionFileLost(name)
        elif not session.file and _is_spent(session, state):
            yield SessionEnded(name)


def is_unclear(file: FileSeen, state: State, seen: SessionsSeen) -> bool:
    """Whether it is not known yet by which rules this task would go."""
    return file.spec.session in (seen.bad | seen.unsettled) and file.spec.session not in state.sessions


def tell_stuck(file: FileSeen) -> Problem:
    """What is wrong with a task whose session has a file that nobody understands."""
    message = f"its session `{file.spec.session}` has a file with a mistake, so nobody knows its rules"
    return Problem(file.path, 0, 0, "E063", message, "repair the file of the session; the task is then taken in by itself")


def fill_defaults(file: FileSeen, sessions: Mapping[SessionId, Session]) -> FileSeen:
    """The task file with what its session says about keys that it does not set itself."""
    session = sessions.get(file.spec.session)
    if session is None or session.spec.defaults == PLAIN:
        return file
    return replace(file, spec=_fill(file.spec, session.spec.defaults, file.own))


def _fill(spec: TaskSpec, given: TaskDefaults, own: tuple[str, ...]) -> TaskSpec:
    if "after" not in own:
        spec = replace(spec, after=tuple(task for task in given.after or () if task != spec.id and task not in spec.needs))
    if "claims" not in own and given.claims is not None:
        spec = replace(spec, claims=given.claims, resources=given.resources, ports=given.ports, numbers=given.numbers)
    return replace(
        spec,
        timeout_seconds=_choose(spec.timeout_seconds, given.timeout_seconds, own=own, key="timeout"),
        priority=_choose(spec.priority, given.priority, own=own, key="priority"),
        labels=_choose(spec.labels, given.labels, own=own, key="labels"),
        noop=_choose(spec.noop, given.noop, own=own, key="noop"),
    )


def _choose(said: T, default: T | None, *, own: tuple[str, ...], key: str) -> T:
    return said if default is None or key in own else default


def _settle(file: SessionFileSeen, state: State) -> SessionSeen:
    """The settings as they can hold now. A new base waits until nothing of the session is unsettled or on its line."""
    old, spec = state.sessions.get(file.spec.id), file.spec
    if old is None:
        return SessionSeen(spec, file.path, file.base)
    if spec.base == old.spec.base:
        return SessionSeen(spec, file.path, old.pinned)
    if old.line or find_unsettled(state, spec.id):
        return SessionSeen(replace(spec, base=old.spec.base), file.path, old.pinned)
    return SessionSeen(spec, file.path, file.base)


def _is_spent(session: Session, state: State) -> bool:
    """Whether nothing needs its record any more."""
    held = session.line or session.paused or session.origin
    return not held and not find_unsettled(state, session.spec.id)
