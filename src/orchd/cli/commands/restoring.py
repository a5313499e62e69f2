"""Commands that bring back what was."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchd.cli.commands.working import UNSERVED_ASK
from orchd.cli.envelopes import ENVELOPES
from orchd.cli.fields import Row
from orchd.cli.flags import Command, read_flags
from orchd.cli.output import fact_lines, print_record, say
from orchd.cli.suggest import unknown
from orchd.core.restoring import word_restore
from orchd.errors import UsageError
from orchd.model.dataclass import dataclass
from orchd.model.ids import CHECKPOINT_FOLDER, DEFAULT_SESSION, Oid
from orchd.model.snapshot import Verb

if TYPE_CHECKING:
    from orchd.adapters.place import Place
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
@click.option("--make-main", is_flag=True, help="Instead let its tree land on main again, as a new checkpoint.")
@click.option("--dry-run", is_flag=True, help="Only say what would be made.")
def restore(checkpoint: str, folder: Path | None, *, make_main: bool, dry_run: bool) -> None:
    """Check out CHECKPOINT in a new folder. Nothing else is touched: no branch, no file of your checkout."""
    from orchd import app

    place = app.find(read_flags().repo)
    found = find_checkpoint(checkpoint, app.checkpoints(place))
    if make_main and folder:
        raise UsageError("--into and --make-main are two different things", "leave one of them out")
    if make_main:
        main = app.resolve(place, f"refs/heads/{app.branch(place)}")
        _bring_back(place, found, Return(found.commit, main, "", f"Restore {found.name}", "restore"), dry_run=dry_run)
        return
    made = app.restore(place, found, folder.absolute() if folder else None, dry_run=dry_run)
    row: Row = {"checkpoint": found.name, "commit": found.commit, "folder": str(made), "made": not dry_run}
    print_record(ENVELOPES["restore"], row, fact_lines(ENVELOPES["restore"].fields, row))
    if not dry_run:
        say("a detached work tree; `git worktree remove` ends it, `git switch -c NAME` there begins a branch")


@click.command(cls=Command)
@click.argument("checkpoint", required=False)
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
def undo(checkpoint: str | None, *, dry_run: bool) -> None:
    """Take back what CHECKPOINT landed, by default the last one. It lands as a new checkpoint, which can be undone in turn."""
    from orchd import app

    place = app.find(read_flags().repo)
    known = app.checkpoints(place)
    if not known:
        raise UsageError("nothing has landed yet", "`orchd checkpoints` lists what can be undone")
    newest = max(known, key=lambda one: (one.created_ms, one.name))
    found = newest if checkpoint is None else find_checkpoint(checkpoint, known)
    before = app.resolve(place, f"{found.commit}^1")
    _bring_back(place, found, Return(before, found.commit, found.commit, f"Undo {found.name}", "undo"), dry_run=dry_run)


@dataclass(frozen=True, slots=True)
class Return:
    """The tree of `source` in the place of that of `present`, which is asked for as `onto` (empty: whatever main is then)."""

    source: Oid
    present: Oid
    onto: Oid
    title: str
    verb: str


def _bring_back(place: Place, checkpoint: Checkpoint, wanted: Return, *, dry_run: bool) -> None:
    """Ask for it. Raises UsageError when nothing would change, or when another clone would have to do it."""
    from orchd import app
    from orchd.adapters.branch import contains, name_main

    branch = app.branch(place)
    if not contains(place, name_main(place, branch, app.config(place).remote), checkpoint.commit):
        hint = f"`git merge {checkpoint.name}` on {branch} brings it back, `orchd restore {checkpoint.name}` checks it out"
        raise UsageError(f"{branch} does not contain {checkpoint.name} any more: there is nothing to {wanted.verb}", hint)
    files = app.count_changes(place, wanted.present, wanted.source)
    if not files:
        raise UsageError(f"{checkpoint.name}: nothing would change", "`orchd checkpoints` lists the others")
    app.check_owner(place, DEFAULT_SESSION)
    task = f"{wanted.verb}-{checkpoint.name.removeprefix(CHECKPOINT_FOLDER)}-{secrets.token_hex(2)}"
    if not dry_run:
        app.ask(place, Verb.RESTORE, task, word_restore(wanted.source, wanted.onto, wanted.title))
    served = app.server(place) is not None
    asked = {"asked": not dry_run, "served": served}
    row: Row = {"checkpoint": checkpoint.name, "commit": wanted.source, "files": files, "task": task, **asked}
    print_record(ENVELOPES["undo"], row, fact_lines(ENVELOPES["undo"].fields, row))
    if not dry_run and not served:
        say(UNSERVED_ASK)


def find_checkpoint(name: str, known: tuple[Checkpoint, ...]) -> Checkpoint:
    """By its tag, with or without the folder. Raises UsageError with a suggestion when there is none."""
    names = {one.name: one for one in known}
    whole = name if name.startswith(CHECKPOINT_FOLDER) else CHECKPOINT_FOLDER + name
    if whole not in names:
        raise unknown("checkpoint", name, names, "`orchd checkpoints` lists them")
    return names[whole]
