"""Real task branches out of the history of a repository: what people made on side branches, each brought onto one commit.

A branch counts when its change applies to that commit and merges with the others before it without a question. Its one commit
has exactly the changes of the people, as a task that began on that commit would have made them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from orchd.adapters.git_repo import GitRepo
from orchd.adapters.replay import RealMerge, list_merges

WINDOW = 150
"""The newest merges among which they are looked for."""


@dataclass(frozen=True, slots=True)
class Branches:
    """`tips` are commits on `base`, in the order in which people merged them."""

    base: str
    tips: tuple[str, ...]


def cut_branches(repo: GitRepo, count: int, head: str = "HEAD") -> Branches:
    """The first `count` of them. Raises SystemExit when there are less."""
    merges = list(islice(list_merges(repo, "--first-parent", head), WINDOW))
    base = merges[-1].ours if merges else ""
    tips = tuple(islice(_bring_over(repo, base, merges[::-1]), count))
    if len(tips) < count:
        raise SystemExit(f"only {len(tips)} branches of people merge onto one commit")
    return Branches(base, tips)


def _bring_over(repo: GitRepo, base: str, merges: list[RealMerge]) -> Iterator[str]:
    start = together = repo.tree_of(base)
    now_ms = int(time.time() * 1000)  # git looks for a common base by the dates of commits
    for one in merges:
        made = _merge(repo, repo.tree_of(one.base), start, repo.tree_of(one.theirs))
        after = _merge(repo, start, together, made) if made and made != start else ""
        if after and after != together:
            together = after
            yield repo.write_commit(made, [base], f"what {one.theirs} made\n", now_ms)


def _merge(repo: GitRepo, base: str, ours: str, theirs: str) -> str:
    """The merged tree; empty where there are conflicts."""
    index = repo.library.merge_trees(base, ours, theirs)
    return "" if index.conflicts else str(index.write_tree(repo.library))
