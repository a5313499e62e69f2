"""What must hold about tasks that are judged by themselves, spelled without the core's own helpers."""

from __future__ import annotations

from world import World, demand, tree_name

from orchd.model.action import StartRun
from orchd.model.config import Config
from orchd.model.message import Event, SavePlanned, ScreenedOut, ScreeningBegun
from orchd.model.save import Gate, Save
from orchd.model.snapshot import Plan, Snapshot, State
from orchd.model.work import Task


def own_gates(state: State, config: Config, task: Task) -> tuple[Gate, ...]:
    """Those that a task is judged by alone."""
    session = state.sessions.get(task.spec.session)
    return tuple(g for g in config.gates + (session.spec.gates if session else ()) if g.phase.value == "task")


def is_let_through(state: State, config: Config, task: Task) -> bool:
    """Whether a finished task may come into a save."""
    said = state.screenings.get(task.spec.id)
    return any(v.green for v in said.verdicts) if said else not own_gates(state, config, task)


def is_asking(state: State) -> bool:
    """Whether anybody is still being judged by itself, and there is room for it."""
    return any(not one.verdicts and one.hold is None for one in state.screenings.values())


def check_screens(world: World, snapshot: Snapshot, state: State, event: Event) -> None:
    """What happens to finished tasks before they come into a save."""
    if isinstance(event, ScreeningBegun):
        item, gates = event.screening.items[0], event.screening.gates
        task = state.tasks[item.task]
        demand("only what is done is judged by itself", task.status.value == "ready", event)
        demand("by the gates of its phase", gates == own_gates(state, snapshot.config, task) and gates, event)
        demand("once", item.task not in state.screenings, event)
    if isinstance(event, ScreenedOut):
        verdicts = state.screenings[event.task].verdicts
        demand("only a red gate turns a task away", [one.green for one in verdicts] == [False], event, verdicts)
        demand("and what it said is told", event.detail, event)
    if isinstance(event, SavePlanned) and not event.save.start:
        for item in event.save.items:
            check_item(world, snapshot, state, state.tasks[item.task])


def check_item(world: World, snapshot: Snapshot, state: State, task: Task) -> None:
    """Nothing comes into a save that its own gates have not let through."""
    demand("what comes into a save was let through", is_let_through(state, snapshot.config, task), task)
    said = state.screenings.get(task.spec.id)
    tree = tree_name(world.commits[task.tip].tree)
    demand("its own gates were green on its own tree", said is None or world.book.is_green(tree, said.gates), task, said)


def check_kept(state: State) -> None:
    """What is kept is about a present result."""
    for name, one in state.screenings.items():
        task, item = state.tasks[name], one.items[0]
        demand("only what has a result is judged", task.status.value in ("ready", "saving", "failed"), task, one)
        now = (task.generation, task.attempt, task.tip)
        demand("it is about the present result", (item.generation, item.attempt, item.tip) == now, task, one)
        demand("who is turned away is not kept waiting", task.status.value != "failed" or bool(one.verdicts), task, one)
        red = any(not verdict.green for verdict in one.verdicts)
        demand("red is the end", not red or task.status.value == "failed", task, one)


def check_room(snapshot: Snapshot, planned: Plan) -> None:
    """No more gates at the same time than were allowed, whatever they are for, and not before anybody has looked."""
    state = planned.state
    gated = (*([state.save] if state.save else []), *state.screenings.values())
    marks = tuple(f"@{one.id}." for one in gated)
    running = {run for run, seen in snapshot.runs.items() if run.startswith(marks) and seen.phase.value == "running"}
    started = {a.order.id for a in planned.actions if isinstance(a, StartRun) and a.order.id.startswith("@")}
    most = max(snapshot.config.gates_at_once, len(running))
    demand("no more gates at a time than allowed", len(running | started) <= most, running, started)
    for name, one in state.screenings.items():
        begun = any(run.startswith(f"@{one.id}.") for run in started)
        demand("what is known is looked up first", not begun or name in snapshot.state.screenings, one)
        check_free(snapshot, one, running | started)


def check_free(snapshot: Snapshot, one: Save, busy: set[str]) -> None:
    """While there is room, nobody waits to be judged."""
    known = snapshot.state.screenings.get(one.items[0].task)
    waits = known == one and not one.verdicts and not any(run.startswith(f"@{one.id}.") for run in busy)
    runs = [seen.phase.value for run, seen in snapshot.runs.items() if run.startswith(f"@{one.id}.")]
    machine_waits = bool(one.starved_ms) or (snapshot.machine.free_disk_bytes or 0) < 10**9
    waits = waits and not machine_waits
    demand("who could be judged is", not waits or runs or len(busy) >= snapshot.config.gates_at_once, one, busy)
