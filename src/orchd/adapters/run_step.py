"""Which step of a task runs now and for how long, and where its agent says how far it is. For clients; nothing is synced.

Standard library only: supervisors write it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from orchd.adapters.heartbeat import read_boot_seconds
from orchd.adapters.run_files import PROGRESS, STEP


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


def list_progress(folder: Path) -> Iterator[tuple[int, Path]]:
    """Those that are there, with the place of their command, in order."""
    found = {int(path.name.removeprefix(PROGRESS)[1:] or 0): path for path in folder.glob(f"{PROGRESS}*")}
    yield from sorted(found.items())
