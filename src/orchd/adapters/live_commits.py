"""What a running task has committed so far, packed beside its evidence while it works. Standard library only.

The supervisor looks at HEAD of the workspace from time to time (two small files are read), and when it moved has git pack what
the base lacks, with the rights of the task and without waiting for it. Rule: this only helps. What fails is left for the next
commit, and the end of the run does not wait for it; what counts is collected then.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from pathlib import Path
from typing import NamedTuple

from orchd.adapters.durable import sync_file
from orchd.adapters.task_git import GitFailed, TaskGit
from orchd.model.limits import LIVE_PACK_BYTES

LIVE_PACK = re.compile(r"(\d+)\.([0-9a-f]{40})\.pack")
"""The name of a finished pack: its number, which rises, and the commit that it brings."""

_OID = re.compile(r"[0-9a-f]{40}")
_REF = re.compile(r"ref: (refs/[!-~]+)")
_SMALL_BYTES = 65536


class _Going(NamedTuple):
    """A pack that is being written."""

    pid: int
    tip: str
    aside: Path


class LiveCommits:
    """`folder` gets the packs; only the newest stays."""

    def __init__(self, git: TaskGit, base: str, folder: Path) -> None:
        self._git = git
        self._base = base
        self._folder = folder
        self._tip = base
        self._number = 0
        self._going: _Going | None = None

    def pulse(self) -> None:
        """Begin a pack when there is a new commit, end it when git is done. Never waits and never raises."""
        with contextlib.suppress(OSError, GitFailed):
            if self._going is not None and not self._finish(self._going):
                return
            tip = read_tip(self._git.workspace / ".git")
            if tip not in ("", self._tip, self._base):
                self._tip = tip
                self._begin(tip)

    def _begin(self, tip: str) -> None:
        self._number += 1
        self._folder.mkdir(exist_ok=True)
        aside = self._folder / f".{self._number}.pack"
        with aside.open("wb") as out:
            options = ("-q", "--revs", "--stdout", "--threads=1")
            asked = f"{tip}\n^{self._base}\n".encode()
            pid = self._git.begin(out.fileno(), "pack-objects", *options, stdin=asked, file_bytes=LIVE_PACK_BYTES)
        self._going = _Going(pid, tip, aside)

    def _finish(self, going: _Going) -> bool:
        """Whether git is done, well or badly."""
        code = self._git.tree.take_code(going.pid)
        if code is None:
            return False
        self._going = None
        if code != 0 or going.aside.stat().st_size > LIVE_PACK_BYTES:
            going.aside.unlink()
            return True
        sync_file(going.aside)
        old = list_packs(self._folder) or ()
        going.aside.rename(self._folder / f"{self._number}.{going.tip}.pack")
        for _, _, name in old:
            (self._folder / name).unlink()
        return True


def list_packs(folder: Path) -> list[tuple[int, str, str]] | None:
    """Number, commit and file name of each finished pack, the newest last. None: there is no such folder."""
    try:
        names = os.listdir(folder)  # noqa: PTH208 - asked at every look for each running task
    except FileNotFoundError:
        return None
    found = (LIVE_PACK.fullmatch(name) for name in names)
    return sorted((int(match[1]), match[2], match[0]) for match in found if match)


def read_tip(git_dir: Path) -> str:
    """The commit that HEAD is at, read without git; empty when it cannot be told."""
    head = _read_small(git_dir / "HEAD").strip()
    ref = _REF.fullmatch(head)
    if ref is None:
        return head if _OID.fullmatch(head) else ""
    if ".." in ref[1]:
        return ""
    tip = _read_small(git_dir / ref[1]).strip() or _find_packed(git_dir, ref[1])
    return tip if _OID.fullmatch(tip) else ""


def _find_packed(git_dir: Path, ref: str) -> str:
    rows = (line.split(" ") for line in _read_small(git_dir / "packed-refs").splitlines())
    return next((row[0] for row in rows if row[1:] == [ref]), "")


def _read_small(path: Path) -> str:
    """The begin of a plain file; empty for all else. What the task put there can neither block nor harm."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        plain = stat.S_ISREG(os.fstat(handle).st_mode)
        return os.read(handle, _SMALL_BYTES).decode(errors="replace") if plain else ""
    except OSError:
        return ""
    finally:
        os.close(handle)
