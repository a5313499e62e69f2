"""An honest world in memory around the pure core: it keeps what the ports promise, and it complains where the core asks
for something that would lose work, land an untested tree or start a thing twice.

A tree is a set of changes, a change is a word. Two changes may conflict, a change may be bad (gates turn red). Nothing
here is carried from one turn to the next but the stored state and the world itself.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import combinations

from gate_book import GateBook
from oracle import ACTIVE, OPEN

from orchd.adapters import codec
from orchd.core.gating import with_chain
from orchd.core.radar import live_tips
from orchd.core.watched import watched_runs
from orchd.model.action import (
    Action,
    AdmitResult,
    AdmitRework,
    DiscardWorkspace,
    ForgetIntent,
    ForgetSaves,
    KeepResults,
    LandSave,
    MergeSave,
    PlaceLine,
    PublishSave,
    ReleaseBase,
    ReleaseLives,
    RevokeRun,
    SalvageRun,
    SettleDrop,
    StartRun,
    StopRun,
    TakeLive,
    TellRun,
)
from orchd.model.agent import AgentsSeen, Report
from orchd.model.claim import Lease, PathSpec, Reservation
from orchd.model.config import Config
from orchd.model.limits import ROOM_BYTES
from orchd.model.machine import MachineSeen
from orchd.model.message import Event, GateRan
from orchd.model.problem import Problem
from orchd.model.run import AdmitOrder, CommandResult, Entry, Exit, Live, Outcome, Phase, Proposal, Returned, RunOrder, RunSeen
from orchd.model.save import Excluded, Hold, Merged, Save, SaveItem, SaveStep, Target
from orchd.model.session import Session, SessionFileSeen, SessionsSeen
from orchd.model.snapshot import (
    ChainSeen,
    Conflict,
    FileSeen,
    FilesSeen,
    GatesSeen,
    Intent,
    Meetings,
    SaveSeen,
    Snapshot,
    State,
)
from orchd.model.work import Answer, Reason, Rework, StepMade, Task, TaskSpec

AGENTS = AgentsSeen(programs=("one", "two"), installed=("one",))


def propose(order: RunOrder) -> tuple[Proposal, ...]:
    """Every third run proposes two tasks, of which one is too many."""
    name, claims = order.id.replace(".", "-"), (PathSpec("b"),)
    two = (
        TaskSpec(f"{end}-{name}", "t", "" if order.job else "r", claims=claims, goal="g" if order.job else "") for end in "pq"
    )
    return tuple(Proposal(spec.id, spec, "d") for spec in two) if zlib.crc32(name.encode()) % 3 == 0 else ()


class Broken(AssertionError):
    """The core broke a promise."""


def demand(promise: str, kept: object, *about: object) -> None:
    """Stop the walk when a promise is not kept."""
    if not kept:
        raise Broken(f"{promise}: {about}")


@dataclass(frozen=True)
class Commit:
    """A commit: everything that leads to it, and its tree as a set of changes."""

    behind: frozenset[str]
    tree: frozenset[str]


def ended_well(ended: Exit) -> bool:
    """By itself, with 0, and saying so where it is an agent."""
    by_itself = ended.outcome is Outcome.EXITED and bool(ended.results) and all(one.code == 0 for one in ended.results)
    return by_itself and (ended.report is None or ended.report.finished)


@dataclass
class Run:
    """A supervised command and what it left."""

    order: RunOrder
    phase: Phase = Phase.RUNNING
    exit: Exit | None = None
    returned: Returned | None = None
    workspace: bool = True
    work: str = ""
    verdict: Entry = Entry.ACCEPTED
    takeable: bool = True
    stop_asked: bool = False
    silent_seconds: float = 0.0
    was_silent: bool = False
    told: dict[str, str] = field(default_factory=dict)
    asked: dict[str, tuple[str, ...]] = field(default_factory=dict)
    misasked: dict[str, str] = field(default_factory=dict)
    live: Live | None = None
    steps: tuple[StepMade, ...] = ()

    @property
    def seen(self) -> RunSeen:
        if self.phase is not Phase.RUNNING:
            parts = {name: lines for name, lines in self.asked.items() if name == "parts"} if self.phase is Phase.ENDED else {}
            live = None if self.returned else self.live
            return RunSeen(self.phase, self.exit, self.returned, asked=parts, live=live, proposals=propose(self.order))
        said = {"told": dict(self.told), "asked": dict(self.asked), "misasked": dict(self.misasked)}
        return RunSeen(self.phase, **said, live=self.live, silent_seconds=self.silent_seconds)


@dataclass
class World:
    """Everything outside the core, with the stored state."""

    config: Config = field(default_factory=lambda: Config(parallel=2, ports=(1, 4), proposals=1))
    state: State = field(default_factory=State)
    log: list[Event] = field(default_factory=list)
    now_ms: int = 1_000_000
    main: str = "root"
    commits: dict[str, Commit] = field(default_factory=lambda: {"root": Commit(frozenset({"root"}), frozenset())})
    first_parents: dict[str, str] = field(default_factory=dict)
    files: dict[str, FileSeen] = field(default_factory=dict)
    wrong: dict[str, Problem] = field(default_factory=dict)
    unsettled: set[str] = field(default_factory=set)
    intents: list[Intent] = field(default_factory=list)
    runs: dict[str, Run] = field(default_factory=dict)
    late: list[RunOrder] = field(default_factory=list)
    branches: dict[str, str] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    lives: dict[str, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    journals: dict[str, tuple[frozenset[str], ChainSeen]] = field(default_factory=dict)
    offered: set[str] = field(default_factory=set)
    published: set[str] = field(default_factory=set)
    tags: dict[int, str] = field(default_factory=dict)
    landed: set[tuple[str, int]] = field(default_factory=set)
    strays: set[str] = field(default_factory=set)
    refused: dict[str, tuple[Excluded, ...]] = field(default_factory=dict)
    book: GateBook = field(default_factory=GateBook)
    bad: set[str] = field(default_factory=set)
    sessions: dict[str, SessionFileSeen] = field(default_factory=dict)
    unclear: set[str] = field(default_factory=set)
    reworked: set[str] = field(default_factory=set)
    salt: int = 0
    conflicts_in: int = 8
    dirty: bool = False
    blind: bool = False
    draining: bool = False
    until_idle: bool = False
    only: frozenset[str] | None = None
    free_bytes: int = 10**12
    reservations: dict[str, Reservation] = field(default_factory=dict)
    busy_ports: set[int] = field(default_factory=set)

    # -- looking -------------------------------------------------------------------------------------------------

    def look(self, main: str) -> Snapshot:
        """What `engine.observe` would see; `main` was read a moment before the rest."""
        seen = {run: self.runs[run].seen for run in watched_runs(self.state) if run in self.runs}
        save = self.look_save(self.state.save, main) if self.state.save else None
        return Snapshot(
            now_ms=self.now_ms,
            state=self.state,
            config=self.config,
            main=main,
            files=self.look_files(),
            intents=tuple(self.intents),
            runs=seen,
            save=save,
            gates=self.book.look(with_chain(self.state.save, save.chain)) if self.state.save and save else GatesSeen(),
            leftovers={id_: run.seen for id_, run in self.runs.items() if run.workspace},
            journals=frozenset(self.journals),
            kept=frozenset(self.kept),
            lives=frozenset(self.lives),
            meetings=self.look_meetings(main, live_tips(self.state, seen).values()),
            draining=self.draining,
            only=self.only,
            until_idle=self.until_idle,
            machine=self.look_machine(),
            reservations=tuple(self.reservations[name] for name in sorted(self.reservations)),
            busy_ports=frozenset(self.busy_ports),
            sessions=SessionsSeen(tuple(self.sessions[name] for name in sorted(self.sessions)), frozenset(self.unclear)),
            agents=AGENTS,
            gone=frozenset(n for n, t in self.state.tasks.items() if self.is_gone(t, main)),
            screenings={task: self.book.look(self.name_trees(one)) for task, one in self.state.screenings.items()},
            lines={name: tip for name in self.state.sessions if (tip := self.branches.get(integration(name)))},
        )

    def is_gone(self, task: Task, main: str) -> bool:
        """Whether a task landed, and has not begun again, and main does not contain that."""
        unbegun = task.checkpoint and task.status.value in ("waiting", "withdrawn", "cancelled")
        return bool(unbegun or task.status.value == "landed") and task.commit not in self.commits[main].behind

    def look_machine(self) -> MachineSeen:
        """A machine that has plenty, or almost nothing."""
        there = frozenset(id_ for id_, run in self.runs.items() if run.workspace)
        return MachineSeen(self.free_bytes, self.free_bytes, there, len(there))

    def look_meetings(self, main: str, tips: Iterable[str]) -> Meetings:
        """Which pairs do not merge: somewhere a change of one side meets one of the other that it does not have itself."""
        if self.blind:
            return {}
        pairs = combinations(sorted({main, *tips}), 2)
        return {pair: paths for pair in pairs if (paths := self.clashes(*pair))}

    def clashes(self, one: str, other: str) -> tuple[str, ...]:
        """The changes that stand against merging two commits."""
        mine, theirs = self.commits[one].tree, self.commits[other].tree
        return tuple(sorted(m for m in mine - theirs for t in theirs - mine if self.is_conflict(m, t)))

    def look_files(self) -> FilesSeen:
        """Bad and unsettled files are not good; a bad file of the inbox can be moved away."""
        good = [f for path, f in sorted(self.files.items()) if path not in self.wrong and f.spec.id not in self.unsettled]
        drops = {self.files[p].drop: (problem,) for p, problem in self.wrong.items() if self.files[p].drop}
        return FilesSeen(tuple(good), tuple(sorted(self.wrong.values())), frozenset(self.unsettled), drops)

    def look_save(self, save: Save, main: str) -> SaveSeen:
        """The evidence of the save in flight."""
        sealed = f"land:{save.id}"
        return SaveSeen(
            save.id,
            self.journals[save.id][1] if save.id in self.journals else None,
            sealed if sealed in self.commits[main].behind else "",
            Hold.DIRTY if self.dirty and save.step is SaveStep.GATED else None,
            ("edited",) if self.dirty and save.step is SaveStep.GATED else (),
            save.id in self.offered,
            save.id in self.published,
            refused=self.refused.get(save.id, ()) if save.step is SaveStep.GATED and main == save.base else (),
        )

    def reachable(self, commit: str) -> bool:
        """Whether a ref leads to a commit."""
        roots = {self.main, *self.branches.values(), *self.kept.values(), *self.lives.values()}
        roots |= {tip for pinned, _ in self.journals.values() for tip in pinned}
        return any(commit in self.commits[root].behind for root in roots)

    # -- storing -------------------------------------------------------------------------------------------------

    def store(self, state: State, events: Iterable[Event]) -> None:
        """One compare-and-swap that went through."""
        for event in events:
            alone = [one for one in state.screenings.values() if isinstance(event, GateRan) and one.id == event.save]
            if alone and isinstance(event, GateRan):
                self.book.check_verdict(self.name_trees(alone[0]), event.verdict)
            elif isinstance(event, GateRan) and self.state.save is not None and self.state.save.id == event.save:
                save = state.save if state.save and state.save.id == event.save else self.state.save
                if event.verdict.index <= len(save.chain):
                    self.book.check_verdict(save, event.verdict)
        self.state = state
        self.log += events

    def name_trees(self, save: Save) -> Save:
        """With the tree of its link, where a task is judged by itself: the core does not know it."""
        links = (replace(link, tree=link.tree or tree_name(self.commits[link.head].tree)) for link in save.chain)
        return replace(save, base_tree=save.base_tree or "?", chain=tuple(links))

    def restart(self) -> None:
        """Forget everything in memory: what goes on is what was written."""
        state = self.state
        self.state = replace(
            state,
            tasks={name: again(Task, task) for name, task in state.tasks.items()},
            leases={name: again(Lease, lease) for name, lease in state.leases.items()},
            save=again(Save, state.save) if state.save else None,
            screenings={name: again(Save, one) for name, one in state.screenings.items()},
            problems=tuple(again(Problem, problem) for problem in state.problems),
            conflicts=tuple(again(Conflict, found) for found in state.conflicts),
            sessions={name: again(Session, session) for name, session in state.sessions.items()},
        )
        demand("a state survives being written and read", self.state == state)

    # -- the ports -----------------------------------------------------------------------------------------------

    def do(self, action: Action) -> None:
        """Carry out an action as the ports promise."""
        PORTS[type(action)](self, action)

    def commit(self, oid: str, parents: Iterable[str], tree: frozenset[str]) -> str:
        """Make a commit; the same one again is the same object."""
        above = tuple(parents)
        self.first_parents.setdefault(oid, above[0])
        made = Commit(frozenset({oid}).union(*(self.commits[parent].behind for parent in above)), tree)
        demand("the same name is the same object", self.commits.setdefault(oid, made) == made, oid)
        return oid

    def start(self, action: StartRun) -> None:
        """Hold the base and start, unless it was ever started."""
        order = action.order
        if action.keep:
            self.kept[action.keep] = order.commit
        self.begin_run(order)

    def begin_run(self, order: RunOrder) -> None:
        """The supervisor writes its mark; the second one finds it there."""
        demand("a run starts from a commit that exists", order.commit in self.commits, order)
        task = self.task_of(order.id) if not order.id.startswith("@") else None
        commands = order.commands if task and task.status.value == "running" else ()
        demand("a goal is the job of an agent, and a command is none", all(bool(one.job) != bool(one.run) for one in commands))
        known = self.runs.setdefault(order.id, Run(order))
        gated = [*([self.state.save] if self.state.save else []), *self.state.screenings.values()]
        for save in (one for one in gated if order.id.startswith(f"@{one.id}.")):
            gates = [gate.name for gate in save.gates]
            names = [command.name for command in order.commands]
            demand("gates are run, in their order", names and names == [gate for gate in gates if gate in names], order)
        same = known.order == order or order.id.startswith("@")
        demand("a run id is used for one order only", same, known.order, order)

    def stop(self, action: StopRun) -> None:
        """Ask politely; the run ends some time later."""
        task = self.task_of(action.run)
        demand("a wanted run is not stopped", task is None or task.status.value != "running", action)
        if self.runs[action.run].phase is Phase.RUNNING:
            self.runs[action.run].stop_asked = True

    def tell(self, action: TellRun) -> None:
        """A note, which may come too late."""
        task = self.task_of(action.run)
        demand("only the present attempt of an active task is told", task and task.status.value in ACTIVE, action)
        self.runs[action.run].told[action.name] = action.text

    def salvage(self, action: SalvageRun) -> None:
        """Collect what a lost run wrote."""
        run = self.runs[action.run]
        if run.phase is Phase.LOST:
            run.phase, run.exit = Phase.ENDED, Exit(Outcome.LOST, tip=self.collect(run), fence=run.order.fence)

    def revoke(self, action: RevokeRun) -> None:
        """Kill what gave no heartbeat and collect what it wrote; it may have come to life and ended meanwhile."""
        run = self.runs[action.run]
        demand("only what was silent too long is revoked", run.was_silent, action)
        if run.phase in (Phase.RUNNING, Phase.LOST):
            run.phase, run.silent_seconds = Phase.ENDED, 0.0
            run.exit = Exit(Outcome.LOST, tip=self.collect(run), fence=run.order.fence)

    def collect(self, run: Run) -> str:
        """The commit of what a run changed, or nothing."""
        head = run.steps[-1].commit if run.steps else run.order.commit
        base = self.commits[head].tree
        if not run.order.collect or not run.work or run.work in base:
            return head if head != run.order.commit else ""
        return self.commit(f"tip:{run.order.id}", [head], base | {run.work})

    def make_steps(self, run: Run, ended: int) -> None:
        """The first commands end well, one after the other; the first of them changes something."""
        head = run.order.commit
        for at, command in enumerate(run.order.commands[:ended]):
            if at == 0:
                head = self.commit(f"step:{run.order.id}", [head], self.commits[head].tree | {f"{run.order.id}:{command.name}"})
            run.steps = (*run.steps, StepMade(command.name, head))

    def admit(self, action: AdmitResult) -> None:
        """The airlock: judge once, keep what was not accepted."""
        order, run = action.order, self.runs[action.order.run]
        demand("only an ended run is judged", run.exit is not None, action)
        if run.returned is None and run.exit is not None:
            self.check_order(order, run, run.exit)
            judged = self.refuse_late(order, self.judge(order, run, run.exit.tip or order.start))
            steps = run.exit.steps if judged.ref else ()
            run.returned = replace(self.keep_live(order, run, judged), steps=steps)

    def rework(self, action: AdmitRework) -> None:
        """The airlock judges a held result again; what is put back is another commit on the base."""
        order, again, task = action.order, action.rework, self.task_of(action.order.run)
        demand("an answer is about work that is still reachable", self.reachable(again.tip), action)
        demand("work is judged against its base", order.base == again.base or not again.base, action)
        demand("work is judged against its claim", order.claims == self.state.leases[order.task].paths, order)
        if order.accept:
            demand("accepted work has a task that wants it", task is not None and task.status.value == "running", order)
            demand("it is the answer that was given", task is not None and task.rework == again, action)
        run = self.runs.setdefault(order.run, Run(RunOrder(order.run, order.base, (), False), Phase.ABSENT, workspace=False))
        if run.returned is not None:
            return
        if again.answer is Answer.RESTORE:
            self.bring_back(run, order, again)
            return
        self.strays.discard(again.tip)
        base, chance = self.commits[again.base], zlib.crc32(order.run.encode()) % 4
        tip = again.tip
        if order.accept and again.answer is Answer.DROP:
            rest = self.commits[again.tip].tree if chance else base.tree
            tip = self.commit(f"drop:{order.run}", [again.base], rest)
        elif order.accept and again.answer is not Answer.WIDEN:
            tip = self.settle_conflict(order, again)
        run.verdict = Entry.REFUSED if chance == 3 and again.answer is not Answer.DROP else Entry.ACCEPTED
        nothing = bool(tip) and self.commits[tip].tree == base.tree
        run.phase = Phase.ENDED
        run.exit = Exit(Outcome.EXITED, (CommandResult("answer", 0, 0.0),), again.tip if nothing else tip, fence=order.fence)
        if not tip:
            run.exit = replace(run.exit, tip=again.tip)
            kept = self.put_away(order.task, again.tip)
            gone = again.begun not in base.behind
            reason = Reason.BASE if gone else Reason.CONFLICT
            run.returned = Returned(Entry.REFUSED, again.tip, kept, reason, ("base gone" if gone else "still open",))
        elif nothing:
            run.returned = Returned(Entry.UNCHANGED, again.tip, self.put_away(order.task, again.tip))
        else:
            run.returned = self.judge(order, run, tip)

    def bring_back(self, run: Run, order: AdmitOrder, again: Rework) -> None:
        """A tree of main's history becomes a commit on the base."""
        run.phase, run.verdict, tree = Phase.ENDED, Entry.ACCEPTED, self.commits[again.tip].tree
        run.exit = Exit(Outcome.EXITED, (CommandResult("answer", 0, 0.0),), again.tip, fence=order.fence)
        if order.accept and again.tip not in self.commits[order.base].behind:
            run.returned = Returned(Entry.REFUSED, reason=Reason.POLICY, detail=("it was never there",))
        elif order.accept and tree != self.commits[order.base].tree:
            tip = self.commit(f"restore:{order.run}", [order.base], tree)
            run.exit = replace(run.exit, tip=tip)
            run.returned = self.judge(order, run, tip)
        else:
            run.returned = Returned(Entry.UNCHANGED)

    def settle_conflict(self, order: AdmitOrder, again: Rework) -> str:
        """The result merged with what had landed, and a word for what the person decided; nothing where that is not to be."""
        base, made = self.commits[again.base], self.commits[again.tip]
        if again.begun not in base.behind or (again.answer is Answer.FILES and zlib.crc32(order.run.encode()) % 3 == 0):
            return ""
        clear = {mine for mine in made.tree if not any(self.is_conflict(mine, other) for other in base.tree - made.tree)}
        word = {f"settled:{order.run}"} if again.answer is not Answer.OURS else set()
        return self.commit(f"settle:{order.run}", [again.base, again.tip], base.tree | clear | word)

    def check_order(self, order: AdmitOrder, run: Run, ended: Exit) -> None:
        """Work is accepted only from a run that its task wants and that ended well, against its own base and claims."""
        if not order.accept:
            return
        task = self.task_of(order.run)
        demand("accepted work has a task that wants it", task is not None and task.status.value == "running", order)
        well = ended_well(ended)
        demand("accepted work comes from a run that ended well", well, order, ended)
        lease = self.state.leases[order.task]
        demand("accepted work has a lease that stands", order.fence == lease.fence and not lease.expired_ms, order, lease)
        demand("work is judged against its base", (order.start or order.base) == run.order.commit, order)
        demand("a later attempt goes on from its base", order.base in self.commits[run.order.commit].behind, order)
        demand("work is judged against its claim", order.claims == lease.paths, order)
        demand("work is judged against its evidence", task is None or order.evidence == task.spec.evidence, order)

    def refuse_late(self, order: AdmitOrder, judged: Returned) -> Returned:
        """What was made under another lease is refused, whatever it is."""
        if not self.is_late(order):
            return judged
        return replace(judged, entry=Entry.REFUSED, reason=Reason.FENCED)

    def is_late(self, order: AdmitOrder) -> bool:
        """Whether work that is to be accepted has another fence than its order."""
        left = self.runs[order.run].exit
        return order.accept and left is not None and left.fence != order.fence

    def judge(self, order: AdmitOrder, run: Run, tip: str) -> Returned:
        """The verdict of the airlock."""
        missing = order.accept and len(order.evidence) > 1
        if not tip:
            return Returned(Entry.UNCHANGED, reason=Reason.EVIDENCE if missing else None)
        if not run.takeable:
            return Returned(Entry.KEPT if not order.accept else Entry.REFUSED, reason=Reason.POLICY, detail=("too large",))
        if not order.accept or self.is_late(order):
            return Returned(Entry.KEPT, tip, self.put_away(order.task, tip))
        if missing:
            return Returned(Entry.REFUSED, tip, self.put_away(order.task, tip), Reason.EVIDENCE, ("not there",))
        if run.verdict is not Entry.ACCEPTED:
            return Returned(Entry.REFUSED, tip, self.put_away(order.task, tip), Reason.CLAIM, ("outside",))
        branch = f"session/{order.session}/task/{order.task}"
        old = self.branches.get(branch)
        if old is not None and old not in self.commits[self.main].behind:
            self.put_away(order.task, old)
        self.branches[branch] = tip
        return Returned(Entry.ACCEPTED, tip, branch)

    def keep_live(self, order: AdmitOrder, run: Run, returned: Returned) -> Returned:
        """What it had committed and its result does not hold goes to the attic."""
        demand("live commits are taken before the result is judged", not (run.live and run.live.fresh), order)
        if run.live is None or (returned.tip and run.live.tip in self.commits[returned.tip].behind):
            return returned
        ref = self.put_away(order.task, run.live.tip)
        nothing = returned.entry is Entry.UNCHANGED and not returned.ref
        return replace(returned, tip=run.live.tip, ref=ref) if nothing else returned

    def put_away(self, task: str, tip: str) -> str:
        """A ref of the attic."""
        ref = f"attic/{task}/{sum(name.startswith(f'attic/{task}/') for name in self.branches) + 1}"
        self.branches[ref] = tip
        return ref

    def discard(self, action: DiscardWorkspace) -> None:
        """Remove a workspace, if nothing is lost by it."""
        run = self.runs[action.run]
        demand("no living workspace is discarded", run.phase is Phase.ENDED, action)
        tip = run.exit.tip if run.exit else ""
        demand("no workspace is discarded whose work is not reachable", not tip or self.reachable(tip), action)
        run.workspace = False

    def take_live(self, action: TakeLive) -> None:
        """Look at what a run has committed last, and hold it."""
        order, run = action.order, self.runs[action.order.run]
        demand("live commits are taken before the result is judged", run.returned is None, action)
        if run.live and run.live.fresh:
            self.taken.discard(run.live.tip)
            run.live = Live(run.live.fresh)
            self.lives[order.run] = run.live.tip
            self.taken.add(run.live.tip)

    def release_lives(self, action: ReleaseLives) -> None:
        """Let go; the result or the attic holds it."""
        for run in action.runs:
            task = self.task_of(run)
            demand("what a running task committed is held", not task or task.status.value not in ACTIVE, action)
            tip = self.lives.pop(run, "root")
            if not self.reachable(tip):
                self.put_away(run.split(".")[0], tip)

    def merge(self, action: MergeSave) -> None:
        """Pin base and tips, build the chain."""
        save = action.save
        sessions = {self.state.tasks[item.task].spec.session for item in save.items}
        demand("a save is one session's", sessions == {save.session}, save)
        head, chain, out = save.base, list[Merged](), list[Excluded]()
        before = save.start
        for item in save.items:
            begun = save.start or item.base
            if begun not in self.commits[save.base].behind:
                out.append(Excluded(item, Reason.BASE, ("its base is gone",)))
            if out and save.start:
                break
            if out and out[-1].item is item:
                continue
            tree, made = self.commits[head].tree, self.commits[item.tip].tree
            old = self.commits[before if save.start else item.base].tree
            fresh, before = made - old - tree, item.tip
            if any(self.is_conflict(mine, other) for mine in fresh for other in tree - self.commits[item.tip].tree):
                reason = (Reason.CONFLICT, Reason.PROOF)[zlib.crc32(f"{save.id}{item.tip}".encode()) % 2]
                out.append(Excluded(item, reason, (item.task,)))
                if save.start:
                    break
                continue
            head = self.commit(f"merge:{save.id}:{len(chain) + 1}", [head, item.tip], (tree - (old - made)) | (made - old))
            chain.append(Merged(item, head, tree_name(self.commits[head].tree)))
        pinned = frozenset({save.base, *(item.tip for item in save.items)} | {link.head for link in chain})
        seen = ChainSeen(tree_name(self.commits[save.base].tree), tuple(chain), tuple(out))
        self.journals[save.id] = (pinned, seen)

    def is_conflict(self, one: str, other: str) -> bool:
        """Whether two changes cannot be merged; always the same answer for the same pair."""
        pair = "|".join(sorted((one, other)))
        return zlib.crc32(f"{self.salt}{pair}".encode()) % self.conflicts_in == 0

    def land(self, action: LandSave) -> None:
        """Seal and move main from the base by compare-and-swap, with a clean checkout."""
        save = action.save
        demand("only a gated save lands", save.step is SaveStep.GATED and save.lands > 0, save)
        demand("what goes to a line does not touch main", save.target is Target.MAIN, save)
        if self.main != save.base:
            return
        links = [link for link in save.chain[: save.lands] if link.item.tip in self.strays]
        self.refused[save.id] = tuple(Excluded(link.item, Reason.CLAIM, ("outside",)) for link in links)
        if links:
            return
        if self.dirty:
            self.offered.add(save.id)
            return
        head = self.commits[save.chain[save.lands - 1].head]
        self.check_landing(save, head)
        self.main = self.commit(f"land:{save.id}", [save.base, save.chain[save.lands - 1].head], head.tree)

    def check_landing(self, save: Save, head: Commit) -> None:
        """The very tree was gated green, each item is the work its task speaks for, and it lands for the first time."""
        demand("what lands was gated green as a whole", self.book.is_green(tree_name(head.tree), save.gates), save)
        base = self.commits[save.base]
        demand("main gets no redundant commit", head.tree != base.tree, save)
        for link in save.chain[: save.lands]:
            item, token = link.item, (link.item.task, link.item.generation)
            demand("a task lands once per generation", token not in self.landed, token)
            demand("what lands is what its task speaks for", self.speaks_for(item), item)
            demand("what the last proofs refuse does not land", item.tip not in self.strays, item)
            self.landed.add(token)

    def speaks_for(self, item: SaveItem) -> bool:
        """Whether the state still stands by this very work."""
        task = self.state.tasks[item.task]
        work = task.commit if self.state.save and self.state.save.start else task.tip
        now = (task.generation, task.attempt, work, task.status.value, self.state.leases[item.task].fence)
        return now == (item.generation, item.attempt, item.tip, "saving", item.fence)

    def publish(self, action: PublishSave) -> None:
        """The tag; create-only. For a line: its branch, once the very tree was gated green."""
        save = action.save
        if save.target is Target.LINE:
            head = save.chain[save.lands - 1].head
            gated = self.book.is_green(tree_name(self.commits[head].tree), save.gates)
            demand("what is integrated was gated green as a whole", gated and save.step is SaveStep.GATED, save)
            self.place(save.session, head)
            self.published.add(save.id)
            return
        demand("what is published has landed", save.commit in self.commits[self.main].behind, save)
        demand("a number is used once", self.tags.setdefault(save.number, save.commit) == save.commit, save)
        self.published.add(save.id)

    def place_line(self, action: PlaceLine) -> None:
        """Take the integration branch to where it belongs."""
        self.place(action.session, action.tip)

    def place(self, session: str, tip: str) -> None:
        """What the branch loses goes to the attic."""
        demand("a line is made of commits that exist", tip in self.commits, tip)
        old = self.branches.get(integration(session))
        if old is not None and old not in self.commits[tip].behind:
            self.put_away(f"@{session}", old)
        self.branches[integration(session)] = tip

    def forget(self, action: ForgetSaves) -> None:
        """Delete journals that nobody needs."""
        demand("the journal of the save in flight stays", not self.state.save or self.state.save.id not in action.saves, action)
        for save in action.saves:
            self.journals.pop(save, None)
            self.offered.discard(save)

    def release(self, action: ReleaseBase) -> None:
        """Delete keep refs of tasks that are not open."""
        for task in action.tasks:
            demand("the base of an open task is held", self.state.tasks[task].status.value not in OPEN - {"integrated"}, task)
            self.kept.pop(task, None)

    def settle(self, action: SettleDrop) -> None:
        """Move a file out of the inbox, if it is still this very file."""
        taken = any(getattr(event, "drop", None) == action.drop for event in self.log)
        demand("a drop is moved away only after it was recorded or found bad", taken or action.problems, action)
        for path in [path for path, file in self.files.items() if file.drop == action.drop]:
            del self.files[path]
            self.wrong.pop(path, None)

    def forget_intent(self, action: ForgetIntent) -> None:
        """Remove a request."""
        self.intents = [intent for intent in self.intents if intent.id != action.intent]

    def task_of(self, run: str) -> Task | None:
        """The task whose present attempt a run is."""
        name, generation, attempt = run.rsplit(".", 2)
        task = self.state.tasks.get(name)
        return task if task and (task.generation, task.attempt) == (int(generation), int(attempt)) else None

    # -- what happens by itself ----------------------------------------------------------------------------------

    def end(self, run: Run, outcome: Outcome, code: int, work: str) -> None:
        """A run ends by itself (or because it was asked to)."""
        run.work = work
        if run.order.collect:
            well = outcome is Outcome.EXITED and code == 0
            last = len(run.order.commands) - 1 if well else zlib.crc32(run.order.id.encode()) % len(run.order.commands)
            name = run.order.commands[last].name
            results = () if outcome is Outcome.UNPREPARED else (CommandResult(name, code, 1.0, outcome is Outcome.TIMEOUT),)
            self.make_steps(run, last if results else 0)
        else:
            ran = run.order.commands[:1] if code else run.order.commands
            results = tuple(CommandResult(command.name, code, 1.0) for command in ran)
        run.phase = Phase.ENDED
        tip = self.collect(run) if outcome is not Outcome.UNPREPARED else ""
        agents = {command.name for command in run.order.commands if command.job}
        said = not results or results[-1].name in agents
        report = Report(finished=outcome is Outcome.EXITED and code == 0) if run.order.job and said else None
        run.exit = Exit(outcome, results, tip, fence=run.order.fence, report=report, steps=run.steps)

    def end_gate(self, run: Run, *, flaky: bool, starved: bool = False) -> None:
        """The gates judge a tree: red when it contains a bad change (or by bad luck, or without room)."""
        tree = self.commits[run.order.commit].tree
        red = flaky or starved or not tree.isdisjoint(self.bad)
        self.end(run, Outcome.EXITED, int(red), "")
        if run.exit is not None:
            run.exit = replace(run.exit, starved=starved or self.free_bytes < ROOM_BYTES)
            self.book.hear(tree_name(tree), run.exit)

    def drop(self, name: str, file: FileSeen) -> None:
        """A person writes a file (over what was there)."""
        self.files[name] = file
        self.wrong.pop(name, None)

    def push(self, change: str) -> None:
        """Somebody else moves main."""
        self.main = self.commit(f"push:{len(self.commits)}", [self.main], self.commits[self.main].tree | {change})


def integration(session: str) -> str:
    """The branch of a session's line."""
    return f"session/{session}/integration"


def again(cls: type, value: object) -> object:
    """Through the written form and back."""
    return codec.decode(cls, codec.encode(value))


def tree_name(tree: frozenset[str]) -> str:
    """The id of a tree."""
    return "tree:" + ",".join(sorted(tree))


PORTS = {
    StartRun: World.start,
    StopRun: World.stop,
    TellRun: World.tell,
    SalvageRun: World.salvage,
    RevokeRun: World.revoke,
    AdmitResult: World.admit,
    AdmitRework: World.rework,
    DiscardWorkspace: World.discard,
    MergeSave: World.merge,
    KeepResults: lambda world, action: world.book.keep(world.name_trees(action.save)),
    LandSave: World.land,
    PublishSave: World.publish,
    PlaceLine: World.place_line,
    ForgetSaves: World.forget,
    ReleaseBase: World.release,
    ReleaseLives: World.release_lives,
    TakeLive: World.take_live,
    SettleDrop: World.settle,
    ForgetIntent: World.forget_intent,
}
