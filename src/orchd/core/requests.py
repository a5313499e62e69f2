"""Requests of people where clones share a remote: whether one is heard here, waits, or is refused.

Rule: only the owner of a session hears what is asked of it, and no request is dropped without a word.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from orchd.core.ownership import is_foreign, is_lapsed
from orchd.model.ids import DEFAULT_SESSION, SessionId
from orchd.model.message import Event, RequestRefused
from orchd.model.snapshot import Intent, Snapshot, State, Verb
from orchd.model.tenure import Refused

OF_SESSIONS = frozenset(
    {
        Verb.PAUSE_SESSION,
        Verb.RESUME_SESSION,
        Verb.CANCEL_SESSION,
        Verb.RETRY_SESSION,
        Verb.LAND_SESSION,
        Verb.FORK_SESSION,
        Verb.SAVE_SESSION,
    }
)
"""Verbs whose subject is a session."""


class Hearing(Enum):
    """NOW: here and now. LATER: nobody knows yet whose the session is, or we take it over first. NEVER: its owner lives."""

    NOW = 1
    LATER = 2
    NEVER = 3


def find_hearing(intent: Intent, snapshot: Snapshot) -> Hearing:
    """When a request is heard. The same for all that is concluded from one look."""
    shared, session = snapshot.shared, find_session(intent, snapshot.state)
    if shared is None or not session:
        return Hearing.NOW
    if not shared.answered:
        holding = snapshot.state.holdings.get(session)
        return Hearing.NOW if holding is not None and holding.owner == shared.me else Hearing.LATER
    if not is_foreign(session, shared):
        return Hearing.NOW
    return Hearing.LATER if is_lapsed(session, shared) else Hearing.NEVER


def find_session(intent: Intent, state: State) -> SessionId:
    """The session that a request concerns; empty when nobody knows its task."""
    if intent.verb in OF_SESSIONS:
        return intent.subject
    if intent.verb is Verb.RESTORE:
        return DEFAULT_SESSION
    task = state.tasks.get(intent.subject)
    return task.spec.session if task else ""


def refuse_requests(state: State, snapshot: Snapshot) -> Iterator[Event]:
    """Those that only another clone could hear, each once."""
    shared, known = snapshot.shared, {one.intent for one in state.refused}
    for intent in snapshot.intents if shared else ():
        if find_hearing(intent, snapshot) is Hearing.NEVER and intent.id not in known:
            session = find_session(intent, state)
            owner = shared.tenures[session].tenure.owner if shared else ""
            yield RequestRefused(Refused(intent.id, intent.verb, intent.subject, session, owner))


def list_wanted(snapshot: Snapshot) -> frozenset[SessionId]:
    """The sessions of which something is asked that is heard once they are ours."""
    waiting = (one for one in snapshot.intents if find_hearing(one, snapshot) is Hearing.LATER)
    return frozenset(find_session(intent, snapshot.state) for intent in waiting)
