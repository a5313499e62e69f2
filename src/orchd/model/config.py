"""The configuration of a repository, after reading and checking. Everything works without a file."""

from __future__ import annotations

from orchd.model.agent import USUAL_CLOCKS, Clocks, Price
from orchd.model.cost import Caps
from orchd.model.dataclass import dataclass
from orchd.model.environment import DEFAULT_ENVIRONMENTS, Environment
from orchd.model.limits import (
    CHANGED_FILES,
    DRAIN_SECONDS,
    FILE_BYTES,
    FIRST_PORT,
    FREE_DISK_BYTES,
    FREE_MEMORY_BYTES,
    GATES_AT_ONCE,
    KILL_GRACE_SECONDS,
    LAST_PORT,
    PARALLEL_TASKS,
    TAKEOVER_SECONDS,
    TASK_TIMEOUT_SECONDS,
    WAIT_SECONDS,
)
from orchd.model.merge import ASKING, Resolving
from orchd.model.number import NumberKind
from orchd.model.save import AT_ONCE, Gate, Schedule

NO_CAPS = Caps()


@dataclass(frozen=True, slots=True)
class Slots:
    """How many tasks of a group, or of the agents of a provider, may run at the same time."""

    name: str
    parallel: int


@dataclass(frozen=True, slots=True)
class Agent:
    """Who does the work of a task: how many of its tasks may run at the same time (None: no limit of its own), and whose
    service it uses (empty: nobody's)."""

    name: str
    parallel: int | None = None
    provider: str = ""


@dataclass(frozen=True, slots=True)
class Config:
    """`branch` is the branch that tasks land on (empty: the one found at start). `env` names variables that are passed
    from orchd's own environment to tasks and gates, in addition to the fixed small list. `groups` and `providers` without an
    entry have no limit. `ports` are the first and the last TCP port that tasks are given. `remote` is the git remote that
    other clones share (empty: this clone is alone). Nothing starts with less than `free_..._bytes` free, or with as many
    `workspaces` as that (None: no limit) or as many bytes in them. `gates_at_once` trees of a save are gated at the same
    time. `resolving` are the conflicts that need nobody. `save` is when what is finished is saved, where a session does not
    say. `clocks` end agents. `prices` are of models whose programs tell no money; nothing starts that could pass one of the
    `caps`. A run that ends by itself waits `wait_seconds` at most for a provider. A task may
    propose so many `proposals`, and those may at most at this `proposal_depth`."""

    branch: str = ""
    parallel: int = PARALLEL_TASKS
    timeout_seconds: float = TASK_TIMEOUT_SECONDS
    drain_seconds: float = DRAIN_SECONDS
    kill_grace_seconds: float = KILL_GRACE_SECONDS
    changed_files: int = CHANGED_FILES
    file_bytes: int = FILE_BYTES
    env: tuple[str, ...] = ()
    gates: tuple[Gate, ...] = ()
    ports: tuple[int, int] = (FIRST_PORT, LAST_PORT)
    groups: tuple[Slots, ...] = ()
    agents: tuple[Agent, ...] = ()
    providers: tuple[Slots, ...] = ()
    remote: str = ""
    takeover_seconds: float = TAKEOVER_SECONDS
    numbers: tuple[NumberKind, ...] = ()
    free_disk_bytes: int = FREE_DISK_BYTES
    free_memory_bytes: int = FREE_MEMORY_BYTES
    workspaces: int | None = None
    workspace_bytes: int | None = None
    gates_at_once: int = GATES_AT_ONCE
    resolving: Resolving = ASKING
    environments: tuple[Environment, ...] = DEFAULT_ENVIRONMENTS
    save: Schedule = AT_ONCE
    clocks: Clocks = USUAL_CLOCKS
    prices: tuple[Price, ...] = ()
    caps: Caps = NO_CAPS
    wait_seconds: float = WAIT_SECONDS
    proposals: int = 0
    proposal_depth: int = 1
