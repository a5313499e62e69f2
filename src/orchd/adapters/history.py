"""Reads the history that checkpoints make, as git objects alone, through a few git processes and no heavy import.

Rule: nothing of orchd's own state is looked at, and nothing here writes.
"""

from __future__ import annotations

from pathlib import Path

from orchd.adapters.git_objects import parse_trailers
from orchd.adapters.git_run import HERMETIC_CONFIG, Git
from orchd.adapters.place import Place
from orchd.core.chain_proof import CHECKPOINT, Commit, History, Tag
from orchd.errors import ConfigError, GitError
from orchd.model.ids import CHECKPOINTS_PREFIX, NOTES_REF, REMOTE_PREFIX, STATE_REF

COMMIT_FIELDS = ("%H", "%P", "%T", "%N", "%B")
SIGNERS = "orchd.allowedSigners"
CONFIG = (*HERMETIC_CONFIG, f"core.notesRef={NOTES_REF}", f"notes.displayRef={REMOTE_PREFIX}notes/*")
"""Where clones share a remote, the notes of what another one landed are only among those that were fetched."""

TAG_FIELDS = ("%(refname:lstrip=2)", "%(*objectname)", "%(contents)")


def read_history(place: Place, branch: str) -> History:
    """From the base of the oldest checkpoint that the history of `branch` names to its tip."""
    signers, main = _find_signers(place), f"refs/heads/{branch}"
    git = Git(place.git_dir, (*CONFIG, f"gpg.ssh.allowedSignersFile={signers}"))
    tags = tuple(map(_parse_tag, _records(git, TAG_FIELDS, "%00", "for-each-ref", CHECKPOINTS_PREFIX)))
    by_name = {tag.name: tag for tag in tags}
    asked = ("--format=%H", f"--grep=^{CHECKPOINT}: ", main)
    named = git.run("log", "--first-parent", *asked).decode().split()
    if tags and not named:
        named = git.run("log", *asked).decode().split()
    if not named:
        return History((), {}, by_name)
    since = git.attempt("rev-parse", "--quiet", "--verify", f"{named[-1]}^1").stdout.decode().split()
    limits = [main, *(f"^{base}" for base in since)]
    found = _records(git, ("%G?" if signers else "", *COMMIT_FIELDS), "%x00", "log", "--notes", *limits)
    chain = git.run("rev-list", "--first-parent", *limits).decode().split()
    commits = {commit.oid: commit for commit in map(_parse_commit, found)}
    return History(tuple(chain), commits, by_name, bool(signers), _has_notes(git))


def _has_notes(git: Git) -> bool:
    """Whether there are audit notes, or should be: a plain clone has nothing below `refs/orch` and no notes."""
    form = "--format=%(refname)"
    return bool(git.run("for-each-ref", "--count=1", form, STATE_REF, NOTES_REF, f"{REMOTE_PREFIX}notes/").strip())


def _find_signers(place: Place) -> str:
    """The file of those who may sign checkpoints, as `ssh-keygen` reads it; empty: signatures are not looked at. Raises
    ConfigError when it is named and not there, for then nobody knows who may."""
    said = Git(place.git_dir).attempt("config", "--type=path", SIGNERS).stdout.decode().strip()
    if said and not Path(said).is_file():
        raise ConfigError(f"{SIGNERS} names {said}, which is not there", f"`git config {SIGNERS}` says which file it is")
    return said


def _records(git: Git, fields: tuple[str, ...], nothing: str, command: str, *arguments: str) -> list[tuple[str, ...]]:
    """What a command prints of each object, field by field. `nothing` spells NUL, which no message can contain."""
    form = "".join(field + nothing for field in fields)
    parts = git.run(command, f"--format={form}", *arguments).decode(errors="replace").split("\0")
    if len(parts) % len(fields) != 1:
        raise GitError(f"git {command} printed something that cannot be read", "does an audit note contain NUL?")
    return [(parts[at].lstrip("\n"), *parts[at + 1 : at + len(fields)]) for at in range(0, len(parts) - 1, len(fields))]


def _parse_commit(record: tuple[str, ...]) -> Commit:
    signature, oid, parents, tree, note, message = record
    return Commit(oid, tuple(parents.split()), tree, parse_trailers(message), note, signature)


def _parse_tag(record: tuple[str, ...]) -> Tag:
    name, commit, message = record
    return Tag(name, commit, parse_trailers(message))
