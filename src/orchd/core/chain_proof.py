"""Is what main holds what orchd landed? The chain from the first checkpoint to main's tip, checked link by link.

Rule: only git objects prove anything, so anybody can repeat it in a clone. One table row per way in which a checkpoint can be
broken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field

from orchd.core.losses import WAIVED, Loss, Work, parse_work, tell_settled, tell_waived
from orchd.model.dataclass import dataclass
from orchd.model.ids import ORCHD_EMAIL, ORCHD_NAME, Oid

GOOD, UNSIGNED = "G", "N"
"""What git says of a signature by somebody who may sign, and where there is none."""

LOST = "main does not contain it"
"""Begins what is said of a checkpoint that main lost."""

COPY = "a copy of a checkpoint, which no gate has judged"
"""Begins what is said of one that a person has waived."""

PRUNED = "pruned"
"""Begins the line of an audit note that names a tag that was taken away on purpose."""

SAVE, BASE, TASK, CHECKPOINT, UNGATED = "Orch-Save", "Orch-Base", "Orch-Task", "Orch-Checkpoint", "Orch-Gates"
TAGGED = (SAVE, BASE, TASK, CHECKPOINT)
"""Trailers that the tag repeats."""

ORCHD = f"{ORCHD_NAME} <{ORCHD_EMAIL}>"

Trailers = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit with the trailers of its message and its audit note (empty: it has none). `signature` is what git says about
    its signature: GOOD, UNSIGNED, or anything else. `by` committed it."""

    oid: Oid
    parents: tuple[Oid, ...]
    tree: Oid
    trailers: Trailers
    note: str = ""
    signature: str = ""
    by: str = ORCHD

    @property
    def is_checkpoint(self) -> bool:
        """Whether it says so itself. So do copies: the message goes along."""
        return CHECKPOINT in self.trailers

    def first(self, key: str) -> str:
        """The first value of a trailer; empty when there is none."""
        return "".join(self.trailers.get(key, ())[:1])


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag where checkpoints have theirs: its short name, the commit it points at, its trailers (a bare name for a commit has
    none), and those of the commit."""

    name: str
    commit: Oid
    trailers: Trailers
    beneath: Trailers = field(default_factory=dict)

    @property
    def words(self) -> Trailers:
        """The trailers by which it is a checkpoint's, its own or those of its commit; none: somebody else's tag is there."""
        return next((said for said in (self.trailers, self.beneath) if said.get(CHECKPOINT) == (self.name,)), {})


@dataclass(frozen=True, slots=True)
class History:
    """`main` is the first-parent chain, the newest first, down to the base of the first checkpoint; `commits` are all that
    main holds and that base does not; `tags` are the checkpoints by name. `guarded`: it is known who may sign.
    `owed`: landings whose note and tag must be here; a plain clone has brought neither of what landed elsewhere. `remarks` are
    the notes on commits that main lost, and on copies. `ends`: where the history of a shallow clone ends; nobody sees parents
    there."""

    main: tuple[Oid, ...]
    commits: Mapping[Oid, Commit]
    tags: Mapping[str, Tag] = field(default_factory=dict)
    guarded: bool = False
    owed: frozenset[Oid] = frozenset()
    remarks: Mapping[Oid, str] = field(default_factory=dict)
    ends: frozenset[Oid] = frozenset()


@dataclass(frozen=True, slots=True)
class Break:
    """Where the chain does not hold, or did not, where a person has said what becomes of that."""

    checkpoint: str
    commit: Oid
    what: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found: checkpoints, how many of them no gate judged, commits on main that are no checkpoints, breaks, how many
    checkpoints have their note or their tag elsewhere, what a person has settled (main lost it, or it is a copy), and how many
    checkpoints reach beyond the end of a shallow history (None: it is whole)."""

    checkpoints: int
    ungated: int
    others: int
    breaks: tuple[Break, ...]
    unseen: int = 0
    settled: tuple[Break, ...] = ()
    cut: int | None = None


def prove_history(history: History) -> Proof:
    """Check every checkpoint on main, and that main holds every checkpoint."""
    waived = _find_waived(history)
    landed = [commit for commit in _list_landed(history) if commit.oid not in waived]
    merged = _find_merged(history)
    breaks = [one for commit in (*landed, *merged) for one in _find_breaks(commit, history)]
    lost, settled = _find_lost(history, landed + merged)
    breaks += lost + _find_repeats(landed + merged)
    breaks += _find_unsigned(landed) + [one for commit in merged for one in _find_unsigned([commit])] if history.guarded else []
    ungated = sum(UNGATED in commit.trailers for commit in (*landed, *merged))
    unseen = sum(commit.oid not in history.owed and lacks_words(commit, history.tags) for commit in (*landed, *merged))
    cut = sum(_is_cut(commit, history) for commit in (*landed, *merged)) if history.ends else None
    settled += waived.values()
    others = sum(oid in history.commits for oid in history.main) - len(landed)
    return Proof(len(landed) + len(merged), ungated, others, tuple(breaks), unseen, tuple(settled), cut)


