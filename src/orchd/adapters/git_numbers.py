"""Numbers that are given once (port `Numbers`): a chain of tiny commits for each kind, moved by compare-and-swap only.

Each commit of `refs/orch/seq/<kind>` is one number, and says who got it and when. Rule: a number is in the chain, durably,
before anybody is told it, and the chain is never shortened; so whoever is killed, no number is given twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from orchd.adapters.git_objects import FILE, FOLDER, LINK, PROGRAM, parse_trailers
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_trees import EMPTY_TREE, read_tree
from orchd.core.claims import covers, overlaps
from orchd.core.numbering import find_paths, is_free, next_number, read_number
from orchd.core.wording import compose
from orchd.model.claim import PathSpec
from orchd.model.config import Config
from orchd.model.ids import Oid, sequence_ref
from orchd.model.number import NumberWish

BRANCHES = "refs/heads/"
_FILES = frozenset({FILE, PROGRAM, LINK})


class GitNumbers:
    """`Numbers` in git. `now_ms` dates what is given."""

    def __init__(self, repo: GitRepo, now_ms: Callable[[], int]) -> None:
        self._repo = repo
        self._now_ms = now_ms

    def take(self, wish: NumberWish, config: Config) -> str:
        """See the port."""
        name, scan = sequence_ref(wish.kind), _Scan(self._repo, find_paths(wish.kind, config))
        while True:
            tip = self._repo.refs.read(name)
            given = dict(self._walk(tip))
            found = {branch: scan.numbers(self._repo.tree_of(at)) for branch, at in self._branches()}
            elsewhere = frozenset[str]().union(*(there for branch, there in found.items() if branch != wish.branch))
            mine = given.get(wish.holder)
            if mine and is_free(mine, elsewhere):
                return mine
            number = next_number(elsewhere | found.get(wish.branch, frozenset()), given.values())
            if self._repo.refs.move(name, tip, self._write(wish, number, tip)):
                return number

    def _walk(self, tip: Oid) -> Iterator[tuple[str, str]]:
        """Holders and their numbers, the oldest first, so that the last number of a holder counts."""
        chain = []
        while tip:
            commit = self._repo.commit(tip)
            said = parse_trailers(commit.message)
            chain.append((said["Orch-Holder"][0], said["Orch-Number"][0]))
            tip = str(commit.parent_ids[0]) if commit.parent_ids else ""
        return reversed(chain)

    def _branches(self) -> list[tuple[str, Oid]]:
        """Main, the branches of tasks and sessions, and people's own: wherever a number may have been used already."""
        found = [(name, self._repo.refs.read(name)) for name in self._repo.refs.names(BRANCHES)]
        return [(name, tip) for name, tip in found if tip]

    def _write(self, wish: NumberWish, number: str, tip: Oid) -> Oid:
        trailers = (("Orch-Number", number), ("Orch-Holder", wish.holder))
        message = compose(f"orchd: {wish.kind} {number} for {wish.holder}", (), trailers)
        tree = str(self._repo.library.TreeBuilder().write())
        return self._repo.write_commit(tree, [tip] if tip else [], message, self._now_ms())


@dataclass(slots=True)
class _Scan:
    """The numbers in the names of files that some globs name. What branches share is read once."""

    repo: GitRepo
    globs: Sequence[str]
    _known: dict[tuple[str, Oid], frozenset[str]] = field(default_factory=dict)

    def numbers(self, tree: Oid, folder: str = "") -> frozenset[str]:
        """The numbers below `folder` (with a slash at its end, or empty), whose tree is `tree`."""
        key = (folder, tree)
        if key not in self._known:
            self._known[key] = frozenset(self._read(tree, folder)) if tree != EMPTY_TREE else frozenset()
        return self._known[key]

    def _read(self, tree: Oid, folder: str) -> Iterator[str]:
        for name, entry in read_tree(self.repo, tree).items():
            path = folder + name
            if entry.mode == FOLDER and any(overlaps(f"{path}/**", glob) for glob in self.globs):
                yield from self.numbers(entry.oid, f"{path}/")
            elif entry.mode in _FILES and (number := read_number(name)) and self._is_named(path):
                yield number

    def _is_named(self, path: str) -> bool:
        return any(covers(PathSpec(glob), path) for glob in self.globs)
