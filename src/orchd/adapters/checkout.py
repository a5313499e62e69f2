"""The person's checkouts of main: found, judged and moved forward by the person's own git (filters, line endings).

Moving a branch that is checked out leaves a staged reversal there, and the next `git commit -a` would revert the save.
So a clean checkout moves with the branch. Rule: a byte that a person wrote is never overwritten or removed. No reset,
clean, stash or forced checkout.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from orchd.adapters.git_refs import main_ref
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_trees import ABSENT, PathChange
from orchd.adapters.place import Place, clean_environment
from orchd.core.inert import inert
from orchd.errors import GitError
from orchd.model.dataclass import dataclass
from orchd.model.save import Hold

OWN_CONFIGURATION = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM")
QUIET_CONFIG = ("core.hooksPath=/dev/null", "core.fsmonitor=false", "core.fsync=all", "gc.auto=0", "maintenance.auto=false")
SHOWN_PATHS = 5
LOCKED = "a git command is running, or was killed and left index.lock"
REBASES = ("rebase-merge", "rebase-apply")
UNFINISHED = {
    "MERGE_HEAD": "a merge is not finished",
    "CHERRY_PICK_HEAD": "a cherry-pick is not finished",
    "REVERT_HEAD": "a revert is not finished",
    **dict.fromkeys(REBASES, "a rebase is not finished"),
}
SYMBOLIC_DEPTH = 5
"""How many symbolic refs git follows."""

Judged = tuple[Hold | None, tuple[str, ...]]
"""What stands against a move, with some paths or words."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """A work tree and its own git directory; `index` is the index to use instead of its own."""

    folder: Path
    git_dir: Path
    index: Path | None = None

    @property
    def lock(self) -> Path:
        """The lock that every git command takes before it changes index or files."""
        return self.git_dir / "index.lock"

    def run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """The person's git in their work tree, with their configuration, without hooks. Raises GitError."""
        argv = ["git", *(part for pair in QUIET_CONFIG for part in ("-c", pair)), *arguments]
        done = subprocess.run(argv, input=stdin, capture_output=True, env=self._environment(), cwd=self.folder, check=False)
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()
            raise GitError(f"git {arguments[0]} in {self.folder}: {said}", "look at `git status` there")
        return done.stdout

    def list_dirty(self) -> list[str]:
        """Tracked paths with staged or unstaged changes. Refreshes the index that is used."""
        said = self.run("status", "--porcelain=v2", "-z", "--untracked-files=no", "--ignore-submodules=dirty")
        return list(_parse_status(said.decode("utf-8", "surrogateescape").split("\0")))

    def follow(self, old: str, new: str, *options: str) -> None:
        """Move index and files from the tree `old` to `new`. Where a file is in the way: GitError, nothing moved."""
        self.run("read-tree", "-m", "-u", *options, old, new)

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in OWN_CONFIGURATION if name in os.environ}
        fixed = {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8"}
        place = {"GIT_DIR": str(self.git_dir), "GIT_WORK_TREE": str(self.folder)}
        index = {"GIT_INDEX_FILE": str(self.index)} if self.index else {"GIT_OPTIONAL_LOCKS": "0"}
        return clean_environment() | kept | fixed | place | index


def find_checkouts(repo: GitRepo, branch: str) -> tuple[Checkout, ...]:
    """All work trees of this repository that show `branch`; found without a process."""
    return tuple(one for one in list_checkouts(repo) if shows_branch(repo, one, branch))


def list_checkouts(repo: GitRepo) -> tuple[Checkout, ...]:
    """All work trees of this repository that are there."""
    main = _main_folder(repo)
    own = [Checkout(main, repo.place.git_dir)] if main is not None else []
    return tuple(one for one in (*own, *_linked_checkouts(repo.place)) if one.folder.is_dir())


def shows_branch(repo: GitRepo, checkout: Checkout, branch: str) -> bool:
    """Whether HEAD is `branch`, maybe through symbolic branches, or comes back to it when a rebase ends."""
    wanted = main_ref(branch)
    if any(_read_line(checkout.git_dir / name / "head-name") == wanted for name in REBASES):
        return True
    name = _read_line(checkout.git_dir / "HEAD")
    for _ in range(SYMBOLIC_DEPTH):
        if name == f"ref: {wanted}" or not name.startswith("ref: "):
            break
        name = _read_line(repo.place.git_dir / name.removeprefix("ref: "))
    return name == f"ref: {wanted}"


def find_locked(checkouts: Iterable[Checkout]) -> Judged:
    """A git command in any work tree may be on its way to main."""
    locked = (one for one in checkouts if one.lock.exists())
    return next(((Hold.DIRTY, (f"{LOCKED} in {inert(str(one.folder))}",)) for one in locked), (None, ()))


def find_unfinished(checkout: Checkout) -> str:
    """What a person has begun there and must end; empty: nothing."""
    return next((why for name, why in UNFINISHED.items() if (checkout.git_dir / name).exists()), "")


def judge_checkout(checkout: Checkout, changes: Sequence[PathChange]) -> Judged:
    """What stands against moving this checkout by `changes`."""
    if why := find_unfinished(checkout):
        return Hold.DIRTY, (why,)
    if dirty := checkout.list_dirty():
        return Hold.DIRTY, _some(dirty)
    if blocked := list(_find_blocked(checkout.folder, changes)):
        return Hold.UNTRACKED, _some(blocked)
    return None, ()


def ask_git(checkout: Checkout, old: str, new: str) -> Judged:
    """What git itself would refuse the move for, such as edits that `--assume-unchanged` hides from `git status`."""
    try:
        checkout.follow(old, new, "-n")
    except GitError as error:
        return Hold.DIRTY, (inert(str(error)),)
    return None, ()


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
        return any(
            str(file.relative_to(folder)) not in gone for file in target.rglob("*") if file.is_symlink() or not file.is_dir()
        )
    parents = [str(parent) for parent in Path(path).parents if str(parent) != "."]
    return os.path.lexists(target) or any(_is_no_folder(folder / parent) and parent not in gone for parent in parents)


def _is_no_folder(path: Path) -> bool:
    return path.is_symlink() or (path.exists() and not path.is_dir())


def _linked_checkouts(place: Place) -> Iterator[Checkout]:
    for pointer in sorted((place.git_dir / "worktrees").glob("*/gitdir")):
        yield Checkout(Path(pointer.parent, _read_line(pointer)).parent, pointer.parent)


def _main_folder(repo: GitRepo) -> Path | None:
    """The main work tree. git does not always record it; what the library guesses may be somebody else's folder."""
    if repo.library.is_bare:
        return None
    guessed = Path(repo.library.workdir) if repo.library.workdir else None
    for one in (repo.place.checkout, guessed):
        if one is not None and _belongs_to(one, repo.place.git_dir):
            return one
    return guessed if "core.worktree" in repo.library.config else None


def _belongs_to(folder: Path, git_dir: Path) -> bool:
    dot_git = folder / ".git"
    if dot_git.is_file():
        dot_git = folder / _read_line(dot_git).removeprefix("gitdir: ")
    return dot_git.resolve() == git_dir.resolve()


def _read_line(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return ""


def _some(paths: Sequence[str]) -> tuple[str, ...]:
    more = len(paths) - SHOWN_PATHS
    shown = tuple(map(inert, paths[:SHOWN_PATHS]))
    return (*shown, f"and {more} more") if more > 0 else shown
