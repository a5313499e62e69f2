"""Which runs belong to the present: the one of each active attempt, and that of the gates. Clients use it, so it is light."""

from __future__ import annotations

from orchd.core.saving import next_probe
from orchd.core.statuses import ACTIVE
from orchd.model.ids import RunId, gate_run, task_run
from orchd.model.save import Save, SaveStep
from orchd.model.snapshot import State
from orchd.model.work import Task


def watched_runs(state: State) -> frozenset[RunId]:
    """The runs whose evidence the next plan needs."""
    gates = probe_run(state.save) if state.save else None
    return frozenset(current_run(task) for task in state.tasks.values() if task.status in ACTIVE) | (
        {gates} if gates else set()
    )


def current_run(task: Task) -> RunId:
    """The run of the present attempt."""
    return task_run(task.spec.id, task.generation, task.attempt)


def probe_run(save: Save) -> RunId | None:
    """The gate run that is due or going on, if any."""
    probe = next_probe(save) if save.step is SaveStep.MERGED else None
    return None if probe is None else gate_run(save.id, probe, save.gate_attempt)
