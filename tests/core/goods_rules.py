"""Rules of the arbiter about what is given once: resources, ports, the slots of a provider."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from queueing import holding
from rules import waiting
from world import demand

from orchd.core import arbiter
from orchd.core.desk import Room
from orchd.model.config import Agent, Config, Slots
from orchd.model.work import Task


def check_goods(tasks: Sequence[Task], busy: frozenset[int]) -> None:
    """What starts together shares nothing, gets all it asks for, and nothing that is used; who lacks it is told so."""
    room = Room(Config(parallel=8, ports=(1, 8)), busy_ports=busy)
    state = holding({task.spec.id: task for task in tasks})
    things: list[object] = []
    for decision in arbiter.decide(state, room):
        spec, cause = state.tasks[decision.task].spec, decision.cause.value
        if cause == "none":
            demand("a task gets its ports", len(decision.ports) == spec.ports, decision)
            things += [*spec.resources, *decision.ports]
        elif cause == "resource":
            demand("a resource is missing only when somebody has it", decision.detail[0] in spec.resources, decision)
        else:
            demand("ports are missing only when they are used up", cause == "ports" and spec.ports > 0, decision)
    demand("what starts together shares nothing", len(things) == len(set(things)), things)
    demand("used ports are not given", busy.isdisjoint(things), things)


def check_provider(tasks: Sequence[Task]) -> None:
    """Agents of one provider share its slots."""
    specs = [replace(task.spec, agent=("one", "two")[at % 2], resources=(), ports=0) for at, task in enumerate(tasks)]
    agents, providers = (Agent("one", None, "maker"), Agent("two", None, "maker")), (Slots("maker", 3),)
    waits = holding({spec.id: waiting(spec, at) for at, spec in enumerate(specs)})
    room = Room(Config(parallel=9, agents=agents, providers=providers))
    starts = [decision for decision in arbiter.decide(waits, room) if decision.cause.value == "none"]
    demand("a provider keeps its limit", len(starts) == min(3, len(tasks)), starts)
