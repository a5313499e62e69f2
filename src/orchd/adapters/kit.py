"""A kit: the files of a small tree in one file. The daemon makes it once for a tree; supervisors make workspaces from it
without git, which costs a fifth. Standard library only.

Rule: a kit that is torn or gone is no kit, and git checks out. What is laid out is what `git read-tree -m -u` lays out: the
same files, and an index that git takes for its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

PROGRAM, LINK = 0o100755, 0o120000
_ENTRY = struct.Struct(">10I20sH")
_LOW = 0xFFFFFFFF
_LONG_NAME = 0xFFF
_NANO = 1_000_000_000

Noted: TypeAlias = tuple[int, ...]
"""What tells whether a file was touched: inode, times in nanoseconds, size, mode and owner."""


class KitFile(NamedTuple):
    """One file of a tree. `path` is relative, `mode` as git has it."""

    path: str
    mode: int
    oid: str
    content: bytes


class Laid(NamedTuple):
    """A file as it was laid out: mode and id, and what the file system said of it then."""

    mode: int
    oid: bytes
    noted: Noted


Known: TypeAlias = "dict[str, dict[str, Laid | None]]"
"""The names in each folder (named "" or with a slash at its end); None for those that are folders."""


def dump_kit(files: Iterable[KitFile]) -> bytes:
    """The content of the file that holds these."""
    listed = sorted(files, key=lambda file: file.path.encode())
    head = json.dumps([(file.path, file.mode, file.oid, len(file.content)) for file in listed]).encode()
    body = b"".join((b"%d\n" % len(head), head, *(file.content for file in listed)))
    return body + hashlib.sha1(body, usedforsecurity=False).digest()


def load_kit(data: bytes) -> list[KitFile]:
    """The files in it, in the order of an index. Raises ValueError when it is torn."""
    body, mark = data[:-20], data[-20:]
    if hashlib.sha1(body, usedforsecurity=False).digest() != mark:
        raise ValueError("the kit is torn")
    size, _, rest = body.partition(b"\n")
    at, files = int(size), []
    for path, mode, oid, length in json.loads(rest[:at]):
        files.append(KitFile(path, mode, oid, rest[at : at + length]))
        at += length
    return files


def lay_out(top: Path, files: Sequence[KitFile]) -> Known:
    """Write the files below `top`, where only an empty git folder is, and its index. Raises OSError."""
    known: Known = {"": {}}
    rows = [b"DIRC\0\0\0\2" + len(files).to_bytes(4, "big")]
    for file in files:
        above, slash, name = file.path.rpartition("/")
        folder = known.get(above + slash)
        if folder is None:
            folder = _make_folder(top, above, known)
        seen = _write_file(f"{top}/{file.path}", file)
        folder[name] = Laid(file.mode, bytes.fromhex(file.oid), note(seen))
        rows.append(_spell_entry(file, seen))
    content = b"".join(rows)
    (top / ".git" / "index").write_bytes(content + hashlib.sha1(content, usedforsecurity=False).digest())
    return known


def note(seen: os.stat_result) -> Noted:
    """What is compared later."""
    return seen.st_ino, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_size, seen.st_mode, seen.st_uid, seen.st_gid


def _make_folder(top: Path, path: str, known: Known) -> dict[str, Laid | None]:
    above, slash, name = path.rpartition("/")
    if above + slash not in known:
        _make_folder(top, above, known)
    (top / path).mkdir()
    known[above + slash][name] = None
    return known.setdefault(f"{path}/", {})


def _write_file(path: str, file: KitFile) -> os.stat_result:
    if file.mode == LINK:
        os.symlink(file.content, path.encode())  # noqa: PTH211 - plain bytes
        return os.lstat(path)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o777 if file.mode == PROGRAM else 0o666)
    try:
        if os.write(handle, file.content) != len(file.content):
            raise OSError(f"{path} cannot be written whole")
        return os.fstat(handle)
    finally:
        os.close(handle)


def _spell_entry(file: KitFile, seen: os.stat_result) -> bytes:
    """An entry of an index of version 2 (git's `gitformat-index`)."""
    times = (*divmod(seen.st_ctime_ns, _NANO), *divmod(seen.st_mtime_ns, _NANO))
    numbers = (*times, seen.st_dev, seen.st_ino, file.mode, seen.st_uid, seen.st_gid, seen.st_size)
    name = file.path.encode()
    head = _ENTRY.pack(*(number & _LOW for number in numbers), bytes.fromhex(file.oid), min(len(name), _LONG_NAME))
    row = head + name
    return row + b"\0" * (8 - len(row) % 8)
