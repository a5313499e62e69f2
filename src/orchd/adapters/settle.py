"""Settling a conflict as a person answered: the result merged with what had landed, made of git objects, without a work tree.

Rule: one commit with both as its parents, so that nothing of either is lost; whatever the person did not speak about is
git's own merge, and proven like any other. Where somebody must still decide, nothing is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

import pygit2

from orchd.adapters.git_objects import FILE, TreeEntry
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_trees import ABSENT
from orchd.adapters.merge_report import report_merge
from orchd.adapters.notes import add_notes
from orchd.adapters.precedents import decode_text, decode_trio, spell_precedent
from orchd.adapters.put_back import edit_entries
from orchd.adapters.second_opinion import prove_merge
from orchd.core.disputes import name_structural, take_whole
from orchd.core.precedents import Trio, set_precedent
from orchd.core.threeway import compare, split_lines
from orchd.core.wording import word_settled
from orchd.model.dataclass import dataclass
from orchd.model.ids import PRECEDENTS_REF, Oid, RunId
from orchd.model.limits import DETAIL_ITEMS
from orchd.model.merge import Dispute, Side, Version
from orchd.model.work import Answer, Reason, Rework

_HEX = re.compile(r"[0-9a-f]{40}")

SIDES = {Answer.OURS: Side.OURS, Answer.THEIRS: Side.THEIRS}


@dataclass(frozen=True, slots=True)
class Unsettled:
    """Why an answer comes to nothing: the paths that it leaves open, or what stands against it, which no answer changes."""

    why: tuple[str, ...]
    reason: Reason = Reason.CONFLICT


def settle(repo: GitRepo, rework: Rework, run: RunId) -> Oid | Unsettled:
    """The settled commit; or why there is none. The same arguments give the same commit."""
    onto, tip = rework.base, rework.tip
    if not _HEX.fullmatch(onto) or not isinstance(repo.library.get(onto), pygit2.Commit):
        return Unsettled((f"there is no commit {onto} any more",), Reason.BASE)
    if not repo.contains(onto, rework.begun):
        gone = f"{onto[:12]} does not contain {rework.begun[:12]}, which the task was started from"
        return Unsettled((gone,), Reason.BASE)
    report = report_merge(repo.place, onto, tip)
    entries, left = _choose(repo, report.disputes, rework)
    if left:
        return Unsettled(tuple(left[:DETAIL_ITEMS]))
    tree = edit_entries(repo, report.tree, entries) if entries else report.tree
    found = str(repo.library.merge_base(onto, tip))
    if faults := prove_merge(repo, found, (onto, tip), tree, entries.keys()):
        return Unsettled(faults, Reason.PROOF)
    made = _write(repo, rework, run, tree, tuple(entries))
    settled = [(one, entries[one.path]) for one in report.disputes if one.path in entries]
    _remember(repo, run, made, settled)
    return made


def _remember(repo: GitRepo, run: RunId, made: Oid, settled: Iterable[tuple[Dispute, TreeEntry]]) -> None:
    """Keep what the person made of texts as precedents, with the commit that they came to: they count when it has landed."""
    fresh = dict[str, str]()
    for dispute, entry in settled:
        trio = None if take_whole(dispute) else _read_trio(repo, dispute)
        text = decode_text(repo.read(entry.oid)) if trio and entry != ABSENT else None
        if trio is not None and text is not None:
            found = set_precedent(trio, text, run, dispute.path)
            fresh |= {name: spell_precedent(replace(one, commit=made)) for name, one in found.items()}
    if fresh:
        add_notes(repo, fresh, repo.commit(made).commit_time * 1000, PRECEDENTS_REF)


def _choose(repo: GitRepo, disputes: tuple[Dispute, ...], rework: Rework) -> tuple[dict[str, TreeEntry], list[str]]:
    """The entry of each disputed path, and the paths that the answer leaves open."""
    named = {file.path: file.blob for file in rework.files}
    entries, left = dict[str, TreeEntry](), list[str]()
    for dispute in disputes:
        if name_structural(dispute):
            left.append(f"{dispute.path}: {name_structural(dispute)}")
        elif dispute.path in named:
            entries[dispute.path] = TreeEntry(_mode_of(dispute), named[dispute.path])
        elif rework.answer not in SIDES:
            left.append(dispute.path)
        else:
            entries[dispute.path] = _take(repo, dispute, SIDES[rework.answer])
    return entries, left


def _read_trio(repo: GitRepo, dispute: Dispute) -> Trio | None:
    versions = dispute.base, dispute.ours, dispute.theirs
    return decode_trio(repo.read(one.oid) if one else b"" for one in versions)


def _mode_of(dispute: Dispute) -> int:
    return next((one.mode for one in (dispute.ours, dispute.theirs) if one is not None), FILE)


def _take(repo: GitRepo, dispute: Dispute, side: Side) -> TreeEntry:
    """One side's lines where the two stand against each other, in a text; else one side's file."""
    trio = dispute.base, dispute.ours, dispute.theirs
    if not take_whole(dispute):
        base, ours, theirs = (_read(repo, one) for one in trio)
        if base is not None and ours is not None and theirs is not None:
            chunks = compare(*map(split_lines, (base, ours, theirs)))
            if chunks is not None:
                text = chunks.take(side).encode("utf-8", "surrogateescape")
                return TreeEntry(_mode_of(dispute), repo.write_blob(text))
    chosen = dispute.of(side)
    return ABSENT if chosen is None else TreeEntry(chosen.mode, chosen.oid)


def _read(repo: GitRepo, version: Version | None) -> str | None:
    """The text of a version (none is an empty one); None: it is binary."""
    content = b"" if version is None else repo.read(version.oid)
    return None if b"\0" in content else content.decode("utf-8", "surrogateescape")


def _write(repo: GitRepo, rework: Rework, run: RunId, tree: Oid, paths: tuple[str, ...]) -> Oid:
    made = repo.commit(rework.tip)
    message = word_settled(made.message.partition("\n")[0], run, rework, paths)
    return str(repo.library.create_commit(None, made.author, made.committer, message, tree, [rework.base, rework.tip]))
