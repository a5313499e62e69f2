"""Goods: what is in the world once, and not in the repository: named resources and TCP ports.

Rule: the lowest free ports are given, so that the same world gives the same ports. One that anybody on this machine uses, or
that a lease holds, is not free.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from orchd.model.claim import Lease
from orchd.model.config import Config
from orchd.model.ids import TaskId
from orchd.model.work import TaskSpec


@dataclass(slots=True)
class Goods:
    """`holders` are who has each resource, `free` the ports that can be given, `given` what tasks were given in this pass."""

    holders: dict[str, TaskId] = field(default_factory=dict)
    free: list[int] = field(default_factory=list)
    given: dict[TaskId, tuple[int, ...]] = field(default_factory=dict)

    def take(self, spec: TaskSpec) -> None:
        """What a task asks for, as far as it is there, unless it has it already."""
        for name in spec.resources:
            self.holders.setdefault(name, spec.id)
        if spec.id not in self.given:
            self.given[spec.id] = tuple(self.free[: spec.ports])
            del self.free[: spec.ports]

    def find_holder(self, spec: TaskSpec) -> tuple[str, TaskId] | None:
        """The first of its resources that another task has, and that task."""
        held = ((name, self.holders[name]) for name in spec.resources if name in self.holders)
        return next(((name, owner) for name, owner in held if owner != spec.id), None)

    def lacks_ports(self, spec: TaskSpec) -> bool:
        """Whether a task asks for more ports than there are for it."""
        return len(self.given.get(spec.id, self.free)) < spec.ports


def stock(leases: Iterable[Lease], config: Config, busy_ports: frozenset[int]) -> Goods:
    """What is there beside what `leases` hold."""
    held = tuple(leases)
    taken = busy_ports.union(*(lease.ports for lease in held))
    first, last = config.ports
    holders = {name: lease.task for lease in held for name in lease.resources}
    return Goods(holders, [port for port in range(first, last + 1) if port not in taken])
