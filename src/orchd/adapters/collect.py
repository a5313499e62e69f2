"""Collecting: what a run changed becomes one commit and one pack beside its evidence. Standard library only.

It runs in the workspace with the rights of the task, so whatever the task did to its `.git` is a risk for the task
alone. Rule: what cannot be collected is said (GitFailed), never passed over, and the workspace is then kept. The index of
the task is never written and never believed: `skip-worktree` and the like would hide work.
"""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from orchd.adapters.loose_pack import write_loose_pack, write_pack
from orchd.adapters.plain_tree import PlainTree, find_plain_tree, object_id
from orchd.adapters.task_git import GitFailed, TaskGit
from orchd.adapters.workspace import BRANCH, SPARE_INDEX, Prepared, is_unconfigured, make_readable, mark_file
from orchd.core.attic import EXTRA
from orchd.model.limits import RESULT_PACK_BYTES

_FRESH_INDEX = "orchd-fresh-index"
_IDENT = "orchd <orchd@localhost>"
_UNREADABLE, _DENIED = b"warning: could not open directory", "Permission denied"
_SUBMODULE = (0o160000).to_bytes(4, "big")
"""The mode of a submodule as an index has it. Other entries may hold these bytes by chance; then git is asked for nothing."""
_TRACES = ("logs", "packed-refs", "worktrees")
"""In a git folder: git makes them as soon as somebody commits, stashes or makes a branch."""


class Base(NamedTuple):
    """What a run began with: the commit and its tree."""

    commit: str
    tree: str


class Collected(NamedTuple):
    """What came back, in the words of `model.run.Exit`."""

    tip: str = ""
    extra: str = ""
    partial: bool = False


def collect_result(git: TaskGit, base: Base, prepared: Prepared | None, message: str, pack: Path) -> Collected:
    """Commit everything that is not ignored and write what `base` lacks to `pack`, durably. The tip is "" when nothing was
    changed. Commits of the task are kept: below the tip where its HEAD descends from `base`, all others below `extra`.
    `prepared` is None when nobody knows any more how the workspace was handed over. Raises GitFailed."""
    git_dir = git.workspace / ".git"
    try:
        _check_git_folder(git.workspace, prepared)
        untouched = _is_untouched(git_dir, base.commit)
        if untouched and prepared and (plain := _find_plain(git.workspace, prepared)):
            return _pack_plain(plain, base, message, pack)
        parent = base if untouched else _find_parent(git, base)
        tree, partial = _write_tree(git, base, parent, prepared)
        tip = parent.commit if tree == parent.tree else _write_commit(git.workspace, tree, [parent.commit], message)
        extra = "" if untouched else _write_extra(git, base, Base(tip, tree))
        made = Collected(tip if tip != base.commit else "", extra, partial)
        if made.tip or made.extra:
            _write_pack(git, pack, base.commit, made, small=untouched)
    except OSError as error:
        raise GitFailed(f"the result cannot be collected: {error}") from error
    return made


def commit_step(git: TaskGit, base: Base, prepared: Prepared, message: str) -> str:
    """Commit what has changed until now where the task's HEAD is, and move that on; the task finds its files as they were.
    Gives the commit, which is that of HEAD when nothing has changed. Raises GitFailed, also when HEAD does not descend from
    `base`: then there is nothing to go on from."""
    try:
        _check_git_folder(git.workspace, prepared)
        parent = _find_parent(git, base)
        if git.run("rev-parse", "HEAD").decode().strip() != parent.commit:
            raise GitFailed("its HEAD does not descend from the commit that it began with")
        tree, _ = _write_tree(git, base, parent, prepared)
        if tree == parent.tree:
            return parent.commit
        made = _write_commit(git.workspace, tree, [parent.commit], message)
        git.run("reset", "-q", "--mixed", made)
    except OSError as error:
        raise GitFailed(f"the step cannot be committed: {error}") from error
    return made


def _find_plain(workspace: Path, prepared: Prepared) -> PlainTree | None:
    """The tree of the files where nothing but the files could matter; None: git must say."""
    git_dir = workspace / ".git"
    as_left = all(mark_file(git_dir / name) == prepared.index_mark for name in ("index", SPARE_INDEX))
    if not prepared.index_mark or not prepared.known or not as_left or not is_unconfigured(git_dir):
        return None
    return find_plain_tree(workspace, prepared.known, prepared.index_mark[1])


