"""Who owns a session: what may be done here, and what is somebody else's. Clients use it too, so it imports little."""

from __future__ import annotations

from collections.abc import Mapping

from orchd.core.statuses import OPEN
from orchd.core.tables import tell_span
from orchd.model.claim import PathSpec
from orchd.model.ids import SessionId, TaskId
from orchd.model.limits import SECURE_SHARE
from orchd.model.snapshot import State
from orchd.model.tenure import SharedSeen
from orchd.model.work import Status


def is_secure(session: SessionId, shared: SharedSeen | None) -> bool:
    """Whether we may start and land tasks of this session now. Alone we always may."""
    if shared is None:
        return True
    seen = shared.tenures.get(session)
    if seen is None or not seen.ours or seen.tenure.owner != shared.me:
        return False
    return seen.age_seconds < SECURE_SHARE * seen.tenure.takeover_seconds


def is_foreign(session: SessionId, shared: SharedSeen | None) -> bool:
    """Whether another clone owns this session, alive or not."""
    seen = shared.tenures.get(session) if shared else None
    return seen is not None and shared is not None and seen.tenure.owner not in ("", shared.me)


def is_lapsed(session: SessionId, shared: SharedSeen) -> bool:
    """Whether the owner of this session has given no sign of life for so long that others may take it over."""
    seen = shared.tenures.get(session)
    return seen is not None and seen.age_seconds >= seen.tenure.takeover_seconds


def list_elsewhere(state: State, shared: SharedSeen | None) -> Mapping[SessionId, str]:
    """Why nothing of a session may start here, for each session with waiting tasks that is not securely ours."""
    if shared is None:
        return {}
    sessions = {task.spec.session for task in state.tasks.values() if task.status is Status.WAITING}
    told = {session: tell_place(session, shared) for session in sorted(sessions)}
    return {session: text for session, text in told.items() if text}


def list_away(state: State, shared: SharedSeen | None) -> frozenset[TaskId]:
    """The known tasks of which other clones decide what becomes, so that files here say nothing about them. One that the
    owner of its session does not list (any more) is none: it was moved to another session."""
    seen = shared.tenures.values() if shared else ()
    owned = (one.tenure for one in seen if shared and is_foreign(one.tenure.session, shared))
    published = {(tenure.session, task.spec.id) for tenure in owned for task in tenure.tasks}
    return frozenset(name for name, task in state.tasks.items() if (task.spec.session, name) in published)


def find_next_number(state: State, shared: SharedSeen | None) -> int:
    """The number of the next checkpoint: one that no clone has used, as far as they have published it."""
    tenures = shared.tenures.values() if shared else ()
    return max(state.next_number, *(one.tenure.number for one in tenures), 1)


def list_foreign_claims(shared: SharedSeen | None) -> tuple[tuple[TaskId, tuple[PathSpec, ...]], ...]:
    """Claims of what the owners of other sessions have under way, as far as they have published it."""
    seen = shared.tenures.values() if shared else ()
    tasks = [task for one in seen if shared and one.tenure.owner not in ("", shared.me) for task in one.tenure.tasks]
    return tuple((task.spec.id, task.spec.claims) for task in tasks if task.status in OPEN)


def tell_place(session: SessionId, shared: SharedSeen) -> str:
    """Why we may not act for a session now; empty when we may."""
    seen = shared.tenures.get(session)
    if is_secure(session, shared):
        return ""
    if not shared.answered:
        return "the shared remote has not answered yet"
    if seen is None or not seen.tenure.owner:
        return "no clone owns it yet"
    if seen.tenure.owner == shared.me:
        return f"the shared remote has not confirmed for {tell_span(seen.age_seconds)} that it is ours"
    return f"{seen.tenure.owner} owns it and gave a sign of life {tell_span(seen.age_seconds)} ago"
