"""Events: what was concluded, a closed union. What must be done are actions (`model.action`).

They are stored; replaying all gives the state.
"""

from __future__ import annotations

from typing import TypeAlias

from orchd.model.agent import Price
from orchd.model.claim import Extension, Lease, PathSpec, Refusal
from orchd.model.cost import Bill, Spent
from orchd.model.dataclass import dataclass
from orchd.model.ids import Oid, SaveId, SessionId, TaskId
from orchd.model.problem import Problem
from orchd.model.recovery import Candidate, Outlook, Tried
from orchd.model.save import Excluded, GateResult, Hold, Merged, Save, Verdict
from orchd.model.session import Landing, Session, SessionSpec
from orchd.model.tenure import Refused
from orchd.model.work import Earlier, Reason, Rework, Source, Status, StepMade, TaskSpec


@dataclass(frozen=True, slots=True)
class LeaderTook:
    """A daemon took this repository; the epoch rose. `branch` is where it lands tasks."""

    owner: str
    epoch: int
    branch: str = ""


@dataclass(frozen=True, slots=True)
class ProblemsChanged:
    """The whole present list of problems in input files."""

    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class TaskSeen:
    """A new task, a new wording of a waiting one (same generation), or a new generation of a finished one. `proposer` is
    the task that proposed it (empty: a person asked for it), `depth` how many of those are above it."""

    spec: TaskSpec
    digest: str
    source: Source
    drop: str
    generation: int
    order: int
    at_ms: int
    rework: Rework | None = None
    proposer: TaskId = ""
    depth: int = 0


@dataclass(frozen=True, slots=True)
class ProposalsHeard:
    """What a task proposed: the tasks that it became, and why others did not, line by line."""

    task: TaskId
    taken: tuple[TaskId, ...]
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskWithdrawn:
    """The file of a waiting task is gone."""

    task: TaskId


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    """Admitted, claimed and started in one: there is no half-claimed task. `pick` is the agent that does it."""

    task: TaskId
    attempt: int
    base: Oid
    lease: Lease
    pick: Candidate | None = None


@dataclass(frozen=True, slots=True)
class AttemptEnded:
    """What an attempt came to: READY, UNCHANGED, FAILED, HELD, CANCELLED, or WAITING when a lost attempt is tried again."""

    task: TaskId
    attempt: int
    status: Status
    tip: Oid
    ref: str
    reason: Reason | None
    detail: tuple[str, ...]
    at_ms: int
    steps: tuple[StepMade, ...] = ()


@dataclass(frozen=True, slots=True)
class RemedyFound:
    """What follows the attempt `tried`: WAITING for another one by `pick` (None: it is no work for an agent), without the step
    `skips` from now on (empty: with all), or FAILED as before with a line about what a person can change and an `outlook`.

    `cools_until_ms`: its provider is left alone so long (0: it is not). `spec`: what is asked of the task now that the step is
    divided (None: as before).
    """

    task: TaskId
    tried: Tried
    status: Status
    pick: Candidate | None = None
    cools_until_ms: int = 0
    detail: tuple[str, ...] = ()
    skips: str = ""
    spec: TaskSpec | None = None
    outlook: Outlook | None = None


@dataclass(frozen=True, slots=True)
class CostBooked:
    """A run of an agent has ended, and what it cost is in the books from now on, at these `prices`."""

    bill: Bill
    prices: tuple[Price, ...] = ()


@dataclass(frozen=True, slots=True)
class LeaseExpired:
    """The supervisor of an attempt gave no heartbeat for too long. Whatever it still brings, the attempt is lost."""

    task: TaskId
    fence: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class ExtensionAsked:
    """A running task asks for more than it claimed."""

    task: TaskId
    extension: Extension


@dataclass(frozen=True, slots=True)
class LeaseExtended:
    """A request was granted: the claim of the task is wider from here on."""

    task: TaskId
    order: int
    paths: tuple[PathSpec, ...]


