"""Files that strangers put down, opened so that they can neither hang nor mislead the reader.

No symlink is followed, nothing blocks, and only a plain file with one name is read: a symlink shows a secret as a task, a
pipe stops the daemon, a second name lets the file change from elsewhere. A file that somebody has open for writing is not
read: half a YAML file usually parses.

Rule: everything is opened relative to a held folder descriptor, and checked on the open descriptor, not on the path.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TypeAlias

from orchd.model.dataclass import dataclass
from orchd.model.limits import TASK_FILE_BYTES

Signature: TypeAlias = tuple[int, int, int, int, int]
"""Mode, mtime_ns, ctime_ns, size and inode: while it is the same, the file was not touched."""


class Withheld(Enum):
    """Why there is nothing to judge now."""

    GONE = "gone"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is wrong with the file as a file; half a sentence."""

    text: str


@dataclass(frozen=True, slots=True)
class PlainFile:
    """What was read, at most one byte more than TASK_FILE_BYTES, and the signature that it had before and after."""

    content: bytes
    signature: Signature


Read: TypeAlias = PlainFile | Refusal | Withheld


@contextmanager
def hold_folder(top: Path, parts: Sequence[str]) -> Iterator[int | Refusal | None]:
    """A descriptor of the folder `top/parts...`, in which no part is a symlink; None when it does not exist."""
    handle = os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=handle)
            os.close(handle)
            handle = inner
        found: int | Refusal | None = handle
    except FileNotFoundError:
        found = None
    except OSError as error:
        found = Refusal(_explain(error))
    try:
        yield found
    finally:
        os.close(handle)


def sign(seen: os.stat_result) -> Signature:
    """The signature in the answer of stat."""
    return seen.st_mode, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_size, seen.st_ino


def read_plain_file(folder: int, name: str) -> Read:
    """The file `name` in the held `folder`. Never blocks and never raises for what the file is."""
    try:
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        return Withheld.GONE
    except OSError as error:
        return Refusal(_explain(error))
    try:
        return _read(handle)
    finally:
        os.close(handle)


def _read(handle: int) -> Read:
    before = os.fstat(handle)
    if not stat.S_ISREG(before.st_mode):
        return Refusal("it is not a plain file")
    if before.st_nlink > 1:
        return Refusal("it has a second name (hard link)")
    if is_being_written(handle):
        return Withheld.BUSY
    try:
        content = os.read(handle, TASK_FILE_BYTES + 1)
    except OSError as error:
        return Refusal(_explain(error))
    whole = len(content) == min(before.st_size, TASK_FILE_BYTES + 1) and sign(os.fstat(handle)) == sign(before)
    return PlainFile(content, sign(before)) if whole else Withheld.BUSY


def is_being_written(handle: int) -> bool:
    """Whether anybody has the file open for writing, asked by taking a read lease and giving it back at once.

    Where leases are not to be had (another owner, some file systems) the answer is no, and settling alone must do.
    """
    try:
        take_lease(handle)
    except OSError as error:
        return error.errno == errno.EAGAIN
    fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def take_lease(handle: int) -> None:
    """Raises OSError (EAGAIN: somebody has the file open for writing).

    Whoever opens the file for writing while we hold the lease has a signal sent to us. By default it is SIGIO, which ends
    a process that does not handle it; SIGURG is ignored by one that does not.
    """
    fcntl.fcntl(handle, fcntl.F_SETSIG, signal.SIGURG)
    fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)


_REASONS = {
    errno.ELOOP: "it is a symlink",
    errno.ENOTDIR: "it is not a plain folder (but a symlink or a file)",
    errno.EACCES: "orchd may not read it",
    errno.ENXIO: "it is not a plain file",
}


def _explain(error: OSError) -> str:
    return _REASONS.get(error.errno or 0, f"it cannot be read ({error.strerror})")
