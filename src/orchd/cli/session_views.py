"""From the state to the records that `orchd session` prints. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from orchd.cli.fields import Row
from orchd.core.session_telling import tell_session
from orchd.core.sessions import find_unsettled, session_of, tip_of
from orchd.core.telling import short_ref
from orchd.model.ids import SessionId, integration_branch
from orchd.model.save import Checkpoint
from orchd.model.snapshot import State


def list_names(state: State) -> list[SessionId]:
    """All sessions that have a record or a task."""
    return sorted({*state.sessions, *(task.spec.session for task in state.tasks.values())})


def view_sessions(state: State, checkpoints: Iterable[Checkpoint], branch: str) -> tuple[Row, ...]:
    """One record for each."""
    landed = Counter(one.session for one in checkpoints)
    return tuple(_view_head(state, name, landed, branch) for name in list_names(state))


def view_session(state: State, name: SessionId, checkpoints: Iterable[Checkpoint], branch: str) -> Row:
    """Everything about one. `state` is the whole one."""
    session, told = session_of(state, name), tell_session(session_of(state, name), state, branch)
    landed = Counter(one.session for one in checkpoints)
    return {
        **_view_head(state, name, landed, branch),
        "parallel": session.spec.parallel or None,
        "gates": tuple(gate.name for gate in session.spec.gates),
        "file": session.file,
        "base": session.spec.base,
        "pinned": session.pinned,
        "origin": session.origin,
        "branch": short_ref(integration_branch(name)),
        "tip": tip_of(state, session),
        "line": session.line,
        "counts": dict(sorted(Counter(str(t.status) for t in state.tasks.values() if t.spec.session == name).items())),
        "what": told.what,
        "why": told.why,
        "next": told.steps,
    }


def _view_head(state: State, name: SessionId, landed: Counter[SessionId], branch: str) -> Row:
    session = session_of(state, name)
    return {
        "session": name,
        "landing": str(session.spec.landing),
        "paused": session.paused,
        "open": len(find_unsettled(state, name)),
        "integrated": len(session.line),
        "landed": landed[name],
        "what": tell_session(session, state, branch).what,
    }
