"""The only way back for what a run made: a pack is checked aside, judged as git objects, and only then taken in.

Rule: no git process and no library call here ever opens a repository that a task could write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import pygit2

from orchd.adapters import evidence
from orchd.adapters.attic_refs import keep_in_attic
from orchd.adapters.git_objects import FOLDER, LINK, SUBMODULE, parse_trailers
from orchd.adapters.git_refs import main_ref
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_trees import ABSENT, PathChange, TreeDiff, diff_trees, find_entry, read_tree
from orchd.adapters.live_evidence import read_live
from orchd.adapters.patience import outlast
from orchd.adapters.plain_pack import take_plain_pack
from orchd.adapters.put_back import put_back
from orchd.adapters.quarantine import Quarantine, make_quarantine
from orchd.adapters.settle import Unsettled, settle
from orchd.core.answers import find_outside
from orchd.core.chain_proof import CHECKPOINT
from orchd.core.inert import inert
from orchd.core.policy import Change, Folder, Violation, describe, judge, pick_reason
from orchd.core.wording import word_restored
from orchd.errors import GitError, OrchdError
from orchd.model.claim import Mode
from orchd.model.config import Config
from orchd.model.ids import NOWHERE, Oid, RunId, TaskId, task_branch
from orchd.model.limits import RESULT_PACK_BYTES
from orchd.model.run import AdmitOrder, Entry, Exit, Outcome, Returned
from orchd.model.work import Answer, Reason, Rework, StepMade

OPAQUE = frozenset({0, FOLDER, SUBMODULE})
"""Modes of entries without content of their own."""

FINDINGS_PER_FILE = 16
"""Of the allowed number of changed files: so many changes and new folders are looked at before a result is refused whole."""


class GitAirlock:
    """`Airlock` in git. `fence_of` gives the fence of the lease that a task has now; None: it has none."""

    def __init__(self, repo: GitRepo, branch: str, fence_of: Callable[[TaskId], int | None]) -> None:
        self._repo = repo
        self._branch = branch
        self._fence_of = fence_of

    def admit(self, order: AdmitOrder, config: Config) -> None:
        """Judge and take in one result, and leave evidence of it. Repeating it changes nothing."""
        ended = evidence.read_exit(self._repo.place, order.run)
        if ended is None:
            raise OrchdError(f"{order.run} has left no exit evidence", "this is a defect of orchd: please report it")
        made = replace(ended, tip=ended.tip if ended.tip != order.base else "")
        late = self._tell_late(order, ended.fence) if order.accept else ""
        judged = replace(order, accept=order.accept and not late)
        if not (made.tip or made.extra or made.detail) and _is_commit(self._repo, order.start):
            made = replace(made, tip=order.start)  # it changed nothing more; what it began with came in before
        returned = self._take(judged, made, config) if made.tip or made.extra else self._without_tip(judged, ended)
        told = _tell_kept(_fence_off(returned, late), order.run, partial=ended.partial)
        kept = self._keep_live(order, told, made.extra)
        evidence.write_returned(self._repo.place, order.run, replace(kept, steps=_find_steps(self._repo, order, kept, ended)))

    def rework(self, order: AdmitOrder, rework: Rework, config: Config) -> None:
        """See the port. The objects came through the airlock once, so only policy has a word now."""
        late = self._tell_late(order, order.fence) if order.accept else ""
        order = replace(order, accept=order.accept and not late)
        tip, returned = rework.tip, _refuse_whole(f"the held result {rework.tip} is gone")
        if rework.answer is Answer.RESTORE:
            tip, returned = self._restore(order, rework)
        elif isinstance(self._repo.library.get(tip), pygit2.Commit):
            made = _REMADE[rework.answer](self._repo, order, rework, config) if order.accept else tip
            tip, judged = _judge_made(self._repo, order, rework, made, config)
            nothing = judged.entry is Entry.UNCHANGED
            returned = self._keep_tip(order, replace(judged, tip=rework.tip) if nothing else judged)
        returned = _fence_off(returned, late)
        evidence.write_answered(self._repo.place, order.run, tip, order.fence)
        evidence.write_returned(self._repo.place, order.run, returned)

    def _restore(self, order: AdmitOrder, rework: Rework) -> tuple[Oid, Returned]:
        """A tree that was on main before has nothing new that policy could mind; that it was there is proven here."""
        repo, source = self._repo, rework.tip
        if not order.accept or not isinstance(repo.library.get(source), pygit2.Commit):
            return source, Returned(Entry.UNCHANGED)
        if not repo.contains(order.base, source):
            return source, _refuse_whole(f"{source[:12]} is not part of {self._branch}")
        tree, made = repo.tree_of(source), repo.commit(source)
        if tree == repo.tree_of(order.base):
            return source, Returned(Entry.UNCHANGED)
        message = word_restored(source, order.run)
        tip = str(repo.library.create_commit(None, made.author, made.committer, message, tree, [order.base]))
        return tip, self._keep_tip(order, Returned(Entry.ACCEPTED, tip))

    def _tell_late(self, order: AdmitOrder, made: int) -> str:
        """Why a result made under the fence `made` is not the one of the present lease; empty when it is."""
        if made != order.fence:
            return f"it was made under fence {made}, and the claim was granted under fence {order.fence}"
        present = self._fence_of(order.task)
        if present == order.fence:
            return ""
        now = "nobody holds this claim now" if present is None else f"the claim is held under fence {present} now"
        return f"it was made under fence {made}, and {now}"

    def _without_tip(self, order: AdmitOrder, ended: Exit) -> Returned:
        """Nothing was changed; or it could not be collected, and then the workspace is all there is, if one was ever made."""
        if ended.detail and not ended.tip and ended.outcome is not Outcome.UNPREPARED:
            return Returned(Entry.KEPT, reason=Reason.WORKSPACE, detail=(ended.detail,))
        missing = _find_missing(self._repo, order, self._repo.tree_of(order.base)) if order.evidence and order.accept else ()
        return Returned(Entry.UNCHANGED, reason=Reason.EVIDENCE if missing else None, detail=missing)

    def _take(self, order: AdmitOrder, made: Exit, config: Config) -> Returned:
        if made.tip == order.start and not made.extra:
            return self._keep_tip(order, judge_commit(self._repo, order, self._repo.commit(made.tip), config))
        quarantine = make_quarantine(self._repo, order.run)
        try:
            pack = evidence.result_pack(self._repo.place, order.run)
            fault = fill_quarantine(self._repo, quarantine, pack, order.start or order.base)
            returned = _refuse_whole(fault) if fault else self._judge(quarantine, order, made, config)
        except GitError as error:
            returned = Returned(
                Entry.REFUSED, reason=Reason.WORKSPACE, detail=(outlast(self._repo.place, order.run, "check", error),)
            )
        finally:
            quarantine.remove()
        return returned

    def _judge(self, quarantine: Quarantine, order: AdmitOrder, made: Exit, config: Config) -> Returned:
        aside = replace(self._repo, library=quarantine.open())
        for oid in filter(None, (made.tip, made.extra)):
            if not isinstance(aside.library.get(oid), pygit2.Commit):
                return _refuse_whole(f"its tip {oid} is not a commit of the pack")
        judged = judge_commit(aside, order, aside.commit(made.tip), config) if made.tip else Returned(Entry.UNCHANGED)
        aside.library.free()
        quarantine.release()
        kept = self._keep_tip(order, judged) if made.tip else judged
        return self._keep_extra(order, kept, made.extra) if made.extra else kept

    def _keep_tip(self, order: AdmitOrder, judged: Returned) -> Returned:
        if judged.entry is Entry.ACCEPTED:
            return replace(judged, ref=self._move_branch(order, judged.tip))
        return replace(judged, ref=keep_in_attic(self._repo, order.task, judged.tip))

    def _keep_extra(self, order: AdmitOrder, kept: Returned, extra: Oid) -> Returned:
        """The commits that the result lacks go to the attic too; where there is no result they are all there is."""
        name = keep_in_attic(self._repo, order.task, extra)
        detail = (*kept.detail, f"commits that are not part of its result are kept as {name}")
        return replace(kept, tip=kept.tip or extra, ref=kept.ref or name, detail=detail)

    def _move_branch(self, order: AdmitOrder, tip: Oid) -> str:
        """The task's branch at `tip`; what it held before is kept unless main has it."""
        branch = task_branch(order.session, order.task)
        while (old := self._repo.refs.read(branch)) != tip:
            if old and not self._repo.contains(self._repo.refs.read(main_ref(self._branch)), old):
                keep_in_attic(self._repo, order.task, old)
            if self._repo.refs.move(branch, old, tip, f"orchd: {order.run}"):
                break
        return branch

    def _keep_live(self, order: AdmitOrder, returned: Returned, extra: Oid) -> Returned:
        """What the task had committed while it ran, and what its result does not hold, goes to the attic."""
        live = read_live(self._repo.place, order.run)
        if live is None or not live.tip or live.tip == order.base:
            return returned
        holders = [oid for oid in (returned.tip, extra) if oid and self._repo.library.get(oid)]
        if any(self._repo.contains(holder, live.tip) for holder in holders):
            return returned
        name = keep_in_attic(self._repo, order.task, live.tip)
        told = replace(returned, detail=(*returned.detail, f"what it had committed while it ran is kept as {name}"))
        return replace(told, tip=live.tip, ref=name) if told.entry is Entry.UNCHANGED and not told.ref else told


