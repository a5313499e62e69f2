"""Which step of a task runs now and for how long, and where its agent says how far it is. For clients; nothing is synced.

Standard library only: supervisors write it.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from orchd.adapters.heartbeat import read_boot_seconds
from orchd.adapters.run_files import PROGRESS, STEP

_ENDS = ("finished", "error", "ended_by")
"""What a report says of the end of its agent."""


class StepNow(NamedTuple):
    """The step that runs (empty: the task has none), and the seconds since it began."""

    name: str = ""
    seconds: float = 0.0


def note_step(folder: Path, name: str) -> None:
    """In the folder of a run: the step `name` begins. What cannot be written is only not shown."""
    with contextlib.suppress(OSError):
        (folder / STEP).write_text(f"{name} {read_boot_seconds():.2f}\n")


def read_step(folder: Path) -> StepNow:
    """What was noted last in the folder of a run of this boot."""
    try:
        name, begun = (folder / STEP).read_text().split()
        return StepNow(name, max(0.0, read_boot_seconds() - float(begun)))
    except (OSError, ValueError):
        return StepNow()


def name_progress(folder: Path, at: int) -> Path:
    """The file in the folder of a run that says how far the agent of its command at this place is."""
    return folder / (f"{PROGRESS}.{at}" if at else PROGRESS)


def read_told(folder: Path) -> dict[str, Any] | None:
    """What the last agent of a lost run had told, with what all of them used. None: nothing."""
    told: list[dict[str, Any]] = []
    for _, path in list_progress(folder):
        with contextlib.suppress(OSError, ValueError):
            told.append(json.loads(path.read_bytes()))
    if not told:
        return None
    whole = {key: value for key, value in told[-1].items() if key not in _ENDS}
    uses = [one.get("usage", {}) for one in told]
    if len(uses) > 1:
        names = {name for use in uses for name, value in use.items() if type(value) is int}
        whole["usage"] = {name: sum(use.get(name) or 0 for use in uses) for name in names}
    return whole


def list_progress(folder: Path) -> Iterator[tuple[int, Path]]:
    """Those that are there, with the place of their command, in order."""
    found = {int(path.name.removeprefix(PROGRESS)[1:] or 0): path for path in folder.glob(f"{PROGRESS}*")}
    yield from sorted(found.items())
