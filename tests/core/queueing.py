"""Rules of the arbiter, each checked against a dumb second opinion: constants are spelled again, chains are walked by
recursion, and the order between sessions is found by comparing all heads at every step.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import takewhile

import oracle
import rules
import session_laws
from world import demand

from orchd.core import arbiter
from orchd.core.claims import find_clash
from orchd.core.desk import Room
from orchd.core.held import Claims, HeldClaims
from orchd.model.claim import Lease, PathSpec
from orchd.model.config import Config, Slots
from orchd.model.machine import MachineSeen
from orchd.model.save import Hold
from orchd.model.session import Session, SessionSpec
from orchd.model.snapshot import Decision, State
from orchd.model.work import Source, Status, Task, TaskSpec

POINT_MS, LINK_MS, LINKS, PATIENCE_MS = 300_000, 60_000, 60, 3_600_000
NOT_IN_LINE = {
    "not-asked",
    "elsewhere",
    "blocked",
    "gone",
    "needs",
    "after",
    "paused",
    "draining",
    "reserved",
    "numbers-refused",
    "cooling",
}

PLAIN = Config()

GETS = {"none", "numbers"}
"""Who starts, and who will as soon as a number is there."""

OVERTAKEN = {"slots", "workspaces"}
"""What is used up by others although one's place is kept."""


def holding(tasks: Mapping[str, Task]) -> State:
    """A state in which open tasks hold their claims."""
    leases = {n: Lease(n, "", 1, t.spec.claims, 0) for n, t in tasks.items() if t.status.value in oracle.OPEN}
    return State(tasks=tasks, leases=leases)


def check_arbiter(tasks: Sequence[Task], parallel: int, seed_order: Sequence[int], now_ms: int = 0) -> None:
    """Same answer in any order of the mapping; everybody in their turn; nobody barges; slots are used."""
    state, room = holding({task.spec.id: task for task in tasks}), Room(Config(parallel=parallel), now_ms)
    decisions = arbiter.decide(state, room)
    shuffled = {tasks[at].spec.id: tasks[at] for at in seed_order}
    again = arbiter.decide(holding(shuffled), room)
    demand("the order of a mapping decides nothing", decisions == again, decisions, again)
    starts = [d.task for d in decisions if d.cause.value == "none"]
    active = sum(task.status.value in oracle.ACTIVE for task in tasks)
    demand("slots are never exceeded", not starts or len(starts) + active <= parallel, starts)
    check_line(state, decisions, now_ms)
    check_barging(state, decisions, now_ms, {})
    check_room(state, decisions, active, parallel)


def check_held(holders: Sequence[Claims], asked: Sequence[Claims], at_once: int) -> None:
    """The index says what asking every holder in turn says, also when holders come in between."""
    index, naive = HeldClaims(), list[tuple[str, Claims]]()
    for at, held in enumerate(holders):
        index.add(f"t{at}", held)
        naive.append((f"t{at}", held))
        if at % at_once == 0:
            for claims in asked:
                check_first(index, naive, claims, f"t{at // 2}")


def check_first(index: HeldClaims, naive: Sequence[tuple[str, Claims]], claims: Claims, asker: str) -> None:
    """The first holder that is met, not counting who asks."""
    for name in ("", asker):
        clashes = ((owner, find_clash(claims, held)) for owner, held in naive if owner != name)
        first = next(((owner, *clash) for owner, clash in clashes if clash), None)
        said = index.find(name, claims)
        demand("the index finds the first holder", (said and (said.owner, said.mine, said.theirs)) == first, said, first)


def check_kept_slot() -> None:
    """The slot of a group is kept for the task that nobody may pass, though a claim holds it; slots of all are not."""
    claims = {
        "runs": ("a/x", ""),
        "elder": ("a/**", "slow"),
        "inside": ("a/y", ""),
        "same": ("b", "slow"),
        "other": ("c", ""),
        "last": ("d", ""),
    }
    specs = [TaskSpec(n, "t", "r", claims=(PathSpec(glob),), group=group) for n, (glob, group) in claims.items()]
    statuses = (Status.RUNNING, *(Status.WAITING,) * 5)
    made = zip(specs, statuses, range(6), strict=True)
    tasks = {spec.id: Task(spec, status, "1", Source.FILE, at, at) for spec, status, at in made}
    config = Config(parallel=3, groups=(Slots("slow", 1),))
    room = Room(config, PATIENCE_MS + 10)
    said = {d.task: (d.cause.value, d.others) for d in arbiter.decide(holding(tasks), room)}
    none = ("none", ())
    kept = {"elder": ("claim", ("runs",)), "inside": ("claim", ("elder",)), "same": ("group", ("elder",))}
    expected = {**kept, "other": none, "last": none}
    demand("a slot is kept for who is next", said == expected, said)
    held = replace(holding(tasks), save=replace(rules.a_save(1), hold=Hold.DIRTY))
    causes = {d.task: d.cause.value for d in arbiter.decide(held, room)}
    demand("nothing is kept while landing waits for a person", causes["same"] == "none", causes)


