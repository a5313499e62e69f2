"""Commands that prove what landed."""

from __future__ import annotations

import click

from orchd.cli.envelopes import ENVELOPES
from orchd.cli.flags import Command, read_flags
from orchd.cli.output import print_records, say
from orchd.cli.views import view_breaks
from orchd.model.ids import NOTES_REF, REMOTE_PREFIX

BAD = 1
FETCH = f"git fetch origin '+{NOTES_REF.rpartition('/')[0]}/*:{REMOTE_PREFIX}notes/*'"


@click.command(cls=Command)
def verify() -> int:
    """Check the chain of checkpoints up to main. From git objects alone; the exit code is 1 when it is broken."""
    from orchd import app

    proof = app.prove(app.find(read_flags().repo))
    rows = view_breaks(proof.breaks)
    print_records(ENVELOPES["verify"], rows)
    ungated = f" ({proof.ungated} unverified: no gate judged them)" if proof.ungated else ""
    say(f"{proof.checkpoints} checkpoint(s){ungated}, {proof.others} other commit(s) between them, {len(rows)} break(s)")
    if proof.unseen:
        words = f"not seen here: audit note or tag of {proof.unseen} checkpoint(s) that landed elsewhere"
        say(f"{words}; `{FETCH}` brings the notes")
    return BAD if rows else 0
