"""Tasks: what was asked (TaskSpec) and how far it is (Task). Times are milliseconds since 1970 in UTC."""

from __future__ import annotations

from enum import StrEnum

from orchd.model.agent import Effort
from orchd.model.claim import PathSpec
from orchd.model.cost import Spent
from orchd.model.dataclass import dataclass
from orchd.model.ids import DEFAULT_SESSION, Oid, SessionId, TaskId
from orchd.model.limits import TASK_TIMEOUT_SECONDS
from orchd.model.recovery import Candidate, Outlook, Part, Tried

SHELL = "shell"
"""The agent of a task that is a shell command."""


class Status(StrEnum):
    """Where a task is in its life. The allowed moves are the table in `core.lifecycle`."""

    WAITING = "waiting"
    RUNNING = "running"
    STOPPING = "stopping"
    READY = "ready"
    SAVING = "saving"
    INTEGRATED = "integrated"
    LANDED = "landed"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    HELD = "held"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"


class Reason(StrEnum):
    """Why a task did not land. Also a label of metrics, so the set is closed."""

    EXIT = "exit"
    TIMEOUT = "timeout"
    WORKSPACE = "workspace"
    NOTHING = "nothing-changed"
    CLAIM = "claim"
    POLICY = "policy"
    GATE = "gate"
    CONFLICT = "conflict"
    BASE = "base-gone"
    PROOF = "proof"
    BUILT_ON = "built-on"
    AGENT = "agent"
    EVIDENCE = "evidence-missing"
    LOST = "lost"
    FENCED = "fenced"
    CANCELLED = "cancelled"


class Answer(StrEnum):
    """What a person says to a result that is held. Of a conflict, OURS is what has landed, THEIRS what the task made, FILES
    what the person wrote, EARLIER what was answered when the same conflict was there before; TASK: the task itself settles it,
    in another attempt. RESTORE is said without a question: the tree of an earlier commit comes back."""

    WIDEN = "widen"
    DROP = "drop"
    OURS = "ours"
    THEIRS = "theirs"
    FILES = "files"
    EARLIER = "earlier"
    TASK = "task"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True)
class SettledFile:
    """The content (a blob) that a person gave to the file `path`."""

    path: str
    blob: Oid


@dataclass(frozen=True, slots=True)
class Earlier:
    """The result of an earlier attempt that conflicts with what has landed since, and that the present one is to replace:
    the commit `tip`, made from `base`; `paths` are where, as they were told."""

    tip: Oid
    base: Oid
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rework:
    """A held result that is taken up again, instead of running the command again: the commit `tip`, kept as `ref`.

    WIDEN takes it as it is and DROP puts back what is outside the claim, both on the `base` that it was made from. The
    other answers merge it with `base`, which is what had landed when the person answered; it was made from `begun`. `files`
    are settled by name, whatever the answer says about the rest. RESTORE puts the tree of `tip` in the place of that of
    `base` (empty: of main, when it is its turn).
    """

    answer: Answer
    tip: Oid
    base: Oid
    ref: str
    begun: Oid = ""
    files: tuple[SettledFile, ...] = ()


