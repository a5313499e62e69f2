"""Who owns which session, left by the daemon for clients, which do not ask a remote.

Rule: standard library only. The times are this machine's own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping

from orchd.adapters.place import Place
from orchd.core.ownership import is_foreign, is_lapsed, tell_place
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


def read_owner(place: Place, session: SessionId) -> tuple[str, str]:
    """The other clone that alone hears what is asked of this session, and when it gave a sign of life; empty when we do, or
    would take it over."""
    try:
        seen = _read_view(place)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return "", ""
    if not seen.answered or not is_foreign(session, seen) or is_lapsed(session, seen):
        return "", ""
    return seen.tenures[session].tenure.owner, tell_place(session, seen)


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
