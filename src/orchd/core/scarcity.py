"""What the machine lacks: one row for each limit of the configuration that protects it. A start needs all of them."""

from __future__ import annotations

from collections.abc import Callable

from orchd.core.desk import Desk, Room
from orchd.core.tables import tell_bytes
from orchd.model.dataclass import dataclass
from orchd.model.snapshot import Cause


@dataclass(frozen=True, slots=True)
class Scarcity:
    """`find` gives what there is and what the limit says, for people, when nothing may start; else None.
    `is_set` is whether it can ever be so in this room."""

    cause: Cause
    find: Callable[[Desk], tuple[str, str] | None]
    is_set: Callable[[Room], bool]


def _disk(desk: Desk) -> tuple[str, str] | None:
    return _too_little(desk.room.machine.free_disk_bytes, desk.room.config.free_disk_bytes)


def _memory(desk: Desk) -> tuple[str, str] | None:
    return _too_little(desk.room.machine.free_memory_bytes, desk.room.config.free_memory_bytes)


def _workspaces(desk: Desk) -> tuple[str, str] | None:
    limit = desk.room.config.workspaces
    return (str(desk.workspaces), str(limit)) if limit is not None and desk.workspaces >= limit else None


def _workspace_bytes(desk: Desk) -> tuple[str, str] | None:
    used, limit = desk.room.machine.workspace_bytes, desk.room.config.workspace_bytes
    return (tell_bytes(used), tell_bytes(limit)) if limit is not None and used is not None and used >= limit else None


def _too_little(free: int | None, least: int) -> tuple[str, str] | None:
    return (tell_bytes(free), tell_bytes(least)) if free is not None and free < least else None


SCARCITIES = (
    Scarcity(Cause.DISK, _disk, lambda room: room.machine.free_disk_bytes is not None),
    Scarcity(Cause.MEMORY, _memory, lambda room: room.machine.free_memory_bytes is not None),
    Scarcity(Cause.WORKSPACES, _workspaces, lambda room: room.config.workspaces is not None),
    Scarcity(Cause.WORKSPACE_BYTES, _workspace_bytes, lambda room: room.config.workspace_bytes is not None),
)
