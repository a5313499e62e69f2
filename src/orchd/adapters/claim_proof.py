"""Before main moves: is all that each task changed or deleted inside its claim?

The airlock judged this when the result came in. Here it is found out again, from the objects that are about to land and from
the lease as it is stored now, and by another program (libgit2 instead of our own comparison of trees). So neither a mistake
there nor a ref that somebody moved since brings in what nobody allowed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import pygit2

from orchd.adapters.git_repo import GitRepo
from orchd.core.inert import inert
from orchd.core.policy import Change, is_claimed, name_change
from orchd.errors import GitError
from orchd.model.claim import Mode, PathSpec
from orchd.model.ids import Oid
from orchd.model.save import Save, SaveItem


def find_strays(repo: GitRepo, save: Save, item: SaveItem, claims: Sequence[PathSpec]) -> Iterator[str]:
    """Each path that the work of `item` changed outside `claims`, with what happened to it."""
    begun, compare = _begun(repo, save, item), any(claim.mode is Mode.APPEND for claim in claims)
    if begun:
        for change in _diff(repo, begun, item.tip, compare=compare):
            if not is_claimed(change, claims):
                yield f"{inert(change.path)} was {name_change(change)}"


def _begun(repo: GitRepo, save: Save, item: SaveItem) -> Oid:
    """The commit that the work of an item was made on. On a line, which `tip` is a merge of, it is the link before."""
    if save.start:
        return next(iter(repo.parents_of(item.tip)), "")
    return item.base or str(repo.library.merge_base(save.base, item.tip) or "")


def _diff(repo: GitRepo, old: Oid, new: Oid, *, compare: bool) -> Iterator[Change]:
    """`compare` says whether anybody asks for the old content."""
    library = repo.library
    for delta in _tree(library, repo.tree_of(old)).diff_to_tree(_tree(library, repo.tree_of(new))).deltas:
        was, now = delta.old_file, delta.new_file
        old_mode = 0 if delta.status is pygit2.enums.DeltaStatus.ADDED else int(was.mode)
        new_mode = 0 if delta.status is pygit2.enums.DeltaStatus.DELETED else int(now.mode)
        grew = bool(compare and old_mode and new_mode) and _content(library, now.id).startswith(_content(library, was.id))
        yield Change(os.fsdecode(now.raw_path or was.raw_path), old_mode, new_mode, appended=grew)


def _tree(library: pygit2.Repository, oid: Oid) -> pygit2.Tree:
    found: object = library[oid]
    if not isinstance(found, pygit2.Tree):
        raise GitError(f"{oid} is no tree", "`git fsck` says more")
    return found


def _content(library: pygit2.Repository, oid: pygit2.Oid) -> bytes:
    found: object = library.get(oid)
    return found.data if isinstance(found, pygit2.Blob) else b""
