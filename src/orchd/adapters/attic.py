"""The attic: work that was not accepted, or was replaced, and workspaces that are kept because no ref holds all of them.

Rule: looking changes nothing, and taking something out never touches the checkout or the attic. Standard library only.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from orchd.adapters.evidence import read_exit, read_returned, read_running
from orchd.adapters.git_run import Git
from orchd.adapters.person_tree import add_person_tree, check_person_folder
from orchd.adapters.place import Place
from orchd.adapters.state_reader import Operation, walk_operations
from orchd.core.attic import EXTRA, REPAIRED, REPLACED, UNREAD, name_end
from orchd.errors import UsageError
from orchd.model.dataclass import dataclass
from orchd.model.ids import ATTIC_PREFIX, CHECKOUT, Oid, RunId, TaskId, attic_ref
from orchd.model.limits import ATTIC_OPERATIONS

_FORMAT = "%(refname)%00%(objectname)%00%(committerdate:unix)%00%(contents:subject)"
_ASIDE = re.compile(r"(?P<run>.+)\.aside-\d+")
_BEFORE = "workspaces.before-"


@dataclass(frozen=True, slots=True)
class Kept:
    """One thing that is kept. `number` is 0 and `oid` empty for a workspace; `place` is its ref or its folder; `size_bytes`
    is what the branch does not have of it, or what its files hold."""

    task: TaskId
    number: int
    at_ms: int
    why: str
    what: str
    size_bytes: int
    place: str
    oid: Oid = ""


def list_attic(place: Place, branch: str, active: frozenset[RunId] = frozenset()) -> tuple[Kept, ...]:
    """Everything that is kept, by task and number; then the workspaces. `active` runs still need theirs."""
    git = Git(place.git_dir)
    rows = [line.split("\0") for line in _list_refs(git) if line.count("\0") == 3]
    ends = _find_ends(place, {row[0] for row in rows})
    refs = sorted(_describe_ref(git, branch, row, ends) for row in rows)
    return (*(kept for *_, kept in refs), *_list_folders(place, active))


def find_kept(place: Place, task: TaskId, number: int) -> tuple[str, Oid]:
    """The ref and the commit of one entry; `number` 0 is the newest of the task. Raises UsageError when there is none."""
    rows = [line.split("\0") for line in _list_refs(Git(place.git_dir), f"{task}/")]
    found = {int(row[0].rpartition("/")[2]): row[1] for row in rows}
    wanted = number or max(found, default=0)
    if wanted not in found:
        asked = f"{task}/{number}" if number else task
        raise UsageError(f"the attic has nothing of `{asked}`", "`orchd attic list` shows what there is")
    return attic_ref(task, wanted), found[wanted]


def take_out(place: Place, oid: Oid, folder: Path) -> None:
    """A new work tree of the commit `oid`, on no branch, in `folder`; bytes of a checkout become the file `content` there.
    Raises UsageError when something is in the way."""
    if place.checkout is not None and folder.resolve().is_relative_to(place.checkout.resolve()):
        raise UsageError(f"{folder} is inside your checkout, which this never touches", "name a folder elsewhere with --into")
    git = Git(place.git_dir)
    if git.run("cat-file", "-t", oid) == b"commit\n":
        add_person_tree(place, folder, oid)
        return
    check_person_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "content").write_bytes(git.run("cat-file", "blob", oid))


def _list_refs(git: Git, below: str = "") -> list[str]:
    said = git.run("for-each-ref", f"--format={_FORMAT}", f"{ATTIC_PREFIX}{below}")
    return said.decode(errors="replace").splitlines()


def _describe_ref(git: Git, branch: str, row: list[str], ends: Mapping[str, str]) -> tuple[TaskId, int, Kept]:
    name, oid, seconds, subject = row
    task, _, number = name.removeprefix(ATTIC_PREFIX).rpartition("/")
    other = REPAIRED if task == CHECKOUT else EXTRA if subject == EXTRA else REPLACED
    asked = git.attempt("rev-list", "--disk-usage", "--objects", oid, "--not", f"refs/heads/{branch}")
    size = int(asked.stdout) if asked.returncode == 0 else 0
    what = _tell_extra(git, oid) if subject == EXTRA else subject
    kept = Kept(task, int(number), int(seconds or 0) * 1000, ends.get(name, other), what, size, name, oid)
    return task, int(number), kept


def _tell_extra(git: Git, oid: Oid) -> str:
    """The subjects of the newest commits that are kept by `oid`."""
    said = git.attempt("log", "--no-walk", "--format=%s", f"{oid}^@").stdout.decode(errors="replace")
    return "; ".join(said.splitlines()) or EXTRA


def _find_ends(place: Place, refs: set[str]) -> Mapping[str, str]:
    """Why the work of each ref was put away, as the log of operations says, the newest word first."""
    found: dict[str, str] = {}
    for operation in walk_operations(place, ATTIC_OPERATIONS) if refs else ():
        found = dict(_read_ends(operation)) | found
        if refs <= found.keys():
            break
    return found


def _read_ends(operation: Operation) -> Iterator[tuple[str, str]]:
    for event in operation.events:
        if event.get("type") == "AttemptEnded" and event.get("ref"):
            yield str(event["ref"]), name_end(str(event.get("status", "")), str(event.get("reason") or ""))


def _list_folders(place: Place, active: frozenset[RunId]) -> Iterator[Kept]:
    """Workspaces that no run uses any more and that are there still; also those of a state that was deleted."""
    for folder in sorted(_list_below(place.workspaces)):
        name = _ASIDE.fullmatch(folder.name)
        run = name["run"] if name else folder.name
        if folder.name.startswith(".") or folder.name in active or run.startswith("@"):
            continue
        if name or read_running(place, run) is None:
            yield _describe_folder(folder, run, "set aside" if name else _tell_evidence(place, run))
    for old in sorted(_list_below(place.workspaces.parent)):
        if old.name.startswith(_BEFORE):
            left = sorted(_list_below(old))
            yield from (_describe_folder(folder, folder.name, "of a state that was deleted") for folder in left)


def _list_below(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()] if folder.is_dir() else []


def _tell_evidence(place: Place, run: RunId) -> str:
    returned, ended = read_returned(place, run), read_exit(place, run)
    if returned is not None:
        return "; ".join(returned.detail) or str(returned.reason or returned.entry)
    return (ended.detail if ended else "") or UNREAD


def _describe_folder(folder: Path, run: RunId, why: str) -> Kept:
    at_ms = folder.lstat().st_mtime_ns // 1_000_000
    return Kept(run.partition(".")[0], 0, at_ms, why, f"workspace of {run}", _count_bytes(folder), str(folder))


def _count_bytes(folder: Path) -> int:
    total = 0
    for here, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(here, name)).st_size  # noqa: PTH118 - a Path for each file costs more
    return total
