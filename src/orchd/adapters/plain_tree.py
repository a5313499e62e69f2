"""The tree of a small workspace in which nothing is special, worked out here: two git processes less for each run.

Rule: an answer is given only where `git add -A` and `git write-tree` give the same one. Whatever could make a difference
(attributes, ignored files, a repository inside, names that git may refuse) is left to git. Files are compared by their
times as git does it, but to the nanosecond. Standard library only.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from pathlib import Path
from typing import NamedTuple

from orchd.adapters.kit import LINK, PROGRAM, Known, Laid, note
from orchd.adapters.loose_pack import MOST_BYTES, MOST_OBJECTS

MOST_FILES = 1000
"""With more of them git is cheaper."""

MOST_FOLDERS_DEEP = 40
USUAL_NAME = re.compile(r"[A-Za-z0-9_+@=,.()\[\]{} -]+")
HARMLESS = frozenset((".github", ".gitignore", ".gitkeep"))
"""Of the names that begin with `.git`. `.gitignore` concerns untracked files alone."""

FILE, FOLDER = 0o100644, 0o40000


class Unusual(Exception):
    """Left to git."""


class PlainTree(NamedTuple):
    """The id of a tree and the objects (kind and content) that the tree of the index lacks."""

    oid: str
    objects: tuple[tuple[bytes, bytes], ...]


def find_plain_tree(workspace: Path, known: Known, since_ns: int) -> PlainTree | None:
    """The tree of all files below `workspace`; None: git must say. `known` is how it was laid out, before `since_ns`."""
    walk = _Walk(known, since_ns)
    try:
        oid = walk.see_folder(str(workspace), "", 0)
        walk.check_ignored()
    except (Unusual, OSError):
        return None
    return PlainTree(oid.hex(), tuple(dict.fromkeys(walk.objects)))


def object_id(kind: bytes, content: bytes) -> bytes:
    """The id that git gives to an object."""
    return hashlib.sha1(b"%s %d\0%s" % (kind, len(content), content), usedforsecurity=False).digest()


def is_usual_name(name: str) -> bool:
    """Whether git treats a file or folder of this name as any other, on every file system."""
    return USUAL_NAME.fullmatch(name) is not None and (name[:4].lower() != ".git" or name in HARMLESS)


class _Walk:
    """One walk over the files."""

    def __init__(self, known: Known, since_ns: int) -> None:
        self.objects: list[tuple[bytes, bytes]] = []
        self._known = known
        self._since_ns = since_ns
        self._bytes = 0
        self._untracked = False
        self._ignores = any(".gitignore" in names for names in known.values())

    def see_folder(self, folder: str, prefix: str, depth: int) -> bytes:
        """The id of its tree; empty for a folder with nothing in it, which git does not track."""
        known = self._known.get(prefix, {})
        rows, count = [], len(self.objects)
        with os.scandir(folder) as entries:
            for entry in entries:
                if depth == 0 and entry.name == ".git":
                    continue
                if depth > MOST_FOLDERS_DEEP or not is_usual_name(entry.name):
                    raise Unusual
                row = self._see(entry, prefix, known.get(entry.name), depth)
                if row:
                    rows.append((entry.name, *row))
        content = _tree_content(rows)
        is_same = len(self.objects) == count and {name for name, *_ in rows} == known.keys()
        if rows and not is_same:
            self._take(b"tree", content)
        return object_id(b"tree", content) if rows or not prefix else b""

    def check_ignored(self) -> None:
        """Raises Unusual when an untracked file may be one that is ignored."""
        if self._untracked and self._ignores:
            raise Unusual

    def _see(self, entry: os.DirEntry[str], prefix: str, known: Laid | None, depth: int) -> tuple[int, bytes] | None:
        self._ignores |= entry.name == ".gitignore"
        if entry.is_dir(follow_symlinks=False):
            oid = self.see_folder(entry.path, f"{prefix}{entry.name}/", depth + 1)
            return (FOLDER, oid) if oid else None
        seen = entry.stat(follow_symlinks=False)
        if known and known.noted == note(seen) and self._is_settled(seen):
            return known.mode, known.oid
        content = self._read(entry.path, seen)
        found = _mode_of(seen), object_id(b"blob", content)
        self._untracked |= known is None
        if known is None or found != (known.mode, known.oid):
            self._take(b"blob", content)
        return found

    def _is_settled(self, seen: os.stat_result) -> bool:
        return seen.st_mtime_ns < self._since_ns and seen.st_ctime_ns < self._since_ns

    def _read(self, path: str, seen: os.stat_result) -> bytes:
        """What was seen, and not what somebody who still writes has put in its place."""
        if stat.S_ISLNK(seen.st_mode):
            return os.fsencode(os.readlink(path))  # noqa: PTH115 - a `Path` for each file costs more than the rest
        if not stat.S_ISREG(seen.st_mode) or seen.st_size > MOST_BYTES:
            raise Unusual
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            content = file.read(MOST_BYTES + 1) if note(os.fstat(handle)) == note(seen) else b""
        if len(content) != seen.st_size:
            raise Unusual
        return content

    def _take(self, kind: bytes, content: bytes) -> None:
        self.objects.append((kind, content))
        self._bytes += len(content)
        if self._bytes > MOST_BYTES or len(self.objects) >= MOST_OBJECTS:
            raise Unusual


def _mode_of(seen: os.stat_result) -> int:
    if stat.S_ISLNK(seen.st_mode):
        return LINK
    return PROGRAM if seen.st_mode & stat.S_IXUSR else FILE


def _tree_content(rows: list[tuple[str, int, bytes]]) -> bytes:
    """git sorts a folder as if its name ended with a slash."""
    rows.sort(key=lambda row: f"{row[0]}/" if row[1] == FOLDER else row[0])
    return b"".join(b"%o %s\0%s" % (mode, name.encode(), oid) for name, mode, oid in rows)
