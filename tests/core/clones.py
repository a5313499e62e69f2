"""Several clones around one remote: each is an honest world of its own, with a clock that runs too fast or too slow.

The remote keeps what git's leased, atomic push promises: every ref of a push is where the pusher thinks, or nothing moves.
Pushes may be late, may be lost, and their outcome may stay unknown. Answers may be old. Processes may die.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import laws
import walk
from clone_world import Clone, NumberPush, Push, Remote
from world import Run, demand

from orchd.core.ownership import is_secure
from orchd.core.planner import plan
from orchd.model.action import LandSave, StartRun
from orchd.model.message import AttemptStarted
from orchd.model.run import Phase
from orchd.model.snapshot import FileSeen, Intent, Plan, Snapshot, Verb
from orchd.model.work import Source, Task

TAKEOVER_SECONDS = 60.0
SESSIONS = ("default", "other")


@dataclass
class Going:
    """A walk of several clones."""

    dice: walk.Dice
    remote: Remote
    clones: list[Clone]
    on_the_way: list[Push | NumberPush] = field(default_factory=list)
    count: int = 0

    def roll(self, sides: int) -> int:
        return self.dice.roll(sides)

    def one_in(self, sides: int) -> bool:
        return self.dice.roll(sides) == sides - 1

    def turn(self, clone: Clone, *, fair: bool = False) -> None:
        """Look, decide, write down, act; some of it is lost."""
        snapshot = clone.look(clone.main)
        planned = plan(snapshot)
        laws.check_turn(clone, snapshot, planned)
        self.check_starts(clone, snapshot, planned)
        if not fair and self.one_in(10):
            return
        clone.store(planned.state, planned.events)
        for action in planned.actions:
            if fair or not self.one_in(10):
                sent = clone.sent
                clone.do(action)
                if clone.sent is not sent and clone.sent is not None:
                    self.on_the_way.append(clone.sent)
        self.check_clones()

    def check_starts(self, clone: Clone, snapshot: Snapshot, planned: Plan) -> None:
        for event in planned.events:
            if isinstance(event, AttemptStarted):
                session = planned.state.tasks[event.task].spec.session
                demand("only the owner starts", self.may_act(clone, snapshot, session), event)
                self.check_numbers(clone, planned.state.tasks[event.task])
        for action in planned.actions:
            if isinstance(action, StartRun) and action.keep:
                session = planned.state.tasks[action.keep].spec.session
                demand("only the owner starts a run", self.may_act(clone, snapshot, session), action)
            if isinstance(action, LandSave):
                demand("only the owner lands", self.may_act(clone, snapshot, action.save.session), action)

    @staticmethod
    def check_numbers(clone: Clone, task: Task) -> None:
        """Whoever starts has its numbers, and no two holders have the same: spelled without the core."""
        holder = f"{task.spec.session}/{task.spec.id}.{task.generation}"
        for kind in () if task.rework else task.spec.numbers:
            places = [at for at, wish in enumerate(clone.seen_holders) if (wish.kind, wish.holder) == (kind, holder)]
            demand("a start has its number, one", len(places) == 1, task.spec.id, clone.seen_holders)

    @staticmethod
    def may_act(clone: Clone, snapshot: Snapshot, session: str) -> bool:
        """Spelled without the core: our own push of less than half the take-over time ago is what the remote showed."""
        version, tenure = clone.seen.get(session, ("", None))
        age = clone.clock - clone.made.get(version, -1e9)
        return tenure is not None and tenure.owner == clone.name and age < tenure.takeover_seconds / 2

    def check_clones(self) -> None:
        """Never two owners at a time; nothing lost; a record that says landed is right."""
        for session in SESSIONS:
            owners = [clone.name for clone in self.clones if is_secure(session, clone.shared)]
            demand("a session has one owner at a time", len(owners) <= 1, session, owners)
        for clone in self.clones:
            for task in clone.state.tasks.values():
                landed = task.status.value != "landed" or task.commit in self.remote.commits[self.remote.main].behind
                demand("landed means landed", landed, clone.name, task)
            for run in clone.runs.values():
                tip = run.exit.tip if run.exit else ""
                demand("no byte of work is lost", not tip or run.workspace or clone.reachable(tip), run)

    # -- the adversary -------------------------------------------------------------------------------------------

    def disturb(self) -> None:
        """One thing happens."""
        clone = self.clones[self.roll(len(self.clones))]
        FATES[self.roll(len(FATES))](self, walk.Walk(self.dice, clone))

    def cut_off(self, going: walk.Walk) -> None:
        going.world.cut_off = self.one_in(2)

    def freeze(self, going: walk.Walk) -> None:
        """A machine sleeps, or wakes up."""
        going.world.frozen = self.one_in(2)

    def die(self, going: walk.Walk) -> None:
        going.world.die(f"{going.world.name}{self.tick()}")

    def wait(self, going: walk.Walk) -> None:
        self.pass_time(float(self.roll(int(TAKEOVER_SECONDS))))

    def ask(self, going: walk.Walk) -> None:
        if not going.world.frozen:
            going.world.ask()

    def toggle_drain(self, going: walk.Walk) -> None:
        going.world.draining = self.one_in(3)

    def end_run(self, going: walk.Walk) -> None:
        going.end_run()

    def lose_run(self, going: walk.Walk) -> None:
        going.lose_run()

    def ask_people(self, going: walk.Walk) -> None:
        """Somebody asks for something, in any clone."""
        verb = going.pick((Verb.PAUSE_SESSION, Verb.RESUME_SESSION, Verb.RETRY, Verb.CANCEL, Verb.RETRY_SESSION))
        subject = going.pick(walk.NAMES if verb in (Verb.RETRY, Verb.CANCEL) else SESSIONS)
        going.world.intents.append(Intent(f"intent{self.tick()}", verb, subject))

    def write_file(self, going: walk.Walk) -> None:
        name = going.pick(walk.NAMES)
        file = going.file(name, f"tasks/{name}.yaml", Source.FILE)
        session = going.pick(SESSIONS) if f"tasks/{name}.yaml" not in self.remote.files else ""
        known = self.remote.files.get(file.path)
        needs = tuple(other for other in file.spec.needs if other < name) if self.one_in(3) else ()
        after = tuple(other for other in file.spec.after if other < name)
        session = session or (known.spec.session if known else "default")
        numbers = ("migration",) if self.one_in(3) else ()
        spec = replace(file.spec, session=session, needs=needs, after=after, numbers=numbers)
        self.remote.files[file.path] = replace(file, spec=spec, digest=f"digest{self.tick()}")

    def arrive(self, going: walk.Walk) -> None:
        """A push reaches the remote, perhaps long after its sender gave up on it."""
        if self.on_the_way:
            push = self.on_the_way.pop(self.roll(len(self.on_the_way)))
            clone = next(clone for clone in self.clones if clone.name == push.by)
            if not clone.cut_off or push is not clone.sent:
                self.remote.take(push)

    def lose_push(self, going: walk.Walk) -> None:
        """A push is lost. (One that only its sender gave up may still arrive.) The remote's answer ends the doubt."""
        if going.world.sent in self.on_the_way:
            self.on_the_way.remove(going.world.sent)

    def pass_time(self, seconds: float) -> None:
        for clone in self.clones:
            clone.seconds += seconds
            clone.now_ms += int(seconds * 1000) - 500

    def tick(self) -> int:
        self.count += 1
        return self.count

    # -- the fair end --------------------------------------------------------------------------------------------

    def drain(self) -> None:
        """All can reach the remote and nothing dies: everything ends, once, and all clones agree about it."""
        for clone in self.clones:
            clone.cut_off = clone.draining = clone.frozen = False
        for _ in range(400):
            for clone in self.clones:
                while self.on_the_way:
                    self.remote.take(self.on_the_way.pop(0))
                clone.ask()
                self.resume_all(clone)
                self.turn(clone, fair=True)
                going = walk.Walk(self.dice, clone)
                for run in going.running():
                    self.finish(going, run)
            self.pass_time(TAKEOVER_SECONDS / 20)
            if self.is_done():
                break
        demand("everything ends", self.is_done(), [clone.state.tasks for clone in self.clones])
        self.check_end()

    def resume_all(self, clone: Clone) -> None:
        """Nothing may stay paused, or it would not end."""
        paused = [name for name, session in clone.state.sessions.items() if session.paused]
        clone.intents += [Intent(f"intent{self.tick()}", Verb.RESUME_SESSION, name) for name in paused]

    def finish(self, going: walk.Walk, run: Run) -> None:
        if run.phase is Phase.RUNNING and (run.stop_asked or going.is_wanted(run)):
            going.finish([run])

    def is_done(self) -> bool:
        states = [clone.state for clone in self.clones]
        busy = any(task.status.value in laws.OPEN for state in states for task in state.tasks.values())
        running = any(run.phase is Phase.RUNNING for clone in self.clones for run in clone.runs.values())
        waits = [self.waits(clone, name) for clone in self.clones for name in clone.state.tasks]
        known = all(self.knows(file) for file in self.remote.files.values())
        return not busy and not running and known and not any(waits) and self.agree()

    def agree(self) -> bool:
        """Whether all clones say the same about each task that more than one knows. Of one that never ran, one clone may say
        that it was cancelled and another that its file was gone: nothing of it is shared."""
        told = [
            {name: GIVEN_UP.get(task.status.value, task.status.value) for name, task in clone.state.tasks.items()}
            for clone in self.clones
        ]
        return all(len({one[name] for one in told if name in one}) == 1 for one in told for name in one)

    def waits(self, clone: Clone, name: str) -> bool:
        """Whether a task waits for anything but for one that ended badly."""
        if clone.state.tasks[name].status.value != "waiting":
            return False
        decisions = {d.task: d.cause.value for d in plan(clone.look(clone.main)).decisions}
        stuck = ("blocked", "elsewhere", "needs", "after")
        return decisions.get(name) not in stuck

    def knows(self, file: FileSeen) -> bool:
        """Whether all know the task of a file as it is now, or somebody found it wrong (its owner, if it has one)."""
        states = [clone.state for clone in self.clones]
        wrong = any(problem.file == file.path for state in states for problem in state.problems)
        tasks = [state.tasks.get(file.spec.id) for state in states]
        return wrong or all(task is not None and task.digest == file.digest for task in tasks)

    def check_end(self) -> None:
        for path, file in self.remote.files.items():
            told = {clone.state.tasks[file.spec.id].status.value for clone in self.clones if file.spec.id in clone.state.tasks}
            landed = (file.spec.id, file.digest) in self.remote.accepted
            demand("landed is told as landed", not landed or told == {"landed"}, path, told)