def _pack_plain(plain: PlainTree, base: Base, message: str, pack: Path) -> Collected:
    if plain.oid == base.tree:
        return Collected()
    content = _commit_content(plain.oid, [base.commit], message)
    with pack.open("wb") as out:
        write_pack((*plain.objects, (b"commit", content)), out)
    return Collected(object_id(b"commit", content).hex())


def _check_git_folder(workspace: Path, prepared: Prepared | None) -> None:
    """That git will write nowhere but here: a task may put a link to the repository of the person in the place of its own.

    When nobody knows the inode any more, a real folder must do; what git changes in it is objects and an index of ours.
    """
    git_dir = workspace / ".git"
    folders = (workspace, git_dir, git_dir / "objects", git_dir / "refs")
    files = (path for path in (git_dir / "HEAD", git_dir / "index") if os.path.lexists(path))
    whole = all(path.is_dir() and not path.is_symlink() for path in folders) and all(map(mark_file, files))
    if not whole or os.path.lexists(git_dir / "commondir"):
        raise GitFailed("its .git was replaced or removed")
    seen = git_dir.lstat()
    if prepared and prepared.git_folder != (seen.st_dev, seen.st_ino):
        raise GitFailed("its .git was replaced or removed")


def _find_parent(git: TaskGit, base: Base) -> Base:
    """The task's HEAD where it descends from `base`; else `base`, on which the files are then committed as they are."""
    try:
        head, tree = git.run("rev-parse", "HEAD^{commit}", "HEAD^{tree}").decode().split()
        git.run("merge-base", "--is-ancestor", base.commit, head)
    except GitFailed:
        return base
    return Base(head, tree)


def _is_untouched(git_dir: Path, commit: str) -> bool:
    """Whether all refs are still what they were at the start, without asking git (which costs milliseconds)."""
    refs = git_dir / "refs"
    try:
        found = [_names(refs), _names(refs / "heads"), _names(refs / "tags")]
        if found != [{"heads", "tags"}, {BRANCH}, set()] or not (refs / "heads" / BRANCH).is_file():
            return False
        head, tip = (git_dir / "HEAD").read_text(), (refs / "heads" / BRANCH).read_text()
    except (OSError, UnicodeDecodeError):
        return False
    traces = any(os.path.lexists(git_dir / name) for name in _TRACES)
    return not traces and head == f"ref: refs/heads/{BRANCH}\n" and tip == f"{commit}\n"


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def _write_tree(git: TaskGit, base: Base, parent: Base, prepared: Prepared | None) -> tuple[str, bool]:
    """All files in an index that the task had no hand in: the one of the checkout, or a new one where that is not there.
    Also whether the tree lacks something, namely what is in repositories inside."""
    git_dir = git.workspace / ".git"
    known = prepared.index_mark if prepared else None
    index = git_dir / SPARE_INDEX
    if not known or mark_file(index) != known:
        index = git_dir / _FRESH_INDEX
        index.unlink(missing_ok=True)
        Path(f"{index}.lock").unlink(missing_ok=True)
        git.run("read-tree", parent.commit, index=index)
    elif parent != base:
        git.run("read-tree", "-i", "-m", parent.commit, index=index)
    same = known and mark_file(git_dir / "index") == known
    if passed_over := (b"" if same else _list_forced(git)) + _list_outside(git, index):
        git.run("update-index", "--add", "-z", "--stdin", stdin=passed_over, index=index)
    _add_all(git, index)
    return git.run("write-tree", index=index).decode().strip(), _holds_repositories(git, index)


def _add_all(git: TaskGit, index: Path) -> None:
    """git only warns of a folder that it may not open, and passes over what is in it."""
    try:
        if _UNREADABLE not in git.warn("add", "-A", index=index):
            return
    except GitFailed as error:
        if _DENIED not in str(error):
            raise
    make_readable(git.workspace)
    if _UNREADABLE in git.warn("add", "-A", index=index):
        raise GitFailed("some of its folders cannot be read")


