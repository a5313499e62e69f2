"""The options that every command has. They may stand before or after the name of the command."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from orchd.cli.suggest import unknown
from orchd.model.dataclass import dataclass

VERBOSE_VARIABLE = "ORCHD_VERBOSE"
"""Also read by `orchd.adapters.git_run`, which a client command need not import."""

PIPE_COLUMNS = 1000
"""Nobody reads a pipe by eye: nothing is cut there."""


@dataclass(frozen=True, slots=True)
class Flags:
    """What was asked for. `color`: where there is a terminal; `terminal`: standard output is one, `columns` cells wide."""

    json: bool
    repo: Path
    quiet: bool
    color: bool
    terminal: bool
    columns: int


def read_flags() -> Flags:
    """The flags of the command that runs now."""
    given = click.get_current_context().meta
    terminal = sys.stdout.isatty()
    color = not given.get("no_color") and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Flags(
        json=bool(given.get("json")),
        repo=Path(given.get("repo", ".")),
        quiet=bool(given.get("quiet")),
        color=color,
        terminal=terminal,
        columns=_measure() if terminal else PIPE_COLUMNS,
    )


def _measure() -> int:
    """How many cells wide the terminal is."""
    import shutil  # costs what ten of our modules cost, and most output goes into a pipe

    return shutil.get_terminal_size().columns


class Command(click.Command):
    """A command with the common options."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.params += _common_options()

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Like click, but an option that takes one value is not said twice: the last one would win without a word."""
        said = [one for one in self.make_parser(ctx).parse_args(list(args))[2] if isinstance(one, click.Option)]
        for one in said:
            if not (one.multiple or one.is_flag) and said.count(one) > 1 and not ctx.resilient_parsing:
                raise click.UsageError(f"{one.opts[-1]} is there more than once, and only one can count", ctx)
        return super().parse_args(ctx, args)


class Group(click.Group):
    """A group of commands with the common options; it suggests names for unknown ones."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(no_args_is_help=False, **settings)
        self.params += _common_options()

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Like click, with a suggestion."""
        names = self.list_commands(ctx)
        if args and not args[0].startswith("-") and args[0] not in names:
            raise unknown("command", args[0], names, f"`{ctx.command_path} -h` lists them")
        return super().resolve_command(ctx, args)


def _common_options() -> list[click.Parameter]:
    """One fresh option each; none is handed to the command's function."""
    return [_option(names, text, settings) for names, text, settings in _COMMON]


def _option(names: Sequence[str], text: str, settings: dict[str, Any]) -> click.Option:
    return click.Option(list(names), help=text, expose_value=False, callback=_remember, **settings)


def _remember(context: click.Context, parameter: click.Parameter, value: object) -> None:
    if value and parameter.name:
        context.meta[parameter.name] = value
    if value and parameter.name == "verbose":
        os.environ[VERBOSE_VARIABLE] = "1"


_SWITCH = {"is_flag": True, "default": False}
_COMMON: tuple[tuple[tuple[str, ...], str, dict[str, Any]], ...] = (
    (("--json",), "Print one JSON document.", _SWITCH),
    (("--repo",), "Work on the repository at DIR.", {"metavar": "DIR", "type": click.Path(exists=True, file_okay=False)}),
    (("-q", "--quiet"), "Print no messages.", _SWITCH),
    (("-v", "--verbose"), "Print the git commands that are run.", {**_SWITCH, "is_eager": True}),
    (("--no-color",), "Print no colours (also: NO_COLOR).", _SWITCH),
)
