"""What a result changed outside the claim of its task, in full, read from two commits. For clients: nothing heavy.

The record of a task keeps only the first lines of it; base and tip are in git, so the whole list never gets lost.
"""

from __future__ import annotations

from collections.abc import Iterator

from orchd.adapters.git_run import Git
from orchd.adapters.place import Place
from orchd.core.answers import find_outside
from orchd.core.policy import FILE_MODES, LINK_MODE, Change, is_claimed
from orchd.model.claim import Mode
from orchd.model.work import Task

READABLE = FILE_MODES | {LINK_MODE}


def list_outside(place: Place, task: Task) -> tuple[Change, ...] | None:
    """The changes between base and tip that no claim allows, by path. None when the commits are not there."""
    git = Git(place.git_dir)
    listed = git.attempt("diff-tree", "-r", "-z", "--no-renames", "--raw", "--no-abbrev", task.base, task.tip)
    if listed.returncode:
        return None
    grows = any(claim.mode is Mode.APPEND for claim in task.spec.claims)
    changes = [_describe(git, task, header, path, grows=grows) for header, path in _pairs(listed.stdout)]
    return find_outside(changes, task.spec.claims)


def _pairs(listed: bytes) -> Iterator[tuple[bytes, bytes]]:
    parts = iter(listed.split(b"\0"))
    return zip(parts, parts, strict=False)


def _describe(git: Git, task: Task, header: bytes, path: bytes, *, grows: bool) -> Change:
    """`grows`: some claim lets files grow, so it matters whether this one only did."""
    old_mode, new_mode, old, new, _ = header.removeprefix(b":").decode().split(" ")
    change = Change(path.decode("utf-8", "surrogateescape"), int(old_mode, 8), int(new_mode, 8))
    if not grows or is_claimed(change, task.spec.claims) or not {change.old_mode, change.new_mode} <= READABLE:
        return change
    before, after = (git.attempt("cat-file", "blob", oid).stdout for oid in (old, new))
    return Change(change.path, change.old_mode, change.new_mode, appended=after.startswith(before))
