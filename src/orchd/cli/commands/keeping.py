"""The commands of the attic."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click

from orchd.cli.envelopes import ENVELOPES
from orchd.cli.fields import Row
from orchd.cli.flags import Command, Group, read_flags
from orchd.cli.output import print_record, print_records
from orchd.cli.views import view_attic
from orchd.errors import UsageError
from orchd.model.ids import ATTIC_PREFIX

ENTRY = re.compile(r"(?P<task>[^/]+)(/(?P<number>[1-9]\d*))?")


@click.group(cls=Group)
def attic() -> None:
    """Find work that was put away."""


@attic.command("list", cls=Command)
def list_attic() -> None:
    """List all work that did not land or was replaced, and the workspaces that are kept."""
    from orchd import app

    print_records(ENVELOPES["attic"], view_attic(app.attic(app.find(read_flags().repo))), "nothing was put away")


@attic.command("restore", cls=Command)
@click.argument("entry", metavar="TASK[/N]")
@click.option("--into", metavar="DIR", type=click.Path(path_type=Path), help="Where. [default: beside the repository]")
def restore_attic(entry: str, *, into: Path | None) -> None:
    """Check out the work that was put away for TASK in a new work tree. N is its number, by default the highest. Your checkout
    and the attic stay as they are."""
    from orchd import app

    named = ENTRY.fullmatch(entry.removeprefix(ATTIC_PREFIX))
    if named is None:
        raise UsageError(f"`{entry}` is not the name of something in the attic", "`orchd attic list` shows them")
    place = app.find(read_flags().repo)
    ref, commit, folder = app.take_out(place, named["task"], int(named["number"] or 0), into)
    where = shlex.quote(str(folder))
    steps = (
        f"`cd {where}`: a work tree on no branch",
        f"`git -C {where} switch -c NAME` makes a branch of it",
        f"`git worktree remove {where}` removes the work tree; the attic keeps the work",
    )
    row: Row = {"ref": ref, "commit": commit, "folder": str(folder), "next": steps}
    print_record(ENVELOPES["attic-restore"], row, _tell(row, steps))


def _tell(row: Row, steps: tuple[str, ...]) -> Iterator[str]:
    yield f"{row['ref']} is checked out in {row['folder']}"
    yield "next:"
    yield from (f"  - {step}" for step in steps)
