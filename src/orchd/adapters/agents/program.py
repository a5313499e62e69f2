"""What every agent program is to orchd: questions, answered by one module each (docs/agents.md shows how to add one).

A module knows one program and nothing of runs, git or recovery. What it concludes is about the program's own words; whether
work was done is proven elsewhere, from the tree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from orchd.model.agent import Effort, Handshake, Job, Report


@dataclass(frozen=True, slots=True)
class Folders:
    """Where a program runs. `workspace` is what it works on; `private` is a folder of this run outside of it, which holds
    `Launch.files` and goes with the run. `control` is the control folder, when there is one."""

    workspace: str
    private: str
    control: str = ""


@dataclass(frozen=True, slots=True)
class Launch:
    """How a program is started.

    `env` is added to the allowed environment. `files` (absolute path, text) are written before, with mode 0600; `stdin` is all
    of its input, which is then closed. `ignored` are patterns for `.git/info/exclude` of the workspace: what the program
    leaves there that is no work. Its events are the lines of its output; what it prints on standard error may be among
    them.
    """

    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    stdin: str = ""
    ignored: tuple[str, ...] = ()


class Program(Protocol):
    """One agent program. All but `probe` and `find_login` is pure."""

    @property
    def name(self) -> str:
        """The word for it in task files and agent definitions."""

    @property
    def efforts(self) -> tuple[Effort, ...]:
        """The levels that it has a setting for. Another one is left out of the command line."""

    def probe(self, environment: Mapping[str, str]) -> Handshake:
        """Ask the installed program for its version and flags. `environment` is what it would be started with. Takes up to
        `PROBE_SECONDS` for each of two questions; raises nothing."""

    def find_login(self, environment: Mapping[str, str]) -> str:
        """The variable or file that it would sign in with; empty when none is there. Cheap."""

    def objection(self, job: Job) -> str:
        """Why this program cannot be held to the rules of `job`, in one sentence (empty: it can). Never launch
        against an objection: it would be freer than its definition says."""

    def launch(self, job: Job, folders: Folders) -> Launch:
        """The command for `job`."""

    def read(self, line: bytes, report: Report) -> Report:
        """The report after one more line of output. Lines that mean nothing change nothing; nothing is raised."""

    def close(self, report: Report, code: int) -> Report:
        """The report at the end. `code` is the exit code or minus the signal; it never speaks for success alone, only
        against it."""
