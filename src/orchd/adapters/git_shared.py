"""The shared remote in git: what it last showed, the tenures that we push, and our branch that follows.

The courier's thread talks to the remote; everything here is done by the loop's thread, from the refs that the courier
copied into `refs/orch/remote/`. Rule: ours is what the remote shows after our push; its age counts from before that push.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from orchd.adapters.courier import MIRRORED, Answer, Courier, Update
from orchd.adapters.durable import remove_quietly
from orchd.adapters.follower import Follower
from orchd.adapters.git_refs import main_ref
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.notes import adopt_notes
from orchd.adapters.sessions_view import VIEW, write_view
from orchd.adapters.tenure_record import TenureRecords
from orchd.core.tenures import seal
from orchd.model.ids import REMOTE_PREFIX, SHARED_NOTES, TENURE_PREFIX, Oid, SessionId, is_slug
from orchd.model.tenure import Bid, SharedSeen, TenureSeen


def boot_seconds() -> float:
    """Seconds that only go forward and go on while the machine sleeps: a lease must not outlive a closed lid."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Alone:
    """`Shared` for a clone that shares no remote."""

    def look(self) -> SharedSeen | None:
        """There is nothing to see."""
        return None

    def hold(self, bid: Bid) -> None:
        """Never asked for."""

    def follow(self, main: Oid) -> None:
        """Never asked for."""


class GitShared:
    """`Shared` in git. `me` is the name of this clone, `tell` says something to people."""

    def __init__(self, repo: GitRepo, branch: str, courier: Courier, me: str, tell: Callable[[str], None]) -> None:
        self._repo = repo
        self._branch = branch
        self._courier = courier
        self._me = me
        self._records = TenureRecords(repo)
        self._follower = Follower(repo, branch, tell)
        self._answer = Answer(at_seconds=float("-inf"))
        self._made: dict[Oid, float] = {}
        self._first_seen: dict[Oid, float] = {}
        self._adopted: dict[str, Oid] = {}
        self._view = ""

    def look(self) -> SharedSeen:
        """What the remote last showed; a little file tells clients the same."""
        unsettled = self._courier.unsettled
        answer = self._courier.answer
        if answer is not None and answer is not self._answer:
            self._take(answer, unsettled=unsettled)
        main, answered = self._answer.refs.get("main", ""), self._answer.at_seconds > float("-inf")
        busy = unsettled and (answer is None or answered)
        tenures, follow = self._look_tenures(), self._follower.look(main)
        seen = SharedSeen(self._me, main, tenures, answered, busy, self._courier.rests, follow)
        self._write_view(seen)
        return seen

    def hold(self, bid: Bid) -> None:
        """Push the tenure over exactly the version `bid.old`."""
        self._send(bid, ())

    def land(self, bid: Bid, base: Oid, sealed: Oid, others: Mapping[str, Oid]) -> None:
        """Push main from `base` to `sealed` with the tenure, which then says that it landed, and with `others` (ref to id),
        each over what the remote last showed. All or none."""
        rest = tuple(Update(ref, self.remote_at(ref), oid) for ref, oid in others.items())
        self._send(Bid(bid.old, seal(bid.tenure, sealed)), (Update(main_ref(self._branch), base, sealed), *rest))

    def push(self, updates: Sequence[Update]) -> None:
        """Push other refs, all or none, unless something is under way."""
        if updates:
            self._repo.unsynced.sync()
            self._courier.send(updates)

    def remote_at(self, ref: str) -> Oid:
        """What the remote last showed of one of the refs that are copied."""
        for source, target in MIRRORED.items():
            before, _, after = source.partition("*")
            if ref.startswith(before) and ref.endswith(after):
                name = ref.removeprefix(before).removesuffix(after)
                return self._answer.refs.get(target.removeprefix(REMOTE_PREFIX).replace("*", name), "")
        return ""

    def follow(self, main: Oid) -> None:
        """Move our branch and its clean checkouts forward to `main`."""
        self._follower.follow(main)

    def close(self) -> None:
        """End the courier; nobody serves any more."""
        self._courier.close()
        remove_quietly(self._repo.place.orch / VIEW)

    def _send(self, bid: Bid, landing: tuple[Update, ...]) -> None:
        """How old a tenure of ours is counts from here, before anybody else can have seen it. One that we give back is not
        ours from here on: another may have it before we hear what became of the push."""
        if self._courier.unsettled:
            return
        begun = boot_seconds()
        version = self._records.write(bid.tenure, time.time_ns() // 1_000_000)
        self._repo.unsynced.sync()
        if self._courier.send((*landing, Update(TENURE_PREFIX + bid.tenure.session, bid.old, version))):
            self._made[version] = begun
            if not bid.tenure.owner:
                self._made.pop(bid.old, None)

    def _take(self, answer: Answer, *, unsettled: bool) -> None:
        self._answer = answer
        now = boot_seconds()
        versions = {oid for name, oid in answer.refs.items() if name.startswith("tenure/")}
        self._first_seen = {oid: self._first_seen.get(oid, now) for oid in versions}
        self._made = {oid: at for oid, at in self._made.items() if oid in versions or unsettled}
        for name, oid in answer.refs.items():
            if name.startswith("checkpoint/") and not self._repo.refs.read(f"refs/tags/{name}"):
                self._repo.refs.move(f"refs/tags/{name}", "", oid)
        for ref, theirs in ((ref, self.remote_at(ref)) for ref in SHARED_NOTES):
            if theirs and theirs != self._adopted.get(ref) and adopt_notes(self._repo, ref, theirs):
                self._adopted[ref] = theirs

    def _look_tenures(self) -> dict[SessionId, TenureSeen]:
        named = {n.removeprefix("tenure/"): oid for n, oid in self._answer.refs.items() if n.startswith("tenure/")}
        now, since = boot_seconds(), {**self._first_seen, **self._made}
        return {
            session: TenureSeen(self._records.read(session, oid), oid, now - since[oid], oid in self._made)
            for session, oid in named.items()
            if is_slug(session)
        }

    def _write_view(self, seen: SharedSeen) -> None:
        """For clients, when something changed."""
        told = f"{seen.answered} {[(s, one.version) for s, one in seen.tenures.items()]}"
        if told == self._view:
            return
        write_view(self._repo.place, seen)
        self._view = told
