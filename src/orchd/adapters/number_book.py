"""The book of numbers: a chain of tiny commits for each kind, and the numbers that stand in the names of files.

Each commit of `refs/orch/seq/<kind>` is one number, and says who got it and when. Rule: a number is in the chain, durably,
before anybody is told it, and the chain is never shortened; so whoever is killed, no number is given twice. The chain that
counts is this repository's own, or the shared remote's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field

from orchd.adapters.git_objects import FILE, FOLDER, LINK, PROGRAM, parse_trailers
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_trees import EMPTY_TREE, read_tree
from orchd.core.claims import covers, overlaps
from orchd.core.numbering import find_paths, is_free, next_number, read_number
from orchd.core.wording import compose
from orchd.errors import GitError
from orchd.model.claim import PathSpec
from orchd.model.config import Config
from orchd.model.dataclass import dataclass
from orchd.model.ids import REMOTE_PREFIX, REMOTE_SEQUENCES_PREFIX, Oid, sequence_ref
from orchd.model.limits import NUMBER_DIGITS
from orchd.model.number import NumberWish

BRANCHES = ("refs/heads/", REMOTE_PREFIX + "main", REMOTE_PREFIX + "integration/")
"""Main, the branches of tasks and sessions, people's own, and what the shared remote has of them: wherever a number may have
been used already."""

_FILES = frozenset({FILE, PROGRAM, LINK})
_TIPS_KEPT = 16


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain that was read: the last number of each holder, and all that were given."""

    numbers: Mapping[str, str] = field(default_factory=dict)
    given: frozenset[str] = frozenset()


class NumberBook:
    """The chains and files of one repository. `now_ms` dates what is given."""

    def __init__(self, repo: GitRepo, now_ms: Callable[[], int]) -> None:
        self._repo = repo
        self._now_ms = now_ms
        self._chains: dict[Oid, Chain] = {}

    def settle(self, wish: NumberWish, config: Config, tip: Oid, main: Oid = "") -> tuple[str, Oid]:
        """The number for a wish, and the chain that begins at `tip` with it: `tip` itself where its holder has it. `main` is
        a commit besides the branches in which numbers may stand. Raises GitError when the chain cannot be read."""
        chain, others = self.read(tip), [self.read(self._repo.refs.read(name)) for name in _names(wish.kind)]
        here, elsewhere = self._find(wish, config, main)
        mine = chain.numbers.get(wish.holder)
        if mine and is_free(mine, elsewhere):
            return mine, tip
        before = next((chain.numbers[wish.holder] for chain in others if wish.holder in chain.numbers), "")
        if before and before != mine and is_free(before, elsewhere | chain.given):
            return before, self._write(wish, before, tip)
        number = next_number(elsewhere | here, chain.given.union(*(other.given for other in others)))
        return number, self._write(wish, number, tip)

    def has(self, wish: NumberWish, config: Config, tip: Oid) -> bool:
        """Whether the chain says that the holder has its number, and nobody else has used it."""
        mine = self.read(tip).numbers.get(wish.holder)
        return mine is not None and is_free(mine, self._find(wish, config, "")[1])

    def read(self, tip: Oid) -> Chain:
        """All that a chain says. Raises GitError when a commit of it does not say who got which number."""
        fresh, at = list[tuple[str, str]](), tip
        while at and at not in self._chains:
            commit = self._repo.commit(at)
            fresh.append(_read_entry(at, commit.message))
            at = str(commit.parent_ids[0]) if commit.parent_ids else ""
        known = self._chains.get(at, Chain())
        if not fresh:
            return known
        chain = Chain({**known.numbers, **dict(reversed(fresh))}, known.given.union(number for _, number in fresh))
        self._chains[tip] = chain
        if len(self._chains) > _TIPS_KEPT:
            del self._chains[next(iter(self._chains))]
        return chain

    def _find(self, wish: NumberWish, config: Config, main: Oid) -> tuple[frozenset[str], frozenset[str]]:
        """The numbers that stand in the holder's own branch, and in all others."""
        scan = _Scan(self._repo, find_paths(wish.kind, config))
        found = {name: scan.numbers(self._repo.tree_of(at)) for name, at in self._branches(main)}
        elsewhere = (there for name, there in found.items() if name != wish.branch)
        return found.get(wish.branch, frozenset()), frozenset[str]().union(*elsewhere)

    def _branches(self, main: Oid) -> list[tuple[str, Oid]]:
        names = (name for prefix in BRANCHES for name in self._repo.refs.names(prefix))
        found = [(name, self._repo.refs.read(name)) for name in names]
        return [(name, tip) for name, tip in (*found, ("", main)) if tip]

    def _write(self, wish: NumberWish, number: str, tip: Oid) -> Oid:
        trailers = (("Orch-Number", number), ("Orch-Holder", wish.holder))
        message = compose(f"orchd: {wish.kind} {number} for {wish.holder}", (), trailers)
        tree = self._repo.unsynced.write(self._repo.library.TreeBuilder().write)
        return self._repo.write_commit(tree, [tip] if tip else [], message, self._now_ms())


def _names(kind: str) -> tuple[str, str]:
    """Our own chain and what the remote last showed: each counts, also when it is not the one that is written to."""
    return sequence_ref(kind), REMOTE_SEQUENCES_PREFIX + kind


def _read_entry(oid: Oid, message: str) -> tuple[str, str]:
    said = parse_trailers(message)
    holders, numbers = said.get("Orch-Holder", ()), said.get("Orch-Number", ())
    if len(holders) != 1 or len(numbers) != 1 or not (numbers[0].isdecimal() and len(numbers[0]) <= 2 * NUMBER_DIGITS):
        raise GitError(f"the chain of numbers is damaged: {oid} gives no number", "`git show` it: who pushed that?")
    return holders[0], numbers[0]


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
