"""Fields and records: how each kind of field looks in a JSON Schema, in JSON, in a pipe and on a terminal.

Text is empty, and numbers, instants and records are null, when there is nothing to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, TypeAlias

from orchd.core.tables import tell_instant, tell_span
from orchd.model.agent import MICROS
from orchd.model.dataclass import dataclass
from orchd.model.ids import SHORT_OID

Row: TypeAlias = Mapping[str, object]


class Kind(StrEnum):
    """The type of a field. Instants are milliseconds inside and ISO 8601 outside; durations are seconds; money is
    millionths of a US dollar inside and dollars outside."""

    TEXT = "text"
    OID = "oid"
    NUMBER = "number"
    SECONDS = "seconds"
    INSTANT = "instant"
    DOLLARS = "dollars"
    FLAG = "flag"
    TEXTS = "texts"
    COUNTS = "counts"
    EVENTS = "events"
    ROW = "record"
    ROWS = "records"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record. `fields` are those of the records inside it."""

    name: str
    kind: Kind
    doc: str
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Envelope:
    """The data of one command: one record, or with `many` a list of records."""

    name: str
    doc: str
    fields: tuple[Field, ...]
    many: bool

    @property
    def schema(self) -> str:
        """The name that goes with the data; the number rises when a field changes its meaning or goes."""
        return f"orchd/{self.name}/v1"


@dataclass(frozen=True, slots=True)
class Form:
    """How a kind looks in a JSON Schema, in JSON, in a tab-separated cell and on a terminal."""

    schema: Mapping[str, object]
    data: Callable[[Any], object]
    cell: Callable[[Any], str]
    shown: Callable[[Any], str]


def _round(seconds: Any) -> float:
    return round(float(seconds), 3)


def _dollars(micros: Any) -> float:
    return float(micros) / MICROS


def _show_dollars(micros: Any) -> str:
    return f"${_dollars(micros):.2f}"


def _answer(flag: Any) -> str:
    return "yes" if flag else "no"


def _join(texts: Any) -> str:
    return ",".join(texts)


def _count(counts: Any) -> str:
    return ", ".join(f"{number} {name}" for name, number in counts.items())


def _name_events(events: Any) -> str:
    return ",".join(str(event.get("type", "?")) for event in events)


def _show_instant(at_ms: Any) -> str:
    return tell_instant(at_ms)[:19].replace("T", " ") + "Z"


FORMS: Mapping[Kind, Form] = {
    Kind.TEXT: Form({"type": "string"}, str, str, str),
    Kind.OID: Form({"type": "string"}, str, str, lambda oid: oid[:SHORT_OID]),
    Kind.NUMBER: Form({"type": ["integer", "null"]}, int, str, str),
    Kind.SECONDS: Form({"type": ["number", "null"]}, _round, lambda seconds: str(_round(seconds)), tell_span),
    Kind.INSTANT: Form({"type": ["string", "null"], "format": "date-time"}, tell_instant, tell_instant, _show_instant),
    Kind.DOLLARS: Form({"type": ["number", "null"]}, _dollars, lambda micros: str(_dollars(micros)), _show_dollars),
    Kind.FLAG: Form({"type": "boolean"}, bool, _answer, _answer),
    Kind.TEXTS: Form({"type": "array", "items": {"type": "string"}}, list, _join, ", ".join),
    Kind.COUNTS: Form({"type": "object", "additionalProperties": {"type": "integer"}}, dict, _count, _count),
    Kind.EVENTS: Form({"type": "array", "items": {"type": "object"}}, list, _name_events, _name_events),
}


def to_data(fields: tuple[Field, ...], row: Row) -> dict[str, object]:
    """The record as JSON data."""
    return {field.name: _to_value(field, row[field.name]) for field in fields}


def to_cells(fields: tuple[Field, ...], row: Row) -> list[str]:
    """The record as cells for programs. Fields with records inside are not among `fields`."""
    return ["" if row[f.name] in (None, "", ()) else FORMS[f.kind].cell(row[f.name]) for f in fields]


def to_shown(fields: tuple[Field, ...], row: Row) -> list[str]:
    """The record as cells for people."""
    return ["-" if row[f.name] in (None, "", ()) else FORMS[f.kind].shown(row[f.name]) for f in fields]


def json_schema(envelope: Envelope) -> dict[str, object]:
    """The JSON Schema of what a command prints with `--json`."""
    record = _record_schema(envelope.fields)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": envelope.schema,
        "description": envelope.doc,
        "type": "object",
        "required": ["schema", "data"],
        "additionalProperties": False,
        "properties": {
            "schema": {"const": envelope.schema},
            "data": {"type": "array", "items": record} if envelope.many else record,
        },
    }


def _to_value(field: Field, value: Any) -> object:
    if value is None:
        return None
    if field.kind is Kind.ROW:
        return to_data(field.fields, value)
    if field.kind is Kind.ROWS:
        return [to_data(field.fields, row) for row in value]
    return FORMS[field.kind].data(value)


def _record_schema(fields: tuple[Field, ...]) -> dict[str, object]:
    return {
        "type": "object",
        "required": [field.name for field in fields],
        "additionalProperties": False,
        "properties": {field.name: _field_schema(field) | {"description": field.doc} for field in fields},
    }


def _field_schema(field: Field) -> dict[str, object]:
    if field.kind is Kind.ROW:
        return {"anyOf": [_record_schema(field.fields), {"type": "null"}]}
    if field.kind is Kind.ROWS:
        return {"type": "array", "items": _record_schema(field.fields)}
    return dict(FORMS[field.kind].schema)
