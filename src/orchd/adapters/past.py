"""What main says has landed, for a repository whose state does not know it: a plain clone brings branches and tags along, and
nothing below `refs/orch`.

Rule: a task counts as landed as long as its file says what it said then; when nobody can tell, it counts too, for to run
twice what has landed does harm, and a task that was passed over is a change of its file away. What counts as a landing is
what `orchd verify` takes for one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple, TypeAlias

import pygit2

from orchd.adapters.git_objects import parse_trailers
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_trees import find_entry
from orchd.core.chain_proof import CHECKPOINT, TASK, Commit, Trailers, is_echo, is_landing
from orchd.errors import GitError
from orchd.model.ids import CHECKPOINTS_PREFIX, NOWHERE, Oid, TaskId
from orchd.model.snapshot import PastLanding

TAGGED = "--format=%(*objectname)%00%(*committerdate:unix)%00%(*contents)%00"
MARK = f"\n{CHECKPOINT}: ".encode()


class Known(NamedTuple):
    """A landing, and the commit with the file of its task as it was then."""

    landing: PastLanding
    seen_in: Oid


Past: TypeAlias = Mapping[TaskId, Known]


def read_past(repo: GitRepo, main: Oid) -> Past:
    """The last landing of each task on main, or that a tag names though main does not contain it (any more). Of those, and of
    copies (a checkpoint that was picked, amended or rebased), it is said that they are lost."""
    return _pick_last((*_read_lost(repo, main), *_read_main(repo, main, "")))


def read_on(repo: GitRepo, past: Past, main: Oid, since: Oid) -> Past:
    """The same as `read_past`, when that was read at `since`, from which main has only grown."""
    news = _pick_last(_read_main(repo, main, since))
    return {**past, **{task: max(past.get(task, known), known, key=_rank) for task, known in news.items()}}


def _rank(known: Known) -> tuple[int, bool]:
    """A copy has the time of what it was made from; the tag of that knows more."""
    return known.landing.at_ms, not known.landing.lost


def _pick_last(found: Iterable[tuple[Trailers, Known]]) -> Past:
    past: dict[TaskId, Known] = {}
    for trailers, known in sorted(found, key=lambda one: _rank(one[1]), reverse=True):
        for token in trailers.get(TASK, ()):
            task, _, rest = token.partition(" ")
            count, _, attempt = rest.partition(" ")[0].partition(".")
            if count.isdigit() and attempt.isdigit():
                landing = replace(known.landing, generation=int(count), attempt=int(attempt))
                past.setdefault(task, known._replace(landing=landing))
    return past


def _read_main(repo: GitRepo, main: Oid, since: Oid) -> Iterator[tuple[Trailers, Known]]:
    """All that say they are checkpoints, wherever main has them from, apart from the merges of their tags. Without a process:
    mostly nothing but our own landings is new."""
    walker = repo.library.walk(main)
    if since:
        walker.hide(since)
    for found in walker:
        if MARK in found.raw_message and (one := _parse_commit(found)).is_checkpoint:
            if is_landing(one, repo.tree_of(one.parents[-1]) if one.parents else ""):
                yield _know(one.trailers, one.oid, one.oid, found.author.time)
            elif not is_echo(one, lambda oid: _parse_commit(repo.commit(oid)).first(CHECKPOINT)):
                yield _know(one.trailers, NOWHERE, one.oid, found.author.time)


def _read_lost(repo: GitRepo, main: Oid) -> Iterator[tuple[Trailers, Known]]:
    said = repo.git.run("for-each-ref", f"--no-merged={main}", TAGGED, CHECKPOINTS_PREFIX).decode(errors="replace")
    fields = iter(said.split("\0"))
    for commit, seconds, message in zip(fields, fields, fields, strict=False):
        if seconds:
            yield _know(parse_trailers(message), commit.strip(), commit.strip(), int(seconds), lost=True)


def _parse_commit(found: pygit2.Commit) -> Commit:
    who = b"%s <%s>" % (found.committer.raw_name, found.committer.raw_email)
    trailers = parse_trailers(found.raw_message.decode(errors="replace"))
    by = who.decode(errors="replace")
    return Commit(str(found.id), tuple(map(str, found.parent_ids)), str(found.tree_id), trailers, by=by)


def _know(trailers: Trailers, commit: Oid, seen_in: Oid, seconds: int, *, lost: bool = False) -> tuple[Trailers, Known]:
    name = "".join(trailers.get(CHECKPOINT, ())[:1])
    return trailers, Known(PastLanding(name, commit, 0, 0, seconds * 1000, lost or commit == NOWHERE), seen_in)


def pick_unchanged(repo: GitRepo, main: Oid, past: Past, paths: Mapping[TaskId, str]) -> dict[TaskId, PastLanding]:
    """Those of `paths` (task files from the root of the repository) that have landed and were not changed since."""
    found = {task: past[task] for task in paths if task in past}
    return {task: one.landing for task, one in found.items() if not _is_changed(repo, one.seen_in, main, paths[task])}


def _is_changed(repo: GitRepo, then: Oid, now: Oid, path: str) -> bool:
    try:
        before, after = (find_entry(repo, repo.tree_of(commit), path).oid for commit in (then, now))
    except GitError:
        return False
    return bool(before and after) and before != after
