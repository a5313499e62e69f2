"""The order that the arbiter would take, with task files that nobody has taken in yet. Nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from orchd.core.arbiter import Turn, expand_only, take_turns
from orchd.core.chains import list_budgets, list_picks, list_resting
from orchd.core.desk import Room
from orchd.core.evolve import evolve
from orchd.core.intake import read_files
from orchd.core.numbering import find_unnumbered
from orchd.core.ownership import list_elsewhere, list_foreign_claims
from orchd.core.reservations import standing
from orchd.core.session_files import read_sessions
from orchd.model.ids import SessionId
from orchd.model.snapshot import Snapshot, State


def foresee(snapshot: Snapshot, elsewhere: Mapping[SessionId, str]) -> tuple[State, tuple[Turn, ...]]:
    """The state after the session and task files of the snapshot were taken in, and the turns of its waiting tasks.
    `elsewhere` are the sessions of which nothing may start here."""
    settled = evolve(snapshot.state, tuple(read_sessions(snapshot.state, snapshot)))
    state = evolve(settled, tuple(read_files(settled, snapshot)))
    return state, take_turns(state, replace(room_of(state, snapshot), elsewhere=elsewhere))


def room_of(state: State, snapshot: Snapshot) -> Room:
    """What limits the arbiter at the moment of the snapshot."""
    only = None if snapshot.only is None else expand_only(snapshot.only, state.tasks)
    picks = list_picks(state, snapshot.agents, snapshot.config, snapshot.now_ms)
    return Room(
        snapshot.config,
        snapshot.now_ms,
        draining=snapshot.draining,
        only=only,
        reservations=standing(snapshot.reservations, snapshot.now_ms),
        busy_ports=snapshot.busy_ports,
        elsewhere=list_elsewhere(state, snapshot.shared),
        foreign=list_foreign_claims(snapshot.shared),
        machine=snapshot.machine,
        unnumbered=find_unnumbered(state, snapshot),
        rests=snapshot.shared is not None and snapshot.shared.rests,
        resting=list_resting(state, picks, snapshot.now_ms),
        budgets=list_budgets(state, picks, snapshot.agents),
        picks=picks,
        gone=state.gone,
    )
