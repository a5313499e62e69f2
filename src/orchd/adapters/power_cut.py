"""Objects that the machine lost when it went down before they were on the disk.

A new file whose bytes were not synced can be empty, or cut, after a power cut. No ref leads to such an object (`unsynced`), but
whoever writes the same one again is told by git and by the library that it is there, and would move a ref to nothing. So once
after each boot, before anything is written, every object younger than our first start in the boot before is read, and what
cannot be read is set aside. Rule: the mark of a boot is durable before the first object of that boot is written.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from orchd.adapters.durable import write_durably
from orchd.adapters.place import Place
from orchd.adapters.processes import boot_id

SLACK_SECONDS = 86_400
"""The machine's clock may have been set back after the first start."""
CHUNK_BYTES = 1 << 16
_FAN_OUT, _NAME = re.compile("[0-9a-f]{2}"), re.compile("[0-9a-f]{38}")


def boot_mark(place: Place) -> Path:
    """Names the boot in which orchd was started here last; as old as its first start in it."""
    return place.orch / "boot"


def lost_objects(place: Place) -> Path:
    """Where unreadable objects are kept, under their ids."""
    return place.orch / "lost-objects"


def set_lost_aside(place: Place) -> tuple[Path, ...]:
    """Do it, if the machine was started since. Returns what was set aside."""
    mark, boot = boot_mark(place), boot_id()
    try:
        if mark.read_text() == boot:
            return ()
        since = mark.stat().st_mtime - SLACK_SECONDS
    except FileNotFoundError:  # we have never written anything here
        since = float("inf")
    lost = tuple(path for path in _list_loose(place.git_dir / "objects", since) if not _is_whole(path))
    for path in lost:
        lost_objects(place).mkdir(parents=True, exist_ok=True)
        path.rename(lost_objects(place) / (path.parent.name + path.name))
    place.orch.mkdir(parents=True, exist_ok=True)
    write_durably(mark, boot.encode())
    return lost


def _list_loose(store: Path, since: float) -> Iterator[Path]:
    """The loose objects that are younger than `since`, in seconds since the epoch."""
    if since < float("inf"):
        folders = [path for path in store.iterdir() if _FAN_OUT.fullmatch(path.name)]
        names = [path for folder in folders for path in folder.iterdir() if _NAME.fullmatch(path.name)]
        yield from (path for path in names if path.stat().st_mtime >= since)


def _is_whole(path: Path) -> bool:
    """Whether the file has the content that its name promises. The library is not asked: it may never return from a cut one."""
    stream, name = zlib.decompressobj(), hashlib.sha1(usedforsecurity=False)
    try:
        with path.open("rb") as file:
            while part := file.read(CHUNK_BYTES):
                name.update(stream.decompress(part))
    except zlib.error:
        return False
    return stream.eof and name.hexdigest() == path.parent.name + path.name
