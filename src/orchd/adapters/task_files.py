"""Task files: in the checkout and its inbox, or in main's tree where there is no checkout.

A look costs one stat per file while nothing changes. Rule: a file is read when it has settled and nobody writes it, once
per change; until then it is neither good nor bad nor gone.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from orchd.adapters.git_objects import FILE, FOLDER, PROGRAM
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_trees import find_entry, read_tree
from orchd.adapters.inbox import INBOX, drop_id, move_drop
from orchd.adapters.parse_cache import ParseCache
from orchd.adapters.place import Place
from orchd.adapters.plain_file import PlainFile, Refusal, Signature, Withheld, hold_folder, read_plain_file, sign
from orchd.adapters.rejected_files import RejectedFiles
from orchd.adapters.task_schema import ParsedTask
from orchd.core.inert import inert
from orchd.model.ids import Oid, TaskId
from orchd.model.limits import LOOK_SECONDS, SETTLE_SECONDS
from orchd.model.problem import Problem
from orchd.model.snapshot import FileSeen, FilesSeen
from orchd.model.work import Source
from orchd.ports import TaskFiles

TASKS = (".orch", "tasks")
SUFFIXES = (".yaml", ".yml")
CACHE_NAME = "parsed-tasks"
OLD_SECONDS = 2.0
"""A file whose time is older than this by the wall clock has settled, also right after a start."""

_FOLDERS = ((TASKS, Source.FILE), (INBOX, Source.INBOX))
_Parsed: TypeAlias = ParsedTask | tuple[Problem, ...]


@dataclass(slots=True)
class _Entry:
    """One path: its signature (None: it vanished), since when (monotonic), and what was read under this signature."""

    path: str
    source: Source
    signature: Signature | None
    since: float
    parsed: _Parsed | None = None
    drop: str = ""
    seen: FileSeen | None = None


class CheckoutTaskFiles:
    """Port `TaskFiles` on the folders of a checkout. `monotonic` and `wall` give seconds; `default_timeout` the
    configuration's limit for tasks without their own."""

    def __init__(
        self,
        place: Place,
        default_timeout: Callable[[], float],
        monotonic: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._place = place
        self._default_timeout = default_timeout
        self._monotonic = monotonic
        self._wall = wall
        self._cache = ParseCache(place.cache / CACHE_NAME)
        self._rejected = RejectedFiles(place, self._cache.parse_task)
        self._entries: dict[str, _Entry] = {}
        self._listed: dict[str, Signature] = {}
        self._pending: dict[str, float] = {}
        self._faults: tuple[Problem, ...] = ()
        self._timeout = 0.0
        self._seen: FilesSeen | None = None

    def look(self, main: Oid) -> FilesSeen:
        """Read what is there. The same object again while nothing changes."""
        listed, faults = self._list()
        timeout = self._default_timeout()
        unchanged = (listed, faults, timeout) == (self._listed, self._faults, self._timeout)
        if self._seen is not None and unchanged and not self._pending:
            return self._seen
        self._note_changes(listed)
        self._listed, self._faults, self._timeout = listed, faults, timeout
        self._read_settled()
        self._cache.flush()
        self._seen = self._assemble()
        return self._seen

    def settle_in(self) -> float | None:
        """Seconds until an unsettled file wants to be looked at again; None when there is none."""
        return max(0.0, min(self._pending.values()) - self._monotonic()) if self._pending else None

    def settle(self, drop: str, problems: Sequence[Problem]) -> None:
        """Move the inbox file `drop` away. That it is gone then is no news."""
        move_drop(self._place, drop, problems)
        for path in [entry.path for entry in self._entries.values() if entry.drop == drop]:
            del self._entries[path]
            self._listed.pop(path, None)
            self._pending.pop(path, None)
            self._seen = None

    def _list(self) -> tuple[dict[str, Signature], tuple[Problem, ...]]:
        listed: dict[str, Signature] = {}
        faults: list[Problem] = []
        assert self._place.checkout is not None
        for parts, _ in _FOLDERS:
            with hold_folder(self._place.checkout, parts) as folder:
                if isinstance(folder, Refusal):
                    faults.append(refuse_folder("/".join(parts), folder))
                elif folder is not None:
                    listed.update(list_folder("/".join(parts), folder))
        return listed, (*faults, *self._rejected.look())

    def _note_changes(self, listed: dict[str, Signature]) -> None:
        """A path whose signature is new, or that vanished, begins to settle."""
        now = self._monotonic()
        for path in self._listed.keys() - listed.keys():
            self._entries[path] = _Entry(path, _source(path), None, now)
        for path, signature in listed.items():
            known = self._entries.get(path)
            if known is None or known.signature != signature:
                self._entries[path] = _Entry(path, _source(path), signature, now)
                self._pending[path] = now
        self._pending |= {path: now for path, entry in self._entries.items() if entry.signature is None}

    def _read_settled(self) -> None:
        now = self._monotonic()
        settled = []
        for path in list(self._pending):
            entry = self._entries.get(path)
            self._pending.pop(path)
            if entry is None:
                continue
            if now - entry.since < SETTLE_SECONDS and not is_old(entry.signature, self._wall()):
                self._pending[path] = entry.since + SETTLE_SECONDS
            elif entry.signature is None:
                del self._entries[path]
            else:
                settled.append(entry)
        for parts, source in _FOLDERS:
            self._read_folder(parts, [entry for entry in settled if entry.source is source])

    def _read_folder(self, parts: Sequence[str], entries: list[_Entry]) -> None:
        assert self._place.checkout is not None
        if not entries:
            return
        with hold_folder(self._place.checkout, parts) as folder:
            for entry in entries:
                if not isinstance(folder, int) or not self._read(folder, entry):
                    self._look_later(entry)

    def _look_later(self, entry: _Entry) -> None:
        """As long again as it has been unsettled: a file that stays open for hours costs next to nothing."""
        now = self._monotonic()
        self._pending[entry.path] = now + min(LOOK_SECONDS, max(SETTLE_SECONDS, now - entry.since))

    def _read(self, folder: int, entry: _Entry) -> bool:
        """False when the file is being written, or is no longer the one that was listed."""
        name = entry.path.rpartition("/")[2]
        read = read_plain_file(folder, name)
        if isinstance(read, Withheld) or (isinstance(read, PlainFile) and read.signature != entry.signature):
            return False
        if isinstance(read, PlainFile):
            entry.parsed = self._cache.parse_task(entry.path, name.rpartition(".")[0], read.content)
        else:
            entry.parsed = (refuse(entry.path, read),)
        if entry.source is Source.INBOX and entry.signature is not None and name.isprintable():
            entry.drop = drop_id(name, entry.signature, read.content if isinstance(read, PlainFile) else b"")
        return True

    def _assemble(self) -> FilesSeen:
        entries = sorted(self._entries.values(), key=lambda entry: (entry.source is Source.INBOX, entry.path))
        bad = [(entry, entry.parsed) for entry in entries if isinstance(entry.parsed, tuple)]
        return FilesSeen(
            good=tuple(self._show(entry, entry.parsed) for entry in entries if isinstance(entry.parsed, ParsedTask)),
            problems=self._faults + tuple(problem for _, problems in bad for problem in problems),
            unsettled=frozenset(_task(entry.path) for entry in entries if entry.parsed is None),
            bad_drops={entry.drop: problems for entry, problems in bad if entry.drop},
        )

    def _show(self, entry: _Entry, parsed: ParsedTask) -> FileSeen:
        seen = entry.seen
        if seen is None or ("timeout" not in parsed.own and seen.spec.timeout_seconds != self._timeout):
            seen = entry.seen = show_file(entry.path, parsed, entry.source, self._timeout, entry.drop)
        return seen


class CommittedTaskFiles:
    """Port `TaskFiles` on main's tree. What is committed is whole, so nothing settles and nothing is moved away."""

    def __init__(self, place: Place, repo: GitRepo, default_timeout: Callable[[], float]) -> None:
        self._repo = repo
        self._default_timeout = default_timeout
        self._cache = ParseCache(place.cache / CACHE_NAME)
        self._parsed: dict[tuple[str, int, Oid], _Parsed] = {}
        self._looked: tuple[Oid, float] | None = None
        self._seen = FilesSeen()

    def look(self, main: Oid) -> FilesSeen:
        """The tasks of the tree of `main`. The same object again while the folder is the same."""
        folder = find_entry(self._repo, self._repo.tree_of(main), "/".join(TASKS))
        looked = (folder.oid if folder.mode == FOLDER else "", self._default_timeout())
        if looked != self._looked:
            self._seen = self._read(*looked)
            self._looked = looked
        return self._seen

    def settle_in(self) -> float | None:
        """Never: commits do not change."""
        return None

    def settle(self, drop: str, problems: Sequence[Problem]) -> None:
        """Nothing: there is no inbox."""

    def _read(self, folder: Oid, timeout: float) -> FilesSeen:
        prefix = "/".join(TASKS)
        listed = [
            (f"{prefix}/{name}", entry.mode, entry.oid)
            for name, entry in sorted(read_tree(self._repo, folder).items())
            if is_task_name(name) and entry.mode != FOLDER
        ]
        self._parsed = {key: self._parsed[key] if key in self._parsed else self._parse(*key) for key in listed}
        self._cache.flush()
        good = [(key[0], parsed) for key, parsed in self._parsed.items() if isinstance(parsed, ParsedTask)]
        bad = [parsed for parsed in self._parsed.values() if isinstance(parsed, tuple)]
        return FilesSeen(
            good=tuple(show_file(path, parsed, Source.COMMIT, timeout) for path, parsed in good),
            problems=tuple(problem for problems in bad for problem in problems),
        )

    def _parse(self, path: str, mode: int, oid: Oid) -> _Parsed:
        if mode not in (FILE, PROGRAM):
            return (refuse(path, Refusal("it is not a plain file")),)
        return self._cache.parse_task(path, _task(path), self._repo.read(oid))


def open_task_files(
    place: Place,
    repo: GitRepo,
    default_timeout: Callable[[], float],
    monotonic: Callable[[], float],
    wall: Callable[[], float],
) -> TaskFiles:
    """The task files of a repository with or without a checkout. For the arguments see the two classes."""
    if place.checkout is None:
        return CommittedTaskFiles(place, repo, default_timeout)
    return CheckoutTaskFiles(place, default_timeout, monotonic, wall)


def is_old(signature: Signature | None, now: float) -> bool:
    """Whether a file was last written so long before `now` (wall clock, seconds) that it needs no settling."""
    return signature is not None and now - signature[1] / 1e9 > OLD_SECONDS


def show_file(path: str, parsed: ParsedTask, source: Source, timeout: float, drop: str = "") -> FileSeen:
    """A parsed file as the core sees it, with the configuration's timeout where it has none of its own."""
    spec = parsed.spec if "timeout" in parsed.own else replace(parsed.spec, timeout_seconds=timeout)
    return FileSeen(path, spec, parsed.digest, source, drop, parsed.mentions, parsed.own, parsed.named)


def refuse(path: str, refusal: Refusal) -> Problem:
    """A path that is no plain file."""
    return Problem(inert(path), 0, 0, "E001", f"this file is not read: {refusal.text}", "put a plain file there")


def refuse_folder(path: str, refusal: Refusal) -> Problem:
    """A path that is no plain folder, so that nothing in it counts."""
    return Problem(inert(path), 0, 0, "E001", f"nothing in this folder is read: {refusal.text}", "put a plain folder there")


def list_folder(prefix: str, folder: int, suffixes: tuple[str, ...] = SUFFIXES) -> Iterator[tuple[str, Signature]]:
    """The path and the signature of each file with one of the `suffixes` in the held `folder`; `prefix` is its path."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if is_task_name(entry.name, suffixes):
                try:
                    seen = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if not stat.S_ISDIR(seen.st_mode):
                    yield f"{prefix}/{entry.name}", sign(seen)


def is_task_name(name: str, suffixes: tuple[str, ...] = SUFFIXES) -> bool:
    """Whether a file of this name is an input file."""
    return name.endswith(suffixes) and not name.startswith(".")


def _source(path: str) -> Source:
    return Source.INBOX if path.startswith("/".join(INBOX)) else Source.FILE


def _task(path: str) -> TaskId:
    return path.rpartition("/")[2].rpartition(".")[0]
