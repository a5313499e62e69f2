"""A save: the small state machine that takes finished tasks to main."""

from __future__ import annotations

from dataclasses import astuple
from enum import StrEnum
from operator import add

from orchd.model.cost import Spent
from orchd.model.dataclass import dataclass
from orchd.model.ids import Oid, SaveId, SessionId, TaskId
from orchd.model.limits import GATE_RETRIES, GATE_TIMEOUT_SECONDS
from orchd.model.merge import ASKING, Resolved, Resolving
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
    """Why a save does not go on now: a gated one does not move main, or (ROOM) a merged one has no room for its gates."""

    DIRTY = "checkout-dirty"
    UNTRACKED = "checkout-untracked"
    ROOM = "no-room"


class When(StrEnum):
    """When finished tasks are saved: at once; when somebody asks; a set time after the first of them was done."""

    AUTO = "auto"
    MANUAL = "manual"
    EVERY = "every"


@dataclass(frozen=True, slots=True)
class Schedule:
    """`every_seconds` counts for EVERY only."""

    when: When = When.AUTO
    every_seconds: float = 0.0


AT_ONCE = Schedule()


class GatePhase(StrEnum):
    """When a gate is asked: before main moves; before that also about each task by itself; or only before a checkpoint goes
    to an environment."""

    SAVE = "save"
    TASK = "task"
    PROMOTE = "promote"


@dataclass(frozen=True, slots=True)
class Gate:
    """A command that must pass on the merged tree. It comes from the base, never from the candidate. `inputs` are globs of all
    that it reads (empty: the whole tree), `env` variables that it gets besides; when it is red it is run `retries` times more
    on the same tree."""

    name: str
    run: str
    timeout_seconds: float = GATE_TIMEOUT_SECONDS
    inputs: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    retries: int = GATE_RETRIES
    phase: GatePhase = GatePhase.SAVE


@dataclass(frozen=True, slots=True)
class GateResult:
    """What one gate said about one tree. `code` is the exit code, or minus the signal. `cached`: it was not run now, but before
    on the same input. `flaky`: it was red first and then green. `disputed`: it is red now and was green before."""

    gate: str
    green: bool
    code: int
    seconds: float
    timed_out: bool = False
    cached: bool = False
    flaky: bool = False
    disputed: bool = False


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of a gate so far: how often it was run and was green or red in the end, how often that took a retry, how
    often a stored result was taken instead, or was found wrong; the time it took, and the time that stored results saved."""

    green: int = 0
    red: int = 0
    flaky: int = 0
    cached: int = 0
    disputed: int = 0
    seconds: float = 0.0
    saved_seconds: float = 0.0

    def __add__(self, other: Tally) -> Tally:
        return Tally(*map(add, astuple(self), astuple(other)))


@dataclass(frozen=True, slots=True)
class Verdict:
    """The gates on the tree after the first `index` tasks of a save; `attempt` counts the runs it took to get a word (0: all
    was known before)."""

    index: int
    green: bool
    results: tuple[GateResult, ...]
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Try:
    """A run of gates on one tree that did not settle it: one was red and is asked again, or (no results) it was lost.
    `starved`: it had no room on the disk, so it counts as none."""

    index: int
    results: tuple[GateResult, ...] = ()
    starved: bool = False


@dataclass(frozen=True, slots=True)
class SaveItem:
    """One finished task in a save; (task, generation, attempt, fence) is the token of the work that may land, `base` the
    commit that the attempt was started from. `skipped` are steps that it was done without, `spent` is what its agents cost
    (None: it has none)."""

    task: TaskId
    generation: int
    attempt: int
    tip: Oid
    base: Oid = ""
    fence: int = 0
    skipped: tuple[str, ...] = ()
    spent: Spent | None = None


@dataclass(frozen=True, slots=True)
class Merged:
    """One link of the merge chain: the commit and the tree after this item; `resolved` were settled without asking."""

    item: SaveItem
    head: Oid
    tree: Oid
    resolved: tuple[Resolved, ...] = ()


@dataclass(frozen=True, slots=True)
class Excluded:
    """An item that a save leaves out, and why."""

    item: SaveItem
    reason: Reason
    detail: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Save:
    """A save in flight. Identity and dates are pinned here, so that a replay makes the same objects.

    `date_ms` is used in every commit of the save, `number` in the checkpoint's name. `base_tree` is known from MERGED on.
    `verdicts` are the gate results so far, `tries` the runs that settled nothing. From GATED on, the first `lands` links of the
    chain go to the `target`. `start` is set where the line of a session lands: the commit that it begins on; `items` are its
    links then. `width` trees are gated at the same time; `one_by_one`: each link in turn, for many are expected to be red.
    `resolving` says which conflicts it may settle by itself. `starved_ms` is when gates had no room last.
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
    tries: tuple[Try, ...] = ()
    lands: int = 0
    commit: Oid = ""
    hold: Hold | None = None
    hold_detail: tuple[str, ...] = ()
    target: Target = Target.MAIN
    start: Oid = ""
    width: int = 1
    one_by_one: bool = False
    resolving: Resolving = ASKING
    starved_ms: int = 0


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A landed, tagged save, as read back from its tag; `spent` is what it cost. `name` is like `checkpoint/2026-01-31-007`;
    `base` is what main was before, `work` what landed, as `task generation.attempt tip`."""

    name: str
    commit: Oid
    created_ms: int
    session: SessionId
    tasks: tuple[TaskId, ...]
    gates: str
    spent: Spent | None = None
    base: Oid = ""
    work: tuple[str, ...] = ()
