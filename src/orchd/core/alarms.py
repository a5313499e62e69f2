"""Alarms: trouble that is nobody's task, told before everything else: no room, a branch that was set back, failing actions.

Rule: an alarm is seen now; what is over is not told any more. What main lost is over when a person has settled it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field

from orchd.core.inert import inert
from orchd.core.progress import shorten_list
from orchd.core.tables import tell_bytes
from orchd.core.telling import Need
from orchd.model.dataclass import dataclass
from orchd.model.limits import ROOM_BYTES


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that failed and is tried again, since `since_ms`."""

    what: str
    since_ms: int


@dataclass(frozen=True, slots=True)
class Health:
    """What is seen: the bytes that are free where each of these folders is; the checkpoints that the `branch` does not
    contain any more, the oldest first, as far as nobody has settled that; what fails now."""

    free_bytes: Mapping[str, int] = field(default_factory=dict)
    branch: str = "main"
    lost: tuple[str, ...] = ()
    troubles: tuple[Trouble, ...] = ()


def list_alarms(health: Health) -> tuple[Need, ...]:
    """Each of them, with the command that shows more or repairs it."""
    return tuple(_list_alarms(health))


def _list_alarms(health: Health) -> Iterator[Need]:
    for folder, free in health.free_bytes.items():
        if free < ROOM_BYTES:
            yield Need("disk", f"only {tell_bytes(free)} are free for {inert(folder)}: what needs room waits", 0, "df -h")
    if health.lost:
        names = shorten_list(health.lost)
        what = f"{inert(health.branch)} does not contain {names} any more: somebody set it back"
        yield Need(inert(health.branch), what, 0, f"git merge {inert(health.lost[-1])}")
    for one in health.troubles:
        yield Need("daemon", f"it fails and is tried again: {inert(one.what)}", one.since_ms, "orchd doctor")
