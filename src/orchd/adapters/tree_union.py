"""Merging two trees without a process, where there is nothing to decide: both sides changed different paths.

Rule: an answer is given only where git's own merge gives the same one. A side that removed a name in a folder that both
sides changed could have renamed it, and then git might do more; so that, and every name that both changed, is left to git.
"""

from __future__ import annotations

from orchd.adapters.git_objects import FOLDER, TreeEntry
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_trees import ABSENT, read_tree
from orchd.model.ids import Oid


def unite_trees(repo: GitRepo, base: Oid, ours: Oid, theirs: Oid) -> Oid | None:
    """The tree with the changes of both sides since `base`; None when git must decide."""
    if base in (ours, theirs):
        return theirs if ours == base else ours
    before, left, right = read_tree(repo, base), read_tree(repo, ours), read_tree(repo, theirs)
    if before.keys() - (left.keys() & right.keys()):
        return None
    builder = repo.library.TreeBuilder(ours)
    for name, entry in right.items():
        old, mine = before.get(name, ABSENT), left.get(name, ABSENT)
        if entry == old:
            continue
        united = entry if mine == old else _unite_folders(repo, old, mine, entry)
        if united is None:
            return None
        builder.insert(name, united.oid, united.mode)
    return repo.unsynced.write(builder.write)


def _unite_folders(repo: GitRepo, base: TreeEntry, ours: TreeEntry, theirs: TreeEntry) -> TreeEntry | None:
    if {base.mode, ours.mode, theirs.mode} - {FOLDER, ABSENT.mode} or ABSENT in (ours, theirs):
        return None
    united = unite_trees(repo, base.oid, ours.oid, theirs.oid)
    return None if united is None else TreeEntry(FOLDER, united)
