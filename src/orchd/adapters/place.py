"""Where a repository and orchd's own files are. Clients use it too, so it imports nothing heavy.

Rule: everything of the machine lives in `<git dir>/orch/`, which no clone carries, or outside the checkout in the state
folder; nothing there is needed to rebuild what matters.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from functools import cached_property
from pathlib import Path

from orchd.errors import ConfigError, UsageError
from orchd.model.dataclass import dataclass
from orchd.model.ids import Oid


@dataclass(frozen=True)
class Place:
    """`git_dir` is the repository's common directory, `checkout` the top folder of the work tree (None: bare),
    `state_home` the folder for workspaces of this user. Paths are put together once: every step of every task asks for some."""

    git_dir: Path
    checkout: Path | None
    state_home: Path

    @cached_property
    def orch(self) -> Path:
        """The local folder of orchd inside the git directory."""
        return self.git_dir / "orch"

    @cached_property
    def runs(self) -> Path:
        """One folder per run: order, start and exit evidence, log, result."""
        return self.orch / "runs"

    @cached_property
    def intents(self) -> Path:
        """Requests of other processes."""
        return self.orch / "intents"

    @cached_property
    def cache(self) -> Path:
        """Rebuildable; deleting it is always safe."""
        return self.orch / "cache"

    @cached_property
    def inbox(self) -> Path | None:
        """Where people drop task files that they do not commit."""
        return self.checkout / ".orch" / "inbox" if self.checkout else None

    @cached_property
    def repo_id(self) -> str:
        """A readable name plus a hash of the path, for folders outside the repository."""
        top = self.checkout or self.git_dir
        return f"{top.name}-{hashlib.sha256(os.fsencode(self.git_dir)).hexdigest()[:10]}"

    @cached_property
    def workspaces(self) -> Path:
        """The parent of all workspaces, mode 0700, outside the checkout."""
        return self.state_home / "orchd" / self.repo_id / "workspaces"


def refuse_workspace(place: Place) -> None:
    """Raises UsageError in a workspace of orchd, whatever the environment says: what a task starts would start tasks."""
    parts = place.git_dir.parts
    if ("orchd", "workspaces") in zip(parts, parts[2:], strict=False):
        hint = "say in your result what else is to be done; `orchd claim --task` asks for more paths"
        raise UsageError(f"{place.git_dir} is in the workspace of a task, and there no orchd serves", hint)


def read_ends(place: Place) -> frozenset[Oid]:
    """The commits at which the history of a shallow clone ends; none: it is whole."""
    file = place.git_dir / "shallow"
    return frozenset(file.read_text().split()) if file.is_file() else frozenset()


def refuse_shallow(place: Place) -> None:
    """Raises ConfigError in a shallow clone."""
    if read_ends(place):
        what = "this clone is shallow: what has landed beyond the end of its history would run again"
        raise ConfigError(what, "`git fetch --unshallow` brings the rest")


def find_place(start: Path) -> Place:
    """The repository that `start` is in. Raises ConfigError when there is none."""
    asked = subprocess.run(
        ["git", "rev-parse", "--path-format=absolute", "--git-common-dir", "--is-bare-repository", "--show-toplevel"],
        cwd=start,
        env=clean_environment(),
        capture_output=True,
        check=False,
    )
    try:
        lines, said = asked.stdout.decode().splitlines(), asked.stderr.decode().strip()
    except UnicodeDecodeError:
        raise ConfigError("the path of this repository is not UTF-8", "rename its folder") from None
    if len(lines) < 2:
        raise ConfigError(f"{start} is not in a git repository: {said}", "run `git init`, or name one with --repo")
    checkout = Path(lines[2]) if lines[1] == "false" and len(lines) > 2 else None
    return Place(Path(lines[0]), checkout, state_home())


def read_head(checkout: Path) -> str:
    """The ref that HEAD of a work tree names, or the commit it is at. Read as a file: asked at every look."""
    git = checkout / ".git"
    folder = git if git.is_dir() else checkout / git.read_text(encoding="utf-8").removeprefix("gitdir: ").strip()
    return (folder / "HEAD").read_text(encoding="utf-8").removeprefix("ref: ").strip()


def state_home() -> Path:
    """`$XDG_STATE_HOME`, or its default."""
    named = os.environ.get("XDG_STATE_HOME", "")
    return Path(named) if Path(named).is_absolute() else Path.home() / ".local" / "state"


def clean_environment() -> dict[str, str]:
    """Our environment without the variables that redirect git (hooks set them)."""
    return {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