def _find_steps(repo: GitRepo, order: AdmitOrder, kept: Returned, ended: Exit) -> tuple[StepMade, ...]:
    """The checkpoints that are held by what was kept, or that are nothing new."""
    known = [one for one in ended.steps if _is_commit(repo, one.commit)]
    begun = order.start or order.base
    return tuple(one for one in known if one.commit == begun or (kept.ref and repo.contains(kept.tip, one.commit)))


def _is_commit(repo: GitRepo, oid: Oid) -> bool:
    found: object = repo.library.get(oid) if oid else None
    return isinstance(found, pygit2.Commit)


def fill_quarantine(repo: GitRepo, quarantine: Quarantine, pack: Path, base: Oid) -> str:
    """What is wrong with the pack; empty when its objects are in the quarantine now."""
    if not pack.is_file():
        return "its pack is missing"
    if pack.stat().st_size > RESULT_PACK_BYTES:
        return f"its pack is larger than {RESULT_PACK_BYTES} bytes"
    if take_plain_pack(repo, quarantine.folder, pack, base):
        return ""
    fault = quarantine.unpack(pack)
    return f"git refuses its pack: {fault}" if fault else ""


def _take_as_it_is(repo: GitRepo, order: AdmitOrder, rework: Rework, config: Config) -> Oid:
    return rework.tip


