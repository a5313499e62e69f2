"""An agent under its supervisor: its stream is read line by line into a report, its clocks are kept, its progress is told.

Rule: what it prints proves nothing and can break nothing: a line that means nothing changes nothing. Standard library only.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from orchd.adapters.agent_diary import NO_DIARY, DiaryReader
from orchd.adapters.agents.events import Lines
from orchd.adapters.agents.program import Program
from orchd.adapters.codec import encode
from orchd.adapters.process_tree import ProcessTree
from orchd.adapters.processes import measure_work
from orchd.core.vigil import begin_vigil, find_expired, hear, note_use, note_work
from orchd.model.agent import NO_TALLY, Clocks, Report, Watch
from orchd.model.limits import AGENT_WORDS_CHARS

_PROGRESS_SECONDS = 1.0
_WORK_SECONDS = 10.0
"""How often it is asked whether the tools of an agent compute."""

_BUSY_SHARE = 0.1
"""Of the time between two looks: what an idle program uses is far below, what a compiler or a test uses far above."""


class AgentWatch:
    """One agent from its start to its end. `tree` runs it, `progress` is the file that says how far it is, `diary` is what it
    writes of its use meanwhile."""

    def __init__(
        self, program: Program, clocks: Clocks, tree: ProcessTree, progress: Path, diary: DiaryReader = NO_DIARY
    ) -> None:
        now = time.monotonic()
        self._diary = diary
        self._program, self._clocks, self._tree, self._path = program, clocks, tree, progress
        self._report = self._told = Report()
        self._lines = Lines()
        self._printed = b""
        self._vigil = begin_vigil(now)
        self._ended_by: Watch | None = None
        self._told_at = self._looked_at = now
        self._work = 0.0

    def tee(self, sink: Callable[[bytes], object]) -> Callable[[bytes], None]:
        """What takes its output: first `sink`, then we."""

        def take(data: bytes) -> None:
            sink(data)
            self._hear(data)

        return take

    def pulse(self) -> None:
        """Look at the clocks. Called about once a second."""
        now = time.monotonic()
        self._follow()
        self._look_at_work(now)
        self._judge(now)
        if self._report != self._told and now - self._told_at >= _PROGRESS_SECONDS:
            self._tell(now)

    def close(self, code: int, *, timed_out: bool) -> Report:
        """The report at the end of the program. `timed_out`: one of the clocks, or its time, ended it."""
        self._read(self._lines.rest())
        self._follow()
        ended_by = (self._ended_by or Watch.WALL) if timed_out else None
        closed = self._program.close(self._report, code)
        if timed_out and not self._report.error:
            closed = replace(closed, error="")  # that it was ended by a signal is our doing
        finished = closed.finished and not timed_out
        printed = "" if finished else self._printed.decode("utf-8", "replace").strip()[-AGENT_WORDS_CHARS:]
        self._report = replace(closed, finished=finished, printed=printed, ended_by=ended_by, tally=NO_TALLY)
        self._tell(time.monotonic())
        return self._report

    def _hear(self, data: bytes) -> None:
        for line in self._lines.feed(data):
            self._read(line)
        self._judge(time.monotonic())

    def _read(self, line: bytes) -> None:
        self._report = self._program.read(line, self._report)
        self._printed = _join_end(self._printed, line)
        self._vigil = hear(self._vigil, self._report, time.monotonic())

    def _follow(self) -> None:
        """What it has told in its stream at its end counts more."""
        if not self._report.finished:
            self._report = self._diary.read(self._report)
            self._vigil = note_use(self._vigil, self._report)

    def _look_at_work(self, now: float) -> None:
        """Of what runs below the program, which may compute for long without a word."""
        if now - self._looked_at < min(_WORK_SECONDS, self._clocks.silence_seconds / 4):
            return
        work = measure_work(os.getpid())
        if work - self._work > _BUSY_SHARE * (now - self._looked_at):
            self._vigil = note_work(self._vigil, now)
        self._work, self._looked_at = work, now

    def _judge(self, now: float) -> None:
        if self._ended_by is None:
            self._ended_by = find_expired(self._vigil, self._clocks, now)
            if self._ended_by is not None:
                self._tree.end_early()

    def _tell(self, now: float) -> None:
        """For `orchd ps`: not synced, a lost one is only not shown."""
        new = self._path.with_name(f".{self._path.name}")
        with contextlib.suppress(OSError):
            new.write_text(json.dumps(encode(replace(self._report, tally=NO_TALLY))))
            new.replace(self._path)
        self._told, self._told_at = self._report, now


def _join_end(before: bytes, line: bytes) -> bytes:
    """The end of the plain lines of a program; an event of its stream is none."""
    return before if line.lstrip().startswith(b"{") else (before + line.rstrip() + b"\n")[-4 * AGENT_WORDS_CHARS :]
