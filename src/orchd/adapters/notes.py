"""Audit notes: a view for people, written in batches by one writer. Never read as the truth.

The library writes all notes into one flat tree (gigabytes of loose objects); here they fan out 2/38. Notes that somebody
else wrote, in whatever fan-out, stay where they are. Rule: writing the same note again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchd.adapters.git_objects import FILE, FOLDER
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_trees import diff_trees, edit_tree, read_tree
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


def adopt_notes(repo: GitRepo, ref: str, theirs: Oid) -> bool:
    """Bring what the notes of the commit `theirs` say into our own. False: somebody moved these meanwhile."""
    head = repo.refs.read(ref)
    merged = merge_notes(repo, head, theirs, repo.commit(theirs).commit_time * 1000)
    return merged == head or repo.refs.move(ref, head, merged)


def merge_notes(repo: GitRepo, head: Oid, other: Oid, at_ms: int) -> Oid:
    """The commit of notes `head` with the lines that the notes `other` have besides; `head` itself where there are none."""
    if not head or not other:
        return head or other
    changes = diff_trees(repo, repo.tree_of(head), repo.tree_of(other)).paths
    theirs = {one.path.replace("/", ""): repo.read(one.new.oid) for one in changes if one.new.mode == FILE}
    return write_notes(repo, head, dict(_missing_lines(repo, repo.tree_of(head), theirs)), at_ms)


def _missing_lines(repo: GitRepo, tree: Oid, notes: Mapping[Oid, bytes]) -> Iterator[tuple[Oid, str]]:
    for target, content in notes.items():
        ours = _read_note(repo, tree, target)[1].splitlines()
        lines = [line for line in content.decode(errors="replace").splitlines() if line not in ours]
        if lines:
            yield target, "\n".join(lines) + "\n"


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
