"""Collecting: what a run changed becomes one commit and one pack beside its evidence. Standard library only.

It runs in the workspace with the rights of the task, so whatever the task did to its `.git` is a risk for the task
alone. Rule: what cannot be collected is said (GitFailed), never passed over, and the workspace is then kept.
"""

from __future__ import annotations

import hashlib
import os
import time
import zlib
from pathlib import Path
from typing import NamedTuple

from orchd.adapters.loose_pack import write_loose_pack
from orchd.adapters.task_git import GitFailed, TaskGit
from orchd.adapters.workspace import BRANCH
from orchd.model.limits import RESULT_PACK_BYTES

_FRESH_INDEX = "orchd-index"
_IDENT = "orchd <orchd@localhost>"


class Base(NamedTuple):
    """What a run began with: the commit and its tree."""

    commit: str
    tree: str


def collect_result(git: TaskGit, base: Base, message: str, pack: Path) -> str:
    """Commit everything that is not ignored and write what `base` lacks to `pack`, durably. Returns the tip, or "" when
    nothing was changed. Commits of the task are kept where its HEAD descends from `base`. Raises GitFailed."""
    try:
        parent = _find_parent(git, base)
        tree = _write_tree(git, parent)
        tip = parent.commit if tree == parent.tree else _write_commit(git.workspace, tree, parent.commit, message)
        if tip == base.commit:
            return ""
        _write_pack(git, pack, base.commit, tip)
    except OSError as error:
        raise GitFailed(f"the result cannot be collected: {error}") from error
    return tip


def _find_parent(git: TaskGit, base: Base) -> Base:
    """The task's HEAD where it descends from `base`; else `base`, on which the files are then committed as they are."""
    if _is_untouched(git.workspace / ".git", base.commit):
        return base
    try:
        head, tree = git.run("rev-parse", "HEAD^{commit}", "HEAD^{tree}").decode().split()
        git.run("merge-base", "--is-ancestor", base.commit, head)
    except GitFailed:
        return base
    return Base(head, tree)


def _is_untouched(git_dir: Path, commit: str) -> bool:
    """Whether HEAD is still what it was at the start, without asking git (which costs milliseconds)."""
    try:
        head, tip = (git_dir / "HEAD").read_text(), (git_dir / "refs/heads" / BRANCH).read_text()
    except (OSError, UnicodeDecodeError):
        return False
    return head == f"ref: refs/heads/{BRANCH}\n" and tip == f"{commit}\n"


def _write_tree(git: TaskGit, parent: Base) -> str:
    git_dir = git.workspace / ".git"
    # Nothing of the task lives any more, so its lock is nobody's.
    (git_dir / "index.lock").unlink(missing_ok=True)
    if (git_dir / "index").is_file():
        try:
            return _add_all(git, git_dir / "index")
        except GitFailed:
            pass
    fresh = git_dir / _FRESH_INDEX
    fresh.unlink(missing_ok=True)
    git.run("read-tree", parent.commit, index=fresh)
    return _add_all(git, fresh)


def _add_all(git: TaskGit, index: Path) -> str:
    git.run("add", "-A", index=index)
    return git.run("write-tree", index=index).decode().strip()


def _write_commit(workspace: Path, tree: str, parent: str, message: str) -> str:
    """A loose commit object, as `git commit-tree` would write it for 3 ms more."""
    stamp = f"{_IDENT} {int(time.time())} +0000"
    body = f"tree {tree}\nparent {parent}\nauthor {stamp}\ncommitter {stamp}\n\n{message.rstrip()}\n".encode()
    content = b"commit %d\0" % len(body) + body
    oid = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    path = workspace / ".git" / "objects" / oid[:2] / oid[2:]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(zlib.compress(content, 1))
    return oid


def _write_pack(git: TaskGit, pack: Path, base: str, tip: str) -> None:
    """Where the task kept its hands off git, the loose objects are just those of the new commit; else git looks for them."""
    git_dir, revisions = git.workspace / ".git", f"{tip}\n^{base}\n"
    with pack.open("wb") as out:
        if _is_untouched(git_dir, base) and write_loose_pack(git_dir / "objects", out):
            return
        try:
            options = ("-q", "--revs", "--stdout", "--threads=1")
            git.write(out.fileno(), "pack-objects", *options, stdin=revisions.encode(), file_bytes=RESULT_PACK_BYTES)
        except GitFailed as error:
            if pack.stat().st_size < RESULT_PACK_BYTES:
                raise
            raise GitFailed(f"the result is larger than {RESULT_PACK_BYTES} bytes") from error
        os.fsync(out.fileno())
