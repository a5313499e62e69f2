"""What main has lost, read and written through a few git processes: the proof of the chain with what people said about it, and
what is not settled yet. What they say is a note on the lost commit; its tag holds that.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from orchd.adapters.branch import name_all
from orchd.adapters.git_objects import parse_trailers
from orchd.adapters.git_run import Git
from orchd.adapters.history import read_history
from orchd.adapters.place import Place, read_ends
from orchd.core.chain_proof import TASK, History, Proof, list_copies, prove_history
from orchd.core.losses import Loss, Work, asks_again, is_unbroken, parse_work, tell_settled
from orchd.errors import UsageError
from orchd.model.ids import CHECKPOINTS_PREFIX, LOSSES_REF, Oid
from orchd.model.save import Checkpoint

OID = re.compile(r"[0-9a-f]{40}")


def read_told(place: Place, branch: str, remote: str) -> History:
    """The history of `branch`, with a `remote` of the one there, and what people said about what it does not hold or copies."""
    history = read_history(place, branch, remote)
    lost = {tag.commit for tag in history.tags.values() if tag.words and tag.commit not in history.commits}
    copied = {commit.oid for commit in list_copies(history)}
    return replace(history, remarks=_read_remarks(Git(place.git_dir), lost | copied))


def prove_branch(place: Place, branch: str, remote: str) -> Proof:
    """Whether it holds what orchd landed."""
    return prove_history(read_told(place, branch, remote))


def find_copy(place: Place, branch: str, remote: str, name: str) -> Oid:
    """The copy of a checkpoint that `name`, the beginning of a commit id, means. Raises UsageError when it means none."""
    found = [one.oid for one in list_copies(read_history(place, branch, remote)) if one.oid.startswith(name)]
    if len(found) != 1:
        raise UsageError(
            f"`{name}` is not a copy of a checkpoint on {branch}", "`orchd verify` names them in the column commit"
        )
    return found[0]


def list_unsettled(place: Place, branch: str, remote: str, checkpoints: Sequence[Checkpoint]) -> tuple[Loss, ...]:
    """The losses that nobody has settled, the oldest first, where `checkpoints` are all there are, the oldest first."""
    if read_ends(place):
        return ()  # main may have them beyond the end of a shallow history
    git, mains = Git(place.git_dir), name_all(place, branch, remote)
    main = mains[0]
    if is_unbroken(_read_tip(git, main), checkpoints):
        return ()
    outside = [f"--no-merged={ref}" for ref in mains]
    missing = git.run("for-each-ref", *outside, "--format=%(refname:lstrip=2)", CHECKPOINTS_PREFIX)
    names = frozenset(missing.decode(errors="replace").splitlines())
    lost = [one for one in checkpoints if one.name in names]
    notes = _read_remarks(git, {one.commit for one in lost}) if lost else {}
    losses = [Loss(one.name, one.commit, parse_work(one.name, one.work), notes.get(one.commit, "")) for one in lost]
    later = _read_later(git, main, {one.commit for one in losses}) if any(map(asks_again, losses)) else ()
    return tuple(one for one in losses if not tell_settled(one, later))


def _read_tip(git: Git, ref: str) -> Oid:
    """Where a ref is, without a process where its own file says so."""
    with contextlib.suppress(OSError):
        said = (git.git_dir / ref).read_text(encoding="utf-8").strip()
        if OID.fullmatch(said):
            return said
    return git.run("rev-parse", "--verify", ref).decode().strip()


def say_of(place: Place, notes: Mapping[Oid, str]) -> None:
    """Write what a person says about lost commits. Saying it again changes nothing."""
    from orchd.adapters.git_repo import open_repo
    from orchd.adapters.notes import add_notes

    add_notes(open_repo(place), notes, time.time_ns() // 1_000_000, LOSSES_REF)


def _read_remarks(git: Git, commits: Collection[Oid]) -> Mapping[Oid, str]:
    """The notes on lost commits. What is no commit here has none."""
    known = [commit for commit in commits if commit]
    asked = "".join(f"{commit}\n" for commit in known).encode()
    command = ("log", "--no-walk", "--stdin", f"--notes={LOSSES_REF}", "--format=%H%x00%N%x00")
    said = git.attempt(*command, stdin=asked).stdout.decode(errors="replace").split("\0") if known else []
    return {oid.strip(): note for oid, note in zip(said[::2], said[1::2], strict=False) if note}


def _read_later(git: Git, main: str, lost: Collection[Oid]) -> tuple[Work, ...]:
    """The work that main has and the lost commits do not."""
    asked = "".join(f"{one}\n" for one in (main, *(f"^{commit}" for commit in lost))).encode()
    said = git.run("log", "--stdin", f"--grep=^{TASK}: ", "--format=%B%x00", stdin=asked).decode(errors="replace")
    trailers = map(parse_trailers, said.split("\0"))
    return tuple(one for words in trailers for one in parse_work("", words.get(TASK, ())))
