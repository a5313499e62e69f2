"""Commands that prove what landed."""

from __future__ import annotations

import re
import time

import click

from orchd.cli.envelopes import ENVELOPES
from orchd.cli.flags import Command, read_flags
from orchd.cli.output import print_records, say
from orchd.cli.views import view_breaks
from orchd.core.chain_proof import LOST
from orchd.errors import UsageError
from orchd.model.ids import NOTES_REF, REMOTE_PREFIX

BAD = 1
FETCH = f"git fetch origin '+{NOTES_REF.rpartition('/')[0]}/*:{REMOTE_PREFIX}notes/*'"
COMMIT = re.compile("[0-9a-f]{7,40}")
SETTLE = (
    "what main lost comes back by `git merge CHECKPOINT` or `orchd retry TASK`; `orchd waive CHECKPOINT` says it is not wanted"
)


@click.command(cls=Command)
def verify() -> int:
    """Check the chain of checkpoints up to main. From git objects alone; the exit code is 1 when it is broken. What main lost
    and a person has settled is told, and is no break."""
    from orchd import app

    proof = app.prove(app.find(read_flags().repo))
    rows = view_breaks(proof)
    print_records(ENVELOPES["verify"], rows)
    ungated = f" ({proof.ungated} unverified: no gate judged them)" if proof.ungated else ""
    settled = f", {len(proof.settled)} settled" if proof.settled else ""
    others = f"{proof.others} other commit(s) between them"
    say(f"{proof.checkpoints} checkpoint(s){ungated}, {others}, {len(proof.breaks)} break(s){settled}")
    if any(one.what.startswith(LOST) for one in proof.breaks):
        say(SETTLE)
    if proof.unseen:
        words = f"not seen here: audit note or tag of {proof.unseen} checkpoint(s) that landed elsewhere"
        say(f"{words}; `{FETCH}` brings the notes")
    if proof.cut is not None:
        say(f"this clone is shallow: {proof.cut} checkpoint(s) reach beyond its end; `git fetch --unshallow` brings the rest")
    return BAD if proof.breaks else 0


@click.command(cls=Command)
@click.argument("checkpoints", nargs=-1, required=True, metavar="CHECKPOINT...")
@click.option("--by", default="", metavar="NAME", help="Who. [default: you, as git knows you]")
def waive(checkpoints: tuple[str, ...], by: str) -> None:
    """Say that CHECKPOINT, which main does not contain any more, is not wanted back. It is kept, and `orchd verify` and
    `orchd status` take it for settled from then on; your name and the time are recorded. A commit id means a copy of a
    checkpoint on main: it counts for nothing then."""
    from orchd import app
    from orchd.adapters.branch import contains, name_main
    from orchd.adapters.losses import find_copy, list_unsettled, say_of
    from orchd.cli.commands.promoting import check_person
    from orchd.cli.commands.restoring import find_checkpoint
    from orchd.core.losses import word_waiver

    place, who = app.find(read_flags().repo), check_person(by)
    known, branch, remote = app.checkpoints(place), app.branch(place), app.config(place).remote
    copies = [find_copy(place, branch, remote, name) for name in checkpoints if COMMIT.fullmatch(name)]
    named = (find_checkpoint(name, known) for name in checkpoints if not COMMIT.fullmatch(name))
    asked = {one.name: one.commit for one in named}
    main = name_main(place, branch, remote)
    for name, commit in asked.items():
        if contains(place, main, commit):
            raise UsageError(f"{branch} contains {name}", f"`orchd undo {name}` takes it back")
    fresh = {one.commit for one in list_unsettled(place, branch, remote, known)}
    if copies:
        asked |= {commit: commit for commit in copies}
        fresh |= set(copies) - {one.commit for one in app.prove(place).settled}
    at_ms = time.time_ns() // 1_000_000
    say_of(place, {commit: word_waiver(name, who, at_ms) for name, commit in asked.items() if commit in fresh})
    rows = [{"checkpoint": name, "by": who, "again": commit not in fresh} for name, commit in asked.items()]
    print_records(ENVELOPES["waive"], rows)
