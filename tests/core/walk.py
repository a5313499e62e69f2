"""A random walk: an adversary plays with the world, actions and commits get lost, and then everything must drain.

All chance comes through `Dice`, so that the same walk is driven by a seed (fast) or by hypothesis (which shrinks it).
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import laws
import session_laws
import walk_claims
from walk_sessions import FORK, SCHEDULES, SESSIONS, answer, ask_session, write_session
from world import Run, World, demand

from orchd.core.evolve import evolve
from orchd.core.planner import is_idle, plan
from orchd.core.sessions import find_start
from orchd.model.action import StartRun
from orchd.model.claim import Mode, PathSpec
from orchd.model.config import Agent, Slots
from orchd.model.message import LeaderTook
from orchd.model.problem import Problem
from orchd.model.recovery import Part
from orchd.model.run import Entry, Live, Outcome, Phase
from orchd.model.save import Gate, GatePhase, Hold
from orchd.model.snapshot import FileSeen, Intent, Plan, Verb
from orchd.model.work import Answer, Reason, Source, Step, TaskSpec

T = TypeVar("T")
NAMES = ("a", "b", "c", "d", "e", "f")
GLOBS = ("a/*", "b/*", "a/a", "ab/**", "b/a", "A/*", "**", "a/**", "*/b", "**/b", "*/a", "bb", "B/b", "ba/**/a")
MODES = (Mode.WRITE, Mode.WRITE, Mode.READ, Mode.APPEND)
GATES = (Gate("unit", "make unit"), Gate("lint", "make lint"))
PARTS = (Part("left", "half"), Part("right", "half"))
PLANS = (
    (Step("plan", goal="think"), Step("make", "make"), Step("write", goal="write", optional=True, parts=PARTS)),
    (Step("one", "make one", optional=True), Step("two", "make two")),
    (Step("one", "make one"), Step("two", "make two", optional=True)),
)
ALONE = Gate("alone", "make alone", retries=0, phase=GatePhase.TASK)
DIVISIONS = (("left: half", "right: half"), ("one: all",), ("x:", "X: y"), tuple(f"p{at}: a bit" for at in range(6)))
PROMOTING = Gate("load", "make load", phase=GatePhase.PROMOTE)


class Dice(Protocol):
    """A source of choices; 0 is the tame one."""

    def roll(self, sides: int) -> int:
        """A number from 0 to below `sides`."""


class Seeded:
    """Choices from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def roll(self, sides: int) -> int:
        return int(self._random.random() * sides)


