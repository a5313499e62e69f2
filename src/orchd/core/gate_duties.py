"""Runs of gates that are due: of the save in flight, then of tasks by themselves.

Rule: never more than `gates_at_once` of them at the same time, whatever they are for. Those of the save come first; as a save
always ends, the others get their turn.
"""

from __future__ import annotations

from collections.abc import Iterator

from orchd.core.attempts import UNSEEN
from orchd.core.gating import open_gates, probe_run
from orchd.core.leases import is_silent
from orchd.core.room import may_gate
from orchd.core.screening import OWN
from orchd.core.watched import probe_runs
from orchd.model.action import Action, KeepResults, RevokeRun, StartRun
from orchd.model.ids import RunId
from orchd.model.run import Command, Phase, RunOrder
from orchd.model.save import Save
from orchd.model.snapshot import Known, Snapshot, State

Due = tuple[RunId, Save, int, Known]
"""A run, and the tree that it is about."""


def serve_gates(state: State, snapshot: Snapshot) -> Iterator[Action]:
    """Start what is due, end what is silent, store what was said."""
    due = (*_list_probes(state, snapshot), *_list_screens(state, snapshot))
    seen = {run: snapshot.runs.get(run, UNSEEN) for run, _, _, _ in due}
    free = snapshot.config.gates_at_once - sum(one.phase is Phase.RUNNING for one in seen.values())
    for run, save, index, known in due:
        if is_silent(seen[run]):
            yield RevokeRun(run)
        elif seen[run].phase is Phase.ABSENT and free > 0 and may_gate(save, snapshot):
            free -= 1
            yield StartRun(_order(run, save, index, known), "")
    for task, screening in state.screenings.items():
        if task in snapshot.screenings and not snapshot.screenings[task].kept:
            yield KeepResults(screening)


def _list_probes(state: State, snapshot: Snapshot) -> Iterator[Due]:
    """Not before what its tasks were found to be by themselves is stored: their tree may be the one that is asked about."""
    save = state.save
    if save is None or snapshot.save is None or snapshot.save.id != save.id:
        return
    if all(snapshot.screenings[item.task].kept for item in save.items if item.task in snapshot.screenings):
        yield from ((run, save, index, snapshot.gates.known) for index, run in probe_runs(save).items())


def _list_screens(state: State, snapshot: Snapshot) -> Iterator[Due]:
    """Those of which it was looked up what is known; what has begun in this look comes with the next one."""
    for task, screening in state.screenings.items():
        if not screening.verdicts and task in snapshot.screenings:
            yield probe_run(screening, OWN), screening, OWN, snapshot.screenings[task].known


def _order(run: RunId, save: Save, index: int, known: Known) -> RunOrder:
    gates = open_gates(save, index, known)
    commands = tuple(Command(gate.name, gate.run, gate.timeout_seconds, gate.env) for gate in gates)
    head = save.chain[index - 1].head if index else save.base
    return RunOrder(run, head, commands, collect=False)
