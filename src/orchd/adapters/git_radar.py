"""The conflict radar in git: all pairs of live tips are merged in memory, each pair once.

Most pairs need no git: sides that changed different paths merge. For the others one `git merge-tree --stdin` does all that is
new at a look, on an empty repository of our own, and what it writes is thrown away. Rule: a pair whose merge git does not come
to (it was killed, it took too long, an object is missing) is not predicted; nothing waits for the radar.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import pygit2

from orchd.adapters.git_repo import GitRepo, is_near
from orchd.adapters.git_run import Git
from orchd.adapters.git_trees import diff_trees
from orchd.adapters.merge_report import MERGE_CONFIG
from orchd.adapters.neutral import neutral_repository
from orchd.adapters.quarantine import UNSYNCED, Quarantine
from orchd.model.dataclass import dataclass
from orchd.model.ids import Oid
from orchd.model.limits import RADAR_FINDINGS, RADAR_SECONDS, SCRATCH_BYTES
from orchd.model.snapshot import Meetings

Pair = tuple[Oid, Oid]
_CONFIG = (*MERGE_CONFIG, *UNSYNCED[-1:])
MEMORY = Path("/dev/shm")  # noqa: S108 - what is made there has a random name and belongs to this user
REMEMBERED_BASES = 500


@dataclass(frozen=True, slots=True)
class Touched:
    """What one side changed since a base: the paths, the folders on the way to them, and those that lost a name."""

    paths: frozenset[str]
    folders: frozenset[str]
    holes: frozenset[str]


NOTHING = Touched(frozenset(), frozenset(), frozenset())


@dataclass(frozen=True, slots=True)
class Tip:
    """A commit, where it left main's history (empty: nowhere), and what it changed since (None: too much to say)."""

    start: Oid
    touched: Touched | None


class GitRadar:
    """`Radar` in git. Remembers what it knows of a commit for as long as it is asked for."""

    def __init__(self, repo: GitRepo) -> None:
        self._repo = repo
        self._tips: dict[Oid, Tip] = {}
        self._between: dict[Pair, tuple[Oid, Touched | None]] = {}
        self._conflicts: dict[Pair, tuple[str, ...]] = {}

    def look(self, main: Oid, tips: Sequence[Oid]) -> Meetings:
        """See the port. A new tip costs its own pairs only."""
        wanted = {main, *tips} if tips else set()
        if wanted != self._tips.keys():
            known = self._tips.keys() & wanted
            fresh = {oid: tip for oid in sorted(wanted - known) if (tip := self._read_tip(main, oid))}
            self._tips = {oid: self._tips[oid] for oid in known} | fresh
            self._conflicts = {pair: paths for pair, paths in self._conflicts.items() if self._tips.keys() >= set(pair)}
            self._compare([*known, *fresh], fresh)
        return self._conflicts

    def _read_tip(self, main: Oid, oid: Oid) -> Tip | None:
        """None: there is no such commit."""
        if oid == main:
            return Tip(main, NOTHING)
        if not isinstance(self._repo.library.get(oid), pygit2.Commit):
            return None
        parents = self._repo.parents_of(oid)
        near = len(parents) == 1 and self._repo.contains(main, parents[0])
        found: object = parents[0] if near else self._repo.library.merge_base(main, oid)
        start = str(found) if found else ""
        return Tip(start, find_touched(self._repo, start, oid) if start else NOTHING)

    def _compare(self, oids: Sequence[Oid], fresh: Collection[Oid]) -> None:
        """All pairs with a fresh commit; the older ones come first."""
        pairs = [
            (one, other) if one < other else (other, one)
            for at, other in enumerate(oids)
            if other in fresh
            for one in oids[:at]
            if not self._is_plain(self._tips[one], self._tips[other])
        ]
        if doubtful := [pair for pair in pairs if not self._is_forward(*pair)]:
            self._conflicts |= {pair: paths for pair, paths in _merge_all(self._repo, doubtful) if paths}
        starts = {tip.start for tip in self._tips.values()}
        self._between = {pair: seen for pair, seen in self._between.items() if starts >= set(pair)}

    def _is_forward(self, one: Oid, other: Oid) -> bool:
        """Whether one of them holds the other already, as main does what has just landed."""
        if is_near(self._repo, one, other) or is_near(self._repo, other, one):
            return True
        base: object = self._repo.library.merge_base(one, other)
        return str(base) in (one, other)

    def _is_plain(self, one: Tip, other: Tip) -> bool:
        """Whether the two surely merge, or surely are not merged (they have nothing in common)."""
        if not one.start or not other.start:
            return True
        if one.touched is None or other.touched is None or not are_apart(one.touched, other.touched):
            return False
        if one.start == other.start:
            return True
        older, between = self._look_between(one.start, other.start)
        touched = one.touched if older == one.start else other.touched
        return between is not None and are_apart(touched, between)

    def _look_between(self, one: Oid, other: Oid) -> tuple[Oid, Touched | None]:
        """Which of two starts is the older, and what main changed from there to the other. None: too much to say, or they
        are not in one line."""
        pair = (one, other) if one < other else (other, one)
        if pair not in self._between:
            older, newer = pair if self._repo.contains(pair[1], pair[0]) else pair[::-1]
            in_line = self._repo.contains(newer, older)
            self._between[pair] = older, find_touched(self._repo, older, newer) if in_line else None
        return self._between[pair]


