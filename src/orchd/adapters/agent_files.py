"""Definitions of agents: main's, and over them the checkout's where it shows main; and which programs are installed.

Rule: what cannot be understood, or is being written, is neither good nor gone.
"""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from orchd.adapters.agent_schema import RUNNERS, parse_agent
from orchd.adapters.effective import write_agents
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.handshakes import HandshakeBook
from orchd.adapters.main_files import Content, MainFiles
from orchd.adapters.place import Place
from orchd.adapters.plain_file import Refusal
from orchd.adapters.task_files import refuse
from orchd.model.agent import AgentsSeen, Definition
from orchd.model.ids import Oid
from orchd.model.limits import LOOK_SECONDS, SETTLE_SECONDS
from orchd.model.problem import Problem

AGENTS = (".orch", "agents")
SUFFIX = ".md"
ASK_SECONDS = 0.2
"""Between two looks while programs are asked who they are."""


@dataclass(slots=True)
class GitAgentFiles:
    """Port `AgentFiles`. `branch` is the one that tasks land on, `wall` gives seconds since 1970. Without a `book` no program
    is asked who it is."""

    place: Place
    repo: GitRepo
    branch: str
    wall: Callable[[], float]
    book: HandshakeBook | None = None
    _parsed: dict[tuple[str, bytes], Definition | tuple[Problem, ...]] = field(default_factory=dict)
    _files: MainFiles = field(init=False)
    _pause_seconds: float | None = None
    _written: AgentsSeen | None = None
    _installed: dict[str, str] = field(default_factory=dict)
    _searched: float = -math.inf

    def __post_init__(self) -> None:
        self._files = MainFiles(self.place, self.repo, self.branch, self.wall, AGENTS, (SUFFIX,))

    def look(self, main: Oid, *, ask: bool) -> tuple[AgentsSeen, tuple[Problem, ...]]:
        """See the port."""
        contents, faults = self._files.read(main)
        good, wrong, bad = list[Definition](), list(faults), set[str]()
        for path, content in sorted(contents.items()):
            found = self._judge(path, content)
            if isinstance(found, Definition):
                good.append(found)
            else:
                bad |= {PurePosixPath(path).stem} if found else set()
                wrong += found
        unsettled = frozenset(PurePosixPath(path).stem for path, content in contents.items() if content is None)
        installed = self._find_installed()
        known, unasked = self.book.look(installed, ask=ask) if self.book else ({}, frozenset[str]())
        missing = ((name, f"{name} is not installed: it is not in PATH") for name in RUNNERS if name not in installed)
        broken = ((name, one.problem) for name, one in known.items() if one.problem and name not in unasked)
        seen = AgentsSeen(tuple(good), frozenset(bad), unsettled, RUNNERS, tuple(installed), (*missing, *broken), unasked)
        self._pause_seconds = SETTLE_SECONDS if unsettled else ASK_SECONDS if unasked else None
        self._leave(seen)
        return seen, tuple(wrong)

    def _find_installed(self) -> dict[str, str]:
        """Searched again after LOOK_SECONDS: while tasks come and go there are a dozen looks in a second."""
        now = self.wall()
        if abs(now - self._searched) >= LOOK_SECONDS:
            self._installed, self._searched = find_installed(), now
        return self._installed

    def settle_in(self) -> float | None:
        """See the port."""
        return self._pause_seconds

    def _leave(self, seen: AgentsSeen) -> None:
        """For clients, where somebody serves."""
        if self.book is not None and seen != self._written:
            write_agents(self.place, seen)
            self._written = seen

    def _judge(self, path: str, content: Content) -> Definition | tuple[Problem, ...]:
        if content is None:
            return ()
        if isinstance(content, Refusal):
            return (refuse(path, content),)
        key = (path, content)
        if key not in self._parsed:
            self._parsed[key] = parse_agent(path, PurePosixPath(path).stem, content)
        return self._parsed[key]


def find_installed() -> dict[str, str]:
    """The programs that are in the path of this process, which is what tasks get, and where."""
    path = os.environ.get("PATH", os.defpath)
    return {name: found for name in RUNNERS if (found := shutil.which(name, path=path))}