def _holds_repositories(git: TaskGit, index: Path) -> bool:
    """Whether a folder that the tree only has as a submodule holds anything. git is only asked when the index has one."""
    if _SUBMODULE not in index.read_bytes():
        return False
    rows = git.run("ls-files", "-s", "-z", index=index).split(b"\0")
    folders = [git.workspace / os.fsdecode(row.partition(b"\t")[2]) for row in rows if row.startswith(b"160000 ")]
    return any(folder.is_dir() and any(folder.iterdir()) for folder in folders)


def _list_forced(git: TaskGit) -> bytes:
    """Files that are ignored and that the task added nevertheless, each ended by NUL."""
    try:
        listed = git.run("ls-files", "-z", "--cached", "--ignored", "--exclude-standard", index=git.workspace / ".git/index")
    except GitFailed:
        return b""
    return _pick_files(git.workspace, listed)


def _list_outside(git: TaskGit, index: Path) -> bytes:
    """With a sparse checkout `git add` leaves out what lies outside of it; these are the files that would have to be added."""
    if not os.path.lexists(git.workspace / ".git/info/sparse-checkout"):
        return b""
    whole = ("-c", "core.sparseCheckout=false")
    return _pick_files(
        git.workspace, git.run(*whole, "ls-files", "-z", "--modified", "--others", "--exclude-standard", index=index)
    )


def _pick_files(workspace: Path, listed: bytes) -> bytes:
    names = [name for name in listed.split(b"\0") if name and _is_own_file(workspace, os.fsdecode(name))]
    return b"".join(name + b"\0" for name in names)


def _is_own_file(workspace: Path, name: str) -> bool:
    """Whether it is a file or a link, in folders that are no links."""
    path = workspace / name
    return (path.is_symlink() or path.is_file()) and path.parent.resolve() == (workspace.resolve() / name).parent


def _write_extra(git: TaskGit, base: Base, result: Base) -> str:
    """A commit that holds all commits of the task which neither `base` nor `result` contains; "" when there are none."""
    asked = ("rev-list", "--parents", "--ignore-missing", "--all", "--reflog", "--not", base.commit, result.commit)
    lines = [line.split() for line in git.run(*asked).decode().splitlines()]
    parents = {parent for _, *parents in lines for parent in parents}
    tips = [commit for commit, *_ in lines if commit not in parents]
    return _write_commit(git.workspace, result.tree, tips, EXTRA) if tips else ""


def _write_commit(workspace: Path, tree: str, parents: Sequence[str], message: str) -> str:
    """A loose commit object, as `git commit-tree` would write it for 3 ms more."""
    content = _commit_content(tree, parents, message)
    oid = object_id(b"commit", content).hex()
    path = workspace / ".git" / "objects" / oid[:2] / oid[2:]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(zlib.compress(b"commit %d\0%s" % (len(content), content), 1))
    return oid


def _commit_content(tree: str, parents: Sequence[str], message: str) -> bytes:
    stamp = f"{_IDENT} {int(time.time())} +0000"
    above = "".join(f"parent {parent}\n" for parent in parents)
    return f"tree {tree}\n{above}author {stamp}\ncommitter {stamp}\n\n{message.rstrip()}\n".encode()


def _write_pack(git: TaskGit, pack: Path, base: str, made: Collected, *, small: bool) -> None:
    """`small`: the task kept its hands off git, so the loose objects are just those of the new commit; else git looks for
    them."""
    revisions = "".join(f"{wanted}\n" for wanted in filter(None, (made.tip, made.extra, f"^{base}")))
    with pack.open("wb") as out:
        if small and write_loose_pack(git.workspace / ".git/objects", out):
            return
        try:
            options = ("-q", "--revs", "--stdout", "--threads=1")
            git.write(out.fileno(), "pack-objects", *options, stdin=revisions.encode(), file_bytes=RESULT_PACK_BYTES)
        except GitFailed as error:
            if pack.stat().st_size < RESULT_PACK_BYTES:
                raise
            raise GitFailed(f"the result is larger than {RESULT_PACK_BYTES} bytes") from error
        os.fsync(out.fileno())
