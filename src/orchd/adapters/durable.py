"""Files that are there after a power cut, and are never seen half-written."""

from __future__ import annotations

import contextlib
import itertools
import os
from pathlib import Path

_serial = itertools.count()


def write_durably(path: Path, content: bytes) -> None:
    """Write aside, sync, rename into place, sync the folder. Readers see the old content or the new one."""
    aside = _write_aside(path, content)
    aside.replace(path)
    sync_folder(path.parent)


def create_durably(path: Path, content: bytes) -> bool:
    """Like `write_durably`, but only the first of several writers wins. Returns whether this one did."""
    aside = _write_aside(path, content)
    try:
        path.hardlink_to(aside)
    except FileExistsError:
        return False
    finally:
        aside.unlink()
    sync_folder(path.parent)
    return True


def sync_file(path: Path) -> None:
    """Make the content of a file durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(folder: Path | str) -> None:
    """Make the names in `folder` durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_quietly(path: Path) -> None:
    """Remove a file; that it is gone already is fine."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()


def _write_aside(path: Path, content: bytes) -> Path:
    aside = path.with_name(f".{path.name}.{os.getpid()}.{next(_serial)}")
    with aside.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    return aside
