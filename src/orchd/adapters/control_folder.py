"""The control folder in a workspace, from the daemon's side: notes for the task go in, its requests come out.

The task may put anything in the place of anything there. Rule: each step of the way is opened without following a link,
relative to the folder before it, so nothing outside the workspace is ever read or written for a task.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import field

from orchd.adapters.evidence import workspace_of
from orchd.adapters.place import Place
from orchd.adapters.plain_file import PlainFile, Refusal, hold_folder, read_plain_file
from orchd.adapters.workspace import CONTROL_FOLDER
from orchd.model.dataclass import dataclass
from orchd.model.ids import RunId
from orchd.model.limits import ASK_BYTES, ASK_FILES, CONTROL_ENTRIES

ASK_SUFFIX = ".ask"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,47}")
_OUR_TROUBLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG, errno.EMFILE, errno.ENFILE})


@dataclass(frozen=True, slots=True)
class Asked:
    """The requests that lie there: the lines of each that can be read, and what is wrong with each other one."""

    lines: dict[str, tuple[str, ...]] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)


def write_note(place: Place, run: RunId, name: str, text: str) -> None:
    """Put the note `name` there, replacing the one of this name. Does nothing where there is no such folder (any more), or
    where the task made it impossible. Raises OSError for what is our trouble: no room, no handles."""
    with _hold(place, run) as folder:
        if folder is None:
            return
        try:
            _write(folder, name, text.encode())
        except OSError as error:
            if error.errno in _OUR_TROUBLE:
                raise


def read_asked(place: Place, run: RunId) -> Asked:
    """The requests in the folder, at most ASK_FILES of them. What is still being written is left for the next look."""
    with _hold(place, run) as folder:
        found = Asked()
        if folder is not None:
            for name in _list_asked(folder):
                _read_one(folder, name, found)
        return found


@contextmanager
def _hold(place: Place, run: RunId) -> Iterator[int | None]:
    workspace = workspace_of(place, run)
    if not workspace.parent.is_dir():
        yield None
        return
    with hold_folder(workspace.parent, (workspace.name, ".git", CONTROL_FOLDER)) as folder:
        yield folder if isinstance(folder, int) else None


def _write(folder: int, name: str, content: bytes) -> None:
    aside = f".{name}"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(aside, dir_fd=folder)
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder)
    with os.fdopen(handle, "wb") as out:
        out.write(content)
    os.rename(aside, name, src_dir_fd=folder, dst_dir_fd=folder)


def _list_asked(folder: int) -> list[str]:
    """Sorted, out of the first CONTROL_ENTRIES entries: a task may make millions."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in itertools.islice(entries, CONTROL_ENTRIES)]
    except OSError:
        return []
    return sorted(name for name in names if name.endswith(ASK_SUFFIX))[:ASK_FILES]


def _read_one(folder: int, file: str, found: Asked) -> None:
    name = file.removesuffix(ASK_SUFFIX)
    if not NAME.fullmatch(name):
        found.wrong[file.encode(errors="replace").decode()] = "its name is not made of a-z, 0-9 and hyphens"
        return
    read = read_plain_file(folder, file)
    if isinstance(read, Refusal):
        found.wrong[name] = read.text
    elif isinstance(read, PlainFile):
        _parse(name, read.content, found)


def _parse(name: str, content: bytes, found: Asked) -> None:
    if len(content) > ASK_BYTES:
        found.wrong[name] = f"it has more than {ASK_BYTES} bytes"
        return
    try:
        lines = (line.strip() for line in content.decode().splitlines())
        found.lines[name] = tuple(line for line in lines if line)
    except UnicodeDecodeError:
        found.wrong[name] = "it is not UTF-8"
