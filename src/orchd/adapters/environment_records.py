"""Writes records of environments: one commit each, moved by compare-and-swap.

A record's second parent is the freight's commit and its tree holds the freight's tag object, so nothing that was ever
promoted can be lost, whatever becomes of branches and tags.
"""

from __future__ import annotations

from orchd.adapters.environments import KIND, LOG, ROOT, TAG
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_trees import edit_tree
from orchd.adapters.records import dump_record
from orchd.adapters.shared_environments import SharedEnvironments
from orchd.model.ids import Oid, environment_ref
from orchd.model.promotion import Record


def append_record(
    repo: GitRepo, environment: str, tip: Oid, record: Record, log: str = "", shared: SharedEnvironments | None = None
) -> Oid:
    """Add a record after `tip` (empty: it is the first), in the remote first where one is shared. Returns its commit; empty
    when somebody else was faster."""
    at_ms = record.at.wall_ms
    before = tip or repo.write_commit(edit_tree(repo, "", {}), [], f"orchd: {ROOT} {environment}\n", at_ms)
    kept = {TAG: repo.write_blob(_read_tag(repo, record.freight.tag))}
    if log:
        kept[LOG] = repo.write_blob(log.encode(errors="replace"))
    what = f"{environment}: {record.freight.checkpoint} {record.step}"
    message = f"{what}\n\n{dump_record(KIND, record).decode()}"
    commit = repo.write_commit(edit_tree(repo, "", kept), [before, record.freight.commit], message, at_ms)
    ref = environment_ref(environment)
    moved = shared.move(ref, tip, commit) if shared else repo.refs.move(ref, tip, commit, what)
    return commit if moved else ""


def _read_tag(repo: GitRepo, tag: Oid) -> bytes:
    [content] = repo.fetch([tag])
    return content or b""
