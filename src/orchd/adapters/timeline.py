"""The tags of checkpoints: what holds them, pins, and taking those away that nothing holds.

Rule: that a tag was taken away is written into the audit note of its commit before the tag goes, so that `orchd verify` knows
it. A tag that is not where it was when it was judged stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchd.adapters.environments import read_chains
from orchd.adapters.git_run import Git
from orchd.adapters.place import Place
from orchd.core.chain_proof import PRUNED
from orchd.core.retention import Ties
from orchd.model.ids import CHECKPOINTS_PREFIX, PINS_PREFIX, Oid
from orchd.model.save import Checkpoint
from orchd.model.snapshot import State


def read_ties(place: Place, state: State, branch: str) -> Ties:
    """What holds checkpoints now."""
    git = Git(place.git_dir)
    records = (record for chain in read_chains(place).values() for record in chain.records)
    contained = _names(git, CHECKPOINTS_PREFIX, f"--merged=refs/heads/{branch}")
    return Ties(
        pinned=_names(git, PINS_PREFIX),
        promoted=frozenset(record.freight.checkpoint for record in records),
        begun_on=frozenset(name for one in state.sessions.values() for name in (one.spec.base, one.origin)),
        apart=_names(git, CHECKPOINTS_PREFIX) - contained,
    )


def pin(place: Place, name: str) -> None:
    """Hold a checkpoint, its tag object and its commit, until `unpin`."""
    git = Git(place.git_dir)
    git.run("update-ref", f"{PINS_PREFIX}{name}", f"refs/tags/{name}")


def unpin(place: Place, name: str) -> bool:
    """Let go of it; whether it was pinned."""
    git = Git(place.git_dir)
    pinned = name in _names(git, PINS_PREFIX)
    if pinned:
        git.run("update-ref", "-d", f"{PINS_PREFIX}{name}")
    return pinned


def read_tags(place: Place) -> Mapping[str, Oid]:
    """The tag objects of all checkpoints, by name."""
    said = Git(place.git_dir).run("for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", CHECKPOINTS_PREFIX)
    return dict(line.rsplit(" ", 1) for line in said.decode(errors="replace").splitlines())


def prune(place: Place, checkpoints: Iterable[Checkpoint], tags: Mapping[str, Oid], at_ms: int) -> None:
    """Take these tags away. Raises GitError, and none is gone, when one is not what `tags` says any more."""
    from orchd.adapters.git_repo import open_repo
    from orchd.adapters.notes import add_notes

    gone = [one for one in checkpoints if one.name in tags]
    if gone:
        add_notes(open_repo(place), {one.commit: f"{PRUNED}: {one.name}\n" for one in gone}, at_ms)
        lines = "".join(f"delete refs/tags/{one.name} {tags[one.name]}\n" for one in gone)
        Git(place.git_dir).run("update-ref", "--stdin", stdin=lines.encode())


def _names(git: Git, prefix: str, *options: str) -> frozenset[str]:
    said = git.run("for-each-ref", *options, "--format=%(refname)", prefix).decode(errors="replace")
    stem = prefix if prefix == PINS_PREFIX else "refs/tags/"
    return frozenset(name.removeprefix(stem) for name in said.splitlines())
