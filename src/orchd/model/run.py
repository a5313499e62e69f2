"""Runs: commands under a supervisor, and the evidence that they leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from orchd.model.agent import Job, Report
from orchd.model.claim import PathSpec
from orchd.model.dataclass import dataclass
from orchd.model.ids import Oid, RunId, SessionId, TaskId
from orchd.model.number import NumberWish
from orchd.model.work import Reason, StepMade, TaskSpec


class Phase(StrEnum):
    """What can be seen of a run. LOST: it was started, its supervisor is gone, and it left no exit evidence."""

    ABSENT = "absent"
    RUNNING = "running"
    ENDED = "ended"
    LOST = "lost"


class Outcome(StrEnum):
    """How a run ended, as its supervisor saw it."""

    EXITED = "exited"
    TIMEOUT = "timeout"
    STOPPED = "stopped"
    LOST = "lost"
    UNPREPARED = "unprepared"


RUN, AGENT = "run", "agent"
"""The names of the only command of a task without steps: the one it says, or the agent that works on its goal."""


@dataclass(frozen=True, slots=True)
class Command:
    """One shell command line of a run, its wall-clock limit, and variables that only it gets. With a `job` it is that of an
    agent's program, and `run` is empty; `demands`: it has to change something."""

    name: str
    run: str
    timeout_seconds: float
    env: tuple[tuple[str, str], ...] = ()
    job: Job | None = None
    demands: bool = False


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How one command ended. `code` is the exit code, or minus the signal; `report` what the stream of an agent said that
    others came after. `idle`: it was to change something, and did not, so no other came after it."""

    name: str
    code: int
    seconds: float
    timed_out: bool = False
    report: Report | None = None
    idle: bool = False


@dataclass(frozen=True, slots=True)
class RunOrder:
    """Everything a supervisor needs. `commit` is checked out; commands run in order until one fails.

    With `collect`, what the commands changed is committed with `message` and packed; gates are run without it. Each command but
    the last is a step then: what was changed until its end is committed before the next one begins.
    `env` is added to the allowed environment. With a `brief` the workspace gets a control folder with that text in it.
    `fence` is that of the lease it works under (0: gates have none); `numbers` are given to it before it starts.
    """

    id: RunId
    commit: Oid
    commands: tuple[Command, ...]
    collect: bool
    message: str = ""
    env: tuple[tuple[str, str], ...] = ()
    brief: str = ""
    fence: int = 0
    numbers: tuple[NumberWish, ...] = ()

    @property
    def job(self) -> Job | None:
        """What its first agent is to do; None: it has none."""
        return next((command.job for command in self.commands if command.job), None)


@dataclass(frozen=True, slots=True)
class Exit:
    """The exit evidence of a run. `tip` is empty when nothing was collected; `seconds` is the wall time of the commands.
    `extra` is a commit whose parents are all commits of the task that neither `tip` nor its base has (stashes, other
    branches, what it reset away); empty when there are none. `partial`: the workspace holds more, in repositories of its
    own. `fence` is that of its order. `steps` are the checkpoints that it made, `report` is what the stream
    of the last command said (None: it was no agent). `starved`: there was hardly any room on the disk when it ended."""

    outcome: Outcome
    results: tuple[CommandResult, ...] = ()
    tip: Oid = ""
    seconds: float = 0.0
    detail: str = ""
    extra: Oid = ""
    partial: bool = False
    fence: int = 0
    steps: tuple[StepMade, ...] = ()
    report: Report | None = None
    starved: bool = False


class Entry(StrEnum):
    """What the airlock did with the result of a run."""

    ACCEPTED = "accepted"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class AdmitOrder:
    """What the airlock needs to judge the result of a run.

    Without `accept` (the run failed or was stopped) the work is only kept in the attic. `fence` is that of the lease. `start`
    is where the run began: a step checkpoint on `base` (empty: `base` itself). `evidence`
    are paths that must exist in the result.
    """

    run: RunId
    session: SessionId
    task: TaskId
    base: Oid
    claims: tuple[PathSpec, ...]
    accept: bool
    fence: int = 0
    start: Oid = ""
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Returned:
    """The airlock's evidence. `ref` is where the work is reachable; empty when there was none, or when it could not be
    taken at all (then the workspace is kept and `detail` says so). `partial`: the workspace holds more than `ref` does,
    namely repositories of its own, and is kept too. `steps` are the checkpoints that `ref` holds."""

    entry: Entry
    tip: Oid = ""
    ref: str = ""
    reason: Reason | None = None
    detail: tuple[str, ...] = ()
    partial: bool = False
    steps: tuple[StepMade, ...] = ()


@dataclass(frozen=True, slots=True)
class Live:
    """What a run has committed so far. `tip` is the newest commit that the airlock has looked at and that a ref holds;
    `detail` says what would stand against accepting it, or why one could not be taken. `fresh` is a newer one, packed but not
    looked at yet."""

    tip: Oid = ""
    fresh: Oid = ""
    detail: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """A task that a run proposes. `spec` None: it is none, and `why` says so."""

    id: TaskId
    spec: TaskSpec | None = None
    digest: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class RunSeen:
    """One run as observed now. While it runs: `told` are the notes that it was given, by file name; `asked` are its
    requests, by name and line by line (of one that has ended, only into which parts its step could be divided); `misasked` says
    what is wrong with those that cannot be read; `live` is what it has committed so far (also of one that has ended and has not
    been judged); `silent_seconds` is how long its heartbeat has stood still while somebody watched it.
    `proposals` are tasks that one which has ended proposes."""

    phase: Phase
    exit: Exit | None = None
    returned: Returned | None = None
    told: Mapping[str, str] = field(default_factory=dict)
    asked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    misasked: Mapping[str, str] = field(default_factory=dict)
    live: Live | None = None
    silent_seconds: float = 0.0
    proposals: tuple[Proposal, ...] = ()
