"""A state that is being changed, and the copies into it and out of it."""

from __future__ import annotations

from dataclasses import dataclass

from orchd.errors import OrchdError
from orchd.model.claim import Lease
from orchd.model.cost import Ledger
from orchd.model.ids import SaveId, SessionId, TaskId
from orchd.model.problem import Problem
from orchd.model.save import Save, Tally
from orchd.model.session import Session
from orchd.model.snapshot import Conflict, State
from orchd.model.tenure import Holding, Refused
from orchd.model.work import Task


@dataclass(slots=True)
class Draft:
    """A state that is being changed; copied once for any number of events."""

    owner: str
    epoch: int
    next_order: int
    next_number: int
    tasks: dict[TaskId, Task]
    leases: dict[TaskId, Lease]
    save: Save | None
    problems: tuple[Problem, ...]
    branch: str
    conflicts: tuple[Conflict, ...]
    holdings: dict[SessionId, Holding]
    sessions: dict[SessionId, Session]
    next_fence: int
    refused: tuple[Refused, ...]
    gates: dict[str, Tally]
    cooling: dict[str, int]
    ledger: Ledger
    screenings: dict[TaskId, Save]
    gone: frozenset[TaskId]

    @property
    def open_save(self) -> Save:
        """The save in flight. Raises OrchdError when there is none."""
        if self.save is None:
            raise OrchdError("an event speaks of a save, but none is in flight", "this is a defect of orchd: please report it")
        return self.save

    def find_gated(self, save: SaveId) -> Save:
        """The screening of that id, or else the save in flight."""
        return next((one for one in self.screenings.values() if one.id == save), None) or self.open_save

    def put_gated(self, save: Save) -> None:
        """What was found so, changed, back to its place."""
        alone = self.screenings.get(save.items[0].task)
        if alone is not None and alone.id == save.id:
            self.screenings[alone.items[0].task] = save
        else:
            self.save = save


def begin(state: State) -> Draft:
    """A draft of a state, which stays as it is."""
    return Draft(
        state.owner,
        state.epoch,
        state.next_order,
        state.next_number,
        dict(state.tasks),
        dict(state.leases),
        state.save,
        state.problems,
        state.branch,
        state.conflicts,
        dict(state.holdings),
        dict(state.sessions),
        state.next_fence,
        state.refused,
        dict(state.gates),
        dict(state.cooling),
        state.ledger,
        dict(state.screenings),
        state.gone,
    )


def finish(draft: Draft) -> State:
    """The state that a draft came to."""
    return State(
        draft.owner,
        draft.epoch,
        draft.next_order,
        draft.next_number,
        draft.tasks,
        draft.leases,
        draft.save,
        draft.problems,
        draft.branch,
        draft.conflicts,
        draft.holdings,
        draft.sessions,
        draft.next_fence,
        draft.refused,
        draft.gates,
        draft.cooling,
        draft.ledger,
        draft.screenings,
        draft.gone,
    )