def find_touched(repo: GitRepo, base: Oid, tip: Oid) -> Touched | None:
    """What `tip` changed since `base`. None: too much to say."""
    diff = diff_trees(repo, repo.tree_of(base), repo.tree_of(tip), RADAR_FINDINGS)
    if not diff.complete:
        return None
    above = {change.path: frozenset(_folders_of(change.path)) for change in diff.paths}
    gone = [above[change.path] for change in diff.paths if not change.new.oid]
    return Touched(frozenset(above), frozenset().union(*above.values()), frozenset().union(*gone))


def are_apart(mine: Touched, theirs: Touched) -> bool:
    """Whether git merges both without looking into a file: no path in common, none inside the other, and no side removed (or
    renamed) anything in a folder that the other one touched."""
    return (
        mine.paths.isdisjoint(theirs.paths)
        and mine.paths.isdisjoint(theirs.folders)
        and theirs.paths.isdisjoint(mine.folders)
        and mine.holes.isdisjoint(theirs.folders)
        and theirs.holes.isdisjoint(mine.folders)
    )


def _folders_of(path: str) -> Iterator[str]:
    """All folders that a path is in, the root as the empty one."""
    yield ""
    at = path.find("/")
    while at >= 0:
        yield path[:at]
        at = path.find("/", at + 1)


def _make_scratch(repo: GitRepo) -> tempfile.TemporaryDirectory[str]:
    """A folder for what git writes while it merges, in memory where the machine has such a place: hundreds of small files, and
    none is wanted. One that a killed process left is removed."""
    folder, name = (MEMORY if is_roomy(MEMORY) else repo.place.orch / "airlock"), f"orchd-radar-{repo.place.repo_id}-"
    for left in folder.glob(f"{name}*"):
        shutil.rmtree(left, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(prefix=name, dir=folder, ignore_cleanup_errors=True)


def is_roomy(folder: Path) -> bool:
    """Whether we may write there, and may write much."""
    try:
        room = os.statvfs(folder)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK) and room.f_bavail * room.f_frsize >= SCRATCH_BYTES


def _merge_all(repo: GitRepo, pairs: Sequence[Pair]) -> Iterator[tuple[Pair, tuple[str, ...]]]:
    """The conflicting paths of each pair that git came to."""
    with _make_scratch(repo) as folder:
        aside = Quarantine(repo.place, Path(folder))
        shallow = repo.place.git_dir / "shallow"
        extra = {**aside.redirect(), **({"GIT_SHALLOW_FILE": str(shallow)} if shallow.exists() else {})}
        said = _ask(Git(neutral_repository(repo.place), _CONFIG), pairs, extra)
    yield from zip(pairs, read_merges(said), strict=False)


def _ask(git: Git, pairs: Sequence[Pair], extra: Mapping[str, str]) -> bytes:
    asked = "".join(f"{one} {other}\n" for one, other in pairs).encode()
    with git.start("merge-tree", "--write-tree", "--stdin", "--name-only", "--no-messages", extra=extra) as child:
        try:
            return child.communicate(asked, timeout=RADAR_SECONDS)[0]
        except subprocess.TimeoutExpired:
            child.kill()
            return child.communicate()[0]


def read_merges(said: bytes) -> Iterator[tuple[str, ...]]:
    """What `git merge-tree --stdin` printed: for each merge a status, the tree and the paths, ended by an empty field. What
    was cut off is left out."""
    for merge in said.decode("utf-8", "replace").split("\0\0")[:-1]:
        status, _, *paths = merge.split("\0")
        yield tuple(paths) if status == "0" else ()
