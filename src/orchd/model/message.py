"""Closed unions: nothing else crosses the core's border. Events say what was concluded, actions what must be done.

Events are stored; replaying all gives the state. Actions are derived anew until their effect is seen: twice changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from orchd.model.claim import Extension, Lease, PathSpec, Refusal
from orchd.model.ids import Oid, RunId, SaveId, SessionId, TaskId
from orchd.model.number import NumberWish
from orchd.model.problem import Problem
from orchd.model.run import AdmitOrder, RunOrder
from orchd.model.save import Excluded, GateResult, Hold, Merged, Save, Verdict
from orchd.model.session import Landing, Session, SessionSpec
from orchd.model.tenure import Bid, Refused
from orchd.model.work import Earlier, Reason, Rework, Source, Status, TaskSpec


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
    """A new task, a new wording of a waiting one (same generation), or a new generation of a finished one."""

    spec: TaskSpec
    digest: str
    source: Source
    drop: str
    generation: int
    order: int
    at_ms: int
    rework: Rework | None = None


@dataclass(frozen=True, slots=True)
class TaskWithdrawn:
    """The file of a waiting task is gone."""

    task: TaskId


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    """Admitted, claimed and started in one: there is no half-claimed task."""

    task: TaskId
    attempt: int
    base: Oid
    lease: Lease


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
    """Somebody asked for another attempt; with `earlier`, for one that settles the conflict of that result."""

    task: TaskId
    earlier: Earlier | None = None


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
class SaveHeld:
    """A gated save waits for the person's checkout, or (hold None) need not wait any more."""

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
class RequestRefused:
    """Somebody asked here for something that only another clone could do, which owns the session."""

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


Event: TypeAlias = (
    LeaderTook
    | ProblemsChanged
    | TaskSeen
    | TaskWithdrawn
    | AttemptStarted
    | AttemptEnded
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
    | SavePlanned
    | SaveMerged
    | GateRan
    | GateTried
    | GateLost
    | SaveHeld
    | SaveGated
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
    | SessionForked
    | SessionAdopted
    | RequestRefused
)


@dataclass(frozen=True, slots=True)
class StartRun:
    """Start a supervisor for this order, unless it was ever started. `keep` is the task whose base must be held (or "")."""

    order: RunOrder
    keep: TaskId


@dataclass(frozen=True, slots=True)
class StopRun:
    """End the whole process tree of a run."""

    run: RunId


@dataclass(frozen=True, slots=True)
class TellRun:
    """Leave the note `text` in the control folder of a run, as the file `name`."""

    run: RunId
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class SalvageRun:
    """End what survived of a lost run and collect what it had written, as evidence with outcome LOST."""

    run: RunId


@dataclass(frozen=True, slots=True)
class RevokeRun:
    """Kill a supervisor that gives no heartbeat and all below it, and collect what was written, as for a lost run."""

    run: RunId


@dataclass(frozen=True, slots=True)
class AdmitResult:
    """Take the result of an ended run through the airlock."""

    order: AdmitOrder


@dataclass(frozen=True, slots=True)
class AdmitRework:
    """Take a held result, which is in the repository already, through the airlock again as the person answered."""

    order: AdmitOrder
    rework: Rework


@dataclass(frozen=True, slots=True)
class TakeLive:
    """Have the airlock look at what a run has committed so far, and hold it by a ref. Nothing is accepted by that."""

    order: AdmitOrder


@dataclass(frozen=True, slots=True)
class ReleaseLives:
    """Let go of what tasks had committed in runs that are over: their results hold it now, or else the attic does."""

    runs: tuple[RunId, ...]


@dataclass(frozen=True, slots=True)
class DiscardWorkspace:
    """Remove the workspace of a run whose work is reachable from a ref."""

    run: RunId


@dataclass(frozen=True, slots=True)
class MergeSave:
    """Pin base and tips in the journal, then build the merge chain. `titles` go into the merge messages, item by item."""

    save: Save
    titles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeepResults:
    """Store what the gates said about the trees of a save, for whoever asks about the same trees later."""

    save: Save


@dataclass(frozen=True, slots=True)
class LandSave:
    """Seal the checkpoint commit and move main from the base to it, by compare-and-swap; with a `bid` the shared remote's."""

    save: Save
    titles: tuple[str, ...]
    bid: Bid | None = None


@dataclass(frozen=True, slots=True)
class PublishSave:
    """Tag, integration branch, audit notes. All of it derivable from the landed commit."""

    save: Save


@dataclass(frozen=True, slots=True)
class PlaceLine:
    """Take the integration branch of a session to `tip`; what it loses by that goes to the attic."""

    session: SessionId
    tip: Oid


@dataclass(frozen=True, slots=True)
class ForgetSaves:
    """Delete the journals of saves that the state no longer knows."""

    saves: tuple[SaveId, ...]


@dataclass(frozen=True, slots=True)
class ReleaseBase:
    """Delete the refs that held the bases of tasks that are no longer open."""

    tasks: tuple[TaskId, ...]


@dataclass(frozen=True, slots=True)
class SettleDrop:
    """Move a file out of the inbox; with problems it was rejected, and they are kept beside it."""

    drop: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class ForgetIntent:
    """Remove an intent that was recorded (or makes no sense any more)."""

    intent: str


@dataclass(frozen=True, slots=True)
class HoldSession:
    """Take, renew or give back the ownership of a session in the shared remote."""

    bid: Bid


@dataclass(frozen=True, slots=True)
class AskNumbers:
    """Ask the shared remote for the numbers that tasks lack before they can start."""

    wishes: tuple[NumberWish, ...]


@dataclass(frozen=True, slots=True)
class FollowMain:
    """Move our own branch (and clean checkouts of it) forward to the remote's."""

    main: Oid


Action: TypeAlias = (
    StartRun
    | StopRun
    | TellRun
    | SalvageRun
    | RevokeRun
    | AdmitResult
    | AdmitRework
    | TakeLive
    | ReleaseLives
    | DiscardWorkspace
    | MergeSave
    | KeepResults
    | LandSave
    | PublishSave
    | PlaceLine
    | ForgetSaves
    | ReleaseBase
    | SettleDrop
    | ForgetIntent
    | HoldSession
    | AskNumbers
    | FollowMain
)
