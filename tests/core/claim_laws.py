"""What must hold for resources, ports and the claims of people, spelled without the core's own helpers."""

from __future__ import annotations

from collections import Counter

from oracle import clashes
from world import demand

from orchd.model.action import StartRun
from orchd.model.claim import Reservation
from orchd.model.message import AttemptStarted, LeaseExtended
from orchd.model.snapshot import Plan, Snapshot, State


def check_goods(state: State) -> None:
    """No two leases hold the same thing."""
    for kind in ("resources", "ports"):
        held = Counter(thing for lease in state.leases.values() for thing in getattr(lease, kind))
        demand("a thing is held once", all(count == 1 for count in held.values()), kind, held)


def check_given(snapshot: Snapshot, before: State, event: AttemptStarted) -> None:
    """A start gets what its task asks for, and nothing that is not free."""
    spec, lease = before.tasks[event.task].spec, event.lease
    demand("a task gets its resources", lease.resources == spec.resources, event)
    demand("a task gets as many ports as it asks for", len(set(lease.ports)) == spec.ports, event)
    first, last = snapshot.config.ports
    demand("ports come from the range", all(first <= port <= last for port in lease.ports), event)
    demand("no port is given that somebody uses", snapshot.busy_ports.isdisjoint(lease.ports), event)
    for one in snapshot.reservations:
        if stands(one, snapshot.now_ms):
            demand("what people keep is left alone", not clashes(spec.claims, one.paths), event, one)
            demand("a resource that people keep is left alone", not set(spec.resources) & set(one.resources), event, one)


def check_extended(snapshot: Snapshot, before: State, event: LeaseExtended) -> None:
    """What is granted to a running task touches nothing that others hold or people keep, and nothing closed to tasks."""
    demand("only a running task is granted more", before.tasks[event.task].status.value == "running", event)
    for name, lease in before.leases.items():
        demand("nothing is granted that others hold", name == event.task or not clashes(event.paths, lease.paths), event, name)
    for one in snapshot.reservations:
        kept = stands(one, snapshot.now_ms) and clashes(event.paths, one.paths)
        demand("nothing is granted that people keep", not kept, event, one)
    closed = [path for path in event.paths if path.glob.startswith(".orch") and path.mode.value != "read"]
    demand("nothing is granted that no task may change", not closed, event)


def check_waits(snapshot: Snapshot, planned: Plan) -> None:
    """Whoever waits for more waits for somebody, and nobody waits for themselves in the end."""
    state, drawn = planned.state, dict[str, set[str]]()
    kept = [one.paths for one in snapshot.reservations if stands(one, snapshot.now_ms)]
    for name, lease in state.leases.items():
        if state.tasks[name].status.value in ("ready", "saving"):
            demand("who has ended wants nothing more", not lease.wants, lease)
        if state.tasks[name].status.value != "running":
            continue
        for want in lease.wants:
            holders = {other for other, held in state.leases.items() if other != name and clashes(want.paths, held.paths)}
            for_people = any(clashes(want.paths, paths) for paths in kept)
            demand("a request that nobody is in the way of is answered", holders or for_people, name, want)
            drawn[name] = drawn.get(name, set()) | holders
    for name in drawn:
        reached, left = set[str](), [name]
        while left:
            fresh = drawn.get(left.pop(), set()) - reached
            reached |= fresh
            left += fresh
        demand("nobody waits in a circle", name not in reached, name, drawn)


def stands(one: Reservation, now_ms: int) -> bool:
    """Whether a claim of a person is not over."""
    return one.until_ms == 0 or now_ms < one.until_ms


def check_told(planned: Plan) -> None:
    """A run is told its ports."""
    for action in planned.actions:
        if isinstance(action, StartRun) and action.keep:
            ports = list(map(str, planned.state.leases[action.keep].ports))
            env = dict(action.order.env)
            demand("a run is told its first port", env.get("ORCHD_PORT") == (ports[0] if ports else None), action)
            demand(
                "a run is told all its ports", env.get("ORCHD_PORTS", "").split() == (ports if len(ports) > 1 else []), action
            )


def check_reserved(snapshot: Snapshot, planned: Plan) -> None:
    """Who waits for a person is told for whom."""
    for decision in planned.decisions:
        if decision.cause.value == "reserved":
            demand("who keeps it is named", any(one.path in decision.detail[2] for one in snapshot.reservations), decision)
