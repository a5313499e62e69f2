"""Merges are proven before they are used: what changed is compared path by path, and libgit2 merges the same trees again.

git (or the union of disjoint changes) makes the tree, libgit2 is a second implementation by other people. Where it sees a
conflict that git does not, it has no opinion. Rule: it works in the empty repository of our own, so that no attributes or
configuration of anybody can make the two differ.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator

import pygit2

from orchd.adapters.git_repo import GitRepo, open_library
from orchd.adapters.git_trees import diff_trees
from orchd.adapters.neutral import neutral_repository
from orchd.core.merge_proof import MergeSeen, find_faults
from orchd.core.policy import Folder
from orchd.model.ids import Oid


def prove_merge(
    repo: GitRepo, base: Oid, sides: tuple[Oid, Oid], merged: Oid, settled: Collection[str] = ()
) -> tuple[str, ...]:
    """What is wrong with the tree `merged` of the commits `sides` (ours, theirs) over the commit `base`; empty: nothing.
    Conflicts at the paths `settled` were settled by somebody else, who answers for what is there now."""
    trees = before, ours, theirs = repo.tree_of(base), repo.tree_of(sides[0]), repo.tree_of(sides[1])
    if not settled and merged in (ours, theirs) and before in (ours, theirs):
        return ()
    folders = tuple(Folder(one.path, one.names, one.added) for one in diff_trees(repo, ours, merged).folders)
    first, second, both = (_changed_paths(repo, before, tree).difference(settled) for tree in (ours, theirs, merged))
    agrees = _merges_likewise(repo, trees, merged, settled) or _has_many_bases(repo, sides)
    return find_faults(MergeSeen(first, second, both, folders, second=agrees))


def _changed_paths(repo: GitRepo, old: Oid, new: Oid) -> frozenset[str]:
    return frozenset(change.path for change in diff_trees(repo, old, new).paths)


def _merges_likewise(repo: GitRepo, trees: tuple[Oid, Oid, Oid], merged: Oid, settled: Collection[str]) -> bool:
    """Whether libgit2 makes the tree `merged` of base, ours and theirs, or sees a conflict where nothing is `settled`.
    Nothing is written: a tree is what the index of the merge would become when they have the same entries."""
    with _neutral(repo) as library:
        index = library.merge_trees(*trees)
        made: object = library[merged]
        if not isinstance(made, pygit2.Tree):
            return False
        disputed = {entry.path for trio in index.conflicts or () for entry in trio if entry is not None}
        if disputed.difference(settled):
            return True
        delta = index.diff_to_tree(made).deltas
        return {path for one in delta for path in (one.old_file.path, one.new_file.path)} <= disputed.union(settled)


def _has_many_bases(repo: GitRepo, sides: tuple[Oid, Oid]) -> bool:
    """After merges in both directions git makes one base of several, and libgit2 was told only one of them."""
    return len(repo.git.run("merge-base", "--all", *sides).split()) > 1


@contextlib.contextmanager
def _neutral(repo: GitRepo) -> Iterator[pygit2.Repository]:
    library = open_library(neutral_repository(repo.place))
    library.odb.add_disk_alternate(str(repo.place.git_dir / "objects"))
    try:
        yield library
    finally:
        library.free()
