"""What every agent program is to orchd: questions, answered by one module each (docs/agents.md shows how to add one).

A module knows one program and nothing of runs, git or recovery. What it concludes is about the program's own words; whether
work was done is proven elsewhere, from the tree.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from orchd.adapters.agents.events import Event
from orchd.model.agent import Effort, Job, Report
from orchd.model.dataclass import dataclass


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


@dataclass(frozen=True, slots=True)
class Diary:
    """The file in which a program writes what it uses while it works, when its stream tells that at the end only: lines of
    JSON, of which those with `mark` matter. It is below the folder that the variable `variable` names (else the home folder and
    `below`), and fits `pattern` (a glob, after its conversation is put in). `read` gives the report after such an event."""

    variable: str
    below: str
    pattern: str
    mark: bytes
    read: Callable[[Event, Report], Report]


@dataclass(frozen=True, slots=True)
class Signs:
    """What a program is known by. `usage` is the command line that prints its flags and `flags` are those that we need;
    `keys` are variables and `files` are files below the home folder that it signs in with. `catalog` is the command line
    that prints its models, one a line (empty: it has none). `efforts` are the levels that it has a setting for; another one is
    left out of the command line. `path`: it is part of the system, and nothing is asked. `diary`: see there."""

    program: str
    usage: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    efforts: tuple[Effort, ...] = ()
    catalog: tuple[str, ...] = ()
    path: str = ""
    diary: Diary | None = None


def words_of(line: str) -> tuple[str, ...]:
    """The words of a command line without quotes."""
    return tuple(line.split())


def given(**flags: object) -> tuple[str, ...]:
    """The flags that have a value (not empty, not 0), each with it; `max_turns` is `--max-turns`."""
    pairs = ((f"--{name.replace('_', '-')}", str(value)) for name, value in flags.items() if value)
    return tuple(word for pair in pairs for word in pair)


class Program(Protocol):
    """One agent program. All of it is pure; `handshake` asks the installed one, by its signs."""

    @property
    def signs(self) -> Signs:
        """What it is known by; the word for it in task files and definitions is `signs.program`."""

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
