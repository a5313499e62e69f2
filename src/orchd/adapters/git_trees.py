"""Trees without a work tree: change some paths of one, compare two.

Rule: only folders that differ are read or written, so the cost follows the change and not the size of the repository.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator, Mapping

import pygit2

from orchd.adapters.git_objects import FILE, FOLDER, TreeEntry, parse_tree
from orchd.adapters.git_repo import GitRepo
from orchd.model.dataclass import dataclass
from orchd.model.ids import Oid
from orchd.model.limits import PATH_BYTES

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
ABSENT = TreeEntry(0, "")
REMEMBERED_TREES, REMEMBERED_ENTRIES = 64, 16_000
"""Of parsed trees: a few megabytes at most."""


@dataclass(frozen=True, slots=True)
class PathChange:
    """A path that differs between two trees; ABSENT on the side where it is no file."""

    path: str
    old: TreeEntry
    new: TreeEntry


@dataclass(frozen=True, slots=True)
class FolderChange:
    """A folder in which names were added: all its names now, and the new ones."""

    path: str
    names: frozenset[str]
    added: frozenset[str]


def edit_tree(repo: GitRepo, tree: Oid, changes: Mapping[str, Oid]) -> Oid:
    """The tree with the files of `changes` (path to blob id, empty: remove); folders that become empty disappear."""
    here, below = {}, dict[str, dict[str, Oid]]()
    for path, blob in changes.items():
        name, slash, rest = path.partition("/")
        if slash:
            below.setdefault(name, {})[rest] = blob
        else:
            here[name] = TreeEntry(FILE, blob) if blob else ABSENT
    builder = repo.library.TreeBuilder(tree) if tree else repo.library.TreeBuilder()
    for name, inner in below.items():
        old = builder.get(name)
        edited = edit_tree(repo, str(old.id) if isinstance(old, pygit2.Tree) else "", inner)
        here[name] = ABSENT if edited == EMPTY_TREE else TreeEntry(FOLDER, edited)
    for name, entry in here.items():
        _set_entry(builder, name, entry)
    return EMPTY_TREE if tree and not len(builder) else repo.unsynced.write(builder.write)


def _set_entry(builder: pygit2.TreeBuilder, name: str, entry: TreeEntry) -> None:
    if entry.oid:
        builder.insert(name, entry.oid, entry.mode)
    elif builder.get(name) is not None:
        builder.remove(name)


def read_tree(repo: GitRepo, tree: Oid) -> Mapping[str, TreeEntry]:
    """The entries of a tree; those of no tree are none. Nearly every tree is asked for several times in a row: by whoever
    judges, merges, proves and lands it."""
    if not tree:
        return {}
    found = repo.parsed.get(tree)
    if found is None:
        found = repo.parsed[tree] = parse_tree(repo.read(tree))
        while sum(map(len, repo.parsed.values())) > REMEMBERED_ENTRIES or len(repo.parsed) > REMEMBERED_TREES:
            del repo.parsed[next(iter(repo.parsed))]
    return found


def find_entry(repo: GitRepo, tree: Oid, path: str) -> TreeEntry:
    """What a tree has at `path`; ABSENT when nothing."""
    entry = TreeEntry(FOLDER, tree)
    for name in path.split("/"):
        if entry.mode != FOLDER:
            return ABSENT
        entry = read_tree(repo, entry.oid).get(name, ABSENT)
    return entry


@dataclass(frozen=True, slots=True)
class TreeDiff:
    """Paths that differ (a rename is a removal and an addition) and folders with new names. Not `complete`: it was cut off."""

    paths: tuple[PathChange, ...]
    folders: tuple[FolderChange, ...]
    complete: bool


def diff_trees(repo: GitRepo, old: Oid, new: Oid, limit: int = sys.maxsize) -> TreeDiff:
    """Compare two trees. Cut off after `limit` findings: a few crafted trees can spell more paths than there are atoms."""
    walk = _walk_changes(repo, old, new)
    found = list(itertools.islice(walk, limit))
    paths = sorted((one for one in found if isinstance(one, PathChange)), key=lambda change: change.path)
    folders = tuple(one for one in found if isinstance(one, FolderChange))
    return TreeDiff(tuple(paths), folders, complete=next(walk, None) is None)


def _walk_changes(repo: GitRepo, old: Oid, new: Oid) -> Iterator[PathChange | FolderChange]:
    """Without recursion, because depth is a stranger's choice. What lies deeper than any legal path stays a folder."""
    waiting = [(old, new, "")]
    while waiting:
        left, right, prefix = waiting.pop()
        before, after = read_tree(repo, left), read_tree(repo, right)
        if added := after.keys() - before.keys():
            yield FolderChange(prefix, frozenset(after), frozenset(added))
        differ = [name for name, entry in after.items() if before.get(name) != entry]
        for name in (*differ, *(before.keys() - after.keys())):
            pair = before.get(name, ABSENT), after.get(name, ABSENT)
            (file_left, folder_left), (file_right, folder_right) = map(_split_entry, pair)
            if len(prefix) > PATH_BYTES or file_left != file_right:
                yield PathChange(prefix + name, *(pair if len(prefix) > PATH_BYTES else (file_left, file_right)))
            if folder_left != folder_right and len(prefix) <= PATH_BYTES:
                waiting.append((folder_left, folder_right, f"{prefix}{name}/"))


def _split_entry(entry: TreeEntry) -> tuple[TreeEntry, Oid]:
    """An entry is a file or a folder; the other half is nothing."""
    return (ABSENT, entry.oid) if entry.mode == FOLDER else (entry, "")
