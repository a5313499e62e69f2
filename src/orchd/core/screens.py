"""Screens: which gates judge the result of a task by itself, and whether they have let it through. Questions to the state.

Rule: where gates of phase `task` are configured, nothing comes into a save that was not green by itself.
"""

from __future__ import annotations

from orchd.core.sessions import session_of
from orchd.model.config import Config
from orchd.model.ids import TaskId
from orchd.model.save import Gate, GatePhase, Save
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
    """Whether gates are still to say something about a task by itself, and have room for it."""
    return any(not one.verdicts and one.hold is None for one in state.screenings.values())


def is_held(task: TaskId, state: State) -> bool:
    """Whether the gates that are to judge the task by itself wait for room on the disk."""
    one = state.screenings.get(task)
    return one is not None and not one.verdicts and one.hold is not None


def list_held(state: State) -> tuple[Save, ...]:
    """Those of whom that is so."""
    return tuple(one for task, one in state.screenings.items() if is_held(task, state))
