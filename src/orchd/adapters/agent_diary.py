"""What an agent program writes of its use while it works, beside its stream.

Rule: tools of the agent can write there too, so the file is opened as that of a stranger, and what it says only ends a run
early or shows how far it is: at its end the program's own sum counts. Standard library only.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from orchd.adapters.agents.events import Lines, parse
from orchd.adapters.agents.program import Diary
from orchd.model.agent import Report
from orchd.model.limits import DIARY_BYTES

_LOOK_SECONDS = 2.0
"""A program may have written for years: its files are not looked through at every pulse."""

_CONVERSATION = re.compile(r"[\w-]+")
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class DiaryReader:
    """Of one run. `environment` is that of its program; what the conversation `resumed` wrote before is not read."""

    def __init__(self, diary: Diary | None, environment: Mapping[str, str], resumed: str) -> None:
        self._diary = diary
        self._file: Path | None = None
        self._lines = Lines()
        self._looked_at = -_LOOK_SECONDS
        self._at = 0
        if diary:
            home = Path(environment.get("HOME") or "/nonexistent", diary.below)
            self._top = Path(environment.get(diary.variable) or home)
            with contextlib.suppress(OSError):
                before = self._find(resumed, diary.pattern)
                self._at = before.lstat().st_size if before else 0

    def read(self, report: Report) -> Report:
        """The report with what was written since the last look."""
        if self._diary:
            file = self._find(report.conversation, self._diary.pattern)
            for line in self._read_on(file) if file else ():
                if self._diary.mark in line:
                    report = self._diary.read(parse(line), report)
        return report

    def _find(self, conversation: str, pattern: str) -> Path | None:
        now = time.monotonic()
        if not self._file and now - self._looked_at >= _LOOK_SECONDS and _CONVERSATION.fullmatch(conversation):
            self._looked_at = now
            with contextlib.suppress(OSError):  # its tools can put anything there
                self._file = max(self._top.glob(pattern.format(conversation)), default=None)
        return self._file

    def _read_on(self, file: Path) -> Iterator[bytes]:
        try:
            handle = os.open(file, _OPEN)
        except OSError:
            return
        try:
            seen = os.fstat(handle)
            data = os.pread(handle, DIARY_BYTES, self._at) if stat.S_ISREG(seen.st_mode) else b""
        finally:
            os.close(handle)
        self._at += len(data)
        yield from self._lines.feed(data)


NO_DIARY = DiaryReader(None, {}, "")
