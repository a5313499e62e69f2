"""The root command: which commands there are, where they live, and how a failure ends.

Rule: a module of `commands` is imported only when one of its commands is named (or listed by `--help`).
"""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Mapping, Sequence

import click

import orchd
from orchd.cli.flags import Group
from orchd.cli.nesting import refuse_nested
from orchd.cli.output import complain, drop_output
from orchd.errors import OrchdError

NAME = "orchd"
COMPLETE_VARIABLE = "_ORCHD_COMPLETE"
INTERRUPTED = 130

COMMANDS: Mapping[str, str] = {
    "init": "setting",
    "check": "setting",
    "doctor": "examining",
    "agents": "examining",
    "run": "working",
    "daemon": "working",
    "status": "looking",
    "ps": "looking",
    "show": "telling",
    "logs": "telling",
    "explain": "telling",
    "plan": "planning",
    "save": "saving",
    "checkpoints": "looking",
    "pin": "pruning",
    "unpin": "pruning",
    "prune": "pruning",
    "gates": "looking",
    "costs": "looking",
    "verify": "proving",
    "waive": "proving",
    "restore": "restoring",
    "undo": "restoring",
    "promote": "promoting",
    "rollback": "promoting",
    "environments": "promoting",
    "claims": "looking",
    "number": "working",
    "claim": "claiming",
    "op": "looking",
    "session": "sessions",
    "retry": "working",
    "cancel": "working",
    "answer": "answering",
    "attic": "keeping",
    "demo": "demo",
    "schema": "setting",
    "completion": "setting",
}
"""Each command and the module of `orchd.cli.commands` that has it under the same name."""


class Root(Group):
    """The group that imports its commands when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"orchd.cli.commands.{COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, cmd_name)
        return command


@click.command(cls=Root, name=NAME, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(orchd.__version__, prog_name=NAME, message="%(prog)s %(version)s")
@click.pass_context
def root(context: click.Context) -> None:
    """Run coding agents on a git repository and land only what was proven."""
    refuse_nested(context.invoked_subcommand or "", os.environ)
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def run_cli(arguments: Sequence[str]) -> int:
    """Run one command line. Returns the exit code; every failure has been told on standard error."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = _invoke(arguments)
        sys.stdout.flush()
    except OrchdError as error:
        complain(str(error), error.hint)
        return error.exit_code
    except click.ClickException as error:
        complain(error.format_message(), _usage_hint(error))
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        drop_output(sys.stdout)
        return 0
    except OSError as error:
        complain(str(error), "")
        return OrchdError.exit_code
    return code


def _invoke(arguments: Sequence[str]) -> int:
    """Not `root.main`: that turns a broken pipe into exit code 1, which means something else here."""
    if COMPLETE_VARIABLE in os.environ:
        from click.shell_completion import shell_complete

        return shell_complete(root, {}, NAME, COMPLETE_VARIABLE, os.environ[COMPLETE_VARIABLE])
    try:
        with root.make_context(NAME, list(arguments)) as context:
            done = root.invoke(context)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    return done if isinstance(done, int) else 0


def _usage_hint(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"`{context.command_path} -h` shows how it is used" if context else ""
