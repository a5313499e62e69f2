"""The generated parts of docs/cli.md. `python tests/cli/cli_manual.py` writes them anew; a test compares."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from orchd.cli.envelopes import ENVELOPES
from orchd.cli.fields import Field
from orchd.cli.flags import _common_options
from orchd.cli.root import root

MANUAL = Path(__file__).parents[2] / "docs" / "cli.md"


def write_manual(text: str) -> str:
    """The manual with fresh generated parts."""
    for name, part in (("commands", list_commands()), ("fields", list_fields())):
        text = re.sub(
            rf"(<!-- {name}: begin -->\n).*?(<!-- {name}: end -->)",
            lambda m, part=part: f"{m[1]}{part}{m[2]}",
            text,
            flags=re.DOTALL,
        )
    return text


def walk_commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from walk_commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def list_commands() -> str:
    rows = ["| command | what it does |", "|---|---|"]
    common = {option.name for option in _common_options()}
    for path, command in walk_commands(root, "orchd"):
        context = click.Context(command)
        words = [p.make_metavar(context) if isinstance(p, click.Argument) else _usage(p) for p in command.params]
        own = [word for word, p in zip(words, command.params, strict=True) if p.name not in common]
        rows.append(f"| `{' '.join([path, *own])}` | {' '.join((command.help or '').split())} |")
    return "\n".join(rows) + "\n"


def list_fields() -> str:
    parts = []
    for envelope in ENVELOPES.values():
        shape = "a list of records" if envelope.many else "one record"
        parts.append(
            f"### `{envelope.schema}`\n\n{envelope.doc} `data` is {shape}.\n\n| field | type | meaning |\n|---|---|---|"
        )
        parts[-1] += "".join(f"\n{row}" for row in _field_rows(envelope.fields, "")) + "\n"
    return "\n".join(parts)


def _field_rows(fields: tuple[Field, ...], prefix: str) -> Iterator[str]:
    for field in fields:
        yield f"| `{prefix}{field.name}` | {field.kind} | {field.doc} |"
        yield from _field_rows(field.fields, f"{prefix}{field.name}.")


def _usage(option: click.Option) -> str:
    name = "/".join(option.opts[:1] if option.opts[0].startswith("--") else option.opts[-1:])
    return f"[{name}]" if option.is_flag else f"[{name} N]"


if __name__ == "__main__":
    MANUAL.write_text(write_manual(MANUAL.read_text(encoding="utf-8")), encoding="utf-8")
