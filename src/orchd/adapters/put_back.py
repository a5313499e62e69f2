"""Putting paths back: a result without what it changed at some paths, made of git objects, without a work tree.

Rule: trees are written as bytes, because the library's builder takes no name that is not UTF-8.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pygit2.enums import ObjectType

from orchd.adapters.git_objects import FOLDER, TreeEntry
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_trees import ABSENT, EMPTY_TREE, PathChange, read_tree
from orchd.core.wording import word_rework
from orchd.model.ids import Oid, RunId


def put_back(repo: GitRepo, base: Oid, tip: Oid, paths: Iterable[PathChange], run: RunId) -> Oid:
    """The result `tip` as one commit on `base`, in which `paths` are as in the base. The commits between are left out: what
    is put back never becomes part of the history that lands. The same arguments give the same commit.

    Where a file that is put back and a kept path cannot both be there (`a` and `a/b`), the one that is put back wins.
    """
    made = repo.commit(tip)
    tree = edit_entries(repo, str(made.tree_id), {change.path: change.old for change in paths})
    message = word_rework(made.message.partition("\n")[0], run, tip)
    return str(repo.library.create_commit(None, made.author, made.committer, message, tree, [base]))


def edit_entries(repo: GitRepo, tree: Oid, changes: Mapping[str, TreeEntry]) -> Oid:
    """The tree with these entries (ABSENT: without), at any path; folders that become empty disappear."""
    entries = dict(read_tree(repo, tree))
    below: dict[str, dict[str, TreeEntry]] = {}
    for path, entry in changes.items():
        name, slash, rest = path.partition("/")
        if slash:
            below.setdefault(name, {})[rest] = entry
    for name, inner in below.items():
        old = entries.get(name, ABSENT)
        edited = edit_entries(repo, old.oid if old.mode == FOLDER else "", inner)
        if edited != EMPTY_TREE or old.mode == FOLDER:
            entries[name] = ABSENT if edited == EMPTY_TREE else TreeEntry(FOLDER, edited)
    entries |= {path: entry for path, entry in changes.items() if "/" not in path and _replaces(entries.get(path), entry)}
    kept = {name: entry for name, entry in entries.items() if entry != ABSENT}
    content = b"".join(map(_spell_entry, sorted(kept.items(), key=_place_in_tree)))
    return repo.unsynced.write(lambda: repo.library.write(ObjectType.TREE, content))


def _replaces(old: TreeEntry | None, entry: TreeEntry) -> bool:
    """A file that goes takes no folder along that has come to its place; one that comes back does."""
    return entry != ABSENT or old is None or old.mode != FOLDER


def _place_in_tree(item: tuple[str, TreeEntry]) -> bytes:
    """git sorts a folder as if its name ended with a slash."""
    return item[0].encode("utf-8", "surrogateescape") + (b"/" if item[1].mode == FOLDER else b"")


def _spell_entry(item: tuple[str, TreeEntry]) -> bytes:
    name, entry = item
    return b"%o %s\0" % (entry.mode, name.encode("utf-8", "surrogateescape")) + bytes.fromhex(entry.oid)
