"""The events of an operation as records. Apart from the other records, because clients read those and need no event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchd.adapters.codec import decode, encode
from orchd.adapters.records import complete_spec, dump_record, refer_spec
from orchd.errors import OrchdError
from orchd.model.message import Event, RemedyFound, TaskAdopted, TaskSeen

EVENT_TYPES: Mapping[str, type[Event]] = {kind.__name__: kind for kind in Event.__args__}


def dump_events(events: tuple[Event, ...]) -> bytes:
    """The events of one operation."""
    return dump_record("events", {"events": [_plain_event(event) for event in events]})


def load_event(data: dict[str, Any], text: bytes | None) -> Event:
    """One event of the log; `text` None means that its text was erased."""
    kind = EVENT_TYPES.get(data["type"])
    if kind is None:
        raise OrchdError(
            f"the log has an event {data['type']!r} that this orchd does not know", "a newer orchd wrote it: upgrade"
        )
    fields = {key: value for key, value in data.items() if key != "type"}
    if "text" in fields.get("spec", ()):
        fields["spec"] = complete_spec(fields["spec"], text)
    return decode(kind, fields)


def _plain_event(event: Event) -> dict[str, Any]:
    plain = {"type": type(event).__name__, **encode(event)}
    spec = event.spec if isinstance(event, TaskSeen | TaskAdopted | RemedyFound) else None
    return plain | {"spec": refer_spec(spec)} if spec else plain
