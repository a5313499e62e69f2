"""The state (what is stored), the snapshot (what is seen now) and the plan (what follows from it)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from orchd.model.agent import AgentsSeen
from orchd.model.claim import Lease, Reservation
from orchd.model.cost import NOTHING_SPENT, Ledger
from orchd.model.dataclass import dataclass
from orchd.model.ids import Oid, RunId, SaveId, SessionId, TaskId
from orchd.model.machine import UNSEEN_MACHINE, MachineSeen
from orchd.model.problem import Problem
from orchd.model.save import Excluded, GateResult, Hold, Merged, Save, Tally
from orchd.model.session import Session, SessionsSeen
from orchd.model.tenure import Holding, Refused, SharedSeen
from orchd.model.work import Source, Task, TaskSpec

if TYPE_CHECKING:
    from orchd.model.action import Action
    from orchd.model.config import Config
    from orchd.model.message import Event
    from orchd.model.number import NumberWish
    from orchd.model.run import RunSeen


@dataclass(frozen=True, slots=True)
class Conflict:
    """A prediction: the work of `task` will not merge with that of `other`, which is merged before it (empty: with main).
    `paths` are where."""

    task: TaskId
    other: TaskId
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class State:
    """Everything that lasts: the fold of all events. `next_order`, `next_number` and `next_fence` never go back; `branch` is
    the one that tasks landed on last, so that a checkout of another one does not change it; `conflicts` are predicted, one
    for each pair;
    `screenings` are saves of one link that land nothing: the gates on the result of a task by itself;
    `holdings` says who owns which session where clones share a remote; `refused` are the last requests here that only another
    clone could have heard; `gates` what became of each gate; `cooling` are providers that are left alone, and until
    when; `ledger` is what agents cost; `gone` are the tasks that landed and whose landing main does not contain any more."""

    owner: str = ""
    epoch: int = 0
    next_order: int = 1
    next_number: int = 1
    tasks: Mapping[TaskId, Task] = field(default_factory=dict)
    leases: Mapping[TaskId, Lease] = field(default_factory=dict)
    save: Save | None = None
    problems: tuple[Problem, ...] = ()
    branch: str = ""
    conflicts: tuple[Conflict, ...] = ()
    holdings: Mapping[SessionId, Holding] = field(default_factory=dict)
    sessions: Mapping[SessionId, Session] = field(default_factory=dict)
    next_fence: int = 1
    refused: tuple[Refused, ...] = ()
    gates: Mapping[str, Tally] = field(default_factory=dict)
    cooling: Mapping[str, int] = field(default_factory=dict)
    ledger: Ledger = NOTHING_SPENT
    screenings: Mapping[TaskId, Save] = field(default_factory=dict)
    gone: frozenset[TaskId] = frozenset()


@dataclass(frozen=True, slots=True)
class Mention:
    """Where a file names another task (or an agent), for messages: the id, line and column from 1, and the source line."""

    task: TaskId
    line: int
    column: int
    excerpt: str


@dataclass(frozen=True, slots=True)
class FileSeen:
    """A well-formed task file. `digest` identifies its meaning (not its comments); `drop` is set for the inbox only and
    identifies this very file; `own` are the keys that the file sets itself, `named` are where it names agents."""

    path: str
    spec: TaskSpec
    digest: str
    source: Source
    drop: str = ""
    mentions: tuple[Mention, ...] = ()
    own: tuple[str, ...] = ()
    named: tuple[Mention, ...] = ()


@dataclass(frozen=True, slots=True)
class PastLanding:
    """Where a checkpoint says that a task has landed: its name and commit, the work, and when. `lost`: main does not contain
    it (any more)."""

    checkpoint: str
    commit: Oid
    generation: int
    attempt: int
    at_ms: int
    lost: bool = False


@dataclass(frozen=True, slots=True)
class FilesSeen:
    """All task files now. `unsettled` paths were still being written and are left for the next look: they are neither
    good nor bad nor gone. `bad_drops` are the drops of the inbox whose files have problems."""

    good: tuple[FileSeen, ...] = ()
    problems: tuple[Problem, ...] = ()
    unsettled: frozenset[TaskId] = frozenset()
    bad_drops: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReservationsSeen:
    """What claim files said last and well, and what is wrong with the present ones."""

    good: tuple[Reservation, ...] = ()
    problems: tuple[Problem, ...] = ()


class Verb(StrEnum):
    """What a person may ask from outside."""

    RETRY = "retry"
    CANCEL = "cancel"
    ANSWER = "answer"
    CLAIM = "claim"
    PAUSE_SESSION = "pause-session"
    RESUME_SESSION = "resume-session"
    CANCEL_SESSION = "cancel-session"
    RETRY_SESSION = "retry-session"
    LAND_SESSION = "land-session"
    FORK_SESSION = "fork-session"
    SAVE_SESSION = "save-session"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True)
class Intent:
    """A request that somebody dropped. It is recorded by the planner and then forgotten. `subject` is the id of the task or
    session that it is about, `words` is what the verb needs besides."""

    id: str
    verb: Verb
    subject: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChainSeen:
    """The merge chain as the journal of a save holds it."""

    base_tree: Oid
    chain: tuple[Merged, ...]
    excluded: tuple[Excluded, ...]


@dataclass(frozen=True, slots=True)
class SaveSeen:
    """The evidence of the save in flight.

    `landed` is the sealed commit once main contains it (else empty); `hold` says that the person's checkout of main is in
    the way, `offered` that `refs/orch/ready/<n>` lets them merge it by hand; `published` that tag, branch and notes exist;
    `taken` that the checkpoint's name points at something else; `refused` are tasks that the last proofs do not let land.
    """

    id: SaveId
    chain: ChainSeen | None = None
    landed: Oid = ""
    hold: Hold | None = None
    hold_detail: tuple[str, ...] = ()
    offered: bool = False
    published: bool = False
    taken: bool = False
    refused: tuple[Excluded, ...] = ()


Known: TypeAlias = Mapping[int, tuple[GateResult, ...]]
"""Green results that are stored for trees of a save, by index (as in `Verdict`)."""


@dataclass(frozen=True, slots=True)
class GatesSeen:
    """What is stored of gate results: `known` for the trees of the save in flight; `kept` says that all its own are stored."""

    known: Known = field(default_factory=dict)
    kept: bool = True


Meetings: TypeAlias = Mapping[tuple[Oid, Oid], tuple[str, ...]]
"""Pairs of commits (the smaller id first) that do not merge, with the paths where. A pair that is not there merges, or nobody
knows."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The world at `now_ms`. `leftovers` are workspaces on disk, `journals` those of saves, `kept` tasks with a
    keep ref, `lives` runs whose live commits are held by a ref, `meetings` what the conflict radar says about live tips and
    main; `busy_ports` are looked at only while somebody wants one. `only`: nothing but these tasks (and what they need) is
    started; None: everything. `shared` is the remote that other clones share; None: this clone is alone. `lines` are
    the tips of the integration branches of sessions, `numbered` the wishes of waiting tasks that the shared remote has
    fulfilled (None: numbers are given here), `screenings` what is stored about those in the state. `past` are the tasks that
    main says have landed as their files are, told only where the state has just begun, `gone` those whose
    landing it does not contain. `until_idle`: whoever looks ends when nothing is left to do."""

    now_ms: int
    state: State
    config: Config
    main: Oid
    files: FilesSeen = FilesSeen()
    reservations: tuple[Reservation, ...] = ()
    intents: tuple[Intent, ...] = ()
    runs: Mapping[RunId, RunSeen] = field(default_factory=dict)
    save: SaveSeen | None = None
    gates: GatesSeen = field(default_factory=GatesSeen)
    leftovers: Mapping[RunId, RunSeen] = field(default_factory=dict)
    journals: frozenset[SaveId] = frozenset()
    kept: frozenset[TaskId] = frozenset()
    lives: frozenset[RunId] = frozenset()
    meetings: Meetings = field(default_factory=dict)
    busy_ports: frozenset[int] = frozenset()
    draining: bool = False
    only: frozenset[TaskId] | None = None
    shared: SharedSeen | None = None
    machine: MachineSeen = UNSEEN_MACHINE
    sessions: SessionsSeen = field(default_factory=SessionsSeen)
    lines: Mapping[SessionId, Oid] = field(default_factory=dict)
    numbered: frozenset[NumberWish] | None = None
    agents: AgentsSeen = field(default_factory=AgentsSeen)
    until_idle: bool = False
    past: Mapping[TaskId, PastLanding] = field(default_factory=dict)
    screenings: Mapping[TaskId, GatesSeen] = field(default_factory=dict)
    gone: frozenset[TaskId] = frozenset()


class Cause(StrEnum):
    """What holds a waiting task back."""

    NONE = "none"
    NEEDS = "needs"
    BLOCKED = "blocked"
    GONE = "gone"
    AFTER = "after"
    RESERVED = "reserved"
    CLAIM = "claim"
    RESOURCE = "resource"
    PORTS = "ports"
    SLOTS = "slots"
    GROUP = "group"
    AGENT = "agent"
    PROVIDER = "provider"
    DISK = "disk"
    MEMORY = "memory"
    WORKSPACES = "workspaces"
    WORKSPACE_BYTES = "workspace-bytes"
    DRAINING = "draining"
    PAUSED = "paused"
    COOLING = "cooling"
    BUDGET = "budget"
    SESSION = "session"
    NOT_ASKED = "not-asked"
    ELSEWHERE = "elsewhere"
    NUMBERS = "numbers"
    NUMBERS_REFUSED = "numbers-refused"


@dataclass(frozen=True, slots=True)
class Decision:
    """The arbiter's word on one waiting task. Cause NONE: it starts. `others` are the tasks that hold it back, `ports` what
    it is given, `micros` what its agent may spend (0: no cap says)."""

    task: TaskId
    cause: Cause
    others: tuple[TaskId, ...] = ()
    detail: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    micros: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What follows from a snapshot: first `events` are stored in one operation, then `actions` are done.

    `state` is the state after the events. At `wake_ms`, if it is set, time alone will have changed what follows; at `warm_ms`
    the first provider can be asked again that somebody waits for.
    """

    state: State
    events: tuple[Event, ...] = ()
    decisions: tuple[Decision, ...] = ()
    actions: tuple[Action, ...] = ()
    wake_ms: int | None = None
    warm_ms: int | None = None
