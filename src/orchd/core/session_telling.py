"""What people read about sessions: what they wait for, and what can be done about it."""

from __future__ import annotations

from collections.abc import Mapping

from orchd.core.inert import inert
from orchd.core.phrases import HOLD_STEPS, SCREENING, Telling
from orchd.core.schedule import list_ends, waits_for_word
from orchd.core.screens import gates_of, is_held
from orchd.core.sessions import find_unsettled, is_landing_due, session_of
from orchd.core.statuses import BUSY, FINISHED
from orchd.core.tables import tell_span
from orchd.model.config import Config
from orchd.model.ids import SessionId, integration_branch
from orchd.model.save import Hold, Save
from orchd.model.session import Landing, Session
from orchd.model.snapshot import State
from orchd.model.work import Status, Task

SHOWN = 5

LANDINGS = {
    Landing.AUTO: "each task lands as soon as it is done",
    Landing.MANUAL: "it lands when somebody asks for it",
    Landing.ON_COMPLETE: "it lands by itself once all its tasks have ended well",
}


def tell_session(session: Session, state: State, branch: str) -> Telling:
    """Where a session stands; `branch` is the one that tasks land on."""
    name = session.spec.id
    why = [LANDINGS[session.spec.landing]]
    if session.line:
        why.append(f"integrated, in this order: {_list(session.line)}")
    if session.origin:
        why.append(f"it was forked from {inert(session.origin)}")
    if session.spec != type(session.spec)(name) and not session.file and not session.origin:
        why.append("its file is gone; its last settings hold while anything of it is unsettled")
    return Telling(_what(session, state, branch), tuple(why), _steps(session, state))


def tell_integrated(task: Task, state: State, branch: str) -> Telling:
    """The story of a task that is on the line of its session."""
    session = session_of(state, task.spec.session)
    place = integration_branch(session.spec.id).removeprefix("refs/heads/")
    what = f"it is merged on `{place}`, on which later tasks of its session are built; {branch} does not have it yet"
    return Telling(what, (_what(session, state, branch),), _steps(session, state))


def waits_for_person(session: Session, state: State) -> str:
    """What a person has to decide about a session now; empty when there is nothing."""
    unsettled = find_unsettled(state, session.spec.id)
    if session.paused:
        return f"its session is paused: {len(unsettled) + len(session.line)} task(s) wait" if unsettled or session.line else ""
    at_work = any(task.status in BUSY or task.status is Status.WAITING for task in unsettled)
    if not session.line or is_landing_due(state, session) or (at_work and not _lacks(unsettled)):
        return ""
    return f"{len(session.line)} task(s) are integrated and have not landed" + _because(session, unsettled)


def tell_screening(task: Task, state: State, config: Config, proven: str) -> Telling:
    """The story of a finished task whose own gates have not let it through yet."""
    screening = state.screenings.get(task.spec.id)
    names = ", ".join(gate.name for gate in (screening.gates if screening else gates_of(task, state, config)))
    again = tuple(f"asked again: {name}" for name in _list_red(screening)) if screening else ()
    steps = (*(HOLD_STEPS[Hold.ROOM] if is_held(task.spec.id, state) else ()), f"`orchd cancel {task.spec.id}` gives it up")
    return Telling(f"{proven}; {SCREENING.format(gates=names)}", again, steps)


def _list_red(screening: Save) -> tuple[str, ...]:
    return tuple(result.gate for tried in screening.tries for result in tried.results if not result.green)


def tell_wait_for_save(task: Task, state: State, config: Config, now_ms: int) -> str:
    """For what a finished task waits that nobody hurries; empty when it waits for nothing."""
    if waits_for_word(task, state, config):
        return "it is saved when somebody asks for it"
    end = list_ends(state, config).get(task.spec.session, 0)
    return f"its save is due in {tell_span((end - now_ms) / 1000)}" if task.ended_ms <= now_ms < end and not task.due else ""


def list_unsaved(state: State, config: Config) -> Mapping[SessionId, tuple[int, int]]:
    """How many tasks of a session wait for somebody to ask for their save, and since when; of those sessions of which nothing
    is at work."""
    waiting = [task for task in state.tasks.values() if waits_for_word(task, state, config)]
    busy = {task.spec.session for task in state.tasks.values() if task.status in BUSY and task not in waiting}
    names = sorted({task.spec.session for task in waiting} - busy)
    ended = {name: [task.ended_ms for task in waiting if task.spec.session == name] for name in names}
    return {name: (len(times), min(times)) for name, times in ended.items()}


def _what(session: Session, state: State, branch: str) -> str:
    if session.paused:
        return f"session {session.spec.id} is paused: nothing of it starts, nothing of it comes to {branch}"
    if is_landing_due(state, session):
        return f"session {session.spec.id} lands on {branch} at the next look"
    if session.line:
        return f"{len(session.line)} task(s) wait to be landed" + _because(session, find_unsettled(state, session.spec.id))
    count = len(find_unsettled(state, session.spec.id))
    return f"{count} task(s) are not done" if count else "all its tasks are done"


def _because(session: Session, unsettled: tuple[Task, ...]) -> str:
    if session.spec.landing is not Landing.ON_COMPLETE or not unsettled:
        return ""
    return f"; not done: {_list(tuple(f'{task.spec.id} ({task.status})' for task in unsettled))}"


def _steps(session: Session, state: State) -> tuple[str, ...]:
    name = session.spec.id
    if session.paused:
        return (f"`orchd session resume {name}` lets it go on",)
    bad = _lacks(find_unsettled(state, name))
    again = (f"`orchd session retry {name}` runs again what failed or is held",) if bad else ()
    waits = session.line and not is_landing_due(state, session)
    return (*again, f"`orchd session land {name}` lands what is integrated") if waits else again


def _lacks(unsettled: tuple[Task, ...]) -> bool:
    return any(task.status in FINISHED for task in unsettled)


def _list(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(map(inert, names[:SHOWN])) + more