def check_no_place_for_who_waits_for_a_person() -> None:
    """What a paused session holds may be held for days: whoever waits for it keeps nothing from others meanwhile."""
    specs = [
        TaskSpec("ready", "t", "r", "paused", claims=(PathSpec("a"),), resources=("db",), ports=1),
        TaskSpec("elder", "t", "r", claims=(PathSpec("b"),), resources=("db",), group="slow"),
        TaskSpec("same", "t", "r", claims=(PathSpec("c"),), group="slow"),
    ]
    statuses = (Status.READY, Status.WAITING, Status.WAITING)
    made = zip(specs, statuses, range(3), strict=True)
    tasks = {spec.id: Task(spec, status, "1", Source.FILE, at, at) for spec, status, at in made}
    paused = Session(SessionSpec("paused"), paused=True)
    lease = Lease("ready", "", 1, specs[0].claims, 0, resources=("db",), ports=(9000,))
    state = State(tasks=tasks, leases={"ready": lease}, sessions={"paused": paused})
    config = Config(parallel=3, groups=(Slots("slow", 1),), ports=(9000, 9000))
    said = causes_in(state, Room(config, PATIENCE_MS + 10))
    demand("who waits for a resource of a paused session keeps no slot", said == {"elder": "resource", "same": "none"}, said)
    asks = replace(tasks["elder"], spec=replace(specs[1], resources=(), ports=1))
    said = causes_in(replace(state, tasks=tasks | {"elder": asks}), Room(config, PATIENCE_MS + 10))
    demand("who waits for a port of a paused session keeps no slot", said == {"elder": "ports", "same": "none"}, said)


def check_broad_first() -> None:
    """Of those that have waited for about as long, a broad task for which all is free starts first; else it would have to be
    emptied again for it."""
    busy, free = {"runs": "src/c"}, {"runs": "docs"}
    says = {"elder": "none", "broad": "claim", "small": "none"}
    demand("a broad task that cannot start keeps nothing", say_broad(busy, 1) == says, say_broad(busy, 1))
    first = {"elder": "claim", "broad": "none", "small": "claim"}
    demand("a broad task that can start goes first", say_broad(free, 1) == first, say_broad(free, 1))
    late = say_broad(free, PATIENCE_MS + 1)
    demand("a broad task passes nobody who is much older", late["elder"] == "none", late)


def say_broad(running: Mapping[str, str], later_ms: int) -> dict[str, str]:
    """What is said to three waiting tasks, of which the broad one came so much later than the elder."""
    globs = {**running, "elder": "src/a/x", "broad": "src/**", "small": "src/b"}
    seen = {"broad": later_ms}
    statuses = (Status.RUNNING,) * len(running) + (Status.WAITING,) * 3
    made = zip(globs, statuses, range(len(globs)), strict=True)
    tasks = {
        name: Task(TaskSpec(name, "t", "r", claims=(PathSpec(globs[name]),)), status, "1", Source.FILE, at, seen.get(name, 0))
        for name, status, at in made
    }
    return causes_in(holding(tasks), Room(Config(parallel=4), 2 * PATIENCE_MS + 10))


def causes_in(state: State, room: Room) -> dict[str, str]:
    return {decision.task: decision.cause.value for decision in arbiter.decide(state, room)}


def check_scarcity() -> None:
    """Nothing starts while the machine has less than the configuration wants; exactly enough is enough."""
    config = Config(free_disk_bytes=10, free_memory_bytes=20, workspaces=3, workspace_bytes=30)
    enough = MachineSeen(10, 20, frozenset({"x.1.1"}), 29)
    scarce = {
        "disk": replace(enough, free_disk_bytes=9),
        "memory": replace(enough, free_memory_bytes=19),
        "workspaces": replace(enough, workspaces=frozenset({"x.1.1", "y.1.1", "z.1.1"})),
        "workspace-bytes": replace(enough, workspace_bytes=30),
    }
    for cause, machine in scarce.items():
        demand("what the machine lacks holds back", set(causes_on(machine, config)) == {cause}, cause)
    demand("a running task has a workspace, or will", causes_on(enough, config) == ["none", "workspaces"], enough)
    demand("what is not known is not scarce", causes_on(MachineSeen(), config) == ["none", "none"], config)