class Source(StrEnum):
    """Where a task came from."""

    FILE = "file"
    INBOX = "inbox"
    COMMIT = "commit"


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a task: a shell command (`run`), or a `goal` for its agent with what must be true then. When it has ended
    well, what the task has made so far can be gone on from. `optional`: the task goes on without it when it cannot be done.

    `parts` are what it is divided into when it is too large. A step that came out of a division, `depth` times divided, is a
    part of the goal `whole`.
    """

    name: str
    run: str = ""
    goal: str = ""
    acceptance: tuple[str, ...] = ()
    optional: bool = False
    parts: tuple[Part, ...] = ()
    depth: int = 0
    whole: str = ""


@dataclass(frozen=True, slots=True)
class StepMade:
    """The checkpoint of a step: the commit that holds all that the task had made when the step ended."""

    name: str
    commit: Oid


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """What a person asked for. `title`, `run`, `steps`, `goal`, `parts` and `acceptance` are personal text and are stored apart
    from the record.

    One of `run` (a shell command), `steps` (several, one after the other) and `goal` (for an agent) is set. `agent` does what
    has a goal, the `fallbacks` after it when it cannot; a goal that is too large is divided into its `parts`, which are steps
    from then on; `model` and `effort` are wishes to it (empty, None: its own choice).
    `evidence` are paths that must exist in the result. `optional`: what needs it may start without it when it has failed.

    `resources` are names of which one task at a time holds each, `ports` is how many free TCP ports it wants, `numbers` are
    the kinds of numbers (`migration`) of which it wants the next one. Tasks of a `group` share its slots, tasks of an `agent`
    (what does the work) share its slots and those of its provider; no group: empty.
    """

    id: TaskId
    title: str
    run: str
    session: SessionId = DEFAULT_SESSION
    needs: tuple[TaskId, ...] = ()
    after: tuple[TaskId, ...] = ()
    claims: tuple[PathSpec, ...] = (PathSpec("**"),)
    priority: int = 0
    timeout_seconds: float = TASK_TIMEOUT_SECONDS
    noop: bool = False
    labels: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    ports: int = 0
    numbers: tuple[str, ...] = ()
    group: str = ""
    agent: str = SHELL
    goal: str = ""
    acceptance: tuple[str, ...] = ()
    fallbacks: tuple[str, ...] = ()
    model: str = ""
    effort: Effort | None = None
    evidence: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    optional: bool = False
    parts: tuple[Part, ...] = ()

    @property
    def is_for_agent(self) -> bool:
        """Whether an agent does the work, or some of it."""
        return bool(self.goal) or any(step.goal for step in self.steps)


@dataclass(frozen=True, slots=True)
class Setback:
    """An earlier attempt that came to nothing, at which step (empty: it has none), and what was said of it."""

    attempt: int
    reason: Reason | None = None
    detail: tuple[str, ...] = ()
    step: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """A task and its present state.

    `generation` rises when a finished task is asked for anew, `attempt` with each start; `order` is the place in the
    queue of all tasks ever seen; `digest` identifies the meaning of its file and `drop` the very file of an inbox;
    `tip` is where its work is reachable, `detail` lists paths or lines that explain `reason`; `rework` is the result that
    its next or present attempt takes up, `earlier` the one whose conflict it settles. `commit` is the one that landed it, or
    its merge on the line of its session while it is integrated. `due`: somebody asked for the save of this very result.
    `steps` are the newest of its step checkpoints, of which the
    last one is where its next attempt goes on; none: at its base. `skipped` are steps that it goes on without. `setbacks` are
    the last attempts that came to nothing, `tried` those at the step that failed last, `outlook` how recovery
    ended, `spent` what the agents of this generation cost.
    `proposer` is the task that proposed it (empty: a person asked for it), at this `depth`; `proposed` is how many it proposed
    itself.
    """

    spec: TaskSpec
    status: Status
    digest: str
    source: Source
    order: int
    seen_ms: int
    drop: str = ""
    generation: int = 1
    attempt: int = 0
    lost: int = 0
    base: Oid = ""
    tip: Oid = ""
    ref: str = ""
    reason: Reason | None = None
    detail: tuple[str, ...] = ()
    started_ms: int = 0
    ended_ms: int = 0
    checkpoint: str = ""
    commit: Oid = ""
    rework: Rework | None = None
    earlier: Earlier | None = None
    due: bool = False
    steps: tuple[StepMade, ...] = ()
    setbacks: tuple[Setback, ...] = ()
    tried: tuple[Tried, ...] = ()
    pick: Candidate | None = None
    skipped: tuple[str, ...] = ()
    spent: Spent | None = None
    outlook: Outlook | None = None
    proposer: TaskId = ""
    depth: int = 0
    proposed: int = 0
