"""Dumb second opinions for the tests of the core. Nothing here may import `orchd.core`, and constants are spelled again.

Claims are decided by listing paths and matching them with a backtracking matcher, not by meeting two languages.
"""

from __future__ import annotations

import functools
import itertools
import unicodedata
from collections.abc import Callable, Mapping, Sequence

from orchd.model.claim import PathSpec
from orchd.model.message import (
    AttemptEnded,
    AttemptStarted,
    LandingsGone,
    RemedyFound,
    SaveAbandoned,
    SaveClosed,
    SaveGated,
    SaveMerged,
    SavePlanned,
    SaveRefused,
    ScreenedOut,
    SessionElsewhere,
    StopAsked,
    TaskAnswered,
    TaskCancelled,
    TaskRetried,
    TaskSeen,
    TaskWithdrawn,
)

ACTIVE = {"running", "stopping"}
BUSY = {"running", "stopping", "ready", "saving"}
OPEN = {"running", "stopping", "ready", "saving", "integrated"}
SUCCEEDED = {"landed", "unchanged"}
FINISHED = {"landed", "unchanged", "failed", "held", "cancelled", "withdrawn"}

LIFE = {
    TaskSeen: {(old, "waiting") for old in FINISHED | {"waiting"}},
    TaskWithdrawn: {("waiting", "withdrawn")},
    TaskRetried: {(old, "waiting") for old in ("failed", "held", "cancelled", "unchanged", "landed")},
    TaskCancelled: {(old, "cancelled") for old in ("waiting", "ready", "failed", "held", "integrated")}
    | {("integrated", "ready"), ("integrated", "held")},
    RemedyFound: {("failed", "waiting"), ("failed", "failed")},
    AttemptStarted: {("waiting", "running")},
    StopAsked: {("running", "stopping")},
    LandingsGone: {(old, "landed") for old in ("waiting", "withdrawn", "cancelled")},
    TaskAnswered: {("held", "waiting")},
    AttemptEnded: {("running", new) for new in ("ready", "unchanged", "failed", "held", "waiting")}
    | {("stopping", "cancelled")},
    ScreenedOut: {("ready", "failed")},
    SavePlanned: {("ready", "saving"), ("integrated", "saving")},
    SaveMerged: {("saving", "held")},
    SaveGated: {("saving", "failed"), ("saving", "held")},
    SaveRefused: {("saving", "held")},
    SaveAbandoned: {("saving", "ready"), ("saving", "integrated")},
    SaveClosed: {("saving", "landed"), ("saving", "unchanged"), ("saving", "ready"), ("saving", "integrated")},
    SessionElsewhere: {(old, "waiting") for old in OPEN},
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


IGNORED = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufe0f\ufeff"


def _hfs(name: str) -> str:
    """HFS+ and APFS: decomposed, case of single characters, some left out."""
    return "".join(c.lower()[:1] for c in unicodedata.normalize("NFD", name) if c not in IGNORED)


def _ext4(name: str) -> str:
    """ext4 with casefold: decomposed, full folding, what is ignorable left out."""
    plain = unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())
    return unicodedata.normalize("NFD", "".join(c for c in plain if c not in IGNORED))


def _ntfs(name: str) -> str:
    """One upper case letter for one lower case letter, nothing composed."""
    return "".join(c.upper() if len(c.upper()) == 1 else c for c in name)


def _turkish(name: str) -> str:
    """Upper case as a Turkish system makes it."""
    return name.replace("i", "\u0130").upper()


FILE_SYSTEMS: Sequence[Callable[[str], str]] = (
    str,
    str.casefold,
    _hfs,
    _ext4,
    _ntfs,
    _turkish,
    lambda name: unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold()),
    lambda name: unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()),
    lambda name: unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).upper()),
)
"""What each kind of disk compares instead of the names."""


TWINS = (
    ("STRASSE", "stra\u00dfe"),
    ("\u03c3\u03c3", "\u03a3\u03c2"),
    ("TITLE", "t\u0131tle"),
    ("t\u0130tle", "ti\u0307tle"),
    ("\u00e9\u0323", "e\u0323\u0301"),
    ("a\u200db", "A\u00adB"),
    ("\ufb01", "fi"),
    ("x\u00b2", "X2"),
)
"""Pairs of names that are one file somewhere."""


@functools.cache
def file_names(path: str) -> frozenset[tuple[int, str]]:
    """What the disks take `path` for; two paths that share one of these are one file somewhere."""
    segments = path.split("/")
    return frozenset((at, "/".join(map(fold, segments))) for at, fold in enumerate(FILE_SYSTEMS))


def all_names(alphabet: str, chars: int) -> tuple[str, ...]:
    """Every name of at most so many characters."""
    return tuple("".join(name) for size in range(1, chars + 1) for name in itertools.product(alphabet, repeat=size))


@functools.cache
def all_paths(names: Sequence[str] = NAMES, depth: int = 3) -> tuple[str, ...]:
    """Every path over some names."""
    return tuple("/".join(path) for size in range(1, depth + 1) for path in itertools.product(names, repeat=size))


@functools.cache
def _files_of(glob: str) -> frozenset[tuple[int, str]]:
    return frozenset(name for path in all_paths() if path_matches(glob, path) for name in file_names(path))


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