GIVEN_UP = {"withdrawn": "given up", "cancelled": "given up"}

FATES = (
    *(Going.write_file,) * 2,
    Going.cut_off,
    Going.freeze,
    Going.die,
    *(Going.wait,) * 3,
    *(Going.ask,) * 5,
    *(Going.arrive,) * 4,
    Going.lose_push,
    Going.ask_people,
    Going.lose_run,
    Going.toggle_drain,
    *(Going.end_run,) * 5,
)


def walk_clones(dice: walk.Dice, steps: int, clones: int = 2) -> Going:
    """One walk from an empty remote to agreement. Raises Broken."""
    remote = Remote()
    made = [Clone(commits=remote.commits, name=f"clone{at}", remote=remote) for at in range(clones)]
    going = Going(dice, remote, made)
    for at, clone in enumerate(made):
        clone.config = replace(clone.config, gates=walk.GATES[: dice.roll(3)], takeover_seconds=TAKEOVER_SECONDS)
        clone.pace = 0.8 + 0.05 * dice.roll(9)
        clone.now_ms += 10**7 * at
        clone.seconds = 1000.0 * at
        clone.conflicts_in = 10**6
    for _ in range(steps):
        clone = made[going.roll(clones)]
        if going.one_in(2) and not clone.frozen:
            going.turn(clone)
        else:
            going.disturb()
    going.drain()
    return going