def _list_landed(history: History) -> list[Commit]:
    """What says on main's own line that it landed there."""
    said = {oid: commit.first(CHECKPOINT) for oid, commit in history.commits.items() if commit.is_checkpoint}
    landed = (history.commits[oid] for oid in history.main if oid in said)
    landed = (commit for commit in landed if not is_echo(commit, lambda oid: said.get(oid, "")))
    return [commit for commit in landed if commit.by == ORCHD or commit.oid not in history.ends]


def list_copies(history: History) -> list[Commit]:
    """What says so and is not what orchd landed: picked, amended or forged. Nobody can tell where the history ends."""
    seen = (commit for commit in _list_landed(history) if commit.oid not in history.ends)
    return [commit for commit in seen if not is_landing(commit, _head_tree(commit, history))]


def _find_waived(history: History) -> dict[Oid, Break]:
    """Copies that a person knows of. They count for nothing, like any commit of a person."""
    told = ((commit, tell_waived(commit.oid, history.remarks.get(commit.oid, ""))) for commit in list_copies(history))
    what = f"{COPY}: {WAIVED} by "
    return {commit.oid: Break(commit.first(CHECKPOINT), commit.oid, what + who) for commit, who in told if who}


def lacks_words(commit: Commit, tags: Mapping[str, Tag]) -> bool:
    """Whether a checkpoint has no audit note, or has no tag of its own though nobody has taken it away on purpose."""
    tag = tags.get(commit.first(CHECKPOINT))
    return not commit.note or (not _is_pruned(commit) if tag is None else tag.commit != commit.oid)


def is_landing(commit: Commit, head_tree: Oid) -> bool:
    """Whether orchd made it where it is, on its base, with the tree that its chain of merges ends with (`head_tree`). No copy
    is like that: picked, amended or rebased it has another parent, another committer or another tree."""
    on_base = len(commit.parents) == 2 and commit.parents[0] == commit.first(BASE)
    return commit.is_checkpoint and on_base and commit.by == ORCHD and commit.tree == head_tree


def is_echo(commit: Commit, checkpoint_at: Callable[[Oid], str]) -> bool:
    """Whether a person merged the tag of a checkpoint: git copies the words of the tag into the message of the merge.
    `checkpoint_at` gives the name that a commit says it has."""
    return commit.first(CHECKPOINT) in map(checkpoint_at, commit.parents[1:])


def _find_merged(history: History) -> list[Commit]:
    """Checkpoints that main had lost and that a person merged back: main holds them, beside its own line."""
    there, tagged = frozenset(history.main), {tag.commit for tag in history.tags.values()}
    beside = (commit for commit in history.commits.values() if commit.is_checkpoint and commit.oid not in there)
    return [commit for commit in beside if commit.oid in tagged or is_landing(commit, _head_tree(commit, history))]


def _find_breaks(commit: Commit, history: History) -> Iterator[Break]:
    for what, holds in CHECKS.items():
        if not holds(commit, history):
            yield Break(commit.first(CHECKPOINT), commit.oid, what)


def _find_lost(history: History, landed: list[Commit]) -> tuple[list[Break], list[Break]]:
    """What main lost and nobody has settled, and what somebody has. In a shallow clone main may have it beyond the end."""
    there = [work for commit in landed for work in _work_of(commit.first(CHECKPOINT), commit.trailers)]
    lost, settled = list[Break](), list[Break]()
    for tag in () if history.ends else history.tags.values():
        if tag.words and tag.commit not in history.commits:
            loss = Loss(tag.name, tag.commit, _work_of(tag.name, tag.words), history.remarks.get(tag.commit, ""))
            said = tell_settled(loss, there)
            what = f"{LOST}: {said}" if said else f"{LOST} (any more)"
            (settled if said else lost).append(Break(tag.name, tag.commit, what))
    return lost, settled


def _work_of(checkpoint: str, trailers: Trailers) -> tuple[Work, ...]:
    return parse_work(checkpoint, trailers.get(TASK, ()))


