"""What git cannot do here, it may do later: until it was tried often and for long, and the disk has room.

Rule: trouble of this machine is no verdict on a task; but what never succeeds ends, so that nobody else waits for it for ever.
"""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path

from orchd.adapters.evidence import run_folder
from orchd.adapters.machine import free_disk
from orchd.adapters.place import Place
from orchd.model.ids import RunId
from orchd.model.limits import ROOM_BYTES, VERDICT_SECONDS, VERDICT_TRIES

FILE = "tries-{}.json"
"""In the folder of the run, for each thing that is tried: since when, and how often."""


def outlast(place: Place, run: RunId, what: str, error: Exception) -> str:
    """That `what` is done with the work of `run` will not succeed, in words. Raises `error` again while it still may."""
    if (free_disk(place.git_dir) or 0) < ROOM_BYTES:
        raise error
    since_seconds, count = _count(run_folder(place, run) / FILE.format(what))
    if count < VERDICT_TRIES or time.time() - since_seconds < VERDICT_SECONDS:
        raise error
    return f"git could not do it in {count} tries: {error}"


def _count(file: Path) -> tuple[float, int]:
    """Since when, and how often with this time. What cannot be read or written begins anew."""
    now_seconds = time.time()
    with contextlib.suppress(OSError, ValueError, TypeError):
        since_seconds, count = json.loads(file.read_bytes()) if file.exists() else (now_seconds, 0)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps([since_seconds, count + 1]))
        return float(since_seconds), int(count) + 1
    return now_seconds, 1
