"""A memory twin of the port `Shared`: it passes the same contract suite as the git one, without processes."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from orchd.model.ids import Oid, SessionId
from orchd.model.tenure import Bid, SharedSeen, Tenure, TenureSeen


@dataclass
class MemoryRemote:
    """What all clones share: tenures by session, each with a version that is never used again."""

    tenures: dict[SessionId, tuple[Oid, Tenure]] = field(default_factory=dict)
    serial: itertools.count[int] = field(default_factory=itertools.count)


class MemoryShared:
    """One clone. `clock` gives seconds that only go forward; the remote answers at the next look. What is pushed while it
    cannot be reached is lost."""

    def __init__(self, remote: MemoryRemote, me: str, clock: Callable[[], float]) -> None:
        self.reachable = True
        self._remote, self._me, self._clock = remote, me, clock
        self._busy = False
        self._answered = False
        self._seen: dict[SessionId, tuple[Oid, Tenure]] = {}
        self._made: dict[Oid, float] = {}
        self._first_seen: dict[Oid, float] = {}

    def look(self) -> SharedSeen:
        if self.reachable:
            self._busy, self._answered, self._seen = False, True, dict(self._remote.tenures)
        for version, _ in self._seen.values():
            self._first_seen.setdefault(version, self._clock())
        tenures = {session: self._look_tenure(*found) for session, found in self._seen.items()}
        return SharedSeen(self._me, "", tenures, self._answered, self._busy)

    def hold(self, bid: Bid) -> None:
        if self._busy:
            return
        version = f"v{next(self._remote.serial)}"
        self._busy, self._made[version] = True, self._clock()
        if not bid.tenure.owner:
            self._made.pop(bid.old, None)
        there = self._remote.tenures.get(bid.tenure.session, ("",))[0]
        if self.reachable and there == bid.old:
            self._remote.tenures[bid.tenure.session] = (version, bid.tenure)

    def follow(self, main: Oid) -> None: ...

    def close(self) -> None: ...

    def _look_tenure(self, version: Oid, tenure: Tenure) -> TenureSeen:
        since = self._made.get(version, self._first_seen[version])
        return TenureSeen(tenure, version, self._clock() - since, version in self._made)