@dataclass
class Walk:
    """One world and the chance that drives it."""

    dice: Dice
    world: World
    count: int = 0

    def one_in(self, sides: int) -> bool:
        return self.dice.roll(sides) == sides - 1

    def pick(self, things: Sequence[T]) -> T:
        return things[self.dice.roll(len(things))]

    def next(self) -> int:
        self.count += 1
        return self.count

    # -- a turn of the loop --------------------------------------------------------------------------------------

    def turn(self) -> None:
        """Look, decide, write down, act; everything may go wrong."""
        world = self.world
        main = world.main
        world.now_ms += 110
        if self.one_in(6):
            self.disturb()
        snapshot = world.look(main)
        planned = plan(snapshot)
        laws.check_turn(world, snapshot, planned)
        if self.one_in(4):
            laws.check_stillness(snapshot, planned)
        if self.one_in(10):
            return
        world.store(planned.state, planned.events)
        if not self.one_in(8):
            self.act(planned)
        laws.check_records(world)

    def act(self, planned: Plan) -> None:
        """Do the actions, in any order; some are lost, late, or done twice."""
        actions = list(planned.actions)
        while actions:
            action = actions.pop(self.dice.roll(len(actions)))
            fate = self.dice.roll(10)
            if fate == 9:
                continue
            if fate == 8 and isinstance(action, StartRun):
                self.delay(action)
                continue
            self.world.do(action)
            if fate == 7:
                self.world.do(action)

    def delay(self, action: StartRun) -> None:
        """The supervisor was started, but its mark is not there yet."""
        if action.keep:
            self.world.kept[action.keep] = action.order.commit
        self.world.late.append(action.order)

    def fair_turn(self) -> bool:
        """A turn in which nothing goes wrong; whether anything happened."""
        world = self.world
        world.now_ms += 1000
        snapshot = world.look(world.main)
        planned = plan(snapshot)
        laws.check_turn(world, snapshot, planned)
        world.store(planned.state, planned.events)
        for action in planned.actions:
            world.do(action)
        laws.check_records(world)
        laws.check_told(world)
        return bool(planned.events or planned.actions)

    # -- the adversary -------------------------------------------------------------------------------------------

    def disturb(self) -> None:
        """One thing happens in the world."""
        self.pick(MOVES)(self)

    def write_file(self) -> None:
        """A new task, a new wording, or a second file with the same id."""
        name = self.pick(NAMES)
        kind = self.dice.roll(8)
        if kind == 7:
            self.world.drop(f"tasks/{name}.md", self.file(name, f"tasks/{name}.md", Source.FILE))
        elif kind >= 5:
            self.world.drop(f"inbox/{name}.yaml", self.file(name, f"inbox/{name}.yaml", Source.INBOX))
        else:
            self.world.drop(f"tasks/{name}.yaml", self.file(name, f"tasks/{name}.yaml", Source.FILE))

    def file(self, name: str, path: str, source: Source) -> FileSeen:
        spec = self.spec(name)
        digest = f"{zlib.crc32(repr(spec).encode()):x}"
        return FileSeen(path, spec, digest, source, f"drop{self.next()}" if source is Source.INBOX else "")

    def spec(self, name: str) -> TaskSpec:
        claims = tuple(PathSpec(self.pick(GLOBS), self.pick(MODES)) for _ in range(1 + self.one_in(3)))
        others = (*(other for other in NAMES if other != name), "ghost") if self.one_in(6) else [o for o in NAMES if o < name]
        needs = (self.pick(others),) if others and self.one_in(3) else ()
        after = (self.pick(others),) if others and self.one_in(5) else ()
        priority, noop = self.pick((0, -1, 1, 12)), self.one_in(4)
        session = self.pick(("default", *SESSIONS, FORK))
        kinds = {"group": self.pick(("", "", "slow")), "agent": self.pick(("shell", "shell", "one", "two"))}
        goods = {"resources": self.pick(walk_claims.RESOURCES), "ports": self.pick(walk_claims.WANTED_PORTS)}
        work = {"run": "make"}
        if self.one_in(4):
            work = {"run": "", "goal": "make it"}
            kinds["agent"] = self.pick(("one", "two", "auto"))
            work["parts"] = self.pick(((), (), PARTS))
            work["fallbacks"] = self.pick(((), ("three",), ("three", "four", "auto")))
        elif self.one_in(5):
            work = {"run": "", "steps": self.pick(PLANS)}
            kinds["agent"] = self.pick(("one", "two"))
        evidence = self.pick((*((),) * 10, ("there",), ("there", "missing")))
        wish = {"noop": noop, "optional": self.one_in(6), "evidence": evidence, **kinds, **goods, **work}
        return TaskSpec(name, f"Do {name}", session=session, needs=needs, after=after, claims=claims, priority=priority, **wish)

    def remove_file(self) -> None:
        if self.world.files:
            path = self.pick(sorted(self.world.files))
            del self.world.files[path]
            self.world.wrong.pop(path, None)

    def spoil_file(self) -> None:
        if self.world.files:
            path = self.pick(sorted(self.world.files))
            self.world.wrong[path] = Problem(path, 1, 1, "E001", "it is not YAML")

    def write_slowly(self) -> None:
        self.world.unsettled ^= {self.pick(NAMES)}

    def ask(self) -> None:
        """Somebody cancels or retries."""
        self.world.intents.append(Intent(f"intent{self.next()}", self.pick((Verb.RETRY, Verb.CANCEL)), self.pick(NAMES)))

    def restore(self) -> None:
        """Somebody wants an earlier tree back, or takes a landing back; now and then twice, or with words of nonsense."""
        tags = sorted(self.world.tags.items())
        if tags:
            number, commit = self.pick(tags)
            before = self.world.first_parents[commit]
            words = self.pick(((commit, "", "again"), (before, commit, "undo"), ("", "", "nonsense")))
            self.world.intents.append(Intent(f"intent{self.next()}", Verb.RESTORE, f"restore-{number}", words))

    def answer(self) -> None:
        """Somebody answers for a held task, about its present result or about one that nobody asks about any more."""
        held = sorted(name for name, task in self.world.state.tasks.items() if task.status.value == "held")
        if held:
            name = self.pick(held)
            tip = "old" if self.one_in(8) else self.world.state.tasks[name].tip
            onto = self.pick((self.world.main, find_start(self.world.state, self.world.state.tasks[name].spec.session, "root")))
            more = (self.pick(GLOBS) for _ in range(self.dice.roll(2)))
            if self.world.state.tasks[name].reason is Reason.CONFLICT:
                more = (onto, *(f"{'0' * 40} file" for _ in range(self.dice.roll(2))))
            fitting = FITTING.get(self.world.state.tasks[name].reason, tuple(Answer))
            words = (self.pick(tuple(Answer) if self.one_in(6) else fitting), tip, *more)
            self.world.intents.append(Intent(f"intent{self.next()}", Verb.ANSWER, name, words))

    def let_stray(self) -> None:
        """Something outside a claim got past the airlock; only the last proof sees it."""
        tasks = self.world.state.tasks.values()
        tips = {task.commit or task.tip for task in tasks if task.status.value in ("ready", "saving", "integrated")}
        if tips:
            self.world.strays.add(self.pick(sorted(tips)))

    def push(self) -> None:
        self.world.push("same1" if self.one_in(6) else f"push{self.next()}")

    def touch_checkout(self) -> None:
        self.world.dirty = not self.world.dirty

    def configure(self) -> None:
        gates = self.pick((GATES, GATES[:1], (), (PROMOTING, *GATES[:1]), (*GATES[:1], ALONE), (ALONE,)))
        self.world.config = replace(self.world.config, parallel=1 + self.dice.roll(4), gates=gates)
        some = self.dice.roll(3)
        agents = (Agent("one", 1, "maker"), Agent("two", None, "maker"))
        self.world.config = replace(self.world.config, save=self.pick(SCHEDULES))
        limits = {"groups": (Slots("slow", 1 + some),), "agents": agents, "providers": (Slots("maker", 1 + some),)}
        self.world.config = replace(self.world.config, **limits, workspaces=self.pick((None, None, 2, 4)))

    def fill_up(self) -> None:
        """The disk and the memory are full, or free again."""
        self.world.free_bytes = self.pick((10**12, 10**12, 1000))

    def wish(self) -> None:
        """Draining begins or ends; only some tasks are asked for, or all; who serves would end, or not."""
        if self.one_in(3):
            self.world.until_idle = not self.world.until_idle
        elif self.one_in(2):
            self.world.draining = not self.world.draining
        else:
            self.world.only = None if self.world.only or self.one_in(2) else frozenset({self.pick(NAMES), self.pick(NAMES)})

    def restart(self) -> None:
        """A crash, and another process takes over."""
        self.world.restart()
        event = LeaderTook(f"owner{self.next()}", self.world.state.epoch + 1)
        self.world.store(evolve(self.world.state, [event]), [event])

    def wait(self) -> None:
        """Time passes, or somebody sets the wall clock."""
        jump = self.pick((-3_600_000, 86_400_000)) if self.one_in(6) else 0
        self.world.now_ms += jump or self.dice.roll(100_000) * (36 if self.one_in(4) else 1)

    def commit_within(self) -> None:
        """A running task commits something, on top of what it had or beside it; its result may or may not hold that."""
        tasks = [run for run in self.running() if run.order.collect]
        if tasks:
            run = self.pick(tasks)
            change = self.pick((run.order.id, "same1", f"draft{self.next()}"))
            tip = self.world.commit(f"live:{run.order.id}:{self.next()}", [run.order.commit], frozenset({change}))
            run.live = replace(run.live or Live(), fresh=tip)

    def ask_from_within(self) -> None:
        """A running task asks for something that there is not, or asks unreadably; or takes it back."""
        tasks = [run for run in self.running() if run.order.collect]
        if tasks:
            run = self.pick(tasks)
            asks = {"claim": walk_claims.some_words(self), "parts": self.pick(DIVISIONS)}
            told = ({"what": ("x",)}, {}), ({}, {"odd": "it is a symlink"}), ({}, {}), (asks, {}), (asks, {})
            run.asked, run.misasked = self.pick(told)

    def arrive_late(self) -> None:
        """A slow supervisor writes its mark now."""
        if self.world.late:
            self.world.begin_run(self.world.late.pop())

    def lose_run(self) -> None:
        """The supervisor of a run is gone."""
        running = self.running()
        if running:
            run = self.pick(running)
            run.phase, run.work = Phase.LOST, self.work(run)

    def freeze_run(self) -> None:
        """Somebody stops a supervisor, or lets it go on: its heartbeat stands still for some time, or beats again."""
        running = self.running()
        if running:
            run = self.pick(running)
            run.silent_seconds = self.pick((0.0, 60.0, 89.9, 90.0, 1000.0))
            run.was_silent = run.was_silent or run.silent_seconds >= 90
            run.work = run.work or self.work(run)

    def arrive_from_former_life(self) -> None:
        """What worked under an earlier lease of the claim writes its evidence in the place of the present holder."""
        running = [run for run in self.running() if run.order.fence]
        if running:
            run = self.pick(running)
            self.world.end(run, Outcome.EXITED, 0, self.work(run))
            run.exit = replace(run.exit, fence=run.order.fence - 1) if run.exit else None

    def end_run(self) -> None:
        """A run ends in some way."""
        running = self.running()
        if not running:
            return
        run = self.pick(running)
        if run.stop_asked:
            self.world.end(run, Outcome.STOPPED, -15, self.work(run))
        elif run.order.collect:
            self.end_task(run)
        elif self.one_in(5):
            self.world.end(run, self.pick((Outcome.TIMEOUT, Outcome.STOPPED, Outcome.UNPREPARED)), 0, "")
        else:
            self.world.end_gate(run, flaky=self.one_in(3), starved=self.one_in(4))

    def end_task(self, run: Run) -> None:
        ending = self.dice.roll(12)
        run.verdict = self.pick((Entry.ACCEPTED, Entry.ACCEPTED, Entry.REFUSED))
        run.takeable = not self.one_in(12)
        outcome, code = ENDINGS.get(ending, (Outcome.EXITED, 0))
        self.world.end(run, outcome, code, self.work(run))
        if run.exit and run.exit.report:
            said = run.exit.report
            finished, denied = said.finished and not self.one_in(12), ("Bash",) if self.one_in(4) else ()
            status = 0 if finished else self.pick(STATUSES)
            until_ms = self.pick((0, 0, self.world.now_ms + 90))
            said = replace(said, finished=finished, denied=denied, status=status, until_ms=until_ms)
            run.exit = replace(run.exit, report=said)

    def work(self, run: Run) -> str:
        """What a run changed: something of its own, something others do too, or nothing."""
        if not run.order.collect:
            return ""
        change = self.pick((run.order.id, run.order.id, run.order.id, run.order.id, "same1", ""))
        if change == run.order.id and self.one_in(5):
            self.world.bad.add(change)
        return change

    def running(self) -> list[Run]:
        return [run for _, run in sorted(self.world.runs.items()) if run.phase is Phase.RUNNING]

    def set_back(self) -> None:
        """Somebody sets main back behind a landing: who needs that does not start, and goes on when main has it again."""
        world, main = self.world, self.world.main
        landed = sorted(name for name, task in world.state.tasks.items() if task.status.value == "landed")
        if world.state.save is not None or not landed:
            return
        lost = self.pick(landed)
        world.main = world.first_parents[world.state.tasks[lost].commit]
        spec = TaskSpec("late", "Do late", "make", needs=(lost,), claims=(PathSpec("a/b"),))
        world.drop("tasks/late.yaml", FileSeen("tasks/late.yaml", spec, "late", Source.FILE))
        snapshot = world.look(world.main)
        planned = plan(snapshot)
        laws.check_turn(world, snapshot, planned)
        causes = {decision.task: decision.cause.value for decision in planned.decisions}
        demand("what main lost is not built on", causes.get("late", "gone") == "gone", lost, causes)
        world.store(planned.state, planned.events)
        world.main = main
        self.drain()

    # -- the fair end --------------------------------------------------------------------------------------------

    def drain(self) -> None:
        """The adversary stops: within a bounded number of turns nothing is left to do."""
        self.make_fair()
        limit = 100 + 40 * len(self.world.state.tasks)
        for _ in range(limit):
            if self.one_in(3):
                self.pick((Walk.ask_from_within, Walk.commit_within))(self)
            busy = self.fair_turn()
            running = self.running()
            if not busy and not running:
                if not self.wait_for_providers():
                    break
                continue
            if not busy or self.one_in(2):
                self.finish([run for run in running if run.stop_asked or self.is_wanted(run)])
        demand("every queue drains", not busy and not running, self.world.state)
        self.check_end()

    def wait_for_providers(self) -> bool:
        """Time goes on to where a provider or the gates can be asked again that somebody waits for; whether there is one."""
        waiting = [d for d in plan(self.world.look(self.world.main)).decisions if d.cause.value == "cooling"]
        ends = [self.world.state.cooling[one.detail[0]] for one in waiting]
        save = self.world.state.save
        if save is not None and save.hold is Hold.ROOM:
            ends.append(save.starved_ms + 3_600_000)
        alone = (one for one in self.world.state.screenings.values() if one.tries and not one.verdicts)
        ends += [one.starved_ms + 3_600_000 for one in alone if one.tries[-1].starved]
        self.world.now_ms = max(self.world.now_ms, min(ends, default=0))
        return bool(ends)

    def make_fair(self) -> None:
        world = self.world
        world.unsettled.clear()
        world.draining, world.only, world.free_bytes, world.until_idle = False, None, 10**12, True
        world.config = replace(world.config, workspaces=None)
        world.dirty = world.dirty and self.one_in(3)
        walk_claims.let_go(self)
        while world.late:
            self.arrive_late()

    def is_wanted(self, run: Run) -> bool:
        """Whether a run would end by itself; an orphan goes on until somebody stops it."""
        task = self.world.task_of(run.order.id)
        return run.order.id.startswith("@") or (task is not None and task.status.value == "running")

    def finish(self, running: list[Run]) -> None:
        """One run ends as it deserves; a gate may be red by bad luck."""
        if not running:
            return
        run = self.pick(running)
        if run.stop_asked:
            self.world.end(run, Outcome.STOPPED, -15, "")
        elif run.order.collect:
            self.world.end(run, Outcome.EXITED, 0, run.order.id)
        else:
            self.world.end_gate(run, flaky=self.one_in(8), starved=self.one_in(12))

    def check_end(self) -> None:
        """Each task is finished, or somebody can say why it waits."""
        world, state = self.world, self.world.state
        held = state.save is not None and state.save.hold is not None
        demand("nothing to do is seen as nothing to do", is_idle(state, world.config), state)
        demand("a save stays open only for a dirty checkout", state.save is None or (held and world.dirty), state.save)
        decisions = {decision.task: decision for decision in plan(world.look(world.main)).decisions}
        for name, task in state.tasks.items():
            self.check_outcome(name, task.status.value, decisions[name].cause.value if name in decisions else "", held=held)
            if task.status.value == "landed":
                demand("landed work is on main", task.commit in world.commits[world.main].behind, task)
                demand("landed work has its checkpoint", task.commit in world.tags.values(), task)
        session_laws.check_waits(world, state)
        self.check_files()
        self.check_leavings(held=held)
        laws.check_history(world)

    def check_outcome(self, name: str, status: str, cause: str, *, held: bool) -> None:
        task = self.world.state.tasks[name]
        if status == "waiting":
            kept = held or session_laws.claims_held_for_people(self.world.state, self.world.config)
            waits = cause in ("blocked", "paused") or (kept and cause in ("claim", "resource", "ports", "needs", "after"))
            waits = waits or (cause in ("needs", "after") and self.waits_for_waiting(name))
            demand("a task that waits at the end is blocked", waits, task, cause)
        else:
            waits = session_laws.waits_for_person(self.world.state, self.world.config, task)
            demand("no task stays open", held or waits or status not in laws.OPEN, task)
        if status in ("failed", "held", "cancelled"):
            demand("an unhappy end has a reason", task.reason is not None, task)

    def waits_for_waiting(self, name: str) -> bool:
        """Whether a task waits for another that waits itself (and is explained on its own)."""
        spec = self.world.state.tasks[name].spec
        return any(self.world.state.tasks[other].status.value == "waiting" for other in spec.needs + spec.after)

    def check_files(self) -> None:
        """Each file became a task or is a problem."""
        world = self.world
        wrong = {problem.file for problem in world.state.problems}
        for path, file in world.files.items():
            task = world.state.tasks.get(file.spec.id)
            said = path in wrong or (task is not None and (task.digest == file.digest if not file.drop else False))
            said = said or file.spec.session in world.unclear - world.state.sessions.keys()
            open_still = task is not None and task.status.value in laws.OPEN
            demand("each file is a task or a problem", said or open_still, path, file)
        for name, task in world.state.tasks.items():
            if task.status.value == "waiting" and task.source is Source.FILE and task.rework is None:
                unclear = world.unclear - world.state.sessions.keys()
                mine = [(path, file) for path, file in world.files.items() if file.spec.id == name]
                there = any(path not in wrong or file.spec.session in unclear for path, file in mine)
                demand("a waiting task still has its file", there, task)

    def check_leavings(self, *, held: bool) -> None:
        """Nothing is left lying around but what cannot be given away."""
        world = self.world
        demand("no request is left", not world.intents)
        demand("no journal is left", held or not world.journals, world.journals)
        demand("nothing that was committed is held twice", held or not world.lives, world.lives)
        bases = {n for n in world.kept if world.state.tasks[n].status.value != "ready"}
        demand("no base is held for nothing", held or not bases, world.kept)
        for run in world.runs.values():
            left = (
                run.order.collect
                and run.returned is not None
                and not run.returned.ref
                and run.returned.entry is not Entry.UNCHANGED
            )
            demand("workspaces are cleared up", left or not run.workspace, run)
            if left:
                demand("work that could not be taken stays in its workspace", run.workspace, run)


