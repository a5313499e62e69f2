"""Journals of saves: `refs/orch/save/<id>` is a commit whose history holds base, tips, chain and checkpoint commit.

So nothing of a save can be lost while it lasts, whatever is cleaned up. Rule: a journal exists before anything is made
from its tips, and it pins an object before anything else refers to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from orchd.adapters.codec import decode
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.records import dump_record, load_record
from orchd.errors import OrchdError
from orchd.model.dataclass import dataclass
from orchd.model.ids import SAVES_PREFIX, Oid, SaveId, ready_ref, save_ref
from orchd.model.save import Save
from orchd.model.snapshot import ChainSeen

KIND = "journal"


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of a save: its plan, then its chain, then its checkpoint commit."""

    plan: Save
    chain: ChainSeen | None = None
    sealed: Oid = ""


@dataclass(frozen=True, slots=True)
class Journal:
    """A record as it stands in the journal's commit `oid`."""

    oid: Oid
    record: Record


class SaveJournals:
    """All journals; listed once, because only this daemon writes them."""

    def __init__(self, repo: GitRepo) -> None:
        self._repo = repo
        self._names = {name.removeprefix(SAVES_PREFIX) for name in repo.refs.names(SAVES_PREFIX)}

    def names(self) -> frozenset[SaveId]:
        """Saves that have one."""
        return frozenset(self._names)

    def find(self, save: Save) -> Journal | None:
        """The journal of this very save; one that an earlier plan of the same name left behind does not count."""
        journal = self._read(save.id)
        return journal if journal is not None and journal.record.plan == pinned(save) else None

    def open(self, save: Save) -> Journal:
        """Create it, or replace a stale one; from here on base and tips cannot be lost."""
        record = Record(pinned(save))
        oid = self._write(record, list(dict.fromkeys([save.base, *(item.tip for item in save.items)])))
        self._repo.refs.force(save_ref(save.id), oid)
        self._names.add(save.id)
        return Journal(oid, record)

    def record_chain(self, journal: Journal, chain: ChainSeen) -> None:
        """Store the merge chain and pin its last link, which holds all others."""
        self._advance(journal, replace(journal.record, chain=chain), [link.head for link in chain.chain[-1:]])

    def record_sealed(self, journal: Journal, commit: Oid) -> None:
        """Store and pin the checkpoint commit."""
        self._advance(journal, replace(journal.record, sealed=commit), [commit])

    def forget(self, saves: Iterable[SaveId]) -> None:
        """Delete journals and the offers of their saves, those that exist, in one process."""
        known = sorted(self._names.intersection(saves))
        found = [journal.record.plan for save in known if (journal := self._read(save)) is not None]
        self._repo.refs.delete([name for plan in found for name in (ready_ref(plan.number), save_ref(plan.id))])
        self._names.difference_update(known)

    def _read(self, save: SaveId) -> Journal | None:
        oid = self._repo.refs.read(save_ref(save))
        if not oid:
            return None
        text = self._repo.commit(oid).message.partition("\n\n")[2]
        return Journal(oid, decode(Record, load_record(KIND, text.encode())))

    def _advance(self, journal: Journal, record: Record, pins: Sequence[Oid]) -> None:
        name = save_ref(record.plan.id)
        if not self._repo.refs.move(name, journal.oid, self._write(record, [journal.oid, *pins])):
            raise OrchdError(f"somebody else moved {name}", "is a second orchd at work here?")

    def _write(self, record: Record, parents: Sequence[Oid]) -> Oid:
        """The record is the message and the tree is the base's own: one object to sync per step."""
        message = f"orchd: save {record.plan.id}\n\n{dump_record(KIND, record).decode()}"
        return self._repo.write_commit(self._repo.tree_of(record.plan.base), parents, message, record.plan.date_ms)


def pinned(save: Save) -> Save:
    """The part of a save that its plan fixed."""
    plan = Save(save.id, save.session, save.base, save.items, save.gates, save.number, save.date_ms)
    return replace(plan, target=save.target, start=save.start, resolving=save.resolving)
