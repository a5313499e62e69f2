"""Tenures: which clone owns a session, where several clones share one remote.

A tenure is one ref in the shared remote, moved only by compare-and-swap. Rule: nobody compares the clocks of two machines;
an age is always what one process has measured by its own clock, which only goes forward.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from orchd.model.dataclass import dataclass
from orchd.model.ids import Oid, SessionId
from orchd.model.limits import TAKEOVER_SECONDS
from orchd.model.session import Session
from orchd.model.work import Task


@dataclass(frozen=True, slots=True)
class Tenure:
    """What the owner of a session publishes: itself (empty: it gave the session back), an epoch that rises with each owner,
    how long others wait for a sign of life, the number of its next checkpoint, the records of the session's tasks, and the
    session itself without its line and its file (None: it has no settings)."""

    session: SessionId
    owner: str
    epoch: int
    takeover_seconds: float = TAKEOVER_SECONDS
    number: int = 1
    tasks: tuple[Task, ...] = ()
    settings: Session | None = None


@dataclass(frozen=True, slots=True)
class TenureSeen:
    """A tenure as the remote last showed it. `version` changes with every sign of life. `age_seconds`: of our own, since
    the push that made it began; of another's, since we first saw this version. `ours`: this very process made it."""

    tenure: Tenure
    version: Oid
    age_seconds: float
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Bid:
    """A tenure to be pushed, only over the version `old` (empty: only if there is none)."""

    old: Oid
    tenure: Tenure


class Follow(StrEnum):
    """How our own branch stands to the remote's. HELD: it is behind, and a checkout is in the way. APART: it has commits
    that the remote lacks."""

    LEVEL = "level"
    BEHIND = "behind"
    HELD = "held"
    APART = "apart"


@dataclass(frozen=True, slots=True)
class SharedSeen:
    """The remote as it last answered. `me` is our name there, `main` the tip of its branch (empty: never seen), `answered`
    whether it has answered this process at all, `busy` whether a question or a push is under way, `rests` whether it refused a
    landing a moment ago (a hook, a right that we lack)."""

    me: str
    main: Oid = ""
    tenures: Mapping[SessionId, TenureSeen] = field(default_factory=dict)
    answered: bool = False
    busy: bool = False
    rests: bool = False
    follow: Follow = Follow.LEVEL


@dataclass(frozen=True, slots=True)
class Refused:
    """A request (the id `intent`) that was made here, and that only the clone of `owner` could have heard; or nobody, and
    `why`."""

    intent: str
    verb: str
    subject: str
    session: SessionId
    owner: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Holding:
    """Who owns a session, as the state concluded it."""

    owner: str
    epoch: int
