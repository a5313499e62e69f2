"""Workspaces: a shared clone for one run, made by hand because `git clone` costs five times as much, and its removal.

Rule: a workspace is built aside and renamed into place when it is complete, and renamed aside before it is removed, so
that whatever has its name is whole. Standard library only.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import shutil
import stat
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias

from orchd.adapters.kit import Known, lay_out, load_kit
from orchd.adapters.task_git import GitFailed, TaskGit
from orchd.adapters.workspace_names import ASIDE, list_names

BRANCH = "task"
SPARE_INDEX = "orchd-index"
"""In the git folder: the index as the checkout left it, under a second name (a hard link). git replaces an index and never
changes one in place, so this one stays what it was whatever the task tells git."""
CONTROL_FOLDER = "orchd"
"""In the git folder, where it can never become part of a result: what task and daemon have to say to each other."""
BRIEF = "brief.md"
_NEW = ".new-"
_TRASH = ".trash-"
_LIFTED = b".lifted-"
_FOLDERS = ("objects/info", "objects/pack", "refs/heads", "refs/tags", "info")
_CONFIG = """[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = false
\tlogallrefupdates = true
[gc]
\tauto = 0
[maintenance]
\tauto = false
[user]
\tname = orchd
\temail = orchd@localhost
"""
# From linux/fs.h.
FS_IOC_GETFLAGS, FS_IOC_SETFLAGS, FS_TOPDIR_FL = 0x80086601, 0x40086602, 0x00020000
# Deeper folders are moved up before they are removed: the kernel takes no path of more than 4096 bytes.
_PATH_BYTES = 2000
# The kernel's clock for files ticks every 1 to 10 ms.
_TICK_SECONDS = 0.02

FileMark: TypeAlias = tuple[int, int, int]
"""Inode, mtime in nanoseconds and size of a file: while they are the same, nobody replaced or wrote it."""


class Prepared(NamedTuple):
    """What a workspace was when it was handed over: device and inode of its git folder, its index (None: it has none), and
    its files (None: git laid them out)."""

    git_folder: tuple[int, int]
    index_mark: FileMark | None
    known: Known | None = None


def build_workspace(git: TaskGit, commit: str, repository: Path, kit: str, brief: str = "") -> Prepared:
    """Make `git.workspace`: `commit` of the repository with git directory `repository`, checked out on branch `task`, from
    the file `kit` or (empty: there is none) by git. It is what `git clone --shared --no-tags --single-branch` gives, without
    the remote. What has its name already is set aside. With a `brief` it has a control folder. Raises GitFailed; then
    nothing is left."""
    new = git.workspace.with_name(_NEW + git.workspace.name)
    try:
        set_aside(git.workspace, ASIDE)
        make_private_folder(new.parent)
        _write_git_folder(new / ".git", commit, repository)
        if brief:
            _write_brief(new / ".git" / CONTROL_FOLDER, brief)
        known = _check_out(git._replace(workspace=new), kit)
        prepared = _finish_git_folder(new / ".git")._replace(known=known)
        new.rename(git.workspace)
    except OSError as error:
        raise GitFailed(f"the workspace cannot be made: {error}") from error
    finally:
        remove_unfinished(git.workspace)
    return prepared


def _check_out(git: TaskGit, kit: str) -> Known | None:
    try:
        files = load_kit(Path(kit).read_bytes()) if kit else None
    except (OSError, ValueError):
        files = None
    if files is not None:
        return lay_out(git.workspace, files)
    git.run("read-tree", "-m", "-u", "HEAD")
    return None


def is_unconfigured(git_dir: Path) -> bool:
    """Whether a git folder of a workspace still has our configuration and nothing in `info`."""
    try:
        return (git_dir / "config").read_bytes() == _CONFIG.encode() and not any(os.scandir(git_dir / "info"))
    except OSError:
        return False


def mark_file(path: Path) -> FileMark | None:
    """What this file is now. None: it does not exist, or is no plain file."""
    try:
        seen = path.lstat()
    except OSError:
        return None
    return (seen.st_ino, seen.st_mtime_ns, seen.st_size) if stat.S_ISREG(seen.st_mode) else None


def set_aside(path: Path, mark: str) -> None:
    """Rename what is at `path`, if anything, to the first free `PATH<mark><n>`, where people find it."""
    if os.path.lexists(path):
        names = (path.with_name(f"{path.name}{mark}{number}") for number in itertools.count(1))
        path.rename(next(name for name in names if not os.path.lexists(name)))


def make_private_folder(folder: Path) -> None:
    """`folder` and the parents that are missing, readable by nobody else."""
    if not folder.is_dir():
        make_private_folder(folder.parent)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        _spread(folder)


def _spread(folder: Path) -> None:
    """Ask ext4 to put what is made in `folder` into other block groups each time (`chattr +T`). Otherwise it searches past
    the inodes that the workspaces before have freed, which cost up to half of all CPU of small tasks."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(OSError):
            [flags] = struct.unpack("l", fcntl.ioctl(handle, FS_IOC_GETFLAGS, bytes(8)))
            fcntl.ioctl(handle, FS_IOC_SETFLAGS, struct.pack("l", flags | FS_TOPDIR_FL))
    finally:
        os.close(handle)


def remove_unfinished(workspace: Path) -> None:
    """What is left of a preparation that did not come to its end."""
    new = workspace.with_name(_NEW + workspace.name)
    if new.exists():
        _remove_tree(new)


def remove_workspace(workspace: Path) -> None:
    """Remove it at once for whoever looks, then its files. Does nothing when it is gone. Symlinks are not followed."""
    with contextlib.suppress(FileNotFoundError):
        workspace.rename(_unused_name(workspace))
    remove_trash(workspace.parent)


def remove_trash(folder: Path) -> None:
    """What an interrupted removal left in the folder of workspaces."""
    for name in list_names(folder):
        if name.startswith(_TRASH):
            _remove_tree(folder / name)


def make_readable(folder: Path) -> None:
    """Give the owner back the right to read all files and to enter all folders. Links are not followed."""
    pending = [os.fsencode(folder)]
    while pending:
        here = pending.pop()
        os.chmod(here, stat.S_IMODE(os.lstat(here).st_mode) | stat.S_IRWXU)  # noqa: PTH101 - plain bytes
        with os.scandir(here) as entries:
            found = list(entries)
        pending += [entry.path for entry in found if entry.is_dir(follow_symlinks=False)]
        for entry in found:
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISREG(mode) and not mode & stat.S_IRUSR:
                os.chmod(entry.path, stat.S_IMODE(mode) | stat.S_IRUSR)  # noqa: PTH101 - plain bytes


def _write_git_folder(git_dir: Path, commit: str, repository: Path) -> None:
    for name in _FOLDERS:
        (git_dir / name).mkdir(parents=True)
    (git_dir / "HEAD").write_text(f"ref: refs/heads/{BRANCH}\n")
    (git_dir / "config").write_text(_CONFIG)
    (git_dir / "objects/info/alternates").write_bytes(os.fsencode(repository / "objects") + b"\n")
    (git_dir / "refs/heads" / BRANCH).write_text(f"{commit}\n")
    if (repository / "shallow").exists():
        shutil.copyfile(repository / "shallow", git_dir / "shallow")


def _write_brief(folder: Path, brief: str) -> None:
    folder.mkdir()
    (folder / BRIEF).write_text(brief, encoding="utf-8")


def _finish_git_folder(git_dir: Path) -> Prepared:
    _outdate_files(git_dir / "index")
    with contextlib.suppress(OSError):  # not every file system has hard links
        (git_dir / SPARE_INDEX).hardlink_to(git_dir / "index")
    seen = git_dir.lstat()
    return Prepared((seen.st_dev, seen.st_ino), mark_file(git_dir / "index"))


def _outdate_files(index: Path) -> None:
    """Make the index newer than all files that it knows, by the clock of this very file system. Otherwise nobody could tell
    from their times what the task changes in the same tick, and all of them would have to be read again."""
    written_ns = index.stat().st_mtime_ns
    until = time.monotonic() + _TICK_SECONDS
    while time.monotonic() < until:
        os.utime(index)
        if index.stat().st_mtime_ns > written_ns:
            break
        time.sleep(_TICK_SECONDS / 20)


def _unused_name(workspace: Path) -> Path:
    taken = set(list_names(workspace.parent))
    names = (f"{_TRASH}{workspace.name}.{number}" for number in range(len(taken) + 1))
    return workspace.with_name(next(name for name in names if name not in taken))


def _remove_tree(root: Path) -> None:
    if root.is_symlink() or not root.is_dir():
        root.unlink()
        return
    pending = [os.fsencode(root)]
    while pending:
        below = list(_empty_folder(pending[-1], os.fsencode(root)))
        if not below:
            os.rmdir(pending.pop())  # noqa: PTH106
        pending.extend(below)


def _empty_folder(folder: bytes, root: bytes) -> Iterator[bytes]:
    """Remove the files in `folder`; the folders in it are the result, moved up to `root` where their path is too long.

    On plain bytes: a `Path` for each entry was a tenth of the daemon's CPU.
    """
    os.chmod(folder, 0o700)  # noqa: PTH101
    with os.scandir(folder) as entries:
        found = list(entries)
    for entry in found:
        if not entry.is_dir(follow_symlinks=False):
            os.unlink(entry.path)  # noqa: PTH108
        elif len(entry.path) < _PATH_BYTES:
            yield entry.path
        else:
            os.chmod(entry.path, 0o700)  # noqa: PTH101 - a folder that cannot be written cannot be moved either
            lifted = root + b"/%s%d" % (_LIFTED, entry.inode())
            os.rename(entry.path, lifted)  # noqa: PTH104
            yield lifted
