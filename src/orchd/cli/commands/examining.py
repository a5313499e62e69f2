"""Commands that look at what orchd works with: agent programs, the machine, the repository."""

from __future__ import annotations

import click

from orchd.cli.envelopes import ENVELOPES
from orchd.cli.examined import view_findings, view_handshakes
from orchd.cli.flags import Command, read_flags
from orchd.cli.output import print_records
from orchd.core.checkup import examine, is_bad

BAD = 1


@click.command(cls=Command)
def agents() -> None:
    """Ask the agent programs for their versions, flags and models, and find what they would sign in with."""
    from orchd import app
    from orchd.adapters.checkup import read_config, shake_all

    place = app.find(read_flags().repo)
    print_records(ENVELOPES["agents"], view_handshakes(shake_all(place, read_config(place))))


@click.command(cls=Command)
def doctor() -> int:
    """Look at this machine, this repository and the agent programs. The exit code is 1 when something keeps orchd from
    working."""
    from orchd import app
    from orchd.adapters.checkup import look_around

    findings = examine(look_around(app.find(read_flags().repo), app.sandbox_name()))
    print_records(ENVELOPES["doctor"], view_findings(findings))
    return BAD if is_bad(findings) else 0
