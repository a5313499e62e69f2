"""Claims: what a task may change, said before it starts."""

from __future__ import annotations

from enum import StrEnum

from orchd.model.dataclass import dataclass
from orchd.model.ids import TaskId


class Mode(StrEnum):
    """What a claim allows. Two reads get along, two appends get along, everything else excludes."""

    READ = "read"
    WRITE = "write"
    APPEND = "append"


@dataclass(frozen=True, slots=True)
class PathSpec:
    """A glob on paths from the root of the repository: `*` and `?` stay inside a segment, `**` is any number of segments."""

    glob: str
    mode: Mode = Mode.WRITE

    def __hash__(self) -> int:
        """Of the glob alone, which remembers it: claims are looked up thousands of times at a look."""
        return hash(self.glob)


@dataclass(frozen=True, slots=True)
class Extension:
    """What a running task asks for beyond its claim. `ask` is the request of the command line (empty: the control folder),
    `order` the place among the requests that wait."""

    ask: str
    order: int
    paths: tuple[PathSpec, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that was refused, and why."""

    ask: str
    paths: tuple[PathSpec, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Lease:
    """A granted claim. `epoch` is the leader's epoch when it was granted and only rises; `ports` are TCP ports.
    While the task runs, `extended` are those of `paths` that it was granted later, `wants` what it asks for and has not yet,
    `refused` its last requests in vain.

    `fence` is the number of this grant: it rises with each grant in a repository, so that what an earlier holder brings
    late is known by its lower number (0: granted before there were fences). `expired_ms` is when it expired, because its
    supervisor had given no heartbeat for too long; 0: it stands. `budget_micros` is what its agent may spend (0: no cap says).
    """

    task: TaskId
    owner: str
    epoch: int
    paths: tuple[PathSpec, ...]
    granted_ms: int
    resources: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    fence: int = 0
    expired_ms: int = 0
    extended: tuple[PathSpec, ...] = ()
    wants: tuple[Extension, ...] = ()
    refused: tuple[Refusal, ...] = ()
    budget_micros: int = 0


@dataclass(frozen=True, slots=True)
class Reservation:
    """What a person or another tool claims for themselves, from a file in `.orch/claims/`. `until_ms` 0: until the file is
    removed. `by` and `why` are what the file says, for people."""

    path: str
    paths: tuple[PathSpec, ...]
    resources: tuple[str, ...] = ()
    by: str = ""
    why: str = ""
    until_ms: int = 0
