"""The command that tells what the arbiter would do."""

from __future__ import annotations

import click

from orchd.cli.envelopes import ENVELOPES
from orchd.cli.flags import Command, read_flags
from orchd.cli.output import print_records
from orchd.cli.planned import view_plan


@click.command(cls=Command)
def plan() -> None:
    """List the waiting tasks in the order in which they would start, and why. New and changed task files count."""
    from orchd import app

    state, turns = app.plan(app.find(read_flags().repo))
    print_records(ENVELOPES["plan"], view_plan(state, turns), "no task waits")
