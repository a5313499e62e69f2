"""Saves in git: journal, merge chain, checkpoint commit, main, tag, notes. The pure part is `core.saving`.

The journal `refs/orch/save/<id>` is a commit whose history holds base, tips, chain and checkpoint commit, so nothing of
a save can be lost while it lasts. Rule: the tree that lands is the tree that was gated; it is proven here before main
moves and read again afterwards. Moving main is the only public step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import pygit2

import orchd
from orchd.adapters.git_refs import main_ref
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_shared import GitShared
from orchd.adapters.landing_proof import find_refused, is_green, is_sound, last_link, prove_landing
from orchd.adapters.main_move import MainMove, Moved
from orchd.adapters.merge_chain import build_chain
from orchd.adapters.notes import add_notes, has_note, merge_notes, write_notes
from orchd.adapters.save_journal import Journal, SaveJournals
from orchd.adapters.session_lines import GitLines
from orchd.adapters.signing import write_signed
from orchd.core.wording import landed_links, name_checkpoint, word_checkpoint, word_note, word_tag
from orchd.errors import OrchdError
from orchd.model.claim import Lease
from orchd.model.ids import NOTES_REF, SHARED_NOTES, Oid, SaveId, TaskId, integration_branch, ready_ref
from orchd.model.save import Hold, Save, SaveStep, Target
from orchd.model.snapshot import SaveSeen
from orchd.model.tenure import Bid


class GitSaves:
    """`Saves` in git. `lease_of` gives the lease that a task has now; None: it has none. With `shared`, main is
    the shared remote's."""

    def __init__(
        self, repo: GitRepo, branch: str, lease_of: Callable[[TaskId], Lease | None], shared: GitShared | None = None
    ) -> None:
        self._repo = repo
        self._lease_of = lease_of
        self._branch = branch
        self._shared = shared
        self._move = MainMove(repo, branch)
        self._journals = SaveJournals(repo)
        self._lines = GitLines(repo)
        self._move.settle()

    def look(self, save: Save, main: Oid) -> SaveSeen:
        """The evidence for this save now."""
        journal = self._journals.find(save)
        if save.target is Target.LINE:
            chain = journal.record.chain if journal else None
            placed = is_on_line(self._repo, self._lines, save)
            checks = save.step is SaveStep.GATED and save.lands > 0 and not placed
            refused = find_refused(self._repo, save, "", self._lease_of) if checks else ()
            return SaveSeen(save.id, chain, published=placed, refused=refused)
        tag = self._repo.refs.read(f"refs/tags/{name_checkpoint(save)}")
        if journal is None:
            return SaveSeen(save.id, taken=bool(tag))
        sealed = save.commit or journal.record.sealed
        landed = sealed if sealed and self._repo.contains(main, sealed) else ""
        tried = bool(journal.record.sealed) and not landed and main == save.base
        refused = find_refused(self._repo, save, sealed, self._lease_of) if tried and save.step is SaveStep.GATED else ()
        hold, detail = self._find_hold(save) if tried and not refused else (None, ())
        offered = bool(sealed) and self._repo.refs.read(ready_ref(save.number)) == sealed
        published = bool(landed) and self._is_published(save, landed)
        taken = bool(tag) and not landed
        return SaveSeen(save.id, journal.record.chain, landed, hold, detail, offered, published, taken, refused)

    def journals(self) -> frozenset[SaveId]:
        """Saves that have a journal; listed once, because only this daemon writes them."""
        return self._journals.names()

    def merge(self, save: Save, titles: Sequence[str]) -> None:
        """Pin base and tips, build the chain, record it."""
        journal = self._journals.find(save) or self._journals.open(save)
        if journal.record.chain is None:
            chain = build_chain(self._repo, save, titles)
            self._journals.record_chain(journal, chain)

    def land(self, save: Save, titles: Sequence[str], bid: Bid | None = None) -> None:
        """Seal, prove, move main. A lost race or an unclean checkout moves nothing; the latter is offered for merging."""
        journal = self._journals.find(save)
        if journal is None or save.step is not SaveStep.GATED:
            raise OrchdError(f"save {save.id} is not ready to land", "this is a defect of orchd: please report it")
        sealed = journal.record.sealed or self._seal(journal, save, titles)
        self._prove_tokens(save)
        prove_landing(self._repo, save, sealed, self._lease_of)
        if bid is not None and self._shared is not None:
            self._shared.land(bid, save.base, sealed, _published_refs(self._repo, replace(save, commit=sealed), self._shared))
            return
        if self._repo.refs.read(main_ref(self._branch)) != save.base:
            return
        moved = self._move.move(save.base, sealed, f"orchd: land save {save.id}")
        if moved is Moved.HELD:
            self._repo.refs.force(ready_ref(save.number), sealed)
        elif moved is Moved.DONE:
            self._prove_landed(save, sealed)
            self.publish(replace(save, commit=sealed))

    def publish(self, save: Save) -> None:
        """Tag, integration branch, audit notes; each only where it is missing. A line has no tag."""
        if save.target is Target.LINE:
            publish_line(self._repo, self._lines, save)
            return
        name, tag = name_checkpoint(save), _write_tag(self._repo, save)
        ref = f"refs/tags/{name}"
        if not self._repo.refs.move(ref, "", tag) and self._repo.refs.read(ref) != tag:
            raise OrchdError(f"somebody else made the tag {name}", f"look at it with `git show {name}`; remove it to go on")
        self._lines.place(save.session, save.commit)
        add_notes(self._repo, _notes_of(save), save.date_ms)

    def forget(self, saves: Iterable[SaveId]) -> None:
        """Delete journals and offers."""
        self._journals.forget(saves)

    def _find_hold(self, save: Save) -> tuple[Hold | None, tuple[str, ...]]:
        """A checkout is never in the way of a remote's main."""
        links = landed_links(save)
        if self._shared is not None:
            return None, ()
        if save.step is not SaveStep.GATED or not links or links[-1].tree == save.base_tree:
            return None, ()
        return self._move.judge(save.base_tree, links[-1].tree)

    def _is_published(self, save: Save, commit: Oid) -> bool:
        tag = self._repo.refs.read(f"refs/tags/{name_checkpoint(save)}")
        made: object = self._repo.library.get(tag) if tag else None
        tagged = isinstance(made, pygit2.Tag) and str(made.target) == commit
        at_branch = self._repo.refs.read(integration_branch(save.session)) == commit
        return tagged and at_branch and has_note(self._repo, commit, word_note(save, orchd.__version__))

    def _seal(self, journal: Journal, save: Save, titles: Sequence[str]) -> Oid:
        link = last_link(save)
        message = word_checkpoint(save, titles, orchd.__version__)
        commit = write_signed(self._repo, link.tree, [save.base, link.head], message, save.date_ms)
        self._journals.record_sealed(journal, commit)
        return commit

    def _prove_tokens(self, save: Save) -> None:
        """Raises OrchdError when a task of the save is not held under the fence that it was saved with: this process slept,
        and somebody else has decided about the task."""
        items = [link.item for link in landed_links(save)]
        late = [item.task for item in items if _fence(self._lease_of(item.task)) != item.fence]
        if late:
            raise OrchdError(f"save {save.id} must not land: {', '.join(late)} was taken over", "`orchd op log` says by whom")

    def _prove_landed(self, save: Save, sealed: Oid) -> None:
        main = self._repo.refs.read(main_ref(self._branch))
        if not self._repo.contains(main, sealed) or self._repo.tree_of(sealed) != last_link(save).tree:
            raise OrchdError(f"main is at {main} after save {save.id} landed {sealed}", "look at `git reflog` of that branch")


