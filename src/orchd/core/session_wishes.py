"""What people ask of a whole session. One that the state does not allow (any more) is dropped."""

from __future__ import annotations

from collections.abc import Iterator

from orchd.core.sessions import session_of
from orchd.core.statuses import FINISHED
from orchd.model.message import (
    Event,
    LandingAsked,
    SaveAsked,
    SessionForked,
    SessionPaused,
    SessionResumed,
)
from orchd.model.session import Landing
from orchd.model.snapshot import Intent, Snapshot, State, Verb
from orchd.model.work import Status, Task


def pause(intent: Intent, state: State, snapshot: Snapshot) -> Iterator[Event]:
    """Nothing of it starts or lands any more; what runs goes on."""
    if not session_of(state, intent.subject).paused:
        yield SessionPaused(intent.subject)


def resume(intent: Intent, state: State, snapshot: Snapshot) -> Iterator[Event]:
    """It goes on."""
    if session_of(state, intent.subject).paused:
        yield SessionResumed(intent.subject)


def land(intent: Intent, state: State, snapshot: Snapshot) -> Iterator[Event]:
    """What is on its line goes to main, though the session may not be complete."""
    session = session_of(state, intent.subject)
    if session.line and not session.asked:
        yield LandingAsked(intent.subject)


def save(intent: Intent, state: State, snapshot: Snapshot) -> Iterator[Event]:
    """What of it is finished now goes to main, whatever its schedule says."""
    ready = (name for name, task in state.tasks.items() if task.status is Status.READY and not task.due)
    tasks = tuple(sorted(name for name in ready if state.tasks[name].spec.session == intent.subject))
    if tasks:
        yield SaveAsked(intent.subject, tasks)


def fork(intent: Intent, state: State, snapshot: Snapshot) -> Iterator[Event]:
    """A new session that begins at a checkpoint; the words are its commit, its name, and how the session lands."""
    known = {*state.sessions, *(task.spec.session for task in state.tasks.values())}
    if intent.subject not in known and len(intent.words) == 3 and intent.words[2] in set(Landing):
        base, origin, landing = intent.words
        yield SessionForked(intent.subject, base, origin, Landing(landing))


def spell_out(intent: Intent, state: State) -> Iterator[Intent]:
    """What is asked of all tasks of a session, as if it had been asked of each; any other request is itself."""
    if intent.verb not in OF_ALL:
        yield intent
        return
    line = session_of(state, intent.subject).line
    names = sorted(name for name, task in state.tasks.items() if task.spec.session == intent.subject and name not in line)
    for name in (*reversed(line), *names):
        yield Intent(intent.id, OF_ALL[intent.verb], name, (ALL,))


def concerns(intent: Intent, task: Task | None) -> bool:
    """Whether a request is about this task. One to all tasks of a session retries what failed or is held, and cancels what
    is open or waits: what has failed stays for whoever wants to know why."""
    if task is None or ALL not in intent.words:
        return task is not None
    return task.status in (RETRIED if intent.verb is Verb.RETRY else frozenset(Status) - FINISHED)


ALL = "*"
"""The word of a request that was made to all tasks of a session; no step is called so."""

RETRIED = frozenset({Status.FAILED, Status.HELD})

OF_ALL = {Verb.CANCEL_SESSION: Verb.CANCEL, Verb.RETRY_SESSION: Verb.RETRY}
