"""The repository as the daemon holds it open: objects and refs in this process, a hermetic git for the rest.

The library reads and writes objects without a process, but it runs no hooks, filters or merge drivers and has no `ort`
merge. Rule: what it writes is synced to disk before a ref moves to it (`unsynced`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path

import pygit2
from pygit2.enums import ObjectType, Option, RepositoryOpenFlag

from orchd.adapters.git_objects import TreeEntry
from orchd.adapters.git_run import Git
from orchd.adapters.locks import sweep_locks
from orchd.adapters.place import Place
from orchd.adapters.power_cut import set_lost_aside
from orchd.adapters.ref_store import RefStore
from orchd.adapters.unsynced import Unsynced
from orchd.errors import ConfigError, GitError
from orchd.model.dataclass import dataclass
from orchd.model.ids import ORCHD_EMAIL, ORCHD_NAME, Oid

OLDEST_GIT = (2, 39)
"""The first git with `merge-tree --write-tree --stdin`."""

NEAR_COMMITS = 32
"""First parents that are looked at before the library walks the history: nearly always the answer is among them, also when a
save has merged its tasks one by one."""

REMEMBERED_COMMITS = 500

CACHE_BYTES = 16 * 1024 * 1024
"""What the library may keep of objects it read; its default is 256 MB."""


@dataclass(frozen=True, slots=True)
class GitRepo:
    """An open repository. Belongs to one thread."""

    place: Place
    library: pygit2.Repository
    git: Git
    refs: RefStore
    unsynced: Unsynced
    parsed: dict[Oid, Mapping[str, TreeEntry]] = field(default_factory=dict)
    """The trees that were read last, for `git_trees`."""
    facts: dict[Oid, tuple[Oid, tuple[Oid, ...]]] = field(default_factory=dict)
    """Tree and parents of the commits that were read last."""

    def read(self, oid: Oid) -> bytes:
        """The content of an object. Raises GitError when it is missing."""
        try:
            return bytes(self.library.read(oid)[1])
        except (KeyError, ValueError) as error:
            raise GitError(f"object {oid} is missing", "run `git fsck`") from error

    def size_of(self, oid: Oid) -> int:
        """How many bytes an object has, without reading it."""
        return int(self.library.odb.read_header(pygit2.Oid(hex=oid))[1])

    def fetch(self, oids: Sequence[Oid]) -> list[bytes | None]:
        """The contents of objects; None where one is missing, or where the id is empty."""
        return [self._content(oid) if oid else None for oid in oids]

    def _content(self, oid: Oid) -> bytes | None:
        try:
            return bytes(self.library.read(oid)[1])
        except KeyError:
            return None

    def write_blob(self, content: bytes) -> Oid:
        """Store `content`."""
        return self.unsynced.write(lambda: self.library.create_blob(content))

    def write_commit(self, tree: Oid, parents: Sequence[Oid], message: str, at_ms: int) -> Oid:
        """Store a commit by orchd itself; the same arguments give the same id."""
        who = pygit2.Signature(ORCHD_NAME, ORCHD_EMAIL, at_ms // 1000, 0)
        return self.unsynced.write(lambda: self.library.create_commit(None, who, who, message, tree, list(parents)))

    def write_tag(self, commit: Oid, name: str, message: str, at_ms: int) -> Oid:
        """Store an annotated tag object, without a ref; the same arguments give the same id."""
        head = f"object {commit}\ntype commit\ntag {name}\ntagger {ORCHD_NAME} <{ORCHD_EMAIL}> {at_ms // 1000} +0000\n\n"
        return self.unsynced.write(lambda: self.library.write(ObjectType.TAG, (head + message).encode()))

    def tree_of(self, commit: Oid) -> Oid:
        """The tree of a commit. Raises GitError when there is no such commit."""
        return self._facts(commit)[0]

    def parents_of(self, commit: Oid) -> tuple[Oid, ...]:
        """The parents of a commit."""
        return self._facts(commit)[1]

    def _facts(self, oid: Oid) -> tuple[Oid, tuple[Oid, ...]]:
        """Tree and parents of a commit."""
        found = self.facts.get(oid)
        if found is None:
            commit = self.commit(oid)
            found = self.facts[oid] = str(commit.tree_id), tuple(map(str, commit.parent_ids))
            if len(self.facts) > REMEMBERED_COMMITS:
                del self.facts[next(iter(self.facts))]
        return found

    def commit(self, oid: Oid) -> pygit2.Commit:
        """A commit. Raises GitError when there is none with this id."""
        found: object = self.library.get(oid)
        if not isinstance(found, pygit2.Commit):
            raise GitError(f"{oid} is not a commit of this repository", "run `git fsck`")
        return found

    def contains(self, descendant: Oid, ancestor: Oid) -> bool:
        """Whether `ancestor` is `descendant` or in its history."""
        return is_near(self, descendant, ancestor) or self.library.descendant_of(descendant, ancestor)


def is_near(repo: GitRepo, descendant: Oid, ancestor: Oid) -> bool:
    """Whether `ancestor` is among the last commits of `descendant`'s line, or of a line that it merged (of a checkpoint the
    chain of its tasks), or their parents. False says nothing."""
    ends = (descendant, *repo.parents_of(descendant)[1:])
    return any(ancestor == commit or ancestor in parents for end in ends for commit, parents in _list_line(repo, end))


def _list_line(repo: GitRepo, commit: Oid) -> Iterator[tuple[Oid, tuple[Oid, ...]]]:
    """The last NEAR_COMMITS first parents, each with its parents."""
    for _ in range(NEAR_COMMITS):
        parents = repo.parents_of(commit)
        yield commit, parents
        if not parents:
            return
        commit = parents[0]


def open_repo(place: Place) -> GitRepo:
    """Open the repository and sweep stale locks. Raises ConfigError when orchd cannot work with it."""
    git = Git(place.git_dir)
    _check_git(git)
    _check_format(place.git_dir, git)
    pygit2.option(Option.SET_CACHE_MAX_SIZE, CACHE_BYTES)
    library = open_library(place.git_dir)
    library.set_ident(ORCHD_NAME, ORCHD_EMAIL)
    sweep_locks(place.git_dir)
    unsynced = Unsynced(place.git_dir / "objects", lambda: set_lost_aside(place))
    refs = RefStore(place.git_dir, library, git, unsynced)
    _check_names(refs)
    return GitRepo(place, library, git, refs, unsynced)


def open_library(git_dir: Path) -> pygit2.Repository:
    """The library's view of a git directory. Raises ConfigError when it cannot be opened."""
    try:
        return pygit2.Repository(str(git_dir), RepositoryOpenFlag.NO_SEARCH)
    except (pygit2.GitError, KeyError) as error:
        raise ConfigError(
            f"{git_dir} cannot be opened: {error}", "run `git status` there; does it say what is wrong?"
        ) from error


