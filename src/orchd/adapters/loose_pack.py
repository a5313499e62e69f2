"""A pack of a few objects, those that are loose in a workspace or others, written here because starting `git pack-objects`
costs more than the rest of collecting (3 to 4 ms of CPU). Standard library only. The format is that of git's
`gitformat-pack`, without deltas.

Rule: whoever reads the pack checks it with `--strict`; nothing here is trusted.
"""

from __future__ import annotations

import hashlib
import os
import re
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

MOST_OBJECTS = 64
MOST_BYTES = 1024 * 1024
"""Of the loose files together; what is larger is git's business."""

LOOSE_NAME = re.compile("[0-9a-f]{38}")
"""What git was killed while writing has another name."""

TYPES = {b"commit": 1, b"tree": 2, b"blob": 3, b"tag": 4}


def write_loose_pack(objects: Path, out: BinaryIO) -> bool:
    """Write a pack of all loose objects below `objects` to `out`. False, with nothing written, when there are too many,
    when some are packed already, or when one cannot be read."""
    folders = objects.glob("[0-9a-f][0-9a-f]")
    loose = [path for folder in folders for path in folder.iterdir() if LOOSE_NAME.fullmatch(path.name)]
    few = 0 < len(loose) <= MOST_OBJECTS and sum(path.stat().st_size for path in loose) <= MOST_BYTES
    if not few or any((objects / "pack").glob("*")):
        return False
    try:
        found = list(_read_objects(loose))
    except (zlib.error, ValueError, OSError):
        return False
    write_pack(found, out)
    return True


def write_pack(objects: Collection[tuple[bytes, bytes]], out: BinaryIO) -> None:
    """Write a pack of `objects` (kind and content) to `out`, durably."""
    entries = (_entry_header(TYPES[kind], len(content)) + zlib.compress(content, 1) for kind, content in objects)
    pack = b"PACK" + (2).to_bytes(4, "big") + len(objects).to_bytes(4, "big") + b"".join(entries)
    out.write(pack + hashlib.sha1(pack, usedforsecurity=False).digest())
    out.flush()
    os.fsync(out.fileno())


def _read_objects(loose: list[Path]) -> Iterator[tuple[bytes, bytes]]:
    for path in loose:
        stream = zlib.decompressobj()
        plain = stream.decompress(path.read_bytes(), MOST_BYTES)
        header, _, content = plain.partition(b"\0")
        kind, size = header.split(b" ")
        if not stream.eof or int(size) != len(content):
            raise ValueError(f"{path} is not a loose object")
        if kind not in TYPES:
            raise ValueError(f"{path} has a kind that git does not know")
        yield kind, content


def _entry_header(kind: int, size: int) -> bytes:
    """Type and size: four bits of size in the first byte, seven in each that follows."""
    size, low = divmod(size, 16)
    packed = [kind << 4 | low]
    while size:
        packed[-1] |= 0x80
        size, low = divmod(size, 128)
        packed.append(low)
    return bytes(packed)