@dataclass(frozen=True, slots=True)
class ExtensionRefused:
    """A request was refused: what it asks for is closed to tasks, or waiting for it would never end."""

    task: TaskId
    order: int
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class StopAsked:
    """Somebody cancelled a running task; its tree is being ended."""

    task: TaskId


@dataclass(frozen=True, slots=True)
class TaskCancelled:
    """Somebody cancelled a task that was not running."""

    task: TaskId
    at_ms: int


@dataclass(frozen=True, slots=True)
class TaskRetried:
    """Another attempt was asked for: one that settles the conflict of `earlier`, goes on from the last of `steps`, or begins
    from scratch."""

    task: TaskId
    earlier: Earlier | None = None
    steps: tuple[StepMade, ...] = ()


@dataclass(frozen=True, slots=True)
class ConflictPredicted:
    """The work of `task` will conflict with that of `other` (empty: with main), which is merged before it."""

    task: TaskId
    other: TaskId
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConflictCleared:
    """It will not any more, or one of the two is gone."""

    task: TaskId
    other: TaskId


@dataclass(frozen=True, slots=True)
class TaskAnswered:
    """Somebody said what becomes of a held result: it is taken up again under `claims`, the claim of this generation."""

    task: TaskId
    rework: Rework
    claims: tuple[PathSpec, ...]


@dataclass(frozen=True, slots=True)
class ScreeningBegun:
    """A finished task is judged by itself, by the gates of phase `task`: `screening` is a save of this one link."""

    screening: Save


@dataclass(frozen=True, slots=True)
class ScreenedOut:
    """A gate was red on the result of a task by itself: it does not come into a save."""

    task: TaskId
    detail: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SavePlanned:
    """A save began: base, tips, gates, number and date are fixed from here on."""

    save: Save


@dataclass(frozen=True, slots=True)
class SaveMerged:
    """The merge chain exists."""

    save: SaveId
    base_tree: Oid
    chain: tuple[Merged, ...]
    excluded: tuple[Excluded, ...]


@dataclass(frozen=True, slots=True)
class GateRan:
    """The gates judged one tree of the chain."""

    save: SaveId
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class GateTried:
    """A gate was red on the tree after `index` tasks, and is asked once more."""

    save: SaveId
    index: int
    results: tuple[GateResult, ...]


@dataclass(frozen=True, slots=True)
class GateLost:
    """A gate run was lost (its supervisor is gone); it is run again."""

    save: SaveId
    index: int = 0


@dataclass(frozen=True, slots=True)
class GateStarved:
    """A gate run had no room on the disk: whatever it said counts for nothing, and it is run again when there is room."""

    save: SaveId
    index: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class SaveHeld:
    """A save waits for the person's checkout or for room on the disk, or (hold None) need not wait any more."""

    save: SaveId
    hold: Hold | None
    detail: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SaveGated:
    """It is decided that the first `lands` items of the chain may land, and which item is to blame for the rest."""

    save: SaveId
    lands: int
    excluded: tuple[Excluded, ...]


@dataclass(frozen=True, slots=True)
class SaveRefused:
    """The last proofs before landing do not let these items land. The save is given up: it was gated with them."""

    save: SaveId
    excluded: tuple[Excluded, ...]


@dataclass(frozen=True, slots=True)
class SaveLanded:
    """Main contains the checkpoint commit."""

    save: SaveId
    commit: Oid


@dataclass(frozen=True, slots=True)
class SaveAbandoned:
    """Nothing of this save landed and nothing will: main moved, or no item was left. What was not excluded is ready again."""

    save: SaveId
    at_ms: int


@dataclass(frozen=True, slots=True)
class SaveClosed:
    """Tagged, noted, done. Claims of its tasks are released, unless they were `integrated` into a line."""

    save: SaveId
    at_ms: int
    integrated: tuple[TaskId, ...] = ()


@dataclass(frozen=True, slots=True)
class SessionSeen:
    """The settings of a session are new or others. `base` is the commit that its tasks start from (empty: main)."""

    spec: SessionSpec
    file: str
    base: Oid = ""


