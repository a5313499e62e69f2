"""Sessions: named groups of tasks with rules of their own for how they start and how they land.

A session that works apart collects what its tasks made on its own line (the integration branch) and lands it later.
"""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum

from orchd.model.claim import PathSpec
from orchd.model.dataclass import dataclass
from orchd.model.ids import Oid, SessionId, TaskId
from orchd.model.save import Gate, Schedule


class Landing(StrEnum):
    """When the work of a session goes to main: at once; when somebody asks; by itself once all its tasks are done well."""

    AUTO = "auto"
    MANUAL = "manual"
    ON_COMPLETE = "on-complete"


@dataclass(frozen=True, slots=True)
class TaskDefaults:
    """What the tasks of a session get for keys that their own files do not set. None: no default here; with `claims` go
    `resources`, `ports` and `numbers`."""

    timeout_seconds: float | None = None
    priority: int | None = None
    claims: tuple[PathSpec, ...] | None = None
    after: tuple[TaskId, ...] | None = None
    labels: tuple[str, ...] | None = None
    noop: bool | None = None
    resources: tuple[str, ...] = ()
    ports: int = 0
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SessionSpec:
    """What a session file says. `base` is a name of git for where its tasks start (empty: main), `parallel` how many of
    its tasks run at the same time (0: no limit of its own); `gates` come after those of the configuration. `save`
    None: as the configuration says."""

    id: SessionId
    landing: Landing = Landing.AUTO
    base: str = ""
    parallel: int = 0
    gates: tuple[Gate, ...] = ()
    defaults: TaskDefaults = field(default_factory=TaskDefaults)
    save: Schedule | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A session and its present state; one without a record is as its SessionSpec's defaults say.

    `file` is where its settings come from (empty: from nowhere, or the file is gone and the last ones hold); `pinned` is
    where its tasks start instead of main while `line` is empty, `origin` the checkpoint it was forked from. `line` holds
    the integrated tasks in the order of their merges, `start` the commit that the line begins on. `asked`: somebody wants
    it landed.
    """

    spec: SessionSpec
    file: str = ""
    pinned: Oid = ""
    origin: str = ""
    line: tuple[TaskId, ...] = ()
    start: Oid = ""
    paused: bool = False
    asked: bool = False


@dataclass(frozen=True, slots=True)
class SessionFileSeen:
    """A well-formed session file, and the commit that its `base` means now (empty: it names none)."""

    path: str
    spec: SessionSpec
    base: Oid = ""


@dataclass(frozen=True, slots=True)
class SessionsSeen:
    """All session files now. Those that have problems (`bad`) or are still being written (`unsettled`) are neither good nor
    gone."""

    good: tuple[SessionFileSeen, ...] = ()
    bad: frozenset[SessionId] = frozenset()
    unsettled: frozenset[SessionId] = frozenset()
