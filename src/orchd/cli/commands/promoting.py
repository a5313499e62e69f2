"""Commands that bring checkpoints to environments."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

import click

from orchd.cli.commands.claiming import find_person
from orchd.cli.envelopes import ENVELOPES
from orchd.cli.flags import Command, read_flags
from orchd.cli.output import complain, fact_lines, print_record, print_records, say
from orchd.cli.promoted import view_environments, view_history, view_promoted
from orchd.errors import OrchdError, UsageError
from orchd.model.ids import CHECKPOINT_FOLDER

if TYPE_CHECKING:
    from orchd.adapters.place import Place
    from orchd.adapters.promoter import Promoted
    from orchd.adapters.promotion_scene import Wish

FAILED = 1
NAME_CHARS = 200
_BY = click.option("--by", default="", metavar="NAME", help="Who. [default: you, as git knows you]")
_GONE = click.option(
    "--gone",
    is_flag=True,
    help="A deployment that was begun on another machine is over for certain, though it left no record of its end.",
)


@click.command(cls=Command)
@click.argument("checkpoint")
@click.argument("environment")
@click.option("--approve", is_flag=True, help="Only record that you approve of it.")
@_BY
@_GONE
def promote(checkpoint: str, environment: str, by: str, *, approve: bool, gone: bool) -> int:
    """Deploy CHECKPOINT to ENVIRONMENT and verify it there. The exit code is 1 when it is refused or fails. One that is there
    already is not deployed again; one that was interrupted is taken up again."""
    from orchd.adapters.promotion_scene import Wish

    name = checkpoint if checkpoint.startswith(CHECKPOINT_FOLDER) else CHECKPOINT_FOLDER + checkpoint
    return _ask("approve" if approve else "promote", Wish(environment, check_person(by), name, gone))


@click.command(cls=Command)
@click.argument("environment")
@_BY
@_GONE
def rollback(environment: str, by: str, *, gone: bool) -> int:
    """Deploy to ENVIRONMENT what was good there before. Needs no soak time and no approval."""
    from orchd.adapters.promotion_scene import Wish

    return _ask("rollback", Wish(environment, check_person(by), gone=gone))


@click.command(cls=Command)
@click.argument("environment", required=False)
def environments(environment: str | None) -> None:
    """List where each environment stands, or all records of one ENVIRONMENT, the newest first."""
    from orchd import app

    place = app.find(read_flags().repo)
    _follow(place)
    chains, known = app.promotions(place), app.environments(place)
    if environment is None:
        print_records(ENVELOPES["environments"], view_environments(known, chains, app.is_going_on))
    elif environment in chains:
        rows = view_history(environment, chains[environment])
        print_records(ENVELOPES["environment-history"], rows)
    elif environment in [one.name for one in known]:
        print_records(ENVELOPES["environment-history"], (), "nothing was promoted there yet")
    else:
        raise UsageError(f"there is no environment `{environment}`", "`orchd environments` lists them")


def _follow(place: Place) -> None:
    """What other clones of a shared remote have promoted; without an answer what is known here is shown."""
    from orchd import app
    from orchd.adapters.shared_environments import follow_environments

    try:
        follow_environments(place, app.read_hot(place).state.branch)
    except OrchdError as error:
        say(f"{error}; shown is what is known here")


def _ask(verb: str, wish: Wish) -> int:
    from orchd import app

    promoter = app.promoter(app.find(read_flags().repo), say, _show)
    verbs = {"promote": promoter.promote, "approve": promoter.approve, "rollback": promoter.rollback}
    promoted = verbs[verb](wish)
    _print(wish, promoted)
    return 0 if promoted.done else FAILED


def _print(wish: Wish, promoted: Promoted) -> None:
    row = view_promoted(wish.environment, wish.by, wish.checkpoint, promoted)
    fields = ENVELOPES["promote"].fields
    shown = tuple(field for field in fields if field.name not in ("log", "next"))
    print_record(ENVELOPES["promote"], row, fact_lines(shown, row) if promoted.record else ())
    if not promoted.done:
        complain(promoted.what, promoted.hint)
    elif promoted.what:
        say(promoted.what)


def _show(data: bytes) -> None:
    """What a deployment prints, as it comes. A reader that has left does not stop it."""
    if not read_flags().quiet:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.buffer.write(data)
            sys.stderr.buffer.flush()


def check_person(by: str) -> str:
    """Who asks, on one printable line. Raises UsageError when nobody can tell."""
    name = " ".join((by or find_person()).split())
    if not name or not name.isprintable() or len(name) > NAME_CHARS:
        raise UsageError("nobody can tell who asks", "set `git config user.name`, or name yourself with --by on one line")
    return name
