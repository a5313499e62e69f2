"""The person's checkouts of main: found, judged, moved forward, and never harmed.

Moving a branch that is checked out leaves a staged reversal there, and the next `git commit -a` would revert the save.
So a clean checkout moves first, by the person's own git (their filters and line endings), and the branch follows.
Rule: a byte that a person wrote is never overwritten or removed. No reset, clean, stash or forced checkout.
"""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from orchd.adapters.git_objects import LINK
from orchd.adapters.git_refs import main_ref
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_trees import ABSENT, PathChange, find_entry
from orchd.adapters.place import Place, clean_environment
from orchd.core.inert import inert
from orchd.errors import GitError
from orchd.model.save import Hold

OWN_CONFIGURATION = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM")
QUIET_CONFIG = ("core.hooksPath=/dev/null", "core.fsmonitor=false", "core.fsync=all", "gc.auto=0", "maintenance.auto=false")
SHOWN_PATHS = 5
UNFINISHED = {
    "index.lock": "a git command is running, or was killed and left index.lock",
    "MERGE_HEAD": "a merge is not finished",
    "CHERRY_PICK_HEAD": "a cherry-pick is not finished",
    "REVERT_HEAD": "a revert is not finished",
    "rebase-merge": "a rebase is not finished",
    "rebase-apply": "a rebase is not finished",
}


