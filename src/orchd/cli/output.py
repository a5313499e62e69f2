"""Printing: data to standard output in one of three forms, messages to standard error.

A table on a terminal, tab-separated lines in a pipe, one JSON document with `--json`: always the same fields,
but for what a table can spare.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TextIO

import click

from orchd.cli.fields import Envelope, Field, Kind, Row, to_cells, to_data, to_shown
from orchd.cli.flags import Flags, read_flags
from orchd.core.inert import inert
from orchd.core.tables import GAP, align_rows, join_tabs

COLORS: Mapping[str, str] = {
    "running": "cyan",
    "saving": "cyan",
    "integrated": "green",
    "landed": "green",
    "failed": "red",
    "held": "yellow",
    "cancelled": "bright_black",
    "withdrawn": "bright_black",
}
"""The colour of a status."""

WHOLE = ("command", "name")
"""Columns that are never cut: people copy from them."""

SPARE = ("cost", "tokens", "unpriced")
"""Columns that a terminal does without where no row says anything: most repositories have no agents, and 80 columns are few."""


def print_records(envelope: Envelope, rows: Sequence[Row], empty: str = "") -> None:
    """A list. `empty` is the message when there is nothing in it."""
    flags = read_flags()
    if flags.json:
        print_json(envelope, [to_data(envelope.fields, row) for row in rows])
    elif flags.terminal:
        print_lines(table_lines(envelope.fields, rows, flags))
    else:
        print_lines(join_tabs(to_cells(envelope.fields, row)) for row in rows)
    if not rows and empty:
        say(empty)


def print_record(envelope: Envelope, row: Row, prose: Iterable[str]) -> None:
    """One record; `prose` is what a terminal shows."""
    flags = read_flags()
    if flags.json:
        print_json(envelope, to_data(envelope.fields, row))
    elif flags.terminal:
        print_lines(prose)
    else:
        print_lines(record_lines(envelope.fields, row))


def print_json(envelope: Envelope, data: object) -> None:
    """The envelope, on one line unless somebody looks at it."""
    indent = 2 if sys.stdout.isatty() else None
    print_lines([json.dumps({"schema": envelope.schema, "data": data}, indent=indent)])


def print_lines(lines: Iterable[str]) -> None:
    """Lines of data."""
    for line in lines:
        sys.stdout.write(line + "\n")


def table_lines(fields: tuple[Field, ...], rows: Sequence[Row], flags: Flags) -> list[str]:
    """The rows under their headings; nothing for no rows."""
    if not rows:
        return []
    fields = tuple(field for field in fields if field.name not in SPARE or any(row[field.name] for row in rows))
    heads = [field.name.removesuffix("_seconds").replace("_", " ").upper() for field in fields]
    whole = [at for at, field in enumerate(fields) if field.name in WHOLE]
    table = align_rows([heads, *(to_shown(fields, row) for row in rows)], flags.columns, whole)
    return [GAP.join(paint(cell, flags) for cell in line).rstrip() for line in table]


def record_lines(fields: tuple[Field, ...], row: Row) -> list[str]:
    """Name and value of each field on a line of its own, for programs; one line for each item or record of a list."""
    return [join_tabs([field.name, *cells]) for field in fields for cells in _cells_of(field, row)]


def _cells_of(field: Field, row: Row) -> list[list[str]]:
    value = row[field.name]
    if field.kind in (Kind.ROWS, Kind.TEXTS) and isinstance(value, tuple) and value:
        return [[one] if isinstance(one, str) else to_cells(field.fields, one) for one in value]
    return [to_cells((field,), row)]


def fact_lines(fields: tuple[Field, ...], row: Row) -> list[str]:
    """Name and value of each field that says something, for people. The items of a list stand under each other; records in a
    list are left to the caller."""
    width = max(len(field.name) for field in fields)
    lines = []
    for field in fields:
        for number, value in enumerate(_items(field, row)):
            lines.append(f"{'' if number else field.name:{width}}{GAP}{inert(value)}")
    return lines


def paint(cell: str, flags: Flags) -> str:
    """The cell in the colour of its status, if it is one."""
    color = COLORS.get(cell.strip()) if flags.color else None
    return click.style(cell, fg=color) if color else cell


def say(message: str) -> None:
    """A message for the person, unless `--quiet`."""
    if not read_flags().quiet:
        click.echo(message, err=True)


def drop_output(stream: TextIO) -> None:
    """The reader of a stream is gone; without this the interpreter complains when it flushes at the end."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def complain(message: str, hint: str) -> None:
    """An error and what to do about it."""
    click.echo(f"orchd: error: {_inert_lines(message)}", err=True)
    if hint:
        click.echo(f"help: {_inert_lines(hint)}", err=True)


def _inert_lines(text: str) -> str:
    return "\n".join(map(inert, text.splitlines()))


def _items(field: Field, row: Row) -> list[str]:
    value = row[field.name]
    if value in (None, "", ()) or field.kind is Kind.ROWS:
        return []
    return list(map(str, value)) if field.kind is Kind.TEXTS and isinstance(value, tuple) else to_shown((field,), row)