def _fence(lease: Lease | None) -> int | None:
    return lease.fence if lease else None


def _notes_of(save: Save) -> dict[Oid, str]:
    """The audit note of a landed save, on its commit and on the tips that it took."""
    targets = (save.commit, *(link.item.tip for link in landed_links(save)))
    return dict.fromkeys(targets, word_note(save, orchd.__version__))


def _write_tag(repo: GitRepo, save: Save) -> Oid:
    return repo.write_tag(save.commit, name_checkpoint(save), word_tag(save), save.date_ms)


def _published_refs(repo: GitRepo, save: Save, shared: GitShared) -> dict[str, Oid]:
    """What is published together with main in a shared remote. Other clones write notes, too, so ours go onto theirs."""
    notes = write_notes(repo, shared.remote_at(NOTES_REF), _notes_of(save), save.date_ms)
    lines = {ref: merge_notes(repo, shared.remote_at(ref), repo.refs.read(ref), save.date_ms) for ref in SHARED_NOTES}
    news = {ref: oid for ref, oid in lines.items() if oid != shared.remote_at(ref)}
    tag = f"refs/tags/{name_checkpoint(save)}"
    return {tag: _write_tag(repo, save), integration_branch(save.session): save.commit, NOTES_REF: notes, **news}


def publish_line(repo: GitRepo, lines: GitLines, save: Save) -> None:
    """Branch and notes of a save to a line. The tree of the branch is the gated one. Raises OrchdError when it is not."""
    if save.step is not SaveStep.GATED or not is_sound(repo, save) or (save.gates and not is_green(save)):
        raise OrchdError(f"save {save.id} must not be integrated", "this is a defect of orchd: please report it")
    head = last_link(save).head
    lines.place(save.session, head)
    note = word_note(save, orchd.__version__)
    add_notes(repo, dict.fromkeys((head, *(link.item.tip for link in landed_links(save))), note), save.date_ms)


def is_on_line(repo: GitRepo, lines: GitLines, save: Save) -> bool:
    """Whether a save to a line is published."""
    head = last_link(save).head if save.step is SaveStep.GATED and save.lands else ""
    placed = bool(head) and lines.look([save.session]).get(save.session) == head
    return placed and has_note(repo, head, word_note(save, orchd.__version__))
