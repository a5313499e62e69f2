"""Held claims, found without comparing all pairs: a trie over the literal beginnings of their globs.

Rule: the answer is the one that asking every holder in turn would give (a test compares the two), only faster. Answers are
kept by claim, for claims are only ever added: what was found stays the first, and what was not can only be met by newer ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import TypeAlias

from orchd.core.claims import find_clash, literal_prefix
from orchd.model.claim import PathSpec
from orchd.model.dataclass import dataclass
from orchd.model.ids import TaskId

Claims: TypeAlias = tuple[PathSpec, ...]


@dataclass(frozen=True, slots=True)
class Clash:
    """The first holder that a claim meets, and where: the claim's own glob and the holder's."""

    owner: TaskId
    mine: PathSpec
    theirs: PathSpec


@dataclass(slots=True)
class _Node:
    """The holders with a glob whose literal beginning ends here, and the longer beginnings."""

    places: list[int] = field(default_factory=list)
    longer: dict[str, _Node] = field(default_factory=dict)


class HeldClaims:
    """Claims and their holders, in the order in which they are asked."""

    def __init__(self) -> None:
        self._holders: list[tuple[TaskId, Claims]] = []
        self._root = _Node()
        self._known: dict[Claims, tuple[int, Clash | None]] = {}

    def add(self, owner: TaskId, claims: Claims) -> None:
        """It holds them from now on, behind all others."""
        for claim in claims:
            node = self._root
            for segment in literal_prefix(claim.glob):
                node = node.longer.setdefault(segment, _Node())
            node.places.append(len(self._holders))
        self._holders.append((owner, claims))

    def find(self, asker: TaskId, claims: Claims, passed: tuple[TaskId, ...] = ()) -> Clash | None:
        """The first holder but `asker` itself and those that may be `passed` whose claims meet these."""
        asked, clash = self._known.get(claims, (0, None))
        if clash is None and asked < len(self._holders):
            clash = self._search(claims, asked)
            self._known[claims] = (len(self._holders), clash)
        if clash is not None and clash.owner in (asker, *passed):
            others = (at for at, (owner, _) in enumerate(self._holders) if owner != asker and owner not in passed)
            return self._ask(claims, others)
        return clash

    def _search(self, claims: Claims, since: int) -> Clash | None:
        places = {place for claim in claims for place in self._near(literal_prefix(claim.glob)) if place >= since}
        return self._ask(claims, sorted(places))

    def _ask(self, claims: Claims, places: Iterator[int] | list[int]) -> Clash | None:
        for place in places:
            owner, theirs = self._holders[place]
            found = find_clash(claims, theirs)
            if found is not None:
                return Clash(owner, *found)
        return None

    def _near(self, prefix: tuple[str, ...]) -> Iterator[int]:
        """Holders whose literal beginning begins with `prefix`, or the other way round."""
        node = self._root
        for segment in prefix:
            yield from node.places
            if segment not in node.longer:
                return
            node = node.longer[segment]
        left = [node]
        while left:
            below = left.pop()
            yield from below.places
            left += below.longer.values()