FITTING = {
    Reason.CLAIM: (Answer.WIDEN, Answer.DROP),
    Reason.CONFLICT: (Answer.OURS, Answer.THEIRS, Answer.FILES, Answer.EARLIER, Answer.TASK),
}
"""What answers what is asked; now and then somebody says something else."""

STATUSES = (0, 0, 0, 401, 429, 429, 503)
"""What the provider of an agent that did not finish said last."""

ENDINGS = {
    7: (Outcome.EXITED, 1),
    8: (Outcome.TIMEOUT, 0),
    9: (Outcome.UNPREPARED, 0),
    10: (Outcome.STOPPED, 0),
    11: (Outcome.EXITED, 1),
}

MOVES: tuple[Callable[[Walk], None], ...] = (
    Walk.wait,
    Walk.write_file,
    Walk.write_file,
    Walk.write_file,
    Walk.end_run,
    Walk.end_run,
    Walk.end_run,
    Walk.end_run,
    Walk.lose_run,
    Walk.freeze_run,
    Walk.arrive_from_former_life,
    Walk.arrive_late,
    Walk.ask,
    Walk.ask,
    Walk.ask,
    Walk.ask_from_within,
    walk_claims.ask_for_more,
    walk_claims.ask_for_more,
    walk_claims.be_there,
    Walk.answer,
    Walk.answer,
    Walk.restore,
    Walk.commit_within,
    Walk.commit_within,
    write_session,
    ask_session,
    ask_session,
    Walk.push,
    Walk.let_stray,
    Walk.touch_checkout,
    Walk.remove_file,
    Walk.spoil_file,
    Walk.write_slowly,
    Walk.configure,
    Walk.wish,
    Walk.fill_up,
    Walk.restart,
)


def walk(dice: Dice, steps: int) -> World:
    """One walk from an empty repository to a drained queue. Raises Broken."""
    world = World()
    going = Walk(dice, world)
    world.salt = dice.roll(1000)
    world.config = replace(world.config, gates=going.pick((GATES, GATES[:1], (), (ALONE, *GATES[:1]), (ALONE,))))
    if going.one_in(2):
        write_session(going)
    for _ in range(steps):
        if going.one_in(2):
            going.turn()
        else:
            going.disturb()
    going.drain()
    answer(going)
    going.drain()
    if going.one_in(4):
        going.set_back()
    return world
