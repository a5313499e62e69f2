"""What is wrong around the tasks, for clients: no room, a branch that was set back, actions of the daemon that fail."""

from __future__ import annotations

import contextlib

from orchd.adapters.git_run import Git
from orchd.adapters.machine import free_disk
from orchd.adapters.place import Place
from orchd.adapters.server import read_server
from orchd.adapters.trouble_notes import read_troubles
from orchd.core.alarms import Health
from orchd.model.save import Checkpoint


def look_at_health(place: Place, branch: str, last: Checkpoint | None, now_ms: int) -> Health:
    """See `Health`. `last` is the newest checkpoint that `branch` should contain; None: there is none, or others move it."""
    free = {str(folder): free_disk(folder) for folder in (place.git_dir, place.workspaces)}
    known = {folder: found for folder, found in free.items() if found is not None}
    lost = last.name if last and _is_lost(Git(place.git_dir), branch, last.commit) else ""
    return Health(known, branch, lost, read_troubles(place, now_ms) if read_server(place) else ())


def _is_lost(git: Git, branch: str, commit: str) -> bool:
    """Whether neither `branch` nor any other branch of people holds it: it may have landed on another one."""
    with contextlib.suppress(OSError):
        if (git.git_dir / "refs/heads" / branch).read_text(encoding="utf-8").strip() == commit:
            return False
    if git.attempt("merge-base", "--is-ancestor", commit, f"refs/heads/{branch}").returncode != 1:
        return False
    said = git.run("for-each-ref", f"--contains={commit}", "--format=%(refname)", "refs/heads/").decode(errors="replace")
    return all(line.startswith("refs/heads/session/") for line in said.splitlines())
