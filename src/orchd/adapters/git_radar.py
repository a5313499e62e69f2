"""The conflict radar in git: all pairs of live tips are merged in memory, each pair once.

Most pairs need no git: sides that changed different paths merge. For the others one `git merge-tree --stdin` does all that is
new at a look, on an empty repository of our own, and what it writes is thrown away. Rule: a pair whose merge git does not come
to (it was killed, it took too long, an object is missing) is not predicted; nothing waits for the radar.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import pygit2

from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_run import Git
from orchd.adapters.git_trees import diff_trees
from orchd.adapters.merge_chain import MERGE_CONFIG
from orchd.adapters.quarantine import UNSYNCED, make_quarantine, neutral_repository
from orchd.model.ids import Oid
from orchd.model.limits import RADAR_FINDINGS, RADAR_SECONDS
from orchd.model.snapshot import Meetings

Pair = tuple[Oid, Oid]
_CONFIG = (*MERGE_CONFIG, *UNSYNCED[-1:])
_FOLDER = "@radar"
REMEMBERED_BASES = 500


@dataclass(frozen=True, slots=True)
class Touched:
    """What one side changed since a base: the paths, the folders on the way to them, and those that lost a name."""

    paths: frozenset[str]
    folders: frozenset[str]
    holes: frozenset[str]


class GitRadar:
    """`Radar` in git. Remembers each pair for as long as both are asked for."""

    def __init__(self, repo: GitRepo) -> None:
        self._repo = repo
        self._known: dict[Pair, tuple[str, ...]] = {}
        self._touched: dict[Pair, Touched | None] = {}
        self._origins: dict[Oid, Oid] = {}
        self._bases: dict[Pair, Oid] = {}

    def look(self, main: Oid, tips: Sequence[Oid]) -> Meetings:
        """See the port. A new tip costs its own pairs only."""
        oids = sorted(oid for oid in {main, *tips} if isinstance(self._repo.library.get(oid), pygit2.Commit)) if tips else []
        pairs = list(combinations(oids, 2))
        self._known = {pair: self._known[pair] for pair in pairs if pair in self._known}
        fresh = [pair for pair in pairs if pair not in self._known]
        if fresh:
            doubtful = [pair for pair in fresh if not self._is_plain(*pair)]
            self._known |= dict.fromkeys(fresh, ()) | (dict(_merge_all(self._repo, doubtful)) if doubtful else {})
            self._touched = {(base, tip): seen for (base, tip), seen in self._touched.items() if tip in oids}
            self._origins = {oid: self._origins[oid] for oid in oids if oid in self._origins}
            self._bases = dict(list(self._bases.items())[-REMEMBERED_BASES:])
        return {pair: paths for pair, paths in self._known.items() if paths}

    def _is_plain(self, one: Oid, other: Oid) -> bool:
        """Whether the two surely merge, or surely are not merged (they have nothing in common)."""
        base = self._find_base(one, other)
        if base in ("", one, other):
            return True
        mine, theirs = self._touch(base, one), self._touch(base, other)
        return mine is not None and theirs is not None and are_apart(mine, theirs)

    def _find_base(self, one: Oid, other: Oid) -> Oid:
        """The commit in which two others parted; empty when there is none. Results have one parent each, and few parents
        are shared by many: what parted those is known from the pair before. (Where one is behind the other that is too early a
        commit, and then git is asked.)"""
        origins = self._origin(one), self._origin(other)
        pair = origins if all(origins) else (one, other)
        if pair not in self._bases:
            found: object = pair[0] if pair[0] == pair[1] else self._repo.library.merge_base(*pair)
            self._bases[pair] = "" if found is None else str(found)
        return self._bases[pair]

    def _origin(self, oid: Oid) -> Oid:
        """Its parent, if it has just one."""
        if oid not in self._origins:
            parents = self._repo.parents_of(oid)
            self._origins[oid] = parents[0] if len(parents) == 1 else ""
        return self._origins[oid]

    def _touch(self, base: Oid, tip: Oid) -> Touched | None:
        if (base, tip) not in self._touched:
            self._touched[base, tip] = find_touched(self._repo, base, tip)
        return self._touched[base, tip]


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
    meet = (
        (mine.paths, theirs.paths | theirs.folders),
        (theirs.paths, mine.folders),
        (mine.holes, theirs.folders),
        (theirs.holes, mine.folders),
    )
    return all(left.isdisjoint(right) for left, right in meet)


def _folders_of(path: str) -> Iterator[str]:
    """All folders that a path is in, the root as the empty one."""
    yield ""
    at = path.find("/")
    while at >= 0:
        yield path[:at]
        at = path.find("/", at + 1)


def _merge_all(repo: GitRepo, pairs: Sequence[Pair]) -> Iterator[tuple[Pair, tuple[str, ...]]]:
    """The conflicting paths of each pair that git came to."""
    aside = make_quarantine(repo, _FOLDER)
    try:
        shallow = repo.place.git_dir / "shallow"
        extra = {**aside.redirect(), **({"GIT_SHALLOW_FILE": str(shallow)} if shallow.exists() else {})}
        said = _ask(Git(neutral_repository(repo.place), _CONFIG), pairs, extra)
    finally:
        aside.remove()
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
