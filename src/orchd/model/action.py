"""Actions: what must be done, a closed union. Derived anew until their effect is seen: twice changes nothing."""

from __future__ import annotations

from typing import TypeAlias

from orchd.model.dataclass import dataclass
from orchd.model.ids import Oid, RunId, SaveId, SessionId, TaskId
from orchd.model.number import NumberWish
from orchd.model.problem import Problem
from orchd.model.prompt import Ask
from orchd.model.run import AdmitOrder, RunOrder
from orchd.model.save import Save
from orchd.model.tenure import Bid
from orchd.model.work import Rework


@dataclass(frozen=True, slots=True)
class StartRun:
    """Start a supervisor for this order, unless it was ever started. `keep` is the task whose base must be held (or "").
    `asks` are what the prompts of its jobs are written from, in their order."""

    order: RunOrder
    keep: TaskId
    asks: tuple[Ask, ...] = ()


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
