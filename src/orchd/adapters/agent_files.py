"""Definitions of agents: main's, and over them the checkout's where it shows main; and which programs are installed.

Rule: what cannot be understood, or is being written, is neither good nor gone.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from orchd.adapters.agent_schema import RUNNERS, parse_agent
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.main_files import Content, MainFiles
from orchd.adapters.place import Place
from orchd.adapters.plain_file import Refusal
from orchd.adapters.task_files import refuse
from orchd.model.agent import AgentsSeen, Definition
from orchd.model.ids import Oid
from orchd.model.limits import SETTLE_SECONDS
from orchd.model.problem import Problem

AGENTS = (".orch", "agents")
SUFFIX = ".md"


@dataclass(slots=True)
class GitAgentFiles:
    """Port `AgentFiles`. `branch` is the one that tasks land on, `wall` gives seconds since 1970."""

    place: Place
    repo: GitRepo
    branch: str
    wall: Callable[[], float]
    _parsed: dict[tuple[str, bytes], Definition | tuple[Problem, ...]] = field(default_factory=dict)
    _files: MainFiles = field(init=False)
    _unsettled: bool = False

    def __post_init__(self) -> None:
        self._files = MainFiles(self.place, self.repo, self.branch, self.wall, AGENTS, (SUFFIX,))

    def look(self, main: Oid) -> tuple[AgentsSeen, tuple[Problem, ...]]:
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
        self._unsettled = bool(unsettled)
        return AgentsSeen(tuple(good), frozenset(bad), unsettled, RUNNERS, find_installed()), tuple(wrong)

    def settle_in(self) -> float | None:
        """See the port."""
        return SETTLE_SECONDS if self._unsettled else None

    def _judge(self, path: str, content: Content) -> Definition | tuple[Problem, ...]:
        if content is None:
            return ()
        if isinstance(content, Refusal):
            return (refuse(path, content),)
        key = (path, content)
        if key not in self._parsed:
            self._parsed[key] = parse_agent(path, PurePosixPath(path).stem, content)
        return self._parsed[key]


def find_installed() -> tuple[str, ...]:
    """The programs that are in the path of this process, which is what tasks get."""
    path = os.environ.get("PATH", os.defpath)
    return tuple(name for name in RUNNERS if shutil.which(name, path=path))
