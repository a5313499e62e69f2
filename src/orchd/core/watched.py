"""Which runs belong to the present: the one of each active attempt, and those of gates. Clients use it, so it is light."""

from __future__ import annotations

from orchd.core.gating import next_probes, probe_run
from orchd.core.statuses import ACTIVE
from orchd.model.ids import RunId, task_run
from orchd.model.save import Save, SaveStep
from orchd.model.snapshot import State
from orchd.model.work import Task


def watched_runs(state: State) -> frozenset[RunId]:
    """The runs whose evidence the next plan needs."""
    gates = probe_runs(state.save).values() if state.save else ()
    screens = (probe_run(screening, 1) for screening in state.screenings.values() if not screening.verdicts)
    return frozenset(current_run(task) for task in state.tasks.values() if task.status in ACTIVE).union(gates, screens)


def current_run(task: Task) -> RunId:
    """The run of the present attempt."""
    return task_run(task.spec.id, task.generation, task.attempt)


def probe_runs(save: Save) -> dict[int, RunId]:
    """The gate runs that are due or going on, by the index of their tree."""
    return {index: probe_run(save, index) for index in next_probes(save)} if save.step is SaveStep.MERGED else {}
