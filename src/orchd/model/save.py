"""A save: the small state machine that takes finished tasks to main."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from orchd.model.ids import Oid, SaveId, SessionId, TaskId
from orchd.model.limits import GATE_TIMEOUT_SECONDS
from orchd.model.work import Reason

UNVERIFIED = "unverified"
"""Stands in the place of gate results where no gates are configured."""


class SaveStep(StrEnum):
    """How far a save is. Only LANDED is public: before it nothing is visible, after it everything is derivable."""

    PLANNED = "planned"
    MERGED = "merged"
    GATED = "gated"
    LANDED = "landed"


class Target(StrEnum):
    """Where a save takes its tasks: to main, or to the line of a session that lands later."""

    MAIN = "main"
    LINE = "line"


class Hold(StrEnum):
    """Why a gated save does not move main now."""

    DIRTY = "checkout-dirty"
    UNTRACKED = "checkout-untracked"


@dataclass(frozen=True, slots=True)
class Gate:
    """A command that must pass on the merged tree. It comes from the base, never from the candidate."""

    name: str
    run: str
    timeout_seconds: float = GATE_TIMEOUT_SECONDS


@dataclass(frozen=True, slots=True)
class GateResult:
    """What one gate said about one tree. `code` is the exit code, or minus the signal."""

    gate: str
    green: bool
    code: int
    seconds: float
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """The gates on the tree after the first `index` tasks of a save; `attempt` counts the runs it took to get a word."""

    index: int
    green: bool
    results: tuple[GateResult, ...]
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class SaveItem:
    """One finished task in a save; (task, generation, attempt, fence) is the token of the work that may land, `base` the
    commit that the attempt was started from."""

    task: TaskId
    generation: int
    attempt: int
    tip: Oid
    base: Oid = ""
    fence: int = 0


@dataclass(frozen=True, slots=True)
class Merged:
    """One link of the merge chain: the commit and the tree after this item."""

    item: SaveItem
    head: Oid
    tree: Oid


@dataclass(frozen=True, slots=True)
class Excluded:
    """An item that a save leaves out, and why."""

    item: SaveItem
    reason: Reason
    detail: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Save:
    """A save in flight. Identity and dates are pinned here, so that a replay makes the same objects.

    `date_ms` is used in every commit of the save, `number` in the checkpoint's name. `base_tree` is known from MERGED
    on. `verdicts` are the gate results so far; `gate_attempt` counts the gate runs on the tree that is judged now (a lost
    one is repeated). From GATED on, the first `lands` links of the chain go to the `target`. `start` is set where the line
    of a session lands: the commit that it begins on; `items` are its links then.
    """

    id: SaveId
    session: SessionId
    base: Oid
    items: tuple[SaveItem, ...]
    gates: tuple[Gate, ...]
    number: int
    date_ms: int
    step: SaveStep = SaveStep.PLANNED
    base_tree: Oid = ""
    chain: tuple[Merged, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    gate_attempt: int = 1
    lands: int = 0
    commit: Oid = ""
    hold: Hold | None = None
    hold_detail: tuple[str, ...] = ()
    target: Target = Target.MAIN
    start: Oid = ""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A landed, tagged save, as read back from its tag. `name` is like `checkpoint/2026-01-31-007`."""

    name: str
    commit: Oid
    created_ms: int
    session: SessionId
    tasks: tuple[TaskId, ...]
    gates: str
