"""The machine: free disk, free memory, and what the workspaces take. Cheap enough for every look.

What workspaces take is only measured where it is limited: each of them at most once in MEASURE_SECONDS, and no more than
MEASURED_FILES files of each. Whoever writes into a workspace may do so meanwhile; what vanishes counts for nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from orchd.adapters.busy_ports import find_busy_ports
from orchd.adapters.workspace_names import list_workspaces
from orchd.model.config import Config
from orchd.model.ids import RunId
from orchd.model.limits import MEASURE_SECONDS, MEASURED_FILES
from orchd.model.machine import MachineSeen

MEMORY_INFO = Path("/proc/meminfo")
BLOCK_BYTES = 512
"""The unit of `st_blocks`, whatever the file system."""


class LocalMachine:
    """Port `Machine` for the workspaces in `folder`. `monotonic` gives seconds."""

    def __init__(self, folder: Path, monotonic: Callable[[], float]) -> None:
        self._folder = folder
        self._monotonic = monotonic
        self._measured: dict[RunId, tuple[float, int]] = {}

    def look(self, config: Config) -> MachineSeen:
        """What is free and what the workspaces take now."""
        names = list_workspaces(self._folder)
        used = self._measure(names) if config.workspace_bytes is not None else None
        return MachineSeen(free_disk(self._folder), free_memory(), frozenset(names), used)

    def busy_ports(self) -> frozenset[int]:
        """TCP ports that anybody on this machine has."""
        return find_busy_ports()

    def _measure(self, names: list[RunId]) -> int:
        now = self._monotonic()
        self._measured = {name: self._measured[name] for name in names if name in self._measured}
        for name in names:
            at, _ = self._measured.get(name, (-MEASURE_SECONDS, 0))
            if now - at >= MEASURE_SECONDS:
                self._measured[name] = (now, measure_folder(self._folder / name))
        return sum(taken for _, taken in self._measured.values())


def free_disk(folder: Path) -> int | None:
    """Bytes that we may still write where `folder` is, or will be; None when that cannot be told."""
    for place in (folder, *folder.parents):
        try:
            seen = os.statvfs(place)
        except FileNotFoundError:
            continue
        except OSError:
            return None
        return seen.f_bavail * seen.f_frsize
    return None


def free_memory(source: Path = MEMORY_INFO) -> int | None:
    """Bytes that programs can still get without swapping, as the kernel estimates them; None where it does not."""
    try:
        lines = source.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = [line.split() for line in lines if line.startswith("MemAvailable:")]
    return int(found[0][1]) * 1024 if found and found[0][1].isdigit() else None


def measure_folder(folder: Path) -> int:
    """Bytes on disk of at most MEASURED_FILES entries below `folder`; no symlink is followed."""
    return sum(taken for _, taken in zip(range(MEASURED_FILES), _walk(folder), strict=False))


def _walk(folder: Path) -> Iterator[int]:
    left = [os.fspath(folder)]
    while left:
        try:
            with os.scandir(left.pop()) as entries:
                for entry in entries:
                    taken, is_folder = _look_at(entry)
                    yield taken
                    if is_folder:
                        left.append(entry.path)
        except OSError:
            continue


def _look_at(entry: os.DirEntry[str]) -> tuple[int, bool]:
    try:
        return entry.stat(follow_symlinks=False).st_blocks * BLOCK_BYTES, entry.is_dir(follow_symlinks=False)
    except OSError:
        return 0, False
