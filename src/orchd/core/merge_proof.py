"""Is a merge what it should be? Checked on what changed, whoever made the tree.

A merged tree keeps every change of either side and invents none. That needs no knowledge of how files are merged, so it
catches what no merge program would admit: a landed change that comes undone (a hosted merge queue reverted commits of
2,092 pull requests in April 2026 this way), or a path that nobody touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Set

from orchd.core.policy import Folder, find_twins
from orchd.model.dataclass import dataclass
from orchd.model.limits import DETAIL_ITEMS


@dataclass(frozen=True, slots=True)
class MergeSeen:
    """Paths that differ from the common base: on our side, on theirs, in the merged tree. `folders` are those in which the
    merge adds names to our side. `second` says what another program made of it; False: another tree."""

    ours: Set[str]
    theirs: Set[str]
    merged: Set[str]
    folders: tuple[Folder, ...] = ()
    second: bool = True


def find_faults(seen: MergeSeen) -> tuple[str, ...]:
    """Everything that is wrong with a merge, one line each; nothing: it may be used."""
    faults = list(_find_faults(seen))
    more = len(faults) - DETAIL_ITEMS
    return (*faults[:DETAIL_ITEMS], f"and {more} more") if more > 0 else tuple(faults)


def _find_faults(seen: MergeSeen) -> Iterator[str]:
    for path in sorted(seen.ours - seen.merged):
        yield f"{path}: what had landed would come undone"
    for path in sorted(seen.theirs - seen.merged):
        yield f"{path}: the task's change would be lost"
    for path in sorted(seen.merged - seen.ours - seen.theirs):
        yield f"{path}: changed, though neither side changed it"
    for folder in seen.folders:
        yield from (f"{twin.path} {twin.why}" for twin in find_twins(folder))
    if not seen.second:
        yield "git and libgit2 merge it into different trees"
