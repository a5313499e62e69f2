"""Reads the history that checkpoints make, as git objects alone, through a few git processes and no heavy import.

Rule: nothing here writes. Of orchd's own state only the log is looked at, and only for what must be here besides.
"""

from __future__ import annotations

from pathlib import Path

from orchd.adapters.branch import name_newest
from orchd.adapters.git_objects import parse_trailers
from orchd.adapters.git_run import HERMETIC_CONFIG, Git
from orchd.adapters.place import Place, read_ends
from orchd.adapters.records import EVENTS, load_record
from orchd.adapters.state_reader import open_objects
from orchd.core.chain_proof import CHECKPOINT, Commit, History, Tag, lacks_words
from orchd.core.wording import OPERATIONS
from orchd.errors import ConfigError, GitError
from orchd.model.ids import CHECKPOINTS_PREFIX, NOTES_REF, REMOTE_PREFIX, STATE_REF, Oid
from orchd.model.message import SaveLanded

COMMIT_FIELDS = ("%H", "%P", "%T", "%cn <%ce>", "%N", "%B")
SIGNERS = "orchd.allowedSigners"
CONFIG = (*HERMETIC_CONFIG, f"core.notesRef={NOTES_REF}", f"notes.displayRef={REMOTE_PREFIX}notes/*")
"""Where clones share a remote, the notes of what another one landed are only among those that were fetched."""

TAG_FIELDS = ("%(refname:lstrip=2)", "%(objectname)", "%(contents)", "%(*objectname)", "%(*contents)")


def read_history(place: Place, branch: str, remote: str) -> History:
    """From the base of the oldest checkpoint that `branch`, with a `remote` the one there, holds to its tip."""
    signers, (main, *others) = _find_signers(place), name_newest(place, branch, remote)
    git = Git(place.git_dir, (*CONFIG, f"gpg.ssh.allowedSignersFile={signers}"))
    beside = frozenset(name for other in others for name in _list_beside(git, main, other))
    tags = map(_parse_tag, _records(git, TAG_FIELDS, "%00", "for-each-ref", CHECKPOINTS_PREFIX))
    by_name = {tag.name: tag for tag in tags if tag.name not in beside}
    named = git.run("log", "--topo-order", "--format=%H", f"--grep=^{CHECKPOINT}: ", main).decode().split()
    ends = read_ends(place)
    if not named:
        return History((), {}, by_name, ends=ends)
    since = git.attempt("rev-parse", "--quiet", "--verify", f"{named[-1]}^1").stdout.decode().split()
    limits = [main, *(f"^{base}" for base in since)]
    found = _records(git, ("%G?" if signers else "", *COMMIT_FIELDS), "%x00", "log", "--notes", *limits)
    chain = git.run("rev-list", "--first-parent", *limits).decode().split()
    commits = {commit.oid: commit for commit in map(_parse_commit, found)}
    lacking = any(commit.is_checkpoint and lacks_words(commit, by_name) for commit in commits.values())
    owed = _list_own(place, git) | _list_removed(git) if lacking else frozenset[Oid]()
    return History(tuple(chain), commits, by_name, bool(signers), owed, ends=ends)


def _list_beside(git: Git, main: str, other: str) -> list[str]:
    """The tags of what `other` knows of the branch and `main` does not: nobody can say yet that it is lost."""
    form = ("--format=%(refname:lstrip=2)", f"--merged={other}", f"--no-merged={main}")
    return git.run("for-each-ref", *form, CHECKPOINTS_PREFIX).decode(errors="replace").splitlines()


def _list_own(place: Place, git: Git) -> frozenset[Oid]:
    """What was landed here, as the log of the state says: a clone has none of its origin. Long subjects are cut."""
    marks = (f"--grep={OPERATIONS[SaveLanded][0]}", "--grep=…$")
    found = git.attempt("log", "--first-parent", f"--format=%T:{EVENTS}", *marks, STATE_REF).stdout.decode().split()
    with open_objects(place) as objects:
        events = [one for record in objects.fetch(found) if record for one in load_record("events", record)["events"]]
    return frozenset(str(one["commit"]) for one in events if one["type"] == SaveLanded.__name__)


def _list_removed(git: Git) -> frozenset[Oid]:
    """What had an audit note here that was taken away."""
    only = ("--first-parent", "-m", "--no-renames", "--diff-filter=D", "--name-only", "--format=")
    return frozenset(git.attempt("log", *only, NOTES_REF).stdout.decode().replace("/", "").split())


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
    signature, oid, parents, tree, by, note, message = record
    return Commit(oid, tuple(parents.split()), tree, parse_trailers(message), note, signature, by)


def _parse_tag(record: tuple[str, ...]) -> Tag:
    name, own, message, target, beneath = record
    if not target:
        return Tag(name, own, {}, parse_trailers(message))
    return Tag(name, target, parse_trailers(message), parse_trailers(beneath))
