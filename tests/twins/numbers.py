"""A memory twin of the port `Numbers`. `files` are the names of files by branch, wherever they lie."""

from __future__ import annotations

from orchd.core.numbering import is_free, next_number, read_number
from orchd.model.config import Config
from orchd.model.number import NumberWish


class CountedNumbers:
    """Remembers who got what; it knows one kind of folder only."""

    def __init__(self) -> None:
        self.files: dict[str, list[str]] = {}
        self._given: dict[tuple[str, str], str] = {}

    def take(self, wish: NumberWish, config: Config) -> str:
        found = {branch: {n for name in names if (n := read_number(name))} for branch, names in self.files.items()}
        elsewhere = {number for branch, there in found.items() if branch != wish.branch for number in there}
        mine = self._given.get((wish.kind, wish.holder))
        if mine and is_free(mine, elsewhere):
            return mine
        given = [number for (kind, _), number in self._given.items() if kind == wish.kind]
        number = next_number(elsewhere | found.get(wish.branch, set()), given)
        self._given[wish.kind, wish.holder] = number
        return number
