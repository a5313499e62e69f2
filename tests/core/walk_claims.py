"""What the adversary of the walk does with resources, ports and the claims of people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchd.model.claim import PathSpec, Reservation

if TYPE_CHECKING:
    from walk import Walk

PORTS = (1, 4)
RESOURCES = ((), (), (), (), (), ("db",), ("gpu",), ("db", "gpu"))
WANTED_PORTS = (0, 0, 0, 0, 1, 2)
NAMES = ("anna", "ben")


def be_there(walk: Walk) -> None:
    """People and other programs were here first."""
    if walk.one_in(2):
        use_port(walk)
    else:
        reserve(walk)


def reserve(walk: Walk) -> None:
    """A person keeps something, for ever or for a while, or gives it back."""
    name, kept = walk.pick(NAMES), walk.world.reservations
    if name in kept:
        del kept[name]
        return
    if not walk.one_in(2):
        return
    from walk import GLOBS, MODES

    paths = tuple(PathSpec(walk.pick(GLOBS[:6]), walk.pick(MODES)) for _ in range(walk.dice.roll(2)))
    until_ms = walk.world.now_ms + walk.dice.roll(200_000) if walk.one_in(2) else 0
    kept[name] = Reservation(f"claims/{name}.yaml", paths, walk.pick(RESOURCES), name, "by hand", until_ms)


def use_port(walk: Walk) -> None:
    """Some other program takes a port, or lets go of it."""
    walk.world.busy_ports ^= {1 + walk.dice.roll(PORTS[1])}


def let_go(walk: Walk) -> None:
    """People and programs give everything back; what has expired may lie around."""
    over = [name for name, one in walk.world.reservations.items() if one.until_ms and walk.world.now_ms >= one.until_ms]
    walk.world.reservations = {name: walk.world.reservations[name] for name in over}
    walk.world.busy_ports.clear()