def causes_on(machine: MachineSeen, config: Config) -> list[str]:
    """What holds two tasks back beside one that runs."""
    specs = [TaskSpec(name, "t", "r", claims=(PathSpec(name),)) for name in ("runs", "one", "two")]
    statuses = (Status.RUNNING, Status.WAITING, Status.WAITING)
    tasks = {s.id: Task(s, status, "1", Source.FILE, 1, 0, attempt=1) for s, status in zip(specs, statuses, strict=True)}
    return [d.cause.value for d in arbiter.decide(holding(tasks), Room(config, machine=machine))]


def in_line(decisions: Sequence[Decision]) -> list[Decision]:
    """Those whose tasks could start but for what others have."""
    return [decision for decision in decisions if decision.cause.value not in NOT_IN_LINE]


def score_ms(name: str, waiting: Mapping[str, Task], now_ms: int) -> int:
    """What speaks for a task, as waiting time."""
    waited = max(0, now_ms - waiting[name].seen_ms)
    return urgency(name, waiting) * POINT_MS + waited + min(links(name, waiting), LINKS) * LINK_MS


def dependents(name: str, waiting: Mapping[str, Task]) -> list[str]:
    """The waiting tasks that wait for a task itself, but for those on a way that goes in a circle."""
    return [other for other in list_behind(name, waiting) if is_settled(other, waiting, ())]


def list_behind(name: str, waiting: Mapping[str, Task]) -> list[str]:
    return [other for other, task in waiting.items() if name in task.spec.needs + task.spec.after]


def is_settled(name: str, waiting: Mapping[str, Task], path: tuple[str, ...]) -> bool:
    """Whether the chains behind a task come to an end."""
    ends = all(is_settled(other, waiting, (*path, name)) for other in list_behind(name, waiting) if name not in path)
    return name not in path and ends


def urgency(name: str, waiting: Mapping[str, Task]) -> int:
    """The highest priority of a task and of all behind it."""
    return max([waiting[name].spec.priority, *(urgency(other, waiting) for other in dependents(name, waiting))])


def links(name: str, waiting: Mapping[str, Task]) -> int:
    """The length of the longest chain behind a task."""
    return max([0, *(1 + links(other, waiting) for other in dependents(name, waiting))])


def find_elder(waiting: Mapping[str, Task], line: Sequence[str], now_ms: int) -> str | None:
    """The task whose place is kept, unless a broader one goes before it."""
    due = [name for name in line if score_ms(name, waiting, now_ms) >= PATIENCE_MS]
    return min(due, key=lambda name: (-score_ms(name, waiting, now_ms), waiting[name].order), default=None)


def list_broader(elder: str, waiting: Mapping[str, Task], decisions: Sequence[Decision], now_ms: int) -> list[str]:
    """Those whose place may be kept instead: about as old, broader, and nothing but slots keeps them from starting now."""
    came, depth = waiting[elder].seen_ms, depth_of(waiting[elder])
    return [
        one.task
        for one in decisions
        if one.cause.value in GETS | OVERTAKEN
        and score_ms(one.task, waiting, now_ms) >= PATIENCE_MS
        and waiting[one.task].seen_ms < came + PATIENCE_MS
        and depth_of(waiting[one.task]) < depth
    ]


def depth_of(task: Task) -> float:
    """How many folders deep the broadest of its claims is."""
    depths = [len(list(takewhile(lambda s: "*" not in s and "?" not in s, c.glob.split("/")))) for c in task.spec.claims]
    return min(depths, default=math.inf)


def waiting_tasks(state: State) -> dict[str, Task]:
    return {name: task for name, task in state.tasks.items() if task.status.value == "waiting"}


def check_line(state: State, decisions: Sequence[Decision], now_ms: int) -> None:
    """Each time the best of the heads of the sessions is asked; who is not in line comes last."""
    waiting, line = waiting_tasks(state), in_line(decisions)
    demand("who cannot start comes last", list(decisions[: len(line)]) == line, decisions)
    best = {name: (-score_ms(name, waiting, now_ms), waiting[name].order) for name in waiting}
    queues: dict[str, list[str]] = {}
    for name in sorted((decision.task for decision in line), key=best.__getitem__):
        queues.setdefault(waiting[name].spec.session, []).append(name)
    shares = dict.fromkeys(queues, 0)
    for task in state.tasks.values():
        if task.status.value in oracle.ACTIVE and task.spec.session in shares:
            shares[task.spec.session] += 1
    for decision in line:
        turn = min((place_of(queues[s], shares[s], waiting, now_ms), s) for s in queues if queues[s])[1]
        demand("everybody in their turn", queues[turn].pop(0) == decision.task, decision, queues, shares)
        shares[turn] += decision.cause.value in GETS


