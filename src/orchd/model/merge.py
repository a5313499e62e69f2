"""Merges that git does not settle: the paths on which two sides stand against each other."""

from __future__ import annotations

from enum import StrEnum

from orchd.model.dataclass import dataclass
from orchd.model.ids import Oid

CONTENTS = "CONFLICT (contents)"
"""What git says about a file in which both sides changed the same place."""

STRUCTURAL = frozenset({"CONFLICT (file/directory)", "CONFLICT (submodule)", "CONFLICT (directory rename suggested)"})
"""Kinds of conflicts that no choice of one side's file settles."""


class Side(StrEnum):
    """OURS is what has landed, THEIRS what the task made."""

    OURS = "ours"
    THEIRS = "theirs"


@dataclass(frozen=True, slots=True)
class Version:
    """A file as one side has it: git's mode and the blob."""

    mode: int
    oid: Oid


@dataclass(frozen=True, slots=True)
class Dispute:
    """A path that git could not merge, with the versions that there are. `kinds` is what git says about it."""

    path: str
    base: Version | None
    ours: Version | None
    theirs: Version | None
    kinds: tuple[str, ...] = ()

    def of(self, side: Side) -> Version | None:
        """The version of a side; None: the side does not have the file."""
        return self.ours if side is Side.OURS else self.theirs


class Recipe(StrEnum):
    """A way to settle a place that both sides changed, without asking anybody. The order is that in which they are tried."""

    WHITESPACE = "whitespace"
    ADJACENT = "adjacent"
    IMPORTS = "imports"
    SUPERSET = "superset"
    TOKENS = "tokens"
    UNION = "union"


@dataclass(frozen=True, slots=True)
class Resolving:
    """Which conflicts a save may settle by itself: by these recipes, and by UNION at paths that the globs `union` name."""

    recipes: tuple[Recipe, ...] = ()
    union: tuple[str, ...] = ()


ASKING = Resolving()
"""Everything is asked: so it is unless somebody says more, because no recipe makes what people make often enough to be trusted
unseen (docs/conflicts.md)."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A file that was settled without asking, and the recipes that it took."""

    path: str
    recipes: tuple[Recipe, ...]
