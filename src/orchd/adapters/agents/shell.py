"""Any command line: the program that is always there and needs no account. The prompt is the command line."""

from __future__ import annotations

from dataclasses import replace

from orchd.adapters.agents.program import Folders, Launch, Signs
from orchd.adapters.agents.reports import end_badly, say
from orchd.model.agent import Job, Report

_SHELL = "/bin/sh"


class Shell:
    """A person wrote what it does, so no rules hold it; only the sandbox does."""

    signs = Signs("shell", path=_SHELL)

    def objection(self, job: Job) -> str:
        """None."""
        return ""

    def launch(self, job: Job, folders: Folders) -> Launch:
        """The command line as it is written."""
        return Launch((_SHELL, "-c", job.prompt))

    def read(self, line: bytes, report: Report) -> Report:
        """Its last line is what it said."""
        return say(report, line.decode("utf-8", "replace"))

    def close(self, report: Report, code: int) -> Report:
        """Its exit code is all that a command has to say."""
        return replace(report, finished=True) if code == 0 else end_badly(report, code)


PROGRAM = Shell()
