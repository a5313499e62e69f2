"""What main says has landed, for a repository whose state knows nothing of it: a plain clone brings branches and tags along,
and nothing below `refs/orch`.

Rule: a task counts as landed as long as its file says what it said then; when nobody can tell, it counts too, for to run
twice what has landed does harm, and a task that was passed over is a change of its file away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from orchd.adapters.git_objects import parse_trailers
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_trees import find_entry
from orchd.core.chain_proof import CHECKPOINT, TASK
from orchd.model.ids import CHECKPOINTS_PREFIX, Oid, TaskId
from orchd.model.snapshot import PastLanding

Past: TypeAlias = Mapping[TaskId, PastLanding]

HEADS = "--format=%H%x00%ct%x00%B%x00"
TAGGED = "--format=%(*objectname)%00%(*committerdate:unix)%00%(*contents)%00"


def read_past(repo: GitRepo, main: Oid) -> Past:
    """The last landing of each task that a checkpoint on main names, or one that came back to main by a merge: of those only
    the tags know."""
    past: dict[TaskId, PastLanding] = {}
    trunk = repo.git.run("log", "--first-parent", HEADS, f"--grep=^{CHECKPOINT}: ", main)
    tagged = repo.git.run("for-each-ref", f"--merged={main}", TAGGED, CHECKPOINTS_PREFIX)
    for commit, seconds, message in sorted((*_split(trunk), *_split(tagged)), key=lambda one: -int(one[1])):
        trailers = parse_trailers(message)
        for token in trailers.get(TASK, ()):
            task, _, rest = token.partition(" ")
            count, _, attempt = rest.partition(" ")[0].partition(".")
            if count.isdigit() and attempt.isdigit():
                name = "".join(trailers.get(CHECKPOINT, ())[:1])
                past.setdefault(task, PastLanding(name, commit, int(count), int(attempt), int(seconds) * 1000))
    return past


def _split(said: bytes) -> Iterator[tuple[str, str, str]]:
    """Commits, the seconds of their times, and their messages."""
    fields = iter(said.decode(errors="replace").split("\0"))
    return (
        (commit.strip(), seconds, message) for commit, seconds, message in zip(fields, fields, fields, strict=False) if seconds
    )


def pick_unchanged(repo: GitRepo, main: Oid, past: Past, paths: Mapping[TaskId, str]) -> Past:
    """Those of `paths` (task files from the root of the repository) that have landed and were not changed since."""
    found = {task: past[task] for task in paths if task in past}
    return {task: one for task, one in found.items() if not _is_changed(repo, one.commit, main, paths[task])}


def _is_changed(repo: GitRepo, then: Oid, now: Oid, path: str) -> bool:
    before, after = (find_entry(repo, repo.tree_of(commit), path).oid for commit in (then, now))
    return bool(before and after) and before != after