def place_of(queue: Sequence[str], share: int, waiting: Mapping[str, Task], now_ms: int) -> tuple[int, ...]:
    """The place of the head of a session's queue among the heads of all sessions; the smallest goes first."""
    head = waiting[queue[0]]
    level = max(urgency(name, waiting) for name in queue) * POINT_MS
    lifted = level if share else level + max(0, now_ms - head.seen_ms)
    return -lifted, share, -score_ms(queue[0], waiting, now_ms), head.order


def check_barging(
    state: State,
    decisions: Sequence[Decision],
    now_ms: int,
    foreign: Mapping[str, Claims],
    ports: int = 0,
    config: Config = PLAIN,
) -> None:
    """What starts touches nothing held (here or in other clones), nothing that starts too, and nothing of the task whose
    place is kept."""
    waiting, line = waiting_tasks(state), in_line(decisions)
    elder = find_elder(waiting, [decision.task for decision in line], now_ms)
    others = list_broader(elder, waiting, line, now_ms) if elder else []
    faults = [check_place(state, line, one, foreign, ports, config) for one in [*others, elder]]
    demand("nobody barges", None in faults, faults)


def check_place(
    state: State, line: Sequence[Decision], elder: str | None, foreign: Mapping[str, Claims], ports: int, config: Config
) -> Decision | None:
    """The first decision that is wrong if the place of this one is kept; None: all are right."""
    waiting = waiting_tasks(state)
    before = {name: lease.paths + wanted(state, name) for name, lease in state.leases.items()} | dict(foreign)
    held = state.save is not None and state.save.hold is not None
    held = held or (elder is not None and meets_line(state, waiting[elder], ports, config))
    before |= {elder: waiting[elder].spec.claims} if elder and not held else {}
    for decision in line:
        mine = waiting[decision.task].spec.claims
        session = state.sessions.get(waiting[decision.task].spec.session)
        passed = {decision.task, *(session.line if session else ())}
        clash = any(oracle.clashes(mine, theirs) for owner, theirs in before.items() if owner not in passed)
        if decision.cause.value in GETS | {"claim"} and clash != (decision.cause.value == "claim"):
            return decision
        if decision.cause.value in GETS:
            before[decision.task] = mine
    return None


def meets_line(state: State, task: Task, ports: int, config: Config) -> bool:
    """Whether what waits for a person is in the way of a task: claims in another session, resources, ports (of which there
    are so many that nobody else on the machine has)."""
    session = state.sessions.get(task.spec.session)
    passed = session.line if session else ()
    idle = [
        name for name, other in state.tasks.items() if session_laws.waits_alone(state, config, other) and name in state.leases
    ]
    held = {resource for name in idle for resource in state.leases[name].resources}
    taken = sum(len(state.leases[name].ports) for name in idle)
    paths = [state.leases[name].paths for name in idle if name not in passed]
    clash = any(oracle.clashes(task.spec.claims, claims) for claims in paths)
    return clash or bool(held & set(task.spec.resources)) or ports - taken < task.spec.ports


def wanted(state: State, name: str) -> tuple[PathSpec, ...]:
    """What a running task waits for."""
    wants = state.leases[name].wants if state.tasks[name].status.value == "running" else ()
    return tuple(path for want in wants for path in want.paths)


def check_room(state: State, decisions: Sequence[Decision], active: int, parallel: int) -> None:
    """A slot is said to be missing only when none is left."""
    free = parallel - active - sum(d.cause.value == "none" for d in decisions)
    full = any(d.cause.value == "slots" for d in decisions)
    demand("slots hold back only when they are used up", not full or free <= 0, decisions)
    for decision in decisions:
        spec = state.tasks[decision.task].spec
        needs = [state.tasks[n].status.value for n in spec.needs if n in state.tasks]
        lost = any(status in oracle.FINISHED - oracle.SUCCEEDED for status in needs)
        unmet = any(status not in oracle.SUCCEEDED for status in needs)
        demand("blocked means a need that failed", (decision.cause.value == "blocked") == lost, decision)
        demand("needs means a need that is not there yet", (decision.cause.value == "needs") == (unmet and not lost), decision)