def _drop_outside(repo: GitRepo, order: AdmitOrder, rework: Rework, config: Config) -> Oid:
    changes = list(_diff(repo, order, rework.tip, config).paths)
    kinds = [_describe_change(repo, path, compare=True) for path in changes]
    strayed = set(find_outside(kinds, order.claims))
    outside = [path for path, kind in zip(changes, kinds, strict=True) if kind in strayed]
    return put_back(repo, order.base, rework.tip, outside, order.run) if outside else rework.tip


def _settle(repo: GitRepo, order: AdmitOrder, rework: Rework, config: Config) -> Oid | Unsettled:
    return settle(repo, rework, order.run)


_REMADE: Mapping[Answer, Callable[[GitRepo, AdmitOrder, Rework, Config], Oid | Unsettled]] = {
    Answer.WIDEN: _take_as_it_is,
    Answer.DROP: _drop_outside,
    Answer.OURS: _settle,
    Answer.THEIRS: _settle,
    Answer.FILES: _settle,
    Answer.EARLIER: _settle,
}
"""What a held result becomes by an answer, or why it becomes nothing."""


def _judge_made(
    repo: GitRepo, order: AdmitOrder, rework: Rework, made: Oid | Unsettled, config: Config
) -> tuple[Oid, Returned]:
    """The commit that counts, and the judgement of what an answer came to, or of why it came to nothing."""
    if isinstance(made, Unsettled):
        return rework.tip, Returned(Entry.REFUSED, rework.tip, "", made.reason, tuple(map(inert, made.why)))
    return made, judge_commit(repo, order, repo.commit(made), config)


def _fence_off(returned: Returned, late: str) -> Returned:
    """What becomes of a result that is `late`, and why it is; empty: it is not."""
    return replace(returned, entry=Entry.REFUSED, reason=Reason.FENCED, detail=(late, *returned.detail)) if late else returned


def _tell_kept(returned: Returned, run: RunId, *, partial: bool) -> Returned:
    """With a word about the workspace where it is kept because there is more in it than any ref holds."""
    known = replace(returned, partial=returned.partial or partial)
    lost = not known.ref and known.entry is not Entry.UNCHANGED
    why = "a repository inside it is not part of its result; " if known.partial else ""
    told = f"{why}the workspace of {run} is kept: `orchd attic list` says where"
    return replace(known, detail=(*known.detail, told)) if known.partial or lost else known


def _refuse_whole(fault: str) -> Returned:
    return Returned(Entry.REFUSED, reason=Reason.POLICY, detail=tuple(fault.splitlines()))


def judge_commit(aside: GitRepo, order: AdmitOrder, commit: pygit2.Commit, config: Config) -> Returned:
    """What becomes of a commit; where it is kept is not said yet."""
    judged = _pick_entry(aside, order, commit, config)
    if not _brings_repositories(aside, order.base, str(commit.tree_id)):
        return judged
    return replace(judged, partial=True)


def _pick_entry(aside: GitRepo, order: AdmitOrder, commit: pygit2.Commit, config: Config) -> Returned:
    """Work that is only to be kept is not judged."""
    tip = str(commit.id)
    if not order.accept:
        return Returned(Entry.KEPT, tip)
    violations = _find_violations(aside, order, tip, config)
    if violations:
        return Returned(Entry.REFUSED, tip, "", pick_reason(violations), describe(violations))
    missing = _find_missing(aside, order, str(commit.tree_id))
    if missing:
        return Returned(Entry.REFUSED, tip, "", Reason.EVIDENCE, missing)
    same = str(commit.tree_id) == aside.tree_of(order.base)
    return Returned(Entry.UNCHANGED if same else Entry.ACCEPTED, tip)


