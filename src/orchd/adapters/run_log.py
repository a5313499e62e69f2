"""The log of a run: what its commands printed, kept in a bounded number of bytes. Writer and reader of one layout.

`out.log` holds the first `LOG_HEAD_BYTES`. What follows goes to segments `out.tail.0`, `out.tail.1`, ... of `SEGMENT_BYTES`
each; older segments are removed as newer ones fill, so that at least the last `LOG_TAIL_BYTES` stay. The number of a
segment gives the position of its first byte, so a reader knows how much was left out. Rule: standard library only, and
bytes once written never change.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from orchd.model.limits import LOG_HEAD_BYTES, LOG_TAIL_BYTES

HEAD = "out.log"
TAIL = "out.tail."
KEPT_SEGMENTS = 4
SEGMENT_BYTES = LOG_TAIL_BYTES // KEPT_SEGMENTS
_READ_BYTES = 65536


class LogChunk(NamedTuple):
    """A piece of a log. `end` is the position after it, where the next reading begins; `left_out` counts the bytes that
    are gone just before `data`."""

    end: int
    data: bytes
    left_out: int


class RunLog:
    """The writer. Files are made when there is something to write."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._position = 0
        self._end = 0
        self._handle = -1

    def write(self, data: bytes) -> None:
        """Append, and drop the oldest segment that is not needed any more."""
        while data:
            if self._position == self._end:
                self._open_next()
            done = os.write(self._handle, data[: self._end - self._position])
            self._position += done
            data = data[done:]

    def close(self) -> None:
        """Make the log durable."""
        self._close_file()

    def _open_next(self) -> None:
        self._close_file()
        number = _segment_at(self._position)
        self._end = _start_of(number + 1)
        self._handle = os.open(_file_of(self.folder, number), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        if number > KEPT_SEGMENTS + 1:
            _file_of(self.folder, number - KEPT_SEGMENTS - 1).unlink(missing_ok=True)

    def _close_file(self) -> None:
        if self._handle >= 0:
            os.fsync(self._handle)
            os.close(self._handle)
            self._handle = -1


def log_chunks(folder: Path, start: int = 0) -> Iterator[LogChunk]:
    """What the log in run folder `folder` holds now, from position `start` on. To follow a log, ask again from the last
    `end`; when the run has ended and nothing comes any more, that was all."""
    position = start
    while chunk := _read_chunk(folder, position):
        yield chunk
        position = chunk.end


def split_lines(chunks: Iterable[LogChunk]) -> Iterator[bytes]:
    """The chunks as lines, ends included; very long ones come in pieces."""
    rest = b""
    for chunk in chunks:
        if chunk.left_out:
            rest += b"\n[orchd: %d bytes left out]\n" % chunk.left_out
        *lines, rest = (rest + chunk.data).splitlines(keepends=True) or [b""]
        yield from lines
        if rest.endswith(b"\n") or len(rest) > _READ_BYTES:
            yield rest
            rest = b""
    if rest:
        yield rest


def _read_chunk(folder: Path, position: int) -> LogChunk | None:
    number = _segment_at(position)
    found = _read_segment(folder, number, position)
    if found is None:
        # The segment is not there yet, or is gone: then a newer one is the oldest that is left.
        newer = [other for other in _list_segments(folder) if other > number]
        if not newer:
            return None
        begin = _start_of(min(newer))
        found = _read_segment(folder, min(newer), begin)
        return LogChunk(begin + len(found or b""), found or b"", begin - position)
    return LogChunk(position + len(found), found, 0) if found else None


def _read_segment(folder: Path, number: int, position: int) -> bytes | None:
    try:
        with _file_of(folder, number).open("rb", buffering=0) as file:
            file.seek(position - _start_of(number))
            return file.read(_READ_BYTES)
    except FileNotFoundError:
        return None


def _list_segments(folder: Path) -> list[int]:
    return [int(path.name.removeprefix(TAIL)) + 1 for path in folder.glob(f"{TAIL}*")]


def _segment_at(position: int) -> int:
    """0 for the head, 1 for the first segment of the tail."""
    return 0 if position < LOG_HEAD_BYTES else 1 + (position - LOG_HEAD_BYTES) // SEGMENT_BYTES


def _start_of(number: int) -> int:
    return 0 if number == 0 else LOG_HEAD_BYTES + (number - 1) * SEGMENT_BYTES


def _file_of(folder: Path, number: int) -> Path:
    return folder / (HEAD if number == 0 else f"{TAIL}{number - 1}")
