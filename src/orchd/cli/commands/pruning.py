"""Commands about how long checkpoints keep their tags."""

from __future__ import annotations

import click

from orchd.cli.commands.restoring import find_checkpoint
from orchd.cli.envelopes import ENVELOPES
from orchd.cli.flags import Command, read_flags
from orchd.cli.output import print_records, say
from orchd.errors import UsageError


@click.command(cls=Command)
@click.argument("checkpoint")
def pin(checkpoint: str) -> None:
    """Keep CHECKPOINT, whatever `orchd prune` takes away."""
    _set(checkpoint, pinned=True)


@click.command(cls=Command)
@click.argument("checkpoint")
def unpin(checkpoint: str) -> None:
    """Let `orchd prune` decide about CHECKPOINT again."""
    _set(checkpoint, pinned=False)


@click.command(cls=Command)
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
def prune(*, dry_run: bool) -> None:
    """Take the tags of checkpoints away that nothing keeps. Their commits stay in main's history."""
    from orchd import app

    place = app.find(read_flags().repo)
    if app.config(place).remote and not dry_run:
        raise UsageError("where clones share a remote, the tags there would come back", "this is not there yet; use --dry-run")
    judged = app.prune(place, dry_run=dry_run)
    rows = [{"name": j.checkpoint.name, "created": j.checkpoint.created_ms, "kept": bool(j.why), "why": j.why} for j in judged]
    print_records(ENVELOPES["prune"], rows, "no checkpoint yet")
    gone = sum(not row["kept"] for row in rows)
    say(f"{gone} tag(s) {'would go' if dry_run else 'are gone'}, {len(rows) - gone} kept")


def _set(name: str, *, pinned: bool) -> None:
    from orchd import app

    place = app.find(read_flags().repo)
    found = find_checkpoint(name, app.checkpoints(place))
    was = app.pin(place, found.name, pinned=pinned)
    print_records(ENVELOPES["pin"], [{"name": found.name, "pinned": pinned}])
    if was == pinned:
        say("it was so already")
