"""Room on the disk: what gates say while there is none says nothing about a task, and they are asked when there is again.

Rule: green stays green (a command that ended with 0 did its work); everything else that was heard without room is not heard.
"""

from __future__ import annotations

from collections.abc import Iterator

from orchd.model.limits import ROOM_BYTES, ROOM_MOST_SECONDS, ROOM_SECONDS
from orchd.model.message import SaveHeld
from orchd.model.run import RunSeen
from orchd.model.save import Hold, Save
from orchd.model.snapshot import Snapshot


def has_room(snapshot: Snapshot) -> bool:
    """Whether the disk of the workspaces has any; where that cannot be told it has."""
    free = snapshot.machine.free_disk_bytes
    return free is None or free >= ROOM_BYTES


def was_starved(seen: RunSeen, snapshot: Snapshot) -> bool:
    """Whether a run that did not succeed had no room: as its supervisor found, or as it is now."""
    return (seen.exit is not None and seen.exit.starved) or not has_room(snapshot)


def may_gate(save: Save, snapshot: Snapshot) -> bool:
    """Whether gates may be run now. After each run without room it takes longer, for what is free may not be enough."""
    return has_room(snapshot) and not 0 <= snapshot.now_ms - save.starved_ms < _pause_ms(save)


def _pause_ms(save: Save) -> int:
    times = sum(one.starved for one in save.tries)
    return int(1000 * min(ROOM_MOST_SECONDS, ROOM_SECONDS * 2 ** (times - 1))) if times else 0


def hold_for_room(save: Save, snapshot: Snapshot, *, waits: bool) -> Iterator[SaveHeld]:
    """That the save (or the task by itself) waits for room, or does not any more. `waits`: a run of gates is due that has not
    begun."""
    hold = Hold.ROOM if waits and not may_gate(save, snapshot) else None
    if hold != save.hold:
        yield SaveHeld(save.id, hold, ())
