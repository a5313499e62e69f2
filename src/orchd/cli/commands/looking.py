"""Commands that look at the whole repository."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from orchd.cli.board import board_cells, board_lines
from orchd.cli.envelopes import ENVELOPES
from orchd.cli.fields import Row, to_data
from orchd.cli.flags import Command, Group, read_flags
from orchd.cli.listings import view_claims, view_ps
from orchd.cli.output import fact_lines, print_json, print_lines, print_record, print_records

if TYPE_CHECKING:
    from orchd.adapters.place import Place
    from orchd.model.save import Checkpoint

REFRESH_SECONDS = 1.0
SHOWN_OPERATIONS = 20
_HOME, _ERASE_LINE, _ERASE_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"


@click.command(cls=Command)
@click.option("-w", "--watch", is_flag=True, help="Look again every second until Ctrl-C (on a terminal).")
def status(*, watch: bool) -> None:
    """Show everything at a glance; what waits for you comes first."""
    from orchd import app

    flags = read_flags()
    place = app.find(flags.repo)
    if watch and flags.terminal and not flags.json:
        _watch(place)
    else:
        _print_status(place)


@click.command(cls=Command)
def ps() -> None:
    """List running tasks and gates, and how far the save under way is."""
    from orchd import app

    place = app.find(read_flags().repo)
    state = app.read_hot(place).state
    print_records(ENVELOPES["ps"], view_ps(state, app.running(place, state), _now_ms()), "nothing is running")


@click.command(cls=Command)
def claims() -> None:
    """List what is claimed, by tasks and by people."""
    from orchd import app

    place = app.find(read_flags().repo)
    state = app.read_hot(place).state
    rows = view_claims(state, app.running(place, state), app.reservations(place), _now_ms())
    print_records(ENVELOPES["claims"], rows, "no claim is held")


@click.command(cls=Command)
@click.argument("checkpoint", required=False)
def checkpoints(checkpoint: str | None) -> None:
    """List what landed, the newest first; of CHECKPOINT tell everything."""
    from orchd import app

    place = app.find(read_flags().repo)
    from orchd.cli.promoted import mark_promoted
    from orchd.cli.views import view_checkpoints

    if checkpoint is not None:
        from orchd.cli.commands.restoring import find_checkpoint

        row = _look_at(place, find_checkpoint(checkpoint, app.checkpoints(place)))
        print_record(ENVELOPES["checkpoint"], row, fact_lines(ENVELOPES["checkpoint"].fields, row))
        return
    rows = mark_promoted(view_checkpoints(app.checkpoints(place)), app.promotions(place))
    print_records(ENVELOPES["checkpoints"], rows, "no checkpoint yet")


@click.command(cls=Command)
def gates() -> None:
    """List what became of each gate: runs, flakes, stored results that were taken instead, and the time these saved."""
    from orchd import app
    from orchd.adapters.environments import read_tallies
    from orchd.cli.views import view_gates
    from orchd.model.save import GatePhase

    place = app.find(read_flags().repo)
    rows = view_gates(app.read_hot(place).state, read_tallies(place))
    names = ", ".join(gate.name for gate in app.config(place).gates if gate.phase is not GatePhase.PROMOTE)
    more = f"the next save asks {names}" if names else "what lands without one is `unverified`"
    print_records(ENVELOPES["gates"], rows, f"no gate has run yet; {more}")


@click.command(cls=Command)
@click.option(
    "--by",
    type=click.Choice(("day", "session", "task", "agent", "model")),
    default="day",
    show_default=True,
    help="What to add up by.",
)
def costs(by: str) -> None:
    """List what agents cost; money that nobody knows is counted apart."""
    from orchd import app
    from orchd.cli.spending import view_costs
    from orchd.core.costs import Column

    state = app.read_hot(app.find(read_flags().repo)).state
    print_records(ENVELOPES["costs"], view_costs(state, Column(by)), "no run of an agent has ended yet")


@click.group(cls=Group)
def op() -> None:
    """Look into the operation log."""


@op.command("log", cls=Command)
@click.option("-n", "count", type=click.IntRange(min=1), default=SHOWN_OPERATIONS, show_default=True, help="How many.")
def log_operations(count: int) -> None:
    """List operations on the state, the newest first."""
    from orchd import app
    from orchd.cli.views import view_operations

    rows = view_operations(app.operations(app.find(read_flags().repo), count))
    print_records(ENVELOPES["op-log"], rows, "nothing has been stored yet")


def _look_at(place: Place, found: Checkpoint) -> Row:
    """Everything about one checkpoint."""
    from orchd import app
    from orchd.adapters.state_reader import read_work
    from orchd.cli.promoted import mark_promoted, view_work
    from orchd.cli.views import view_checkpoints

    kept = next((one.why for one in app.retention(place) if one.checkpoint.name == found.name), ())
    row = mark_promoted(view_checkpoints([found]), app.promotions(place))[0]
    landed = read_work(place, found.name)
    work = tuple(view_work(token, app.read_task(place, token.partition(" ")[0]), spent) for token, spent in landed)
    restores = app.count_changes(place, found.commit, app.resolve(place, f"refs/heads/{app.branch(place)}"))
    return {**row, "kept": kept, "restores": restores, "work": work}


def _print_status(place: Place) -> None:
    flags, row = read_flags(), _look(place)
    if flags.json:
        print_json(ENVELOPES["status"], to_data(ENVELOPES["status"].fields, row))
    else:
        print_lines(board_lines(row, flags, _now_ms()) if flags.terminal else board_cells(row))


def _watch(place: Place) -> None:
    """Overwrites the screen line by line, so that it does not flicker. Ctrl-C is its normal end."""
    try:
        while True:
            lines = board_lines(_look(place), read_flags(), _now_ms())
            click.echo(_HOME + "".join(f"{line}{_ERASE_LINE}\n" for line in lines) + _ERASE_BELOW, nl=False, color=True)
            time.sleep(REFRESH_SECONDS)
    except KeyboardInterrupt:
        click.echo()


def _look(place: Place) -> Row:
    from orchd import app
    from orchd.cli.scenes import look_around, look_at_main, look_for_alarms, look_for_precedents
    from orchd.cli.views import view_status

    hot, server, landed = app.read_hot(place), app.server(place), app.checkpoints(place)
    hot = replace(hot, state=look_at_main(place, hot.state))
    scene = look_for_precedents(place, look_around(place, hot.state, served=server is not None), hot.state)
    return view_status(
        hot,
        app.decisions(place, hot.state),
        landed,
        app.running(place, hot.state),
        server,
        sandbox=app.sandbox_name(),
        scene=look_for_alarms(place, scene, landed),
        now_ms=_now_ms(),
    )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
