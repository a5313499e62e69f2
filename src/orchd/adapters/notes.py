"""Audit notes: a view for people, written in batches by one writer. Never read as the truth.

The library writes all notes into one flat tree (gigabytes of loose objects); here they fan out 2/38. Notes that somebody
else wrote, in whatever fan-out, stay where they are. Rule: writing the same note again changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from orchd.adapters.git_objects import FOLDER
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_trees import edit_tree, read_tree
from orchd.model.ids import NOTES_REF, Oid


def has_note(repo: GitRepo, target: Oid, text: str) -> bool:
    """Whether the audit note on `target` says `text`."""
    return text in read_note(repo, NOTES_REF, target)


def read_note(repo: GitRepo, ref: str, target: Oid) -> str:
    """The note on `target` in the notes of `ref`; empty when there is none."""
    head = repo.refs.read(ref)
    return _read_note(repo, repo.tree_of(head), target)[1] if head else ""


def add_notes(repo: GitRepo, notes: Mapping[Oid, str], at_ms: int, ref: str = NOTES_REF) -> None:
    """Add texts to the notes of objects, in one commit."""
    while True:
        head = repo.refs.read(ref)
        commit = write_notes(repo, head, notes, at_ms)
        if commit == head or repo.refs.move(ref, head, commit):
            return


def write_notes(repo: GitRepo, head: Oid, notes: Mapping[Oid, str], at_ms: int) -> Oid:
    """The commit of notes `head` with texts added; `head` itself where they are all there. No ref is moved."""
    tree = repo.tree_of(head) if head else ""
    changes = {path: repo.write_blob(text.encode()) for path, text in _missing_notes(repo, tree, notes)}
    if not changes:
        return head
    return repo.write_commit(edit_tree(repo, tree, changes), [head] if head else [], "Notes added by orchd\n", at_ms)


def _missing_notes(repo: GitRepo, tree: Oid, notes: Mapping[Oid, str]) -> list[tuple[str, str]]:
    found = ((text, *_read_note(repo, tree, target)) for target, text in notes.items())
    return [(path, f"{before}\n{text}" if before else text) for text, path, before in found if text not in before]


def _read_note(repo: GitRepo, tree: Oid, target: Oid) -> tuple[str, str]:
    """Path and text of the note on `target`; where it would lie and no text when there is none."""
    prefix, rest = "", target
    while tree:
        entries = read_tree(repo, tree)
        if rest in entries and entries[rest].mode != FOLDER:
            return prefix + rest, repo.read(entries[rest].oid).decode(errors="replace")
        below = entries.get(rest[:2])
        tree = below.oid if below is not None and below.mode == FOLDER else ""
        prefix, rest = f"{prefix}{rest[:2]}/", rest[2:]
    return f"{target[:2]}/{target[2:]}", ""
