"""What the adversary of the walk does with resources, ports and the claims of people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchd.model.claim import PathSpec, Reservation
from orchd.model.snapshot import Intent, Verb

if TYPE_CHECKING:
    from walk import Walk

PORTS = (1, 4)
RESOURCES = ((), (), (), (), (), ("db",), ("gpu",), ("db", "gpu"))
WANTED_PORTS = (0, 0, 0, 0, 1, 2)
ASKED = ("a/a", "a/b", "b/a", "b/b", "b/*", "c", "a/**")
NAMES = ("anna", "ben")


def some_words(walk: Walk) -> tuple[str, ...]:
    """What a task may ask for: one or two paths; now and then what it cannot get or nobody understands."""
    if walk.one_in(12):
        return walk.pick(((".orch/**",), ("../x", "a/*"), ()))
    return tuple(walk.pick(("", "", "read ", "append ")) + walk.pick(ASKED) for _ in range(1 + walk.one_in(3)))


def ask_for_more(walk: Walk) -> None:
    """A running task wants to change more than it claimed, by the command line."""
    running = [name for name, task in sorted(walk.world.state.tasks.items()) if task.status.value == "running"]
    name = walk.pick(running or ["a"])
    walk.world.intents.append(Intent(f"intent{walk.next()}", Verb.CLAIM, name, some_words(walk)))


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
