"""What is wrong around the tasks, for clients: no room, a branch that was set back, actions of the daemon that fail."""

from __future__ import annotations

from collections.abc import Sequence

from orchd.adapters.losses import list_unsettled
from orchd.adapters.machine import free_disk
from orchd.adapters.place import Place
from orchd.adapters.server import read_server
from orchd.adapters.trouble_notes import read_troubles
from orchd.core.alarms import Health
from orchd.model.save import Checkpoint


def look_at_health(place: Place, branch: str, remote: str, checkpoints: Sequence[Checkpoint], now_ms: int) -> Health:
    """See `Health`. `checkpoints` are all that the branch, here or in the `remote`, should contain, the oldest first."""
    free = {str(folder): free_disk(folder) for folder in (place.git_dir, place.workspaces)}
    known = {folder: found for folder, found in free.items() if found is not None}
    lost = tuple(one.checkpoint for one in list_unsettled(place, branch, remote, checkpoints)) if checkpoints else ()
    return Health(known, branch, lost, read_troubles(place, now_ms) if read_server(place) else ())
