"""Settling the conflicts of a merge without asking: which files may be, by which recipe, proven on what was written.

Rule: all conflicts of a merge or none; a merge that is half settled is a question as a whole.
"""

from __future__ import annotations

from orchd.adapters.git_objects import TreeEntry
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.merge_report import MergeReport
from orchd.adapters.parse_check import parses
from orchd.adapters.put_back import edit_entries
from orchd.core.resolving import Resolution, Texts, choose_recipes, find_faults, may_resolve, resolve
from orchd.model.ids import Oid
from orchd.model.limits import DISPUTE_BYTES
from orchd.model.merge import Dispute, Resolved, Resolving, Version


def resolve_merge(repo: GitRepo, report: MergeReport, resolving: Resolving) -> tuple[Oid, tuple[Resolved, ...]] | None:
    """The tree with every conflict settled, and how. None: somebody must be asked."""
    chosen = [(one, choose_recipes(one.path, resolving)) for one in report.disputes]
    if not chosen or not all(recipes and may_resolve(one) for one, recipes in chosen):
        return None
    entries, resolved = dict[str, TreeEntry](), list[Resolved]()
    for dispute, recipes in chosen:
        texts = read_texts(repo, dispute)
        made = resolve(texts, recipes) if texts else None
        if texts is None or made is None:
            return None
        blob = repo.write_blob(made.text.encode())
        if not _holds(repo, texts, made, blob):
            return None
        assert dispute.ours is not None
        entries[dispute.path] = TreeEntry(dispute.ours.mode, blob)
        resolved.append(Resolved(dispute.path, made.recipes))
    return edit_entries(repo, report.tree, entries), tuple(resolved)


def _holds(repo: GitRepo, texts: Texts, made: Resolution, blob: Oid) -> bool:
    """Whether what was stored passes the guards: read back, not taken from memory."""
    content = repo.read(blob)
    return not find_faults(texts, Resolution(content.decode(), made.recipes)) and parses(texts.path, content)


def read_texts(repo: GitRepo, dispute: Dispute) -> Texts | None:
    """The three texts of a file; None when one is missing, too large, or no UTF-8 text."""
    texts = [_read(repo, version) for version in (dispute.base, dispute.ours, dispute.theirs)]
    known = [text for text in texts if text is not None]
    return Texts(dispute.path, *known) if len(known) == len(texts) else None


def _read(repo: GitRepo, version: Version | None) -> str | None:
    if version is None or repo.size_of(version.oid) > DISPUTE_BYTES:
        return None
    content = repo.read(version.oid)
    try:
        return None if b"\0" in content else content.decode()
    except UnicodeDecodeError:
        return None
