"""The tree of a small workspace in which nothing is special, worked out here: two git processes less for each run.

Rule: an answer is given only where `git add -A` and `git write-tree` give the same one. Whatever could make a difference
(attributes, ignored files, a repository inside, names that git may refuse, an index of another kind) is left to git. Files
are compared by their times as git does it, but to the nanosecond. Standard library only.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from orchd.adapters.loose_pack import MOST_BYTES, MOST_OBJECTS

MOST_INDEX_BYTES = 128 * 1024
"""About a thousand files; with more of them git is cheaper."""

MOST_FOLDERS_DEEP = 40
USUAL_NAME = re.compile(rb"[A-Za-z0-9_+@=,.()\[\]{} -]+")
HARMLESS = frozenset((b".github", b".gitignore", b".gitkeep"))
"""Of the names that begin with `.git`. `.gitignore` concerns untracked files alone."""

FILE, PROGRAM, LINK, FOLDER = b"100644", b"100755", b"120000", b"40000"
_TRACKED = {0o100644: FILE, 0o100755: PROGRAM, 0o120000: LINK}
_ENTRY = struct.Struct(">10I20sH")
_LOW = 0xFFFFFFFF
_NANO = 1_000_000_000


class Unusual(Exception):
    """Left to git."""


class Entry(NamedTuple):
    """A file of the index: its mode and id as a tree has them, and what git noted of the file on disk (no device)."""

    mode: bytes
    oid: bytes
    noted: tuple[int, ...]


class PlainTree(NamedTuple):
    """The id of a tree and the objects (kind and content) that the tree of the index lacks."""

    oid: str
    objects: tuple[tuple[bytes, bytes], ...]


def find_plain_tree(workspace: Path, index: Path) -> PlainTree | None:
    """The tree of all files below `workspace`; None: git must say. `index` is the one of the checkout, untouched."""
    try:
        data = index.read_bytes() if index.stat().st_size <= MOST_INDEX_BYTES else b""
        walk = _Walk(_by_folder(_read_index(data)), index.stat().st_mtime_ns)
        oid = walk.see_folder(os.fsencode(workspace), b"", 0)
        walk.check_ignored()
    except (Unusual, OSError, struct.error, ValueError):
        return None
    return PlainTree(oid.hex(), tuple(dict.fromkeys(walk.objects)))


def object_id(kind: bytes, content: bytes) -> bytes:
    """The id that git gives to an object."""
    return hashlib.sha1(b"%s %d\0%s" % (kind, len(content), content), usedforsecurity=False).digest()


class _Walk:
    """One walk over the files. `since_ns` is when the index was written: what changed before then, it knows."""

    def __init__(self, known: dict[bytes, dict[bytes, Entry | None]], since_ns: int) -> None:
        self.objects: list[tuple[bytes, bytes]] = []
        self._known = known
        self._since_ns = since_ns
        self._bytes = 0
        self._untracked = False
        self._ignores = any(b".gitignore" in names for names in known.values())

    def see_folder(self, folder: bytes, prefix: bytes, depth: int) -> bytes:
        """The id of its tree; that of the empty tree when there is nothing in it."""
        known = self._known.get(prefix, {})
        rows, count = [], len(self.objects)
        with os.scandir(folder) as entries:
            for entry in entries:
                if depth == 0 and entry.name == b".git":
                    continue
                row = self._see(entry, prefix, known.get(entry.name), depth)
                if row:
                    rows.append((entry.name, *row))
        content = _tree_content(rows)
        oid = object_id(b"tree", content)
        is_same = len(self.objects) == count and {name for name, *_ in rows} == known.keys()
        if rows and not is_same:
            self._take(b"tree", content)
        return oid if rows or not prefix else b""

    def check_ignored(self) -> None:
        """Raises Unusual when an untracked file may be one that is ignored."""
        if self._untracked and self._ignores:
            raise Unusual

    def _see(self, entry: os.DirEntry[bytes], prefix: bytes, known: Entry | None, depth: int) -> tuple[bytes, bytes] | None:
        _check_name(entry.name, depth)
        self._ignores |= entry.name == b".gitignore"
        if entry.is_dir(follow_symlinks=False):
            oid = self.see_folder(entry.path, prefix + entry.name + b"/", depth + 1)
            return (FOLDER, oid) if oid else None
        seen = entry.stat(follow_symlinks=False)
        mode = _mode_of(seen)
        if known and known.mode == mode and known.noted == _note(seen) and self._is_settled(seen):
            return mode, known.oid
        content = self._read(entry.path, seen)
        found = mode, object_id(b"blob", content)
        self._untracked |= known is None
        if known is None or found != (known.mode, known.oid):
            self._take(b"blob", content)
        return found

    def _is_settled(self, seen: os.stat_result) -> bool:
        return seen.st_mtime_ns < self._since_ns and seen.st_ctime_ns < self._since_ns

    def _read(self, path: bytes, seen: os.stat_result) -> bytes:
        if stat.S_ISLNK(seen.st_mode):
            return os.readlink(path)  # noqa: PTH115 - plain bytes
        if seen.st_size > MOST_BYTES:
            raise Unusual
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - plain bytes
            return file.read()

    def _take(self, kind: bytes, content: bytes) -> None:
        self.objects.append((kind, content))
        self._bytes += len(content)
        if self._bytes > MOST_BYTES or len(self.objects) >= MOST_OBJECTS:
            raise Unusual


def _check_name(name: bytes, depth: int) -> None:
    special = name[:4].lower() == b".git" and name not in HARMLESS
    if special or depth > MOST_FOLDERS_DEEP or not USUAL_NAME.fullmatch(name):
        raise Unusual


def _mode_of(seen: os.stat_result) -> bytes:
    if stat.S_ISLNK(seen.st_mode):
        return LINK
    if not stat.S_ISREG(seen.st_mode):
        raise Unusual
    return PROGRAM if seen.st_mode & stat.S_IXUSR else FILE


def _note(seen: os.stat_result) -> tuple[int, ...]:
    change, write = divmod(seen.st_ctime_ns, _NANO), divmod(seen.st_mtime_ns, _NANO)
    numbers = (*change, *write, seen.st_ino, seen.st_uid, seen.st_gid, seen.st_size)
    return tuple(number & _LOW for number in numbers)


def _tree_content(rows: list[tuple[bytes, bytes, bytes]]) -> bytes:
    """git sorts a folder as if its name ended with a slash."""
    rows.sort(key=lambda row: row[0] + b"/" if row[1] == FOLDER else row[0])
    return b"".join(b"%s %s\0%s" % (mode, name, oid) for name, mode, oid in rows)


def _by_folder(entries: Iterator[tuple[bytes, Entry]]) -> dict[bytes, dict[bytes, Entry | None]]:
    """The names in each folder (empty or ended by a slash); None for those that are folders."""
    folders: dict[bytes, dict[bytes, Entry | None]] = {b"": {}}
    for path, entry in entries:
        above, slash, name = path.rpartition(b"/")
        folder = above + slash
        if folder not in folders:
            _add_folders(folders, above)
        folders[folder][name] = entry
        _check_name(name, 0)
    return folders


def _add_folders(folders: dict[bytes, dict[bytes, Entry | None]], path: bytes) -> None:
    above, slash, name = path.rpartition(b"/")
    if above and above + slash not in folders:
        _add_folders(folders, above)
    folders[above + slash][name] = None
    folders.setdefault(path + b"/", {})


def _read_index(data: bytes) -> Iterator[tuple[bytes, Entry]]:
    """The files in an index of version 2. Raises Unusual for what only another git writes or only some repositories have."""
    if data[:8] != b"DIRC\0\0\0\2":
        raise Unusual
    at = 12
    for _ in range(int.from_bytes(data[8:12], "big")):
        *noted, _device, inode, mode, user, group, size, oid, flags = _ENTRY.unpack_from(data, at)
        begin, end = at + _ENTRY.size, data.index(b"\0", at + _ENTRY.size)
        if mode not in _TRACKED or flags >> 12:
            raise Unusual
        yield data[begin:end], Entry(_TRACKED[mode], oid, (*noted, inode, user, group, size))
        at += (end - at + 8) & ~7
    _check_extensions(data, at)


def _check_extensions(data: bytes, at: int) -> None:
    """Those with a small first letter change what the entries mean."""
    while at < len(data) - 20:
        if data[at : at + 1].islower():
            raise Unusual
        at += 8 + int.from_bytes(data[at + 4 : at + 8], "big")
