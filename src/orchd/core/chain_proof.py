"""Is what main holds what orchd landed? The chain from the first checkpoint to main's tip, checked link by link.

Rule: only git objects count, never orchd's own state, so anybody can repeat it in a clone. One table row per way in which
a checkpoint can be broken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field

from orchd.model.dataclass import dataclass
from orchd.model.ids import Oid

GOOD, UNSIGNED = "G", "N"
"""What git says of a signature by somebody who may sign, and where there is none."""

PRUNED = "pruned"
"""Begins the line of an audit note that names a tag that was taken away on purpose."""

SAVE, BASE, TASK, CHECKPOINT, UNGATED = "Orch-Save", "Orch-Base", "Orch-Task", "Orch-Checkpoint", "Orch-Gates"
TAGGED = (SAVE, BASE, TASK, CHECKPOINT)
"""Trailers that the tag repeats."""

Trailers = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit with the trailers of its message and its audit note (empty: it has none). `signature` is what git says about
    its signature: GOOD, UNSIGNED, or anything else."""

    oid: Oid
    parents: tuple[Oid, ...]
    tree: Oid
    trailers: Trailers
    note: str = ""
    signature: str = ""

    @property
    def is_checkpoint(self) -> bool:
        """Whether it says so itself."""
        return CHECKPOINT in self.trailers

    def first(self, key: str) -> str:
        """The first value of a trailer; empty when there is none."""
        return "".join(self.trailers.get(key, ())[:1])


@dataclass(frozen=True, slots=True)
class Tag:
    """A checkpoint's tag: its short name, the commit it points at, and its trailers."""

    name: str
    commit: Oid
    trailers: Trailers


@dataclass(frozen=True, slots=True)
class History:
    """`main` is the first-parent chain, the newest first, down to the base of the first checkpoint; `commits` are all that
    main holds and that base does not; `tags` are the checkpoints by name. `guarded`: it is known who may sign.
    `noted`: audit notes came along; a plain clone has none."""

    main: tuple[Oid, ...]
    commits: Mapping[Oid, Commit]
    tags: Mapping[str, Tag] = field(default_factory=dict)
    guarded: bool = False
    noted: bool = True


@dataclass(frozen=True, slots=True)
class Break:
    """Where the chain does not hold."""

    checkpoint: str
    commit: Oid
    what: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found: checkpoints, how many of them no gate judged, commits on main that are no checkpoints, breaks, and
    whether the audit notes were there to be checked."""

    checkpoints: int
    ungated: int
    others: int
    breaks: tuple[Break, ...]
    noted: bool = True


def prove_history(history: History) -> Proof:
    """Check every checkpoint on main, and that main holds every checkpoint."""
    on_main = [history.commits[oid] for oid in history.main if oid in history.commits]
    landed = [commit for commit in on_main if commit.is_checkpoint and not _is_echo(commit, history)]
    merged = _find_merged(history)
    breaks = [one for commit in (*landed, *merged) for one in _find_breaks(commit, history)]
    breaks += _find_lost(history) + _find_repeats(landed + merged)
    breaks += _find_unsigned(landed) + [one for commit in merged for one in _find_unsigned([commit])] if history.guarded else []
    ungated = sum(UNGATED in commit.trailers for commit in (*landed, *merged))
    return Proof(len(landed) + len(merged), ungated, len(on_main) - len(landed), tuple(breaks), history.noted)


def _is_echo(commit: Commit, history: History) -> bool:
    """Whether a person merged the tag of a checkpoint: git copies the words of the tag into the message of the merge."""
    tag = history.tags.get(commit.first(CHECKPOINT))
    return tag is not None and tag.commit in commit.parents[1:]


def _find_merged(history: History) -> list[Commit]:
    """Checkpoints that main had lost and that a person merged back: main holds them, beside its own line."""
    there = frozenset(history.main)
    held = (history.commits[tag.commit] for tag in history.tags.values() if tag.commit in history.commits.keys() - there)
    return [commit for commit in held if commit.is_checkpoint]


def _find_breaks(commit: Commit, history: History) -> Iterator[Break]:
    for what, holds in CHECKS.items():
        if not holds(commit, history):
            yield Break(commit.first(CHECKPOINT), commit.oid, what)


def _find_lost(history: History) -> list[Break]:
    return [
        Break(tag.name, tag.commit, "main does not contain it (any more)")
        for tag in history.tags.values()
        if tag.commit not in history.commits
    ]


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
    return len(commit.parents) == 2 and commit.parents[0] == commit.first(BASE)


def _has_gated_tree(commit: Commit, history: History) -> bool:
    head = history.commits.get(commit.parents[-1]) if commit.parents else None
    return head is not None and head.tree == commit.tree


def _holds_its_tasks(commit: Commit, history: History) -> bool:
    """The merges behind it bring in its tasks' tips, in order; a tip without a merge was there already."""
    tips = [token.split(" ")[-1] for token in commit.trailers.get(TASK, ())]
    merged, at = list[Oid](), history.commits.get(commit.parents[-1]) if commit.parents else None
    while at is not None and at.oid != commit.first(BASE):
        if len(at.parents) != 2:
            return False
        merged.append(at.parents[1])
        at = history.commits.get(at.parents[0])
    merged.reverse()
    held = _reach(commit.oid, history)
    return [tip for tip in tips if tip in merged] == merged and all(tip in held or tip not in history.commits for tip in tips)


def _reach(start: Oid, history: History) -> frozenset[Oid]:
    reached, left = set[Oid](), [start]
    while left:
        oid = left.pop()
        if oid not in reached and oid in history.commits:
            reached.add(oid)
            left += history.commits[oid].parents
    return frozenset(reached)


def _is_tagged(commit: Commit, history: History) -> bool:
    tag = history.tags.get(commit.first(CHECKPOINT))
    if tag is None:
        return f"{PRUNED}: {commit.first(CHECKPOINT)}" in commit.note.splitlines()
    return tag.commit == commit.oid and all(tag.trailers.get(key) == commit.trailers.get(key) for key in TAGGED)


def _is_noted(commit: Commit, history: History) -> bool:
    lines = commit.note.splitlines()
    return not history.noted or (f"save: {commit.first(SAVE)}" in lines and f"commit: {commit.oid}" in lines)


CHECKS: Mapping[str, Callable[[Commit, History], bool]] = {
    "its parents are not the base that it names and one chain of merges": _stands_on_base,
    "its tree is not the one that its chain of merges ends with": _has_gated_tree,
    "the merges behind it are not those of its tasks": _holds_its_tasks,
    "its tag is missing, points elsewhere or says something else": _is_tagged,
    "its audit note is missing or speaks of something else": _is_noted,
}
