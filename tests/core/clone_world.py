"""The worlds of several clones: one remote, and for each clone what it sees of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from world import PORTS, Commit, World, demand, tree_name

from orchd.core.evolve import evolve
from orchd.core.tenures import seal
from orchd.model.action import (
    Action,
    AskNumbers,
    FollowMain,
    HoldSession,
    LandSave,
)
from orchd.model.message import LeaderTook
from orchd.model.number import NumberWish
from orchd.model.save import Save, SaveStep
from orchd.model.session import Session, SessionSpec
from orchd.model.snapshot import FileSeen, SaveSeen, Snapshot
from orchd.model.tenure import Bid, SharedSeen, Tenure, TenureSeen


@dataclass(frozen=True)
class Push:
    """A push on its way: the tenure over its old version and, for a landing, main over its base with a create-only tag."""

    by: str
    bid: Bid
    version: str
    save: Save | None = None
    commit: str = ""
    digests: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class NumberPush:
    """A push on its way: the chain of numbers over the version (its length) that was seen. `numbers` are new entries."""

    by: str
    old: int
    wishes: tuple[NumberWish, ...]


@dataclass
class Remote:
    """The bare repository. `accepted` are the tasks (with the digest of their file) that landed; the place of a holder in
    `holders` is its number."""

    main: str = "root"
    commits: dict[str, Commit] = field(default_factory=lambda: {"root": Commit(frozenset({"root"}), frozenset())})
    files: dict[str, FileSeen] = field(default_factory=dict)
    tenures: dict[str, tuple[str, Tenure]] = field(default_factory=dict)
    tags: dict[int, str] = field(default_factory=dict)
    accepted: set[tuple[str, str]] = field(default_factory=set)
    holders: list[NumberWish] = field(default_factory=list)

    def take(self, push: Push | NumberPush) -> bool:
        """All or nothing."""
        if isinstance(push, NumberPush):
            wins = len(self.holders) == push.old
            self.holders += push.wishes if wins else ()
            return wins
        session = push.bid.tenure.session
        if self.tenures.get(session, ("",))[0] != push.bid.old:
            return False
        if push.save is not None:
            if self.main != push.save.base or push.save.number in self.tags:
                return False
            for token in push.digests:
                demand("a task lands once", token not in self.accepted, token)
                self.accepted.add(token)
            self.main = self.tags[push.save.number] = push.commit
        self.check_settings(push)
        demand("an epoch never falls", push.bid.tenure.epoch >= self.epoch(session), push)
        self.tenures[session] = (push.version, push.bid.tenure)
        return True

    def check_settings(self, push: Push) -> None:
        """A session that was paused when its owner fell silent is paused after the take-over; so with forks."""
        _, old = self.tenures.get(push.bid.tenure.session, ("", None))
        if old is not None and old.owner not in ("", push.by):
            before, after = (one.settings or Session(SessionSpec(one.session)) for one in (old, push.bid.tenure))
            same = (before.paused, before.origin) == (after.paused, after.origin)
            demand("a take-over keeps what people said about a session", same, old, push.bid.tenure)

    def epoch(self, session: str) -> int:
        return self.tenures[session][1].epoch if session in self.tenures else 0


@dataclass
class Clone(World):
    """One clone with its daemon. What a process forgets when it dies is in `memory`."""

    name: str = "one"
    remote: Remote = field(default_factory=Remote)
    seconds: float = 0.0
    pace: float = 1.0
    cut_off: bool = False
    frozen: bool = False
    answered: bool = False
    sent: Push | NumberPush | None = None
    made: dict[str, float] = field(default_factory=dict)
    first_seen: dict[str, float] = field(default_factory=dict)
    seen: dict[str, tuple[str, Tenure]] = field(default_factory=dict)
    seen_tags: dict[int, str] = field(default_factory=dict)
    pushes: int = 0
    seen_holders: tuple[NumberWish, ...] = ()

    @property
    def clock(self) -> float:
        """What this machine's own clock measures."""
        return self.seconds * self.pace

    def ask(self) -> None:
        """The remote answers, if it can be reached; that also ends a push whose outcome was not known."""
        if self.cut_off:
            return
        self.answered, self.sent = True, None
        self.main, self.seen, self.seen_tags = self.remote.main, dict(self.remote.tenures), dict(self.remote.tags)
        self.files, self.seen_holders = dict(self.remote.files), tuple(self.remote.holders)
        for version, _ in self.seen.values():
            self.first_seen.setdefault(version, self.clock)

    def die(self, owner: str) -> None:
        """The process ends and another begins: what was written is left."""
        self.restart()
        self.answered, self.sent = False, None
        self.made.clear()
        self.first_seen.clear()
        for version, _ in self.seen.values():
            self.first_seen[version] = self.clock
        event = LeaderTook(owner, self.state.epoch + 1)
        self.store(evolve(self.state, [event]), [event])

    @property
    def shared(self) -> SharedSeen:
        tenures = {session: self.look_tenure(*found) for session, found in self.seen.items()}
        return SharedSeen(self.name, self.main, tenures, self.answered, self.sent is not None)

    def look_tenure(self, version: str, tenure: Tenure) -> TenureSeen:
        since = self.made.get(version, self.first_seen[version])
        return TenureSeen(tenure, version, self.clock - since, version in self.made)

    def look(self, main: str) -> Snapshot:
        return replace(super().look(main), shared=self.shared, numbered=frozenset(self.seen_holders))

    def look_save(self, save: Save, main: str) -> SaveSeen:
        sealed = f"land:{save.id}@{self.name}"
        landed = sealed if sealed in self.commits[main].behind else ""
        taken = not landed and save.number in self.seen_tags
        return replace(super().look_save(save, main), landed=landed, hold=None, hold_detail=(), taken=taken)

    def commit(self, oid: str, parents: Iterable[str], tree: frozenset[str]) -> str:
        return super().commit(f"{oid}@{self.name}", parents, tree)

    def do(self, action: Action) -> None:
        if isinstance(action, HoldSession):
            self.push(action.bid)
        elif isinstance(action, LandSave):
            self.land(action)
        elif isinstance(action, AskNumbers):
            self.ask_numbers(action)
        elif not isinstance(action, FollowMain):
            PORTS[type(action)](self, action)

    def push(self, bid: Bid, **landing: object) -> None:
        """Send it off, unless something else is under way."""
        if self.sent is None:
            self.pushes += 1
            self.sent = Push(self.name, bid, f"{self.name}{self.pushes}", **landing)
            self.made[self.sent.version] = self.clock
            if not bid.tenure.owner:
                self.made.pop(bid.old, None)

    def ask_numbers(self, action: AskNumbers) -> None:
        """Send it off, unless something else is under way."""
        demand("only what is missing is asked for", not set(action.wishes) & set(self.seen_holders), action)
        if self.sent is None:
            self.sent = NumberPush(self.name, len(self.seen_holders), action.wishes)

    def land(self, action: LandSave) -> None:
        save, bid = action.save, action.bid
        demand("only a gated save lands", save.step is SaveStep.GATED and save.lands > 0, save)
        demand("a landing takes the tenure along", bid is not None and bid.tenure.session == save.session, action)
        head = self.commits[save.chain[save.lands - 1].head]
        demand("what lands was gated green as a whole", self.book.is_green(tree_name(head.tree), save.gates))
        commit = self.commit(f"land:{save.id}", [save.base, save.chain[save.lands - 1].head], head.tree)
        landed = [link.item.task for link in save.chain[: save.lands]]
        digests = tuple((task, self.state.tasks[task].digest) for task in landed)
        tenure = seal(bid.tenure, commit)
        told = {task.spec.id for task in tenure.tasks if task.commit == commit and task.status.value == "landed"}
        demand("the tenure says that what lands has landed", told == set(landed), told, landed)
        self.push(Bid(bid.old, tenure), save=save, commit=commit, digests=digests)
