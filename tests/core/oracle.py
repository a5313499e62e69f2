"""Dumb second opinions for the tests of the core. Nothing here may import `orchd.core`, and constants are spelled again.

Claims are decided by listing paths and matching them with a backtracking matcher, not by meeting two languages.
"""

from __future__ import annotations

import functools
import itertools
import unicodedata
from collections.abc import Mapping, Sequence

from orchd.model.claim import PathSpec
from orchd.model.message import (
    AttemptEnded,
    AttemptStarted,
    SaveAbandoned,
    SaveClosed,
    SaveGated,
    SaveMerged,
    SavePlanned,
    StopAsked,
    TaskCancelled,
    TaskRetried,
    TaskSeen,
    TaskWithdrawn,
)

ACTIVE = {"running", "stopping"}
OPEN = {"running", "stopping", "ready", "saving"}
SUCCEEDED = {"landed", "unchanged"}
FINISHED = {"landed", "unchanged", "failed", "held", "cancelled", "withdrawn"}

LIFE = {
    TaskSeen: {(old, "waiting") for old in FINISHED | {"waiting"}},
    TaskWithdrawn: {("waiting", "withdrawn")},
    TaskRetried: {(old, "waiting") for old in ("failed", "held", "cancelled", "unchanged")},
    TaskCancelled: {(old, "cancelled") for old in ("waiting", "ready", "failed", "held")},
    AttemptStarted: {("waiting", "running")},
    StopAsked: {("running", "stopping")},
    AttemptEnded: {("running", new) for new in ("ready", "unchanged", "failed", "waiting")} | {("stopping", "cancelled")},
    SavePlanned: {("ready", "saving")},
    SaveMerged: {("saving", "held")},
    SaveGated: {("saving", "failed")},
    SaveAbandoned: {("saving", "ready")},
    SaveClosed: {("saving", "landed"), ("saving", "unchanged"), ("saving", "ready")},
}
"""The life of a task, written down a second time."""

NAMES = ("a", "b", "A", "B", "ab", "ba", "bb", "c")


@functools.cache
def name_matches(glob: str, name: str) -> bool:
    """Whether one name matches one segment with `*` and `?`."""
    if not glob:
        return not name
    if glob[0] == "*":
        return name_matches(glob[1:], name) or (bool(name) and name_matches(glob, name[1:]))
    return bool(name) and glob[0] in ("?", name[0]) and name_matches(glob[1:], name[1:])


def path_matches(glob: str, path: str) -> bool:
    """Whether a path is named by a glob."""
    return _match(tuple(glob.split("/")), tuple(path.split("/")))


def _match(globs: tuple[str, ...], names: tuple[str, ...]) -> bool:
    if not globs:
        return not names
    if globs == ("**",):
        return bool(names)
    if globs[0] == "**":
        return _match(globs[1:], names) or (bool(names) and _match(globs, names[1:]))
    return bool(names) and name_matches(globs[0], names[0]) and _match(globs[1:], names[1:])


def same_file(path: str) -> str:
    """Two paths with the same result are one file somewhere: on a disk that ignores case, or composes accents."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", path).casefold())


def all_names(alphabet: str, chars: int) -> tuple[str, ...]:
    """Every name of at most so many characters."""
    return tuple("".join(name) for size in range(1, chars + 1) for name in itertools.product(alphabet, repeat=size))


@functools.cache
def all_paths(names: Sequence[str] = NAMES, depth: int = 3) -> tuple[str, ...]:
    """Every path over some names."""
    return tuple("/".join(path) for size in range(1, depth + 1) for path in itertools.product(names, repeat=size))


@functools.cache
def _files_of(glob: str) -> frozenset[str]:
    return frozenset(same_file(path) for path in all_paths() if path_matches(glob, path))


@functools.cache
def meets(first: str, second: str) -> bool:
    """Whether a file of the small universe belongs to both globs."""
    return not _files_of(first).isdisjoint(_files_of(second))


@functools.cache
def clashes(ours: tuple[PathSpec, ...], theirs: tuple[PathSpec, ...]) -> bool:
    """Whether two lists of claims exclude each other."""
    peace = {("read", "read"), ("append", "append")}
    return any((a.mode.value, b.mode.value) not in peace and meets(a.glob, b.glob) for a in ours for b in theirs)


def has_cycle(edges: Mapping[str, Sequence[str]]) -> bool:
    """Whether a walk along the edges comes back to where it was."""
    colour: dict[str, str] = {}

    def visit(node: str) -> bool:
        if colour.get(node) == "grey":
            return True
        if colour.get(node) == "black":
            return False
        colour[node] = "grey"
        found = any(visit(following) for following in edges.get(node, ()))
        colour[node] = "black"
        return found

    return any(visit(node) for node in edges)


def longest_green(bad: set[int], size: int) -> int:
    """How many items from the front contain none of the bad positions (0 is the first item)."""
    return next((at for at in range(size) if at in bad), size)