@dataclass(frozen=True, slots=True)
class SessionFileLost:
    """The file of a session is gone; its last settings hold while anything of it is open."""

    session: SessionId


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """Nothing of a session is left to remember."""

    session: SessionId


@dataclass(frozen=True, slots=True)
class SessionPaused:
    """Somebody paused a session: nothing of it starts, nothing of it lands."""

    session: SessionId


@dataclass(frozen=True, slots=True)
class SessionResumed:
    """Somebody let a session go on."""

    session: SessionId


@dataclass(frozen=True, slots=True)
class LandingAsked:
    """Somebody wants the line of a session on main."""

    session: SessionId


@dataclass(frozen=True, slots=True)
class SaveAsked:
    """Somebody wants these finished tasks of a session saved, whatever its schedule."""

    session: SessionId
    tasks: tuple[TaskId, ...]


@dataclass(frozen=True, slots=True)
class SessionForked:
    """Somebody began a session at a checkpoint, the commit `base`."""

    session: SessionId
    base: Oid
    origin: str
    landing: Landing


@dataclass(frozen=True, slots=True)
class SessionAdopted:
    """The owner of a session published that it is paused, or goes on; and, without a file here, how it starts and lands."""

    session: Session


@dataclass(frozen=True, slots=True)
class LandingsGone:
    """Main does not contain the landings of exactly these tasks (any more): `lost` are new among them, `back` are those that
    it contains again, `moot` those of them that were asked for again and had not begun."""

    tasks: tuple[TaskId, ...]
    lost: tuple[TaskId, ...] = ()
    back: tuple[TaskId, ...] = ()
    moot: tuple[TaskId, ...] = ()


@dataclass(frozen=True, slots=True)
class RequestRefused:
    """Somebody asked here for something that only another clone could do, which owns the session, or that nobody can."""

    refused: Refused


@dataclass(frozen=True, slots=True)
class SessionOwned:
    """The remote shows that we own a session. `before` did (empty: nobody), what it began counts. `number`: next checkpoint."""

    session: SessionId
    owner: str
    epoch: int
    before: str
    number: int


@dataclass(frozen=True, slots=True)
class SessionElsewhere:
    """The shared remote shows that another clone owns a session. `stopped` are the tasks that were open here; they wait."""

    session: SessionId
    owner: str
    epoch: int
    stopped: tuple[TaskId, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskAdopted:
    """The record of a task as the owner of its session published it replaces ours. Unlanded work stays there: no ref comes."""

    spec: TaskSpec
    digest: str
    source: Source
    status: Status
    generation: int
    attempt: int
    order: int
    at_ms: int
    reason: Reason | None = None
    detail: tuple[str, ...] = ()
    ended_ms: int = 0
    checkpoint: str = ""
    commit: Oid = ""
    proposer: TaskId = ""
    depth: int = 0
    proposed: int = 0
    spent: Spent | None = None


Event: TypeAlias = (
    LeaderTook
    | ProblemsChanged
    | TaskSeen
    | ProposalsHeard
    | TaskWithdrawn
    | AttemptStarted
    | AttemptEnded
    | RemedyFound
    | CostBooked
    | LeaseExpired
    | ExtensionAsked
    | LeaseExtended
    | ExtensionRefused
    | StopAsked
    | TaskCancelled
    | TaskRetried
    | ConflictPredicted
    | ConflictCleared
    | TaskAnswered
    | ScreeningBegun
    | ScreenedOut
    | SavePlanned
    | SaveMerged
    | GateRan
    | GateTried
    | GateLost
    | GateStarved
    | SaveHeld
    | SaveGated
    | SaveRefused
    | SaveLanded
    | SaveAbandoned
    | SaveClosed
    | SessionOwned
    | SessionElsewhere
    | TaskAdopted
    | SessionSeen
    | SessionFileLost
    | SessionEnded
    | SessionPaused
    | SessionResumed
    | LandingAsked
    | SaveAsked
    | SessionForked
    | SessionAdopted
    | RequestRefused
    | LandingsGone
)