def _find_missing(repo: GitRepo, order: AdmitOrder, tree: Oid) -> tuple[str, ...]:
    """What of the declared evidence is not in the result; nothing is asked of work that is only kept."""
    wanted = order.evidence if order.accept else ()
    return tuple(f"{inert(path)} is not there" for path in wanted if find_entry(repo, tree, path) == ABSENT)


def _brings_repositories(aside: GitRepo, base: Oid, tree: Oid) -> bool:
    """Whether the tree has a submodule that the base (which may be unknown) has not, or has at another commit."""
    known: object = aside.library.get(base) if base else None
    waiting, seen = [(str(known.tree_id) if isinstance(known, pygit2.Commit) else "", tree)], set[tuple[Oid, Oid]]()
    while waiting:
        pair = waiting.pop()
        if pair in seen:  # a few crafted trees can spell endless folders
            continue
        seen.add(pair)
        before, after = read_tree(aside, pair[0]), read_tree(aside, pair[1])
        changed = [(before.get(name, ABSENT), entry) for name, entry in after.items() if before.get(name) != entry]
        if any(new.mode == SUBMODULE for _, new in changed):
            return True
        waiting += [(old.oid if old.mode == FOLDER else "", new.oid) for old, new in changed if new.mode == FOLDER]
    return False


def _find_violations(aside: GitRepo, order: AdmitOrder, tip: Oid, config: Config) -> tuple[Violation, ...]:
    if not aside.contains(tip, order.base):
        return (Violation(Reason.POLICY, "", "its history does not contain the commit that it was started from"),)
    if forged := _find_forged(aside, order.base, tip):
        return (Violation(Reason.POLICY, "", f"its commit {forged} says that it is a checkpoint of orchd (`{CHECKPOINT}:`)"),)
    diff = _diff(aside, order, tip, config)
    if not diff.complete:
        return (
            Violation(Reason.POLICY, "", f"more changes than can be judged; at most {config.changed_files} files may come in"),
        )
    compare = any(claim.mode is Mode.APPEND for claim in order.claims)
    changes = [_describe_change(aside, path, compare=compare) for path in diff.paths]
    return judge(changes, [Folder(one.path, one.names, one.added) for one in diff.folders], order.claims, config)


def _find_forged(aside: GitRepo, base: Oid, tip: Oid) -> Oid:
    """The first new commit that says it is a checkpoint and has not its tag; empty: there is none. A clone would take it for a
    landing, and the tasks that it names for landed."""
    for commit in _list_new(aside, base, tip):
        names = parse_trailers(commit.raw_message.decode(errors="replace")).get(CHECKPOINT, ())
        if names and not _is_tagged(aside, names[0], commit):
            return str(commit.id)
    return ""


def _list_new(aside: GitRepo, base: Oid, tip: Oid) -> Iterable[pygit2.Commit]:
    """Nearly always it is one; to walk costs more than to look."""
    commit = aside.commit(tip)
    if [str(parent) for parent in commit.parent_ids] == [base]:
        return (commit,)
    walker = aside.library.walk(tip)
    walker.hide(base)
    return walker


def _is_tagged(repo: GitRepo, name: str, commit: pygit2.Commit) -> bool:
    """A landed checkpoint that a task merged is nothing new."""
    ref = f"refs/tags/{name}"
    tag = repo.library.get(repo.refs.read(ref) or NOWHERE) if pygit2.reference_is_valid_name(ref) else None
    return isinstance(tag, pygit2.Tag) and tag.target == commit.id


def _diff(aside: GitRepo, order: AdmitOrder, tip: Oid, config: Config) -> TreeDiff:
    return diff_trees(aside, aside.tree_of(order.base), aside.tree_of(tip), FINDINGS_PER_FILE * config.changed_files)


def _describe_change(aside: GitRepo, path: PathChange, *, compare: bool) -> Change:
    """`compare` says whether anybody asks for the old content."""
    size = aside.size_of(path.new.oid) if path.new.mode not in OPAQUE else 0
    target = aside.read(path.new.oid).decode("utf-8", "surrogateescape") if path.new.mode == LINK else ""
    appended = compare and not {path.old.mode, path.new.mode} & OPAQUE and _appends(aside, path)
    return Change(path.path, path.old.mode, path.new.mode, size, target, appended)


def _appends(aside: GitRepo, path: PathChange) -> bool:
    return aside.read(path.new.oid).startswith(aside.read(path.old.oid))
