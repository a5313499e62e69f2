"""Work trees that a person asked for: a commit checked out in a new folder, and nothing else touched.

Rule: only the new folder and git's own list of work trees change; no branch, no index, no file of any checkout. It is the
person's git with the person's filters, because the files are for them, but no hook runs.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from orchd.adapters.place import Place, clean_environment
from orchd.errors import GitError, UsageError
from orchd.model.ids import Oid


def add_person_tree(place: Place, folder: Path, commit: Oid) -> None:
    """Check out `commit`, detached, in the new folder. Raises UsageError when something is there, GitError when git cannot."""
    check_person_folder(folder)
    argv = ["git", "-c", "core.hooksPath=/dev/null", f"--git-dir={place.git_dir}", "worktree", "add", "--quiet", "--detach"]
    made = subprocess.run([*argv, str(folder), commit], env=clean_environment(), capture_output=True, check=False)
    if made.returncode:
        said = made.stderr.decode(errors="replace").strip()
        raise GitError(f"git worktree add: {said}", "nothing else was touched; name another folder with --into")


def check_person_folder(folder: Path) -> None:
    """Raises UsageError when something is there."""
    if os.path.lexists(folder) and not _is_empty_folder(folder):
        raise UsageError(f"{folder} exists already", "name another folder with --into")


def name_person_tree(place: Place, name: str) -> Path:
    """A folder beside the repository for what is called `name`."""
    top = place.checkout or place.git_dir
    return top.with_name(f"{top.name.removesuffix('.git')}-{name}")


def _is_empty_folder(folder: Path) -> bool:
    return folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir())