@dataclass(frozen=True, slots=True)
class Checkout:
    """A work tree and its own git directory."""

    folder: Path
    git_dir: Path

    def run(self, *arguments: str, stdin: bytes = b"", locks: str = "1") -> bytes:
        """The person's git in their work tree, with their configuration, without hooks. Raises GitError."""
        argv = ["git", *(part for pair in QUIET_CONFIG for part in ("-c", pair)), *arguments]
        kept = {name: os.environ[name] for name in OWN_CONFIGURATION if name in os.environ}
        environment = (
            clean_environment() | kept | {"GIT_OPTIONAL_LOCKS": locks, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8"}
        )
        done = subprocess.run(argv, input=stdin, capture_output=True, env=environment, cwd=self.folder, check=False)
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()
            raise GitError(f"git {arguments[0]} in {self.folder}: {said}", "look at `git status` there")
        return done.stdout

    def list_dirty(self, locks: str = "0") -> list[str]:
        """Tracked paths with staged or unstaged changes. With `locks` "1" git may also refresh its index."""
        said = self.run("status", "--porcelain=v2", "-z", "--untracked-files=no", "--ignore-submodules=dirty", locks=locks)
        return list(_parse_status(said.decode("utf-8", "surrogateescape").split("\0")))

    def follow(self, old: str, new: str) -> None:
        """Move index and files from the tree `old` to `new`. Where a file is in the way: GitError, nothing moved."""
        self.run("read-tree", "-m", "-u", old, new)


def find_checkouts(repo: GitRepo, branch: str) -> tuple[Checkout, ...]:
    """All work trees of this repository that have `branch` checked out; found without a process."""
    wanted = f"ref: {main_ref(branch)}"
    return tuple(one for one in _all_checkouts(repo) if _read_line(one.git_dir / "HEAD") == wanted and one.folder.is_dir())


def judge_checkout(checkout: Checkout, changes: Sequence[PathChange], locks: str = "0") -> tuple[Hold | None, tuple[str, ...]]:
    """What stands against moving this checkout by `changes`, with some paths or words."""
    for name, why in UNFINISHED.items():
        if (checkout.git_dir / name).exists():
            return Hold.DIRTY, (why,)
    if dirty := checkout.list_dirty(locks):
        return Hold.DIRTY, _some(dirty)
    if blocked := list(_find_blocked(checkout.folder, changes)):
        return Hold.UNTRACKED, _some(blocked)
    return None, ()


class Found(Enum):
    """What lies in the work tree where a path changes: nothing, the old side, the new side, the beginning of the new
    side (a write that was cut off), or something of somebody else."""

    NOTHING = 1
    OLD = 2
    NEW = 3
    CUT = 4
    FOREIGN = 5


def heal_checkout(repo: GitRepo, checkout: Checkout, changes: Sequence[PathChange], old: str, new: str) -> bool:
    """Take an interrupted move from `old` to `new` to its end, then to what HEAD says. False, with nothing touched, when
    somebody else's bytes are in one of its paths."""
    found = _classify(repo, checkout, changes)
    if Found.FOREIGN in found.values():
        return False
    for path in (path for path, what in found.items() if what is Found.CUT):
        (checkout.folder / path).unlink()
    moved = "".join(f"{change.path}\0" for change in changes if _has_arrived(change, found[change.path]))
    checkout.run("update-index", "--add", "--remove", "--replace", "-z", "--stdin", stdin=os.fsencode(moved))
    checkout.follow(old, new)
    checkout.follow(new, "HEAD")
    return True


def left_behind(repo: GitRepo, checkout: Checkout, changes: Iterable[PathChange]) -> bool:
    """Whether a path that an interrupted move added lies in the work tree though HEAD does not have it."""
    head = checkout.run("rev-parse", "HEAD^{tree}").decode().strip()
    added = (change.path for change in changes if change.old == ABSENT)
    return any(os.path.lexists(checkout.folder / path) and find_entry(repo, head, path) == ABSENT for path in added)


def _has_arrived(change: PathChange, what: Found) -> bool:
    return what is Found.NEW or (what is Found.NOTHING and change.new == ABSENT)


def _classify(repo: GitRepo, checkout: Checkout, changes: Sequence[PathChange]) -> dict[str, Found]:
    files = [change.path for change in changes if _is_file(checkout.folder / change.path) and "\n" not in change.path]
    said = checkout.run("hash-object", "--stdin-paths", stdin=os.fsencode("".join(f"{path}\n" for path in files)))
    ids = dict(zip(files, said.decode().split(), strict=True))
    return {
        change.path: _compare_path(repo, checkout.folder / change.path, change, ids.get(change.path, "")) for change in changes
    }


def _compare_path(repo: GitRepo, path: Path, change: PathChange, oid: str) -> Found:
    if not os.path.lexists(path) or (path.is_dir() and not path.is_symlink()):
        return Found.NOTHING
    content = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes() if _is_file(path) else b"\0"
    for side, what in ((change.new, Found.NEW), (change.old, Found.OLD)):
        same = content == repo.read(side.oid) if side.mode == LINK and path.is_symlink() else oid == side.oid != ""
        if same:
            return what
    return Found.CUT if oid and change.new.oid and repo.read(change.new.oid).startswith(content) else Found.FOREIGN


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _parse_status(tokens: Sequence[str]) -> Iterator[str]:
    """Paths of `status --porcelain=v2 -z`: the number of fields before the path depends on the kind of line."""
    rest = iter(tokens)
    for token in rest:
        if token[:1] in STATUS_FIELDS:
            yield token.split(" ", STATUS_FIELDS[token[0]])[-1]
        if token[:1] == "2":
            next(rest)


STATUS_FIELDS = {"1": 8, "2": 9, "u": 10}


def _find_blocked(folder: Path, changes: Sequence[PathChange]) -> Iterator[str]:
    """Added paths where something lies that git does not track."""
    gone = {change.path for change in changes if change.new == ABSENT}
    for change in changes:
        if change.old == ABSENT and _is_blocked(folder, change.path, gone):
            yield change.path


def _is_blocked(folder: Path, path: str, gone: set[str]) -> bool:
    target = folder / path
    if target.is_dir() and not target.is_symlink():
        return any(str(file.relative_to(folder)) not in gone for file in target.rglob("*") if not file.is_dir())
    parents = [str(parent) for parent in Path(path).parents if str(parent) != "."]
    return os.path.lexists(target) or any(_is_no_folder(folder / parent) and parent not in gone for parent in parents)


def _is_no_folder(path: Path) -> bool:
    return path.is_symlink() or (path.exists() and not path.is_dir())


def _all_checkouts(repo: GitRepo) -> Iterator[Checkout]:
    place, linked = repo.place, list(_linked_checkouts(repo.place))
    main = _main_folder(repo, {one.folder.resolve() for one in linked})
    if main is not None:
        yield Checkout(main, place.git_dir)
    yield from linked


def _linked_checkouts(place: Place) -> Iterator[Checkout]:
    for pointer in sorted((place.git_dir / "worktrees").glob("*/gitdir")):
        yield Checkout(Path(pointer.parent, _read_line(pointer)).parent, pointer.parent)


def _main_folder(repo: GitRepo, linked: set[Path]) -> Path | None:
    """The main work tree; where git does not record it, the one that orchd was started in."""
    if repo.library.is_bare:
        return None
    if repo.library.workdir:
        return Path(repo.library.workdir)
    started = repo.place.checkout
    return started if started is not None and started.resolve() not in linked else None


def _read_line(path: Path) -> str:
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return ""


def _some(paths: Sequence[str]) -> tuple[str, ...]:
    more = len(paths) - SHOWN_PATHS
    shown = tuple(map(inert, paths[:SHOWN_PATHS]))
    return (*shown, f"and {more} more") if more > 0 else shown
