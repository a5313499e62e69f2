"""Commands that bring back what was."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchd.cli.envelopes import ENVELOPES
from orchd.cli.fields import Row
from orchd.cli.flags import Command, read_flags
from orchd.cli.output import fact_lines, print_record, say
from orchd.cli.suggest import unknown
from orchd.model.ids import CHECKPOINT_FOLDER

if TYPE_CHECKING:
    from orchd.model.save import Checkpoint


@click.command(cls=Command)
@click.argument("checkpoint")
@click.option(
    "--into",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The new folder. [default: one beside the repository, named after the checkpoint]",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be made.")
def restore(checkpoint: str, folder: Path | None, *, dry_run: bool) -> None:
    """Check out CHECKPOINT in a new folder. Nothing else is touched: no branch, no file of your checkout."""
    from orchd import app

    place = app.find(read_flags().repo)
    found = _find_checkpoint(checkpoint, app.checkpoints(place))
    made = app.restore(place, found, folder.absolute() if folder else None, dry_run=dry_run)
    row: Row = {"checkpoint": found.name, "commit": found.commit, "folder": str(made), "made": not dry_run}
    print_record(ENVELOPES["restore"], row, fact_lines(ENVELOPES["restore"].fields, row))
    if not dry_run:
        say("a detached work tree; `git worktree remove` ends it, `git switch -c NAME` there begins a branch")


def _find_checkpoint(name: str, known: tuple[Checkpoint, ...]) -> Checkpoint:
    """By its tag, with or without the folder. Raises UsageError with a suggestion when there is none."""
    names = {one.name: one for one in known}
    whole = name if name.startswith(CHECKPOINT_FOLDER) else CHECKPOINT_FOLDER + name
    if whole not in names:
        raise unknown("checkpoint", name, names, "`orchd checkpoints` lists them")
    return names[whole]
