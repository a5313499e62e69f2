"""Memory twins of the port `Numbers`. `files` are the names of files by branch, wherever they lie."""

from __future__ import annotations

from collections.abc import Sequence

from orchd.core.numbering import is_free, next_number, read_number
from orchd.errors import GitError
from orchd.model.config import Config
from orchd.model.number import NumberWish


class CountedNumbers:
    """Remembers who got what; it knows one kind of folder only."""

    def __init__(self) -> None:
        self.files: dict[str, list[str]] = {}
        self._given: dict[tuple[str, str], str] = {}

    def look(self, wishes: Sequence[NumberWish], config: Config) -> frozenset[NumberWish] | None:
        return None

    def ask(self, wishes: Sequence[NumberWish], config: Config) -> None:
        pass

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

    def has(self, wish: NumberWish) -> bool:
        mine = self._given.get((wish.kind, wish.holder))
        used = [read_number(name) for branch, names in self.files.items() if branch != wish.branch for name in names]
        return mine is not None and is_free(mine, filter(None, used))


class RemoteCounted(CountedNumbers):
    """Asks a remote, which may be out of reach."""

    def __init__(self, remote: CountedNumbers) -> None:
        super().__init__()
        self.remote, self.reachable = remote, True
        self.files = remote.files

    def look(self, wishes: Sequence[NumberWish], config: Config) -> frozenset[NumberWish]:
        return frozenset(filter(self.remote.has, wishes))

    def ask(self, wishes: Sequence[NumberWish], config: Config) -> None:
        for wish in wishes if self.reachable else ():
            self.remote.take(wish, config)

    def take(self, wish: NumberWish, config: Config) -> str:
        if not self.remote.has(wish):
            raise GitError("not given yet")
        return self.remote.take(wish, config)
