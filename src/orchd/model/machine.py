"""The machine around orchd, as far as it decides whether a task may start."""

from __future__ import annotations

from orchd.model.dataclass import dataclass
from orchd.model.ids import RunId


@dataclass(frozen=True, slots=True)
class MachineSeen:
    """What is free now, in bytes (None: not known), on the disk of the workspaces and of memory; the workspaces on that
    disk, and what they take together (None: not measured, because nothing limits it)."""

    free_disk_bytes: int | None = None
    free_memory_bytes: int | None = None
    workspaces: frozenset[RunId] = frozenset()
    workspace_bytes: int | None = None


UNSEEN_MACHINE = MachineSeen()
"""Nothing is known, so nothing is scarce."""
