"""The screen of `orchd status`: what waits for a person first, then who serves, then the work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from orchd.cli.envelopes import ENVELOPES
from orchd.cli.fields import FORMS, Field, Kind, Row, to_cells
from orchd.cli.flags import Flags
from orchd.cli.output import table_lines
from orchd.core.inert import inert
from orchd.core.tables import join_tabs, tell_span

UNSANDBOXED = "none"
"""How the name of a sandbox begins that is none."""

FIELDS = {field.name: field for field in ENVELOPES["status"].fields}


def board_lines(row: Any, flags: Flags, now_ms: int) -> list[str]:
    """For people."""
    return [
        *_section("NEEDS YOU", "needs_you", row, flags),
        _tell_server(row["server"], now_ms),
        _tell_sandbox(row["sandbox"]),
        _tell_checkpoint(row, now_ms),
        FORMS[Kind.COUNTS].shown(row["counts"]) or "no tasks",
        *_section("SAVE", "saves", row, flags),
        *_section("TASKS", "tasks", row, flags),
        *_section("COOLING", "cooling", row, flags),
        *_section("LANDED", "landed", row, flags),
    ]


def board_cells(row: Any) -> list[str]:
    """For programs: the name of the part, then its cells; one line for each record of a list."""
    return [join_tabs([field.name, *part]) for field in FIELDS.values() for part in _parts(field, row[field.name])]


def _parts(field: Field, value: Any) -> list[list[str]]:
    if field.kind is Kind.ROWS:
        return [to_cells(field.fields, row) for row in value]
    if field.kind is Kind.ROW:
        return [to_cells(field.fields, value)] if value else []
    if field.kind is Kind.COUNTS:
        return [[name, str(number)] for name, number in value.items()]
    return [to_cells((field,), {field.name: value})]


def _section(title: str, name: str, row: Any, flags: Flags) -> list[str]:
    rows: Sequence[Row] = row[name]
    if not rows:
        return []
    heading = click.style(title, bold=True) if flags.color else title
    lines = table_lines(FIELDS[name].fields, rows, flags)
    return [heading, *lines, ""] if name == "needs_you" else ["", heading, *lines]


def _tell_server(server: Any, now_ms: int) -> str:
    if server is None:
        return "no daemon: start with `orchd run` or `orchd daemon`"
    return f"orchd {server['pid']} on {inert(server['host'])} has served for {tell_span((now_ms - server['since']) / 1000)}"


def _tell_sandbox(name: str) -> str:
    return "agents run UNSANDBOXED, with your rights" if name.startswith(UNSANDBOXED) else f"agents run in {inert(name)}"


def _tell_checkpoint(row: Any, now_ms: int) -> str:
    last = row["checkpoint"]
    if last is None:
        return f"{inert(row['branch'])}: no checkpoint yet"
    gates = f"gates: {inert(last['gates'])}" if row["verified"] else "unverified: no gates were configured"
    return f"{inert(row['branch'])}: {inert(last['name'])}, {_ago(last['created'], now_ms)}; {gates}"


def _ago(at_ms: int, now_ms: int) -> str:
    return f"{tell_span((now_ms - at_ms) / 1000)} ago"
