"""Numbers that no two tasks get: what is asked for, and what was given."""

from __future__ import annotations

from orchd.model.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class NumberWish:
    """A wish for the next number of a `kind`. The same `holder` gets the same one again; `branch` is the full ref of its own
    work, in which it may have used the number already (empty: it has none)."""

    kind: str
    holder: str
    branch: str = ""


@dataclass(frozen=True, slots=True)
class NumberKind:
    """In which files the numbers of a kind stand, as globs from the root of the repository."""

    name: str
    paths: tuple[str, ...]
