"""Screens: which gates judge the result of a task by itself, and whether they have let it through. Questions to the state.

Rule: where gates of phase `task` are configured, nothing comes into a save that was not green by itself.
"""

from __future__ import annotations

from orchd.core.sessions import session_of
from orchd.model.config import Config
from orchd.model.save import Gate, GatePhase
from orchd.model.snapshot import State
from orchd.model.work import Task


def gates_of(task: Task, state: State, config: Config) -> tuple[Gate, ...]:
    """The gates that are asked about the task by itself, those of the configuration first."""
    gates = config.gates + session_of(state, task.spec.session).spec.gates
    return tuple(gate for gate in gates if gate.phase is GatePhase.TASK)


def is_cleared(task: Task, state: State, config: Config) -> bool:
    """Whether a finished task may come into a save."""
    screening = state.screenings.get(task.spec.id)
    if screening is None:
        return not gates_of(task, state, config)
    return any(verdict.green for verdict in screening.verdicts)


def is_screening(state: State) -> bool:
    """Whether gates are still to say something about a task by itself."""
    return any(not screening.verdicts for screening in state.screenings.values())
