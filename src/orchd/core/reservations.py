"""Reservations: what people and other tools keep for themselves beside the tasks.

Rule: they are honoured like leases at the start and at each extension, and they take nothing away that a lease holds already.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from orchd.core.claims import find_clash
from orchd.core.tables import tell_instant
from orchd.model.claim import Lease, PathSpec, Reservation
from orchd.model.dataclass import dataclass
from orchd.model.ids import TaskId


@dataclass(frozen=True, slots=True)
class Reserved:
    """A reservation that something meets: by which of its entries, and by which of the other side."""

    reservation: Reservation
    mine: str
    theirs: str


def standing(reservations: Iterable[Reservation], now_ms: int) -> tuple[Reservation, ...]:
    """Those that have not expired."""
    return tuple(one for one in reservations if not one.until_ms or now_ms < one.until_ms)


def find_reserved(paths: Sequence[PathSpec], resources: Sequence[str], reservations: Iterable[Reservation]) -> Reserved | None:
    """The first reservation that cannot be held together with a claim, or None."""
    for one in reservations:
        clash = find_clash(paths, one.paths)
        if clash is not None:
            return Reserved(one, clash[0].glob, clash[1].glob)
        both = next((name for name in resources if name in one.resources), None)
        if both is not None:
            return Reserved(one, both, both)
    return None


def find_overlaps(reservation: Reservation, leases: Mapping[TaskId, Lease]) -> tuple[TaskId, ...]:
    """The tasks that hold something of what is reserved: they had it first, and keep it."""
    return tuple(
        task
        for task, lease in sorted(leases.items())
        if find_reserved(lease.paths, lease.resources, (reservation,)) is not None
    )


def tell_reservation(reservation: Reservation) -> str:
    """Who keeps it, until when, where it is written, and why; half a sentence."""
    until = f" until {tell_instant(reservation.until_ms)}" if reservation.until_ms else ""
    why = f": {reservation.why}" if reservation.why else ""
    return f"{reservation.by or 'somebody'} keeps{until} ({reservation.path}{why})"


def word_file(reservation: Reservation) -> str:
    """The text of a claim file. JSON strings are YAML strings, for printable text."""
    lines = [f"  - {{path: {_quote(path.glob)}, mode: {path.mode}}}" for path in reservation.paths]
    lines += [f"  - {{resource: {_quote(name)}}}" for name in reservation.resources]
    facts = [f"{key}: {_quote(text)}" for key, text in (("by", reservation.by), ("why", reservation.why)) if text]
    until = [f"until: {tell_instant(reservation.until_ms)}"] if reservation.until_ms else []
    return "\n".join(["claims:", *lines, *facts, *until]) + "\n"


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
