"""Session files: main's, and over them the checkout's where it shows main.

Rule: gates and landing stand in them, so a file that main has is never out of sight because of what is checked out; what
cannot be understood, or is being written, is neither good nor gone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import pygit2

from orchd.adapters.git_repo import GitRepo
from orchd.adapters.main_files import MainFiles
from orchd.adapters.place import Place
from orchd.adapters.plain_file import Refusal
from orchd.adapters.session_schema import find_base, parse_session
from orchd.adapters.task_files import SUFFIXES, refuse
from orchd.model.ids import Oid, SessionId
from orchd.model.limits import SETTLE_SECONDS
from orchd.model.problem import Problem
from orchd.model.session import Landing, SessionFileSeen, SessionSpec, SessionsSeen

SESSIONS = (".orch", "sessions")


@dataclass(slots=True)
class GitSessionFiles:
    """Port `SessionFiles`. `branch` is the one that tasks land on, `wall` gives seconds since 1970."""

    place: Place
    repo: GitRepo
    branch: str
    wall: Callable[[], float]
    _parsed: dict[tuple[str, bytes], SessionSpec | tuple[Problem, ...]] = field(default_factory=dict)
    _bases: dict[tuple[str, bytes], Oid] = field(default_factory=dict)
    _files: MainFiles = field(init=False)
    _unsettled: bool = False

    def __post_init__(self) -> None:
        self._files = MainFiles(self.place, self.repo, self.branch, self.wall, SESSIONS, SUFFIXES)

    def look(self, main: Oid) -> tuple[SessionsSeen, tuple[Problem, ...]]:
        """Read what is there, and what is wrong with it."""
        contents, faults = self._files.read(main)
        good, wrong = dict[SessionId, SessionFileSeen](), list(faults)
        bad, unsettled = set[SessionId](), set[SessionId]()
        for path, content in sorted(contents.items()):
            name = PurePosixPath(path).stem
            found = self._judge(path, content, main) if content is not None else None
            if found is None:
                unsettled.add(name)
            elif isinstance(found, tuple) or name in good:
                bad |= {name} - good.keys()
                wrong += found if isinstance(found, tuple) else (_taken(path, name),)
            else:
                good[name] = found
        self._unsettled = bool(unsettled)
        return SessionsSeen(tuple(good.values()), frozenset(bad), frozenset(unsettled)), tuple(wrong)

    def settle_in(self) -> float | None:
        """Seconds until a file that was being written wants to be looked at again; None when there is none."""
        return SETTLE_SECONDS if self._unsettled else None

    def _judge(self, path: str, content: bytes | Refusal, main: Oid) -> SessionFileSeen | tuple[Problem, ...]:
        if isinstance(content, Refusal):
            return (refuse(path, content),)
        key = (path, content)
        if key not in self._parsed:
            self._parsed[key] = parse_session(path, PurePosixPath(path).stem, content)
        spec = self._parsed[key]
        if isinstance(spec, tuple):
            return spec
        base = self._bases.get(key) or (_resolve(self.repo, spec.base) if spec.base else "")
        self._bases[key] = base
        fault = fault_of_base(spec, base, lambda: self.repo.contains(main, base))
        return SessionFileSeen(path, spec, base) if fault is None else (find_base(path, content, *fault),)


def fault_of_base(spec: SessionSpec, base: Oid, is_landed: Callable[[], bool]) -> tuple[str, str] | None:
    """What is wrong with the base of a session, and what to do; None when it can be used."""
    if not spec.base:
        return None
    if not base:
        return f"there is no branch, tag or commit `{spec.base}`", "correct it; `orchd checkpoints` lists what landed"
    if spec.landing is Landing.AUTO and not is_landed():
        hint = "merge it first, or write `landing: manual`"
        return f"main does not contain `{spec.base}`, so what is built on it cannot land at once", hint
    return None


def _resolve(repo: GitRepo, name: str) -> Oid:
    """The commit that a branch, a tag or the beginning of an id means; empty when there is none."""
    for full in (f"refs/heads/{name}", f"refs/tags/{name}", name):
        try:
            found: object = repo.library.revparse_single(f"{full}^{{commit}}")
        except (KeyError, ValueError, pygit2.GitError):
            continue
        return str(getattr(found, "id", ""))
    return ""


def _taken(path: str, name: SessionId) -> Problem:
    return Problem(path, 0, 0, "E071", f"another file gives the session `{name}`", "the name is the file name: rename one")
