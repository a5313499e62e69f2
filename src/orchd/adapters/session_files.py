"""Session files: main's, and over them the checkout's where it shows main.

Rule: gates and landing stand in them, so a file that main has is never out of sight because of what is checked out; what
cannot be understood, or is being written, is neither good nor gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TypeAlias

import pygit2

from orchd.adapters.git_objects import FILE, FOLDER, PROGRAM
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_trees import find_entry, read_tree
from orchd.adapters.place import Place, read_head
from orchd.adapters.plain_file import PlainFile, Refusal, Withheld, hold_folder, read_plain_file
from orchd.adapters.session_schema import find_base, parse_session
from orchd.adapters.task_files import list_folder, refuse, refuse_folder
from orchd.model.ids import Oid, SessionId
from orchd.model.limits import SETTLE_SECONDS
from orchd.model.problem import Problem
from orchd.model.session import Landing, SessionFileSeen, SessionSpec, SessionsSeen

SESSIONS = (".orch", "sessions")
_PREFIX = "/".join(SESSIONS)

_Content: TypeAlias = bytes | Refusal | None
"""What a path has; None: it is being written."""


@dataclass(slots=True)
class GitSessionFiles:
    """Port `SessionFiles`. `branch` is the one that tasks land on, `wall` gives seconds since 1970."""

    place: Place
    repo: GitRepo
    branch: str
    wall: Callable[[], float]
    _parsed: dict[tuple[str, bytes], SessionSpec | tuple[Problem, ...]] = field(default_factory=dict)
    _bases: dict[tuple[str, bytes], Oid] = field(default_factory=dict)
    _folder: Oid = ""
    _contents: dict[str, _Content] = field(default_factory=dict)
    _unsettled: bool = False

    def look(self, main: Oid) -> tuple[SessionsSeen, tuple[Problem, ...]]:
        """Read what is there, and what is wrong with it."""
        contents, faults = self._read_all(main)
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

    def _read_all(self, main: Oid) -> tuple[Mapping[str, _Content], tuple[Problem, ...]]:
        committed = self._read_committed(main)
        if self.place.checkout is None or read_head(self.place.checkout) != f"refs/heads/{self.branch}":
            return committed, ()
        with hold_folder(self.place.checkout, SESSIONS) as folder:
            if isinstance(folder, Refusal):
                return committed, (refuse_folder(_PREFIX, folder),)
            return {**committed, **dict(self._read_folder(folder) if folder is not None else ())}, ()

    def _read_folder(self, folder: int) -> Iterator[tuple[str, _Content]]:
        for path, signature in list_folder(_PREFIX, folder):
            age_seconds = self.wall() - signature[1] / 1e9
            read = read_plain_file(folder, PurePosixPath(path).name)
            fresh = 0 <= age_seconds < SETTLE_SECONDS
            yield path, _content(read, fresh=fresh)

    def _read_committed(self, main: Oid) -> dict[str, _Content]:
        folder = find_entry(self.repo, self.repo.tree_of(main), _PREFIX)
        oid = folder.oid if folder.mode == FOLDER else ""
        if oid != self._folder:
            entries = read_tree(self.repo, oid).items() if oid else ()
            self._contents = {f"{_PREFIX}/{n}": self._blob(e.mode, e.oid) for n, e in entries if _is_session_name(n)}
            self._folder = oid
        return self._contents

    def _blob(self, mode: int, oid: Oid) -> _Content:
        return self.repo.read(oid) if mode in (FILE, PROGRAM) else Refusal("it is not a plain file")

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


def _content(read: PlainFile | Refusal | Withheld, *, fresh: bool) -> _Content:
    if isinstance(read, Refusal):
        return read
    return read.content if isinstance(read, PlainFile) and not fresh else None


def _is_session_name(name: str) -> bool:
    return name.endswith((".yaml", ".yml")) and not name.startswith(".")


def _taken(path: str, name: SessionId) -> Problem:
    return Problem(path, 0, 0, "E071", f"another file gives the session `{name}`", "the name is the file name: rename one")
