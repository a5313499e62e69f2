"""A crowd of running tasks that ask for more, wait, and end: each one that waits does nothing else until it is answered.

All chance comes through `walk.Dice`. Spelled without the core's own helpers but for the stage under test.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import oracle
from claim_laws import check_waits
from walk import Dice
from world import demand

from orchd.core.arbiter import decide
from orchd.core.desk import Room
from orchd.core.evolve import evolve
from orchd.core.extensions import answer_requests, hear_request
from orchd.core.preview import room_of
from orchd.model.claim import Lease, Mode, PathSpec, Reservation
from orchd.model.config import Config
from orchd.model.message import (
    AttemptEnded,
    Event,
    ExtensionAsked,
    ExtensionRefused,
    LeaseExtended,
)
from orchd.model.run import Phase, RunSeen
from orchd.model.session import Landing, Session, SessionSpec
from orchd.model.snapshot import Cause, Intent, Plan, Snapshot, State, Verb
from orchd.model.tenure import SharedSeen, Tenure, TenureSeen
from orchd.model.work import Source, Status, Task, TaskSpec

PLACES = ("a/a", "a/b", "b/a", "b/b", "ab/a", "bb/a", "c/a", "c/b")
MORE = (*PLACES, "a/*", "b/*")
MODES = (Mode.WRITE, Mode.WRITE, Mode.WRITE, Mode.READ, Mode.APPEND)


@dataclass
class Crowd:
    """Running tasks, what they ask for in their control folders, and the claims of people."""

    dice: Dice
    state: State
    folders: dict[str, tuple[str, ...]] = field(default_factory=dict)
    kept: dict[str, Reservation] = field(default_factory=dict)
    count: int = 0
    log: list[Event] = field(default_factory=list)

    def look(self, *intents: Intent) -> None:
        """One look: requests are heard and answered; a second one on the same world says nothing new."""
        runs = {f"{name}.1.1": RunSeen(Phase.RUNNING, asked={"claim": asked}) for name, asked in self.folders.items()}
        kept = tuple(self.kept[name] for name in sorted(self.kept))
        for again in (False, True):
            snapshot = Snapshot(0, self.state, Config(), "main", reservations=kept, runs=runs, intents=intents)
            events = [event for intent in intents for event in hear_request(intent, self.state, snapshot)]
            events += answer_requests(evolve(self.state, events), snapshot)
            demand("an unchanged world is answered once", not again or not events, events)
            self.state = evolve(self.state, events)
            self.log += events
            check_waits(snapshot, Plan(self.state))
        self.check_apart()

    def check_apart(self) -> None:
        held = sorted(self.state.leases)
        for at, one in enumerate(held):
            lease = self.state.leases[one]
            demand("a lease is the claim of its task", lease.paths == self.state.tasks[one].spec.claims, lease)
            for other in held[at + 1 :]:
                apart = not oracle.clashes(lease.paths, self.state.leases[other].paths)
                demand("claims of running tasks never overlap", apart, one, other)

    def ask(self) -> None:
        """Somebody who does not wait asks for one or two paths, by the command line or in the folder."""
        free = self.free()
        if not free:
            return
        name = free[self.dice.roll(len(free))]
        words = tuple(f"{self.pick(MODES)} {self.pick(MORE)}" for _ in range(1 + self.dice.roll(2)))
        if self.dice.roll(3) == 2:
            self.folders[name] = words
            self.look()
        else:
            self.count += 1
            self.look(Intent(f"i{self.count:04}", Verb.CLAIM, name, words))

    def end(self) -> None:
        """Somebody who does not wait ends, and what it held is free."""
        free = self.free()
        if free:
            name = free[self.dice.roll(len(free))]
            self.state = evolve(self.state, [AttemptEnded(name, 1, Status.FAILED, "", "", None, (), 0)])
            self.folders.pop(name, None)
            self.look()

    def reserve(self) -> None:
        """A person takes something, or gives it back."""
        if self.kept.pop("anna", None) is None:
            self.kept["anna"] = Reservation("claims/anna.yaml", (PathSpec(self.pick(MORE)),))
        self.look()

    def free(self) -> list[str]:
        return [name for name, lease in sorted(self.state.leases.items()) if not lease.wants]

    def pick(self, things: tuple[str, ...] | tuple[Mode, ...]) -> str:
        return str(things[self.dice.roll(len(things))])


def start(dice: Dice, size: int) -> Crowd:
    """So many running tasks, each with a path of its own."""
    specs = [TaskSpec(f"t{at}", "t", "r", claims=(PathSpec(PLACES[at]),)) for at in range(size)]
    tasks = {s.id: Task(s, Status.RUNNING, "1", Source.FILE, at, 0, attempt=1) for at, s in enumerate(specs)}
    return Crowd(dice, State(tasks=tasks, leases={s.id: Lease(s.id, "o", 1, s.claims, 0) for s in specs}))


def check_crowd(dice: Dice, size: int, steps: int) -> Crowd:
    """However they ask, when nobody asks any more and people go, all come to their end, and each request had its answer."""
    crowd = start(dice, size)
    for _ in range(steps):
        crowd_moves = (crowd.ask, crowd.ask, crowd.ask, crowd.end, crowd.reserve)
        crowd_moves[dice.roll(len(crowd_moves))]()
    crowd.kept.clear()
    crowd.look()
    for _ in range(size):
        crowd.end()
    demand("nobody waits for ever", not crowd.state.leases, crowd.state.leases)
    asked = {
        (event.task, event.extension.order, event.extension.paths) for event in crowd.log if isinstance(event, ExtensionAsked)
    }
    answered = {(event.task, event.order, event.paths) for event in crowd.log if isinstance(event, LeaseExtended)}
    answered |= {(e.task, e.order, e.refusal.paths) for e in crowd.log if isinstance(e, ExtensionRefused)}
    demand("every request is answered", asked <= answered, asked - answered)
    return crowd


def check_circle() -> None:
    """Two wait for each other: the younger request is refused, says why, and the older one is granted in the end."""
    crowd = start(_Tame(), 2)
    crowd.look(Intent("i1", Verb.CLAIM, "t0", (PLACES[1],)))
    crowd.look(Intent("i2", Verb.CLAIM, "t1", (PLACES[0],)))
    leases = crowd.state.leases
    demand("the older one waits", [want.ask for want in leases["t0"].wants] == ["i1"], leases)
    demand("the younger one is refused", [one.ask for one in leases["t1"].refused] == ["i2"], leases)
    said = leases["t1"].refused[0].why
    demand("the circle is told", "t0 waits for t1" in said and "t1 waits for t0" in said, said)
    crowd.state = evolve(crowd.state, [AttemptEnded("t1", 1, Status.FAILED, "", "", None, (), 0)])
    crowd.look()
    demand("the older one is granted", PathSpec(PLACES[1]) in crowd.state.leases["t0"].paths, crowd.state.leases)


def check_kept() -> None:
    """What a running task waits for is not given to a task that has not started."""
    crowd = start(_Tame(), 2)
    crowd.look(Intent("i1", Verb.CLAIM, "t0", ("a/*",)))
    late = Task(TaskSpec("late", "t", "r", claims=(PathSpec("a/c"),)), Status.WAITING, "1", Source.FILE, 9, 0)
    state = replace(crowd.state, tasks={**crowd.state.tasks, "late": late})
    (decision,) = decide(state, Room(Config(parallel=9)))
    demand("what is asked for is kept", decision.others == ("t0",), decision)


def check_foreign() -> None:
    """What a task in another clone holds is refused at once: circles through several clones could not be seen."""
    crowd = start(_Tame(), 1)
    far = Task(TaskSpec("far", "t", "r", "other", claims=(PathSpec("b/**"),)), Status.RUNNING, "1", Source.FILE, 1, 0)
    shared = SharedSeen("me", tenures={"other": TenureSeen(Tenure("other", "you", 1, tasks=(far,)), "v", 0.0)})
    snapshot = Snapshot(0, crowd.state, Config(), "main", shared=shared)
    asked = evolve(crowd.state, hear_request(Intent("i1", Verb.CLAIM, "t0", ("b/a",)), crowd.state, snapshot))
    said = [event.refusal.why for event in answer_requests(asked, snapshot) if isinstance(event, ExtensionRefused)]
    demand("what another clone holds is refused", len(said) == 1 and "far" in said[0], said)


def check_expired() -> None:
    """What people kept until a time that is over is free, to whom it is asked; until then it is not, resources as well."""
    crowd = start(_Tame(), 1)
    over = Reservation("claims/anna.yaml", (PathSpec(PLACES[1]),), ("db",), until_ms=5)
    for now_ms, granted in ((4, 0), (5, 1)):
        snapshot = Snapshot(now_ms, crowd.state, Config(), "main", reservations=(over,))
        asked = evolve(crowd.state, hear_request(Intent("i1", Verb.CLAIM, "t0", (PLACES[1],)), crowd.state, snapshot))
        found = [event for event in answer_requests(asked, snapshot) if isinstance(event, LeaseExtended)]
        demand("what expired is free, and not before", len(found) == granted, now_ms, found)
        for claims, resources in (((PathSpec(PLACES[1]),), ()), ((PathSpec(PLACES[2]),), ("db",))):
            spec = TaskSpec("late", "t", "r", claims=claims, resources=resources)
            state = State(tasks={"late": Task(spec, Status.WAITING, "1", Source.FILE, 9, 0)})
            (decision,) = decide(state, room_of(state, snapshot))
            demand("a task starts on what expired, and not before", (decision.cause is Cause.NONE) == granted, decision)


def check_line() -> None:
    """What a task keeps until its session lands is refused at once: the session may wait for a person, or for the asker."""
    crowd = start(_Tame(), 2)
    tasks = {**crowd.state.tasks, "t1": replace(crowd.state.tasks["t1"], status=Status.READY)}
    sessions = {"default": Session(SessionSpec("default", Landing.ON_COMPLETE))}
    crowd.state = replace(crowd.state, tasks=tasks, sessions=sessions)
    crowd.look(Intent("i1", Verb.CLAIM, "t0", (PLACES[1],)))
    said = [one.why for one in crowd.state.leases["t0"].refused]
    demand("what a line keeps is refused", len(said) == 1 and "until its session default lands" in said[0], said)


class _Tame:
    def roll(self, sides: int) -> int:
        return 0
