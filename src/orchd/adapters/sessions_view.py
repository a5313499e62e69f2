"""Who owns which session, left by the daemon for clients, which do not ask a remote.

Rule: standard library only. The times are this machine's own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping

from orchd.adapters.place import Place
from orchd.core.ownership import is_foreign, is_lapsed, tell_place
from orchd.core.tables import tell_span
from orchd.errors import UsageError
from orchd.model.ids import SessionId
from orchd.model.tenure import SharedSeen, Tenure, TenureSeen

VIEW = "sessions.json"


def write_view(place: Place, seen: SharedSeen) -> None:
    """Leave what the remote last showed."""
    now_ms = time.time_ns() // 1_000_000
    rows = {
        session: {
            "owner": one.tenure.owner,
            "epoch": one.tenure.epoch,
            "since_ms": now_ms - int(one.age_seconds * 1000),
            "takeover_seconds": one.tenure.takeover_seconds,
            "ours": one.ours,
        }
        for session, one in seen.tenures.items()
    }
    path = place.orch / VIEW
    aside = path.with_suffix(".new")
    aside.write_text(json.dumps({"me": seen.me, "answered": seen.answered, "sessions": rows}), encoding="utf-8")
    aside.replace(path)


def read_elsewhere(place: Place, sessions: Iterable[SessionId]) -> Mapping[SessionId, str]:
    """Why nothing of these sessions may start here; those that are ours are left out."""
    try:
        seen = _read_view(place)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return {}
    told = {session: tell_place(session, seen) for session in sorted(sessions)}
    return {session: text for session, text in told.items() if text}


def check_owner(place: Place, session: SessionId, takeover_seconds: float) -> None:
    """Raises UsageError when another clone alone hears what is asked of this session."""
    try:
        seen = _read_view(place)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return
    if seen.answered and is_foreign(session, seen) and not is_lapsed(session, seen):
        owner, span = seen.tenures[session].tenure.owner, tell_span(takeover_seconds)
        raise UsageError(
            f"session {session} belongs to another clone: {tell_place(session, seen)}",
            f"ask in the clone of {owner}; once it has given no sign of life for {span}, ask again here: that takes it over",
        )


def _read_view(place: Place) -> SharedSeen:
    data, now_ms = json.loads((place.orch / VIEW).read_bytes()), time.time_ns() // 1_000_000
    tenures = {
        session: TenureSeen(
            Tenure(session, row["owner"], row["epoch"], row["takeover_seconds"]),
            "",
            max(0.0, (now_ms - row["since_ms"]) / 1000),
            row["ours"],
        )
        for session, row in data["sessions"].items()
    }
    return SharedSeen(data["me"], tenures=tenures, answered=data["answered"])
