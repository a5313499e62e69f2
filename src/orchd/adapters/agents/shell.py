"""Any command line: the program that is always there and needs no account. The prompt is the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from orchd.adapters.agents.events import end_badly, say
from orchd.adapters.agents.program import Folders, Launch
from orchd.model.agent import Effort, Handshake, Job, Report

_SHELL = "/bin/sh"


class Shell:
    """A person wrote what it does, so no rules hold it; only the sandbox does."""

    name = "shell"
    efforts: tuple[Effort, ...] = ()

    def probe(self, environment: Mapping[str, str]) -> Handshake:
        """It is part of the system."""
        return Handshake(self.name, _SHELL)

    def find_login(self, environment: Mapping[str, str]) -> str:
        """It needs none."""
        return ""

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
