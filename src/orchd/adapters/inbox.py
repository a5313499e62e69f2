"""The drop box: files that people put down without committing them, and where they go when they were read.

A drop is this very file: its name, inode, times and content. Rule: a file that was put down after the one that was judged is
never taken for it, and nothing that was moved away before is overwritten.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from orchd.adapters.durable import sync_folder, write_durably
from orchd.adapters.place import Place
from orchd.adapters.plain_file import PlainFile, Signature, hold_folder, read_plain_file, sign
from orchd.core.rendering import render_problem
from orchd.model.problem import Problem

INBOX = (".orch", "inbox")


def drop_id(name: str, signature: Signature, content: bytes) -> str:
    """Identifies one file among all that will ever have its name. `content` is empty for what cannot be read.

    The same file that comes a second time may have inode, mtime and content of the first, but not its ctime.
    """
    mark = f"{signature[2]} {_mark(signature, content)}"
    return f"{name}.{hashlib.sha256(mark.encode()).hexdigest()[:16]}"


def _mark(signature: Signature, content: bytes) -> str:
    """What a rename leaves as it is."""
    _, mtime_ns, _, _, inode = signature
    return f"{inode} {mtime_ns} {hashlib.sha256(content).hexdigest()}"


def _look(folder: int, name: str) -> tuple[Signature, bytes] | None:
    read = read_plain_file(folder, name)
    try:
        seen = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return sign(seen), read.content if isinstance(read, PlainFile) else b""


def move_drop(place: Place, drop: str, problems: Sequence[Problem]) -> None:
    """Move the file to `done`, or to `rejected` with a text that explains `problems`. Nothing when it is not there now."""
    name = drop.rpartition(".")[0]
    if place.checkout is None:
        return
    with hold_folder(place.checkout, INBOX) as folder:
        found = _look(folder, name) if isinstance(folder, int) else None
        if isinstance(folder, int) and found and drop_id(name, *found) == drop:
            target = _reserve(place.orch / "inbox" / ("rejected" if problems else "done"), name)
            if problems:
                explanation = "\n\n".join(map(render_problem, problems)) + "\n"
                write_durably(target.with_name(target.name + ".problems.txt"), explanation.encode())
            _move(folder, name, _mark(*found), target)


def _reserve(folder: Path, name: str) -> Path:
    """A name in `folder` that was free until now."""
    folder.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        target = folder / (name if number == 1 else f"{name}.{number}")
        try:
            target.touch(exist_ok=False)
        except FileExistsError:
            number += 1
        else:
            return target


def _move(folder: int, name: str, mark: str, target: Path) -> None:
    """Rename, then look whether it was still the file that was judged; if not, it goes back."""
    try:
        os.rename(name, target, src_dir_fd=folder)
    except FileNotFoundError:
        target.unlink()
        return
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _carry(folder, name, target)
        return
    sync_folder(target.parent)
    with hold_folder(target.parent, ()) as moved:
        found = _look(moved, target.name) if isinstance(moved, int) else None
        if found and _mark(*found) != mark:
            _give_back(folder, name, target)


def _give_back(folder: int, name: str, target: Path) -> None:
    """Only if the name is still free; otherwise the file stays where it can be found."""
    try:
        os.link(target, name, dst_dir_fd=folder)
    except FileExistsError:
        return
    target.unlink()


def _carry(folder: int, name: str, target: Path) -> None:
    """To another file system: the copy is durable before the original goes. What is no plain file stays."""
    read = read_plain_file(folder, name)
    if not isinstance(read, PlainFile):
        target.unlink()
        return
    write_durably(target, read.content)
    os.unlink(name, dir_fd=folder)
