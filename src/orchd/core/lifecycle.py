"""The life of a task as one table: which event may move it from which status to which.

Why a table: what rots first in tools of this kind is the function that moves a job through its life. Here an event that
the table does not allow is a broken promise and stops the plan before anything is stored.
"""

from __future__ import annotations

from collections.abc import Mapping

from orchd.core.gone import UNBEGUN
from orchd.core.statuses import FINISHED, OPEN
from orchd.errors import OrchdError
from orchd.model.message import (
    AttemptEnded,
    AttemptStarted,
    Event,
    LandingsGone,
    RemedyFound,
    SaveAbandoned,
    SaveClosed,
    SaveGated,
    SaveMerged,
    SavePlanned,
    SaveRefused,
    ScreenedOut,
    SessionElsewhere,
    StopAsked,
    TaskAnswered,
    TaskCancelled,
    TaskRetried,
    TaskSeen,
    TaskWithdrawn,
)
from orchd.model.work import Status

S = Status

MOVES: Mapping[type[Event], Mapping[Status, frozenset[Status]]] = {
    TaskSeen: dict.fromkeys(FINISHED | {S.WAITING}, frozenset({S.WAITING})),
    TaskWithdrawn: {S.WAITING: frozenset({S.WITHDRAWN})},
    TaskRetried: dict.fromkeys((S.FAILED, S.HELD, S.CANCELLED, S.UNCHANGED, S.LANDED), frozenset({S.WAITING})),
    LandingsGone: dict.fromkeys(UNBEGUN, frozenset({S.LANDED})),
    TaskAnswered: {S.HELD: frozenset({S.WAITING})},
    TaskCancelled: {
        **dict.fromkeys((S.WAITING, S.READY, S.FAILED, S.HELD), frozenset({S.CANCELLED})),
        S.INTEGRATED: frozenset({S.CANCELLED, S.READY, S.HELD}),
    },
    RemedyFound: {S.FAILED: frozenset({S.WAITING, S.FAILED})},
    AttemptStarted: {S.WAITING: frozenset({S.RUNNING})},
    StopAsked: {S.RUNNING: frozenset({S.STOPPING})},
    AttemptEnded: {
        S.RUNNING: frozenset({S.READY, S.UNCHANGED, S.FAILED, S.HELD, S.WAITING}),
        S.STOPPING: frozenset({S.CANCELLED}),
    },
    ScreenedOut: {S.READY: frozenset({S.FAILED})},
    SavePlanned: dict.fromkeys((S.READY, S.INTEGRATED), frozenset({S.SAVING})),
    SaveMerged: {S.SAVING: frozenset({S.HELD})},
    SaveGated: {S.SAVING: frozenset({S.FAILED, S.HELD})},
    SaveRefused: {S.SAVING: frozenset({S.HELD})},
    SaveAbandoned: {S.SAVING: frozenset({S.READY, S.INTEGRATED})},
    SaveClosed: {S.SAVING: frozenset({S.LANDED, S.UNCHANGED, S.READY, S.INTEGRATED})},
    SessionElsewhere: dict.fromkeys(OPEN, frozenset({S.WAITING})),
}


def allows(event: type[Event], status: Status) -> bool:
    """Whether `event` may happen to a task in `status`."""
    return status in MOVES[event]


def move(event: type[Event], old: Status, new: Status) -> Status:
    """`new`, if the table allows it. Raises OrchdError otherwise."""
    if new not in MOVES[event].get(old, frozenset()):
        raise OrchdError(
            f"{event.__name__} cannot move a task from {old} to {new}", "this is a defect of orchd: please report it"
        )
    return new


def diagram() -> str:
    """The table as a Mermaid state diagram, for the documentation."""
    lines = ["stateDiagram-v2", "    [*] --> waiting: TaskSeen"]
    for event, moves in MOVES.items():
        lines += [f"    {old} --> {new}: {event.__name__}" for old in S for new in S if new in moves.get(old, ())]
    return "\n".join(lines) + "\n"
