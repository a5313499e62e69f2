"""Promotion: what was deployed to environments, and the records of it."""

from __future__ import annotations

from enum import StrEnum

from orchd.model.dataclass import dataclass
from orchd.model.ids import Oid


@dataclass(frozen=True, slots=True)
class Freight:
    """What is promoted: a checkpoint, by its tag object, which names the commit for ever."""

    checkpoint: str
    tag: Oid
    commit: Oid


class Step(StrEnum):
    """What a record says. APPROVED stands beside deployments; VERIFYING: the deploy command has ended well. DEPLOYED is
    the good end where there is no verify command, VERIFIED where there is one."""

    APPROVED = "approved"
    BEGUN = "begun"
    VERIFYING = "verifying"
    DEPLOYED = "deployed"
    VERIFIED = "verified"
    FAILED = "failed"


GOOD = frozenset({Step.DEPLOYED, Step.VERIFIED})
GOING_ON = frozenset({Step.BEGUN, Step.VERIFYING})


@dataclass(frozen=True, slots=True)
class Moment:
    """A time: on the wall clock, and on the clock that counts since the boot (`boot` empty: not known), which nobody sets."""

    wall_ms: int
    boot: str = ""
    boot_ms: int = 0


@dataclass(frozen=True, slots=True)
class Process:
    """Who carries a deployment out: a process of a machine, by its boot and start time."""

    host: str = ""
    boot: str = ""
    pid: int = 0
    start: int = 0


UNKNOWN = Process()


@dataclass(frozen=True, slots=True)
class Record:
    """One step in the history of an environment. `key` is the same for all tries of one deployment; `origin` is the
    environment that the freight came from; `approvals` are those that let it in; `detail` says why it failed."""

    freight: Freight
    step: Step
    by: str
    at: Moment
    key: str = ""
    rollback: bool = False
    origin: str = ""
    approvals: tuple[str, ...] = ()
    process: Process = UNKNOWN
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Chain:
    """All records of an environment, the oldest first, and the commit of the last one (empty: there is none)."""

    records: tuple[Record, ...] = ()
    tip: Oid = ""


NOTHING = Chain()