def _check_git(git: Git) -> None:
    said = git.run("version").decode()
    version = tuple(map(int, re.findall(r"\d+", said)[:2]))
    if version < OLDEST_GIT:
        raise ConfigError(f"{said.strip()} is too old", f"install git {'.'.join(map(str, OLDEST_GIT))} or newer")


BLOCKING_REFS = {
    "refs/heads/session": ("a branch `session`", "session/...", "git branch -m session NAME"),
    "refs/tags/checkpoint": ("a tag `checkpoint`", "checkpoint/...", "git tag NAME checkpoint && git tag -d checkpoint"),
    "refs/notes/orch": (
        "notes named `orch`",
        "orch/audit",
        "git update-ref refs/notes/NAME refs/notes/orch && git update-ref -d refs/notes/orch",
    ),
}
"""Refs of a person where a folder of refs of ours must be: what it is, what it blocks, and how to rename it."""


def _check_names(refs: RefStore) -> None:
    """Otherwise every result would be taken in, and fail to get its name, for ever."""
    for name, (what, blocked, rename) in BLOCKING_REFS.items():
        if refs.read(name):
            raise ConfigError(f"there is {what}, so git cannot make {blocked}, which orchd needs", f"rename it: `{rename}`")


_PARTIAL = ("is a partial clone: some objects are only in its remote", "clone it again without `--filter`")
UNREADABLE_KEYS = r"^extensions\.(refstorage|objectformat|partialclone)$|^remote\..*\.promisor$"
UNREADABLE_FORMATS = {
    "extensions.refstorage reftable": (
        "keeps its refs as reftable",
        "convert it with `git refs migrate --ref-format=files` (git 2.46 or newer)",
    ),
    "extensions.objectformat sha256": (
        "uses SHA-256 object ids",
        "git cannot convert it; to copy it with new ids: `git init NEW`, then `git fast-export --all | git -C NEW fast-import`",
    ),
    "extensions.partialclone ": _PARTIAL,
    ".promisor true": _PARTIAL,
}
"""What the library cannot read, by what git's configuration says: the fault and the way out."""


def _check_format(git_dir: Path, git: Git) -> None:
    asked = git.attempt("config", "--file", str(git_dir / "config"), "--get-regexp", UNREADABLE_KEYS)
    said = asked.stdout.decode(errors="replace").lower()
    for value, (fault, hint) in UNREADABLE_FORMATS.items():
        if value in said:
            raise ConfigError(f"{git_dir} {fault}, which orchd cannot read", hint)