def _find_unsigned(landed: list[Commit]) -> list[Break]:
    """From the first that was signed on, and in any case the last: whoever may not sign cannot take signatures away again."""
    first = max((at for at, commit in enumerate(landed) if commit.signature != UNSIGNED), default=0)
    return [
        Break(commit.first(CHECKPOINT), commit.oid, "no allowed signer has signed it")
        for commit in landed[: first + 1]
        if commit.signature != GOOD
    ]


def _find_repeats(landed: list[Commit]) -> list[Break]:
    """The same work (task, generation, attempt) in two checkpoints."""
    seen: dict[str, Commit] = {}
    breaks = []
    for commit in reversed(landed):
        for token in commit.trailers.get(TASK, ()):
            first = seen.setdefault(token, commit)
            if first is not commit:
                breaks.append(Break(commit.first(CHECKPOINT), commit.oid, f"{token} had landed before, as {first.oid}"))
    return breaks


def _stands_on_base(commit: Commit, history: History) -> bool:
    return commit.oid in history.ends or (len(commit.parents) == 2 and commit.parents[0] == commit.first(BASE))


def _has_gated_tree(commit: Commit, history: History) -> bool:
    return commit.oid in history.ends or _head_tree(commit, history) == commit.tree


def _head_tree(commit: Commit, history: History) -> Oid:
    head = history.commits.get(commit.parents[-1]) if commit.parents else None
    return head.tree if head else ""


def _is_by_orchd(commit: Commit, history: History) -> bool:
    return commit.by == ORCHD


def _holds_its_tasks(commit: Commit, history: History) -> bool:
    """The merges behind it bring in its tasks' tips, in order; a tip without a merge was there already."""
    if _is_cut(commit, history):
        return True
    tips = [token.split(" ")[-1] for token in commit.trailers.get(TASK, ())]
    merged, at = list[Oid](), history.commits.get(commit.parents[-1]) if commit.parents else None
    while at is not None and at.oid != commit.first(BASE):
        if len(at.parents) != 2:
            return False
        merged.append(at.parents[1])
        at = history.commits.get(at.parents[0])
    merged.reverse()
    held = reach(commit.oid, history)
    return [tip for tip in tips if tip in merged] == merged and all(tip in held or tip not in history.commits for tip in tips)


def reach(start: Oid, history: History) -> frozenset[Oid]:
    """All that a commit holds, as far as the history goes."""
    reached, left = set[Oid](), [start]
    while left:
        oid = left.pop()
        if oid not in reached and oid in history.commits:
            reached.add(oid)
            left += history.commits[oid].parents
    return frozenset(reached)


def _is_cut(commit: Commit, history: History) -> bool:
    """Whether its chain of merges reaches beyond the end of the history."""
    at: Commit | None = commit
    while history.ends and at is not None and at.oid != commit.first(BASE):
        if at.oid in history.ends:
            return True
        at = history.commits.get(at.parents[-1 if at is commit else 0]) if at.parents else None
    return False


def _is_tagged(commit: Commit, history: History) -> bool:
    tag = history.tags.get(commit.first(CHECKPOINT))
    if tag is None:
        return _is_pruned(commit) or commit.oid not in history.owed
    if tag.commit != commit.oid and commit.oid not in history.owed and _is_namesake(tag, history):
        return True
    return tag.commit == commit.oid and all(tag.trailers.get(key) == commit.trailers.get(key) for key in TAGGED)


def _is_namesake(tag: Tag, history: History) -> bool:
    """Whether a tag is that of another landing: two clones that do not share a remote have given the name twice."""
    other = history.commits.get(tag.commit)
    return other is not None and other.first(CHECKPOINT) == tag.name and is_landing(other, _head_tree(other, history))


def _is_noted(commit: Commit, history: History) -> bool:
    lines = commit.note.splitlines()
    unseen = not lines and commit.oid not in history.owed
    return unseen or (f"save: {commit.first(SAVE)}" in lines and f"commit: {commit.oid}" in lines)


def _is_pruned(commit: Commit) -> bool:
    return f"{PRUNED}: {commit.first(CHECKPOINT)}" in commit.note.splitlines()


CHECKS: Mapping[str, Callable[[Commit, History], bool]] = {
    "its parents are not the base that it names and one chain of merges": _stands_on_base,
    "its tree is not the one that its chain of merges ends with": _has_gated_tree,
    "the merges behind it are not those of its tasks": _holds_its_tasks,
    "it is not orchd that committed it": _is_by_orchd,
    "its tag is missing, points elsewhere or says something else": _is_tagged,
    "its audit note is missing or speaks of something else": _is_noted,
}
