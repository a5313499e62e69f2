"""Making kits: which trees are small and plain enough, and where their kits lie.

Rule: a tree is plain when git would write its files byte for byte as they are stored: no attributes, no submodules, no
special names, whatever the configuration.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from orchd.adapters.durable import remove_quietly
from orchd.adapters.git_objects import FILE, FOLDER, LINK, PROGRAM
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_trees import read_tree
from orchd.adapters.kit import KitFile, dump_kit
from orchd.adapters.plain_tree import MOST_FILES, MOST_FOLDERS_DEEP, is_usual_name
from orchd.adapters.workspace import make_private_folder
from orchd.errors import GitError
from orchd.model.ids import Oid

MOST_KIT_BYTES = 1024 * 1024
KEPT_KITS = 4
"""So many are left for supervisors that are about to start; one that finds its kit gone asks git."""


class Kits:
    """The kits of one repository. Remembers the contents of the last one, because the next has nearly the same."""

    def __init__(self, repo: GitRepo) -> None:
        self._repo = repo
        self._folder = repo.place.orch / "kits"
        self._made: dict[Oid, str] = {}
        self._contents: dict[Oid, bytes] = {}

    def find(self, tree: Oid) -> str:
        """The file that holds the kit of `tree`, made now if need be; empty when git must check it out."""
        if tree and tree not in self._made:
            self._made[tree] = self._make(tree)
            self._forget()
        return self._made.get(tree, "")

    def _make(self, tree: Oid) -> str:
        try:
            files = list(self._list_files(tree))
        except (_Unfit, GitError):
            return ""
        self._contents = {file.oid: file.content for file in files}
        make_private_folder(self._folder)
        path = self._folder / tree
        aside = path.with_suffix(f".{os.getpid()}.new")
        aside.write_bytes(dump_kit(files))
        try:
            aside.replace(path)
        except FileNotFoundError:  # another orchd, before it is refused, took it for what an earlier one left
            return ""
        return str(path)

    def _list_files(self, tree: Oid) -> Iterator[KitFile]:
        waiting, count, size = [("", tree, 0)], 0, 0
        while waiting:
            prefix, folder, depth = waiting.pop()
            for name, entry in read_tree(self._repo, folder).items():
                count += 1
                fits = is_usual_name(name) and count <= MOST_FILES
                if not fits or depth > MOST_FOLDERS_DEEP or entry.mode not in (FILE, PROGRAM, LINK, FOLDER):
                    raise _Unfit
                if entry.mode == FOLDER:
                    waiting.append((f"{prefix}{name}/", entry.oid, depth + 1))
                    continue
                content = self._content(entry.oid)
                size += len(content)
                if size > MOST_KIT_BYTES:
                    raise _Unfit
                yield KitFile(prefix + name, entry.mode, entry.oid, content)

    def _content(self, oid: Oid) -> bytes:
        known = self._contents.get(oid)
        if known is not None:
            return known
        if self._repo.size_of(oid) > MOST_KIT_BYTES:
            raise _Unfit
        return self._repo.read(oid)

    def _forget(self) -> None:
        """Of files that an earlier process left, too."""
        while len(self._made) > KEPT_KITS:
            self._made.pop(next(iter(self._made)))
        for path in self._folder.iterdir() if self._folder.is_dir() else ():
            if path.name not in self._made:
                remove_quietly(path)


class _Unfit(Exception):
    """Left to git."""
