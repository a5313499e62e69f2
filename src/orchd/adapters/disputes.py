"""What a held result conflicts with, read from git when somebody asks. For clients: nothing heavy, and nothing is left behind.

Rule: git merges into a folder that is thrown away; the repository is only read.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping

from orchd.adapters.git_run import Git
from orchd.adapters.merge_report import report_merge
from orchd.adapters.place import Place
from orchd.adapters.precedents import decode_trio, list_notes, parse_notes
from orchd.core.dispute_lines import tell_change, tell_dispute
from orchd.core.disputes import Disagreement, Disputed, take_whole
from orchd.core.precedents import Proposed, Trio, propose
from orchd.errors import GitError
from orchd.model.ids import Oid
from orchd.model.limits import DISPUTE_BYTES, DISPUTE_PATHS, GOALS
from orchd.model.merge import Dispute, Version
from orchd.model.work import Task


def read_disagreement(place: Place, task: Task, onto: Oid) -> Disagreement | None:
    """The conflicts of the result of `task` with the commit `onto`. None when git cannot merge the two at all, or when a
    commit is not there."""
    git = Git(place.git_dir)
    if git.attempt("merge-base", "--is-ancestor", task.base, onto).returncode:
        return None
    with tempfile.TemporaryDirectory(prefix="orchd-dispute-") as folder:
        main = str(place.git_dir / "objects")
        store = {
            "GIT_OBJECT_DIRECTORY": folder,
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": f'"{main}"' if ":" in main else main,
        }
        try:
            report = report_merge(place, onto, task.tip, store)
        except GitError:
            return None
        disputed = tuple(
            _tell(git, one, store, onto) if at < DISPUTE_PATHS else Disputed(one) for at, one in enumerate(report.disputes)
        )
    return Disagreement(onto, disputed, _list_goals(git, (task.base, onto), [one.path for one in report.disputes]))


def _tell(git: Git, dispute: Dispute, store: Mapping[str, str], onto: Oid) -> Disputed:
    """With its lines, where it is a text that is not too large, and with what is proposed from what `onto` contains."""
    if take_whole(dispute):
        return Disputed(dispute)
    contents = [_read(git, one, store) for one in (dispute.base, dispute.ours, dispute.theirs)]
    if any(b"\0" in content or len(content) > DISPUTE_BYTES for content in contents):
        return Disputed(dispute)
    base, ours, theirs = (content.decode(errors="replace") for content in contents)
    trio = decode_trio(contents)
    proposed = _find_proposal(git, trio, onto) if trio else None
    change = tell_change(ours, proposed.text) if proposed else ()
    return Disputed(dispute, tell_dispute((base, ours, theirs)), proposed, change)


def _read(git: Git, version: Version | None, store: Mapping[str, str]) -> bytes:
    """The content of a version; none is an empty one."""
    return git.run("cat-file", "blob", version.oid, extra=store) if version else b""


def _find_proposal(git: Git, trio: Trio, onto: Oid) -> Proposed | None:
    def has_landed(commit: Oid) -> bool:
        return git.attempt("merge-base", "--is-ancestor", commit, onto).returncode == 0

    asked = {name: git.attempt("cat-file", "blob", place) for name, place in list_notes(trio).items()}
    notes = ((name, done.stdout.decode(errors="replace")) for name, done in asked.items() if not done.returncode)
    return propose(trio, parse_notes(notes, has_landed))


def _list_goals(git: Git, span: tuple[Oid, Oid], paths: Iterable[str]) -> tuple[str, ...]:
    """What landed on these paths between two commits: the subjects, the newest first."""
    asked = ("log", "--first-parent", f"-{GOALS}", "--format=%h %s", f"{span[0]}..{span[1]}", "--", *paths)
    said = git.attempt("--literal-pathspecs", *asked)
    return tuple(said.stdout.decode(errors="replace").splitlines())


def store_file(place: Place, content: bytes) -> Oid:
    """Put `content` into the repository, durably. No ref holds it until the answer that names it is followed."""
    return Git(place.git_dir).run("hash-object", "-w", "--stdin", stdin=content).decode().strip()
