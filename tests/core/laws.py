"""What must hold at every step of a walk, spelled without the core's own helpers."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import inf

import agent_laws
import claim_laws
import queueing
import screen_laws
from oracle import ACTIVE, LIFE, OPEN
from session_laws import (
    check_lines,
    check_overlaps,
    check_save_planned,
    check_session_ended,
    check_session_start,
    due_ms,
    find_due,
)
from world import World, demand, ended_well

from orchd.core.evolve import evolve
from orchd.core.planner import plan
from orchd.model.action import (
    AdmitResult,
    AdmitRework,
    DiscardWorkspace,
    LandSave,
    StartRun,
    TellRun,
)
from orchd.model.claim import PathSpec
from orchd.model.config import Config
from orchd.model.limits import ROOM_BYTES
from orchd.model.message import (
    AttemptEnded,
    AttemptStarted,
    Event,
    GateRan,
    LeaseExpired,
    LeaseExtended,
    SaveGated,
    SavePlanned,
    SaveRefused,
    SessionEnded,
    TaskAdopted,
    TaskAnswered,
)
from orchd.model.run import Entry, RunSeen
from orchd.model.save import Save, SaveStep
from orchd.model.snapshot import Plan, Snapshot, State
from orchd.model.work import Reason, Status, Task, TaskSpec

FENCED_ENDS = ("failed", "waiting", "cancelled")


def check_turn(world: World, snapshot: Snapshot, planned: Plan) -> None:
    """Everything about one plan, event by event."""
    state = snapshot.state
    for event in planned.events:
        after = evolve(state, [event])
        check_moves(event, state, after)
        agent_laws.check_agents(snapshot, state, event)
        screen_laws.check_screens(world, snapshot, state, event)
        if isinstance(event, LeaseExpired):
            check_expiry(snapshot, state, event)
        if isinstance(event, AttemptStarted):
            check_start(world, snapshot, state, after, event)
            claim_laws.check_given(snapshot, state, event)
        if isinstance(event, LeaseExtended):
            claim_laws.check_extended(snapshot, state, event)
        if isinstance(event, AttemptEnded):
            check_end(world, state.tasks[event.task], event)
        if isinstance(event, TaskAnswered):
            check_answer(state.tasks[event.task], after.tasks[event.task], event)
        if isinstance(event, SessionEnded):
            check_session_ended(state, event)
        check_save_event(snapshot, state, event)
        state = after
    check_predictions(world, snapshot, planned)
    demand("the plan's state is the fold of its events", state == planned.state)
    check_state(state)
    screen_laws.check_kept(state)
    screen_laws.check_room(snapshot, planned)
    claim_laws.check_goods(state)
    claim_laws.check_waits(snapshot, planned)
    claim_laws.check_told(planned)
    claim_laws.check_reserved(snapshot, planned)
    check_gathering(snapshot, planned)
    check_lines(world, state)
    check_overlaps(world, state)
    check_decisions(snapshot, planned)
    check_actions(world, planned)


def check_save_event(snapshot: Snapshot, state: State, event: Event) -> None:
    """What a save takes, whom it blames, and what it is not allowed to land."""
    if isinstance(event, SavePlanned):
        check_gathered(snapshot, state)
        check_save_planned(snapshot, state, event)
    if isinstance(event, SaveGated):
        check_blame(state.save, event)
    if isinstance(event, SaveRefused):
        check_refusal(snapshot, state, event)
    if isinstance(event, GateRan) and not event.verdict.green:
        run = f"@{event.save}.{event.verdict.index}.{event.verdict.attempt}"
        ended = snapshot.runs[run].exit
        room = (snapshot.machine.free_disk_bytes or 0) >= ROOM_BYTES
        demand("without room nothing is red", room and (ended is None or not ended.starved), event, ended)


def check_gathered(snapshot: Snapshot, state: State) -> None:
    """A save that is planned while others run has waited for them a while."""
    ready = find_due(snapshot, state)
    runs = screen_laws.is_asking(state) or any(task.status.value in ACTIVE for task in state.tasks.values())
    early = runs and ready and 0 <= snapshot.now_ms - min(ready) < 250
    demand("a save gathers while others run", not early, ready)


def check_blame(save: Save | None, event: SaveGated) -> None:
    """Who is blamed for a red chain."""
    demand("only a save in flight is gated", save is not None, event)
    assert save is not None
    culprits = [link.item for link in save.chain[event.lands :][:1]]
    demand("the item after what lands is blamed", [gone.item for gone in event.excluded][:1] == culprits, event)
    demand("nobody else is blamed but who built on it", save.start or len(event.excluded) < 2, event)


def check_refusal(snapshot: Snapshot, state: State, event: SaveRefused) -> None:
    """Only what the last proofs name is held, with their reason, and what was built on it."""
    assert state.save is not None
    named = {gone.item.task: gone for gone in (snapshot.save.refused if snapshot.save else ())}
    for gone in event.excluded:
        built = bool(state.save.start) and gone.reason is Reason.BUILT_ON
        demand("only what was refused is held", gone == named.get(gone.item.task) or built, gone, named)
    demand("nothing is kept from landing without a refusal", event.excluded and state.save.step is SaveStep.GATED, event)


def check_predictions(world: World, snapshot: Snapshot, planned: Plan) -> None:
    """A prediction is about two commits that do conflict, and who is merged later is named first; saves go by them."""
    tasks = planned.state.tasks
    for found in planned.state.conflicts:
        sides = [wanted_tip(snapshot, tasks[name]) if name else snapshot.main for name in (found.task, found.other)]
        demand("a prediction is about live work", all(sides), found)
        demand("what is predicted does conflict", set(found.paths) <= set(world.clashes(*sorted(sides))), found)
        if found.other:
            mine, theirs = tasks[found.task].status.value, tasks[found.other].status.value
            demand("who runs is told and not who is done", mine in (*ACTIVE, "held") or theirs not in ACTIVE, found)
    for event in planned.events:
        if isinstance(event, SavePlanned):
            check_order(event.save, planned.state)


def wanted_tip(snapshot: Snapshot, task: Task) -> str:
    """The commit that somebody means to land for a task."""
    if task.status.value in ("ready", "saving", "held"):
        return task.tip
    seen = snapshot.runs.get(f"{task.spec.id}.{task.generation}.{task.attempt}")
    if task.status.value not in ACTIVE or seen is None:
        return ""
    return seen.live.tip if seen.live else seen.returned.tip if seen.returned else ""


def check_order(save: Save, state: State) -> None:
    """Of those that are merged together, nobody who conflicts with more others goes first. A line has its own order."""
    if save.start:
        return
    names = [item.task for item in save.items]
    pairs = [{found.task, found.other} for found in state.conflicts if {found.task, found.other} <= set(names)]
    met = [sum(name in pair for pair in pairs) for name in names]
    demand("who conflicts with few is merged first", met == sorted(met), names, met)


def check_gathering(snapshot: Snapshot, planned: Plan) -> None:
    """Work that is ready is saved, or waits a moment for what runs, and then somebody looks again."""
    tasks = planned.state.tasks.values()
    ready, now = find_due(snapshot, planned.state), snapshot.now_ms
    times = [due_ms(planned.state, snapshot.config, t) for t in tasks if t.status.value == "ready"]
    next_due = min((at for at in times if now < at < inf), default=None)
    if planned.state.save or not ready:
        wanted = None if planned.state.save else next_due
        told = agent_laws.without_cooling(planned, now, wanted)
        demand("nobody is woken for nothing, and whoever waits for a time is", told == wanted, planned.wake_ms)
        return
    runs = screen_laws.is_asking(planned.state) or any(task.status.value in ACTIVE for task in tasks)
    demand("a save waits only for what runs", runs, ready)
    demand("a save waits for a moment only", 0 <= snapshot.now_ms - min(ready) < 250, snapshot.now_ms, ready)
    demand(
        "somebody looks when the moment is over",
        agent_laws.without_cooling(planned, now, min(min(ready) + 250, next_due or inf))
        == min(min(ready) + 250, next_due or inf),
        planned.wake_ms,
        ready,
    )


def check_moves(event: Event, before: State, after: State) -> None:
    """No status changes but by the table, and `next_*` never go back."""
    for name, task in after.tasks.items():
        old = before.tasks.get(name)
        if isinstance(event, TaskAdopted):
            demand("nothing open is adopted over", old is None or old is task or old.status.value not in OPEN, event)
        elif old is None:
            demand("a new task waits", task.status.value == "waiting", task)
        elif old.status is not task.status:
            move = (old.status.value, task.status.value)
            demand("the lifecycle is respected", move in LIFE.get(type(event), ()), move, event)
    demand("no task is forgotten", before.tasks.keys() <= after.tasks.keys(), event)
    demand("order never goes back", after.next_order >= before.next_order, event)
    demand("fences never go back", after.next_fence >= before.next_fence, event)
    demand("numbers never go back", after.next_number >= before.next_number, event)


def check_state(state: State) -> None:
    """Leases, claims and the save fit the tasks."""
    open_tasks = {name: task for name, task in state.tasks.items() if task.status.value in OPEN}
    fences = {item.task: item.fence for item in state.save.items} if state.save else {}
    same = all(state.leases[n].fence == fences[n] for n, one in open_tasks.items() if one.status.value == "saving")
    demand("a save works under the leases of its tasks", same, state.save, state.leases)
    demand("leases exist exactly for open tasks", set(state.leases) == set(open_tasks), state.leases, open_tasks)
    for one, lease in state.leases.items():
        demand("a lease is the claim of its task", lease.paths == state.tasks[one].spec.claims, one)
    busy = {name for name, task in state.tasks.items() if task.rework and task.status.value not in ("waiting", *ACTIVE)}
    demand("a result is taken up again only while it waits or runs", not busy, busy)
    saving = {name for name, task in state.tasks.items() if task.status.value == "saving"}
    wanted = set()
    if state.save:
        wanted = {item.task for item in state.save.items} - {gone.item.task for gone in state.save.excluded}
    demand("a save works on exactly the tasks that are saved", saving == wanted, saving, wanted)
    orders = Counter(task.order for task in state.tasks.values())
    demand("no two tasks share a place in the queue", all(count == 1 for count in orders.values()), orders)


def check_expiry(snapshot: Snapshot, before: State, event: LeaseExpired) -> None:
    """Only silence ends a lease, and only the one that is meant; what the wall clock says is nothing."""
    task, lease = before.tasks[event.task], before.leases[event.task]
    run = f"{event.task}.{task.generation}.{task.attempt}"
    demand("a lease expires in silence only", snapshot.runs[run].silent_seconds >= 90, event)
    demand("a lease expires once", event.fence == lease.fence and not lease.expired_ms, event, lease)


def check_start(world: World, snapshot: Snapshot, before: State, after: State, event: AttemptStarted) -> None:
    """A start is allowed: its turn, its room, its predecessors, its own run id."""
    spec = before.tasks[event.task].spec
    active = sum(task.status.value in ACTIVE for task in after.tasks.values())
    demand("running tasks never exceed the slots", active <= snapshot.config.parallel, active)
    check_limits(spec, [task.spec for task in after.tasks.values() if task.status.value in ACTIVE], snapshot.config)
    machine, config = snapshot.machine, snapshot.config
    demand("a full machine starts nothing", (machine.free_disk_bytes or 0) >= config.free_disk_bytes, event)
    demand("workspaces are limited", config.workspaces is None or len(machine.workspaces) < config.workspaces, event)
    demand("nothing starts while draining", not snapshot.draining, event)
    check_session_start(world, snapshot, before, event)
    run = f"{event.task}.{before.tasks[event.task].generation}.{event.attempt}"
    known = {order.id for order in world.late} | world.runs.keys()
    demand("a run id is never started twice", run not in known, run)


def check_limits(spec: TaskSpec, active: list[TaskSpec], config: Config) -> None:
    """Of each kind of task that has a limit no more run than that."""
    maker = {agent.name: agent.provider for agent in config.agents}
    for group in config.groups:
        if group.name == spec.group:
            demand("a group keeps its limit", sum(one.group == spec.group for one in active) <= group.parallel, spec)
    for agent in config.agents:
        if agent.name == spec.agent and agent.parallel is not None:
            demand("an agent keeps its limit", sum(one.agent == spec.agent for one in active) <= agent.parallel, spec)
    for provider in config.providers:
        if provider.name == maker.get(spec.agent):
            count = sum(maker.get(one.agent) == provider.name for one in active)
            demand("a provider keeps its limit", count <= provider.parallel, spec)


def check_end(world: World, task: Task, event: AttemptEnded) -> None:
    """The conclusion follows from the evidence, and the record leads to the work."""
    run = world.runs.get(f"{event.task}.{task.generation}.{task.attempt}")
    if run is None or run.exit is None or run.returned is None:
        demand("only a task that was asked to stop ends without evidence", task.status.value == "stopping", event)
        return
    well = ended_well(run.exit)
    refused = run.exit.report is not None and bool(run.exit.report.denied) and run.returned.entry is Entry.UNCHANGED
    recorded = (event.tip, event.ref) == (run.returned.tip, run.returned.ref)
    demand("the record leads to the work", recorded, event, run.returned)
    demand("the ref of a record leads to its tip", not event.ref or world.branches.get(event.ref) == event.tip, event)
    lease = world.state.leases[event.task]
    own = run.exit.fence == lease.fence and not lease.expired_ms
    demand("work of an earlier or expired lease is nothing", own or event.status.value in FENCED_ENDS, event, lease)
    if event.status.value == "ready":
        demand("ready is work that came through the airlock", well and run.returned.entry is Entry.ACCEPTED, event, run)
    if event.status.value == "unchanged":
        wanted = task.spec.noop or task.rework is not None
        declared = wanted and well and run.returned.entry is Entry.UNCHANGED and not run.returned.reason
        demand("what was refused is not done", not refused, event, run)
        demand("nothing changed is a success only when it was declared, or answered so", declared, event, run)
    if event.status.value == "failed":
        demand("a failure has a reason", event.reason is not None, event)
        nothing = (
            run.returned.entry is Entry.UNCHANGED
            and (task.spec.noop or task.rework)
            and not run.returned.reason
            and not refused
        )
        fine = well and (run.returned.entry is Entry.ACCEPTED or nothing)
        demand("good work does not fail", not (fine and own), event, run)
    asks = well and own and run.returned.entry is Entry.REFUSED and run.returned.reason in (Reason.CLAIM, Reason.CONFLICT)
    wanted = asks and task.status.value == "running"
    demand(
        "what only a person can decide waits for one, and nothing else does",
        (event.status.value == "held") == wanted,
        event,
        run,
    )
    if event.status.value == "waiting":
        demand("only a lost attempt is tried again", run.exit.outcome.value == "lost" or lease.expired_ms, event)
        demand("a lost attempt is tried again a limited number of times", task.lost < 1, task)


ANSWERS = {"claim": ("widen", "drop"), "conflict": ("ours", "theirs", "files", "earlier")}
"""`task` is no rework: it is another attempt."""


def check_answer(before: Task, after: Task, event: TaskAnswered) -> None:
    """An answer is about the very result that is held and about what is asked, and only ever widens the claim."""
    reason, said = str(before.reason), event.rework
    asked = before.status.value == "held" and said.answer.value in ANSWERS.get(reason, ())
    demand("only what is asked is answered", asked, before, event)
    demand("an answer is about the result that is held", (said.tip, said.ref) == (before.tip, before.ref), before, event)
    began = said.base if reason == "claim" else said.begun
    demand("an answer remembers what the result was made from", began == before.base, before, event)
    kept = set(before.spec.claims) <= set(after.spec.claims) == set(event.claims)
    demand("an answer takes nothing from the claim and adds what it says", kept, before, event)
    demand("a conflict widens no claim", reason == "claim" or before.spec.claims == event.claims, before, event)
    demand(
        "an answer keeps the generation and the work", (after.generation, after.tip) == (before.generation, before.tip), event
    )


def check_decisions(snapshot: Snapshot, planned: Plan) -> None:
    """Each task that waited when the arbiter looked has one decision; those that start have cause none."""
    names = [decision.task for decision in planned.decisions]
    demand("one decision for each waiting task", len(names) == len(set(names)), names)
    still = {name for name, task in planned.state.tasks.items() if task.status.value == "waiting"}
    held = {d.task for d in planned.decisions if d.cause.value != "none"}
    demand("whoever waits is told why", still == held, still, held)
    check_turns(snapshot, planned)
    for decision in planned.decisions:
        named = decision.cause.value in (
            "needs",
            "blocked",
            "gone",
            "after",
            "claim",
            "resource",
            "group",
            "agent",
            "provider",
            "session",
        )
        demand("who holds a task back is named", bool(decision.others) == named, decision)
        demand(
            "a wish is respected",
            snapshot.only is None or decision.cause.value != "none" or asked(snapshot, planned.state, decision.task),
        )


def check_turns(snapshot: Snapshot, planned: Plan) -> None:
    """Everybody in their turn, and nobody barges: on the state that the arbiter saw."""
    started = {decision.task for decision in planned.decisions if decision.cause.value == "none"}
    tasks = {n: replace(t, status=Status.WAITING) if n in started else t for n, t in planned.state.tasks.items()}
    leases = {name: lease for name, lease in planned.state.leases.items() if name not in started}
    state = replace(planned.state, tasks=tasks, leases=leases)
    queueing.check_line(state, planned.decisions, snapshot.now_ms)
    first, last = snapshot.config.ports
    ports = sum(port not in snapshot.busy_ports for port in range(first, last + 1))
    queueing.check_barging(state, planned.decisions, snapshot.now_ms, foreign_claims(snapshot), ports, snapshot.config)


def foreign_claims(snapshot: Snapshot) -> dict[str, tuple[PathSpec, ...]]:
    """What other clones have published as running."""
    seen = snapshot.shared.tenures.values() if snapshot.shared else ()
    theirs = [one.tenure for one in seen if one.tenure.owner not in ("", snapshot.shared.me)]
    return {f"{t.owner} {task.spec.id}": task.spec.claims for t in theirs for task in t.tasks if task.status.value == "running"}


def asked(snapshot: Snapshot, state: State, task: str) -> bool:
    """Whether a task is asked for, or must come before one that is."""
    wanted = set(snapshot.only or ())
    for _ in state.tasks:
        specs = [state.tasks[name].spec for name in wanted if name in state.tasks]
        wanted |= {other for spec in specs for other in spec.needs + spec.after}
    return task in wanted


def check_actions(world: World, planned: Plan) -> None:
    """Actions are asked for once each, and only where the state wants them."""
    demand("an action is asked for once", len(set(map(repr, planned.actions))) == len(planned.actions), planned.actions)
    for action in planned.actions:
        if isinstance(action, StartRun) and action.keep:
            wanted = planned.state.tasks[action.keep].status.value == "running"
            demand("only a running task has a supervisor started", wanted, action)
            demand("an answered task does not run again", planned.state.tasks[action.keep].rework is None, action)
        if isinstance(action, LandSave):
            demand("main is asked to move only from the base", world.state.save is None or action.save.base, action)
        if isinstance(action, DiscardWorkspace):
            check_discard(world.runs[action.run].seen, action)
        if isinstance(action, TellRun):
            demand("a note says something new", world.runs[action.run].told.get(action.name, "") != action.text, action)
        if isinstance(action, AdmitResult):
            demand("a result is judged once", world.runs[action.order.run].returned is None, action)
        if isinstance(action, AdmitRework):
            demand("a result is judged once per answer", action.order.run not in world.runs, action)


def check_discard(seen: RunSeen, action: DiscardWorkspace) -> None:
    """Work that the airlock could not take stays where it is; a workspace goes only after its judgement."""
    gate = action.run.startswith("@")
    kept = seen.returned is not None and (seen.returned.ref or seen.returned.entry is Entry.UNCHANGED)
    demand("a workspace goes after its work was taken", gate or kept, action, seen)


def check_stillness(snapshot: Snapshot, planned: Plan) -> None:
    """Planning again on the same world comes to an end at once: only the save may take a few more of its steps."""
    for _ in range(6):
        before = planned
        planned = plan(replace(snapshot, state=planned.state))
        if not planned.events:
            demand("actions are derived from the state alone", set(before.actions) == set(planned.actions), before, planned)
            return
    demand("planning an unchanged world comes to an end", False, planned.events)


def check_told(world: World) -> None:
    """Who runs and asks in vain is told so in the same turn."""
    for name, run in world.runs.items():
        task = world.task_of(name)
        if run.phase.value == "running" and task and task.status.value in ACTIVE and task.started_ms < world.now_ms:
            demand("what a task commits is taken", not run.live or not run.live.fresh, name, run)
            demand("what becomes of a proposal is told", "parts" not in run.asked or run.told.get("parts.md"), name, run)
            for asked in {*run.asked, *run.misasked} - {"claim", "parts"}:
                demand("who asks in vain is told", asked in run.told.get("rejected.md", ""), name, run)


def check_records(world: World) -> None:
    """Work that somebody may still want is where its record says."""
    for name, task in world.state.tasks.items():
        if task.status.value in ("ready", "saving", "integrated", "held"):
            demand("the record leads to the work", task.ref and task.tip, task)
        if task.status.value == "landed":
            demand("landed means landed", (name, task.generation) in world.landed, task)
        if task.status.value in ("failed", "held", "ready", "saving", "integrated") and task.ref:
            demand("the recorded ref holds the work", world.branches.get(task.ref) == task.tip, task)
    for tip in world.taken:
        demand("what a task committed and the airlock took is never lost", world.reachable(tip), tip)
    for run in world.runs.values():
        if run.exit is not None and run.exit.tip and not run.workspace:
            demand("no byte of work is lost", world.reachable(run.exit.tip), run)


def check_history(world: World) -> None:
    """Replaying the log gives the state; no attempt was ever started twice."""
    demand("the log replays to the state", evolve(State(), world.log) == world.state)
    state, started, fence = State(), set[tuple[str, int, int]](), 0
    for event in world.log:
        if isinstance(event, AttemptStarted):
            token = (event.task, state.tasks[event.task].generation, event.attempt)
            demand("an attempt is started once", token not in started, token)
            started.add(token)
            demand("fences rise with every grant", event.lease.fence > fence, event)
            fence = event.lease.fence
        state = evolve(state, [event])
