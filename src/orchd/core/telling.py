"""What people read about a task: what happened, on what evidence, and what they can do about it.

Why here: the command line, the audience of a run and later doors must tell the same story, so the sentences are tables
in the core. Rule: every status, reason and cause has an entry, and no sentence claims more than the record proves.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from orchd.core.inert import inert
from orchd.core.tables import tell_span
from orchd.model.ids import TaskId, ready_ref
from orchd.model.save import UNVERIFIED, Checkpoint, Hold, Save, SaveStep
from orchd.model.snapshot import Cause, Decision, State
from orchd.model.work import Reason, Status, Task

SHOWN_ITEMS = 5
SHORT_OID = 12

GATE_RUN = re.compile(r"@[0-9a-f]+\.\d+\.\d+")
"""A run id among the details of a refusal: the run of the gate that was red."""


@dataclass(frozen=True, slots=True)
class Telling:
    """`what` happened, without a full stop; `why` is the evidence line by line; `steps` are what a person can do."""

    what: str
    why: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Need:
    """Something that waits for a person. `since_ms` 0: unknown since when. `command` answers it or shows what to answer."""

    subject: str
    what: str
    since_ms: int
    command: str


LOG = "`orchd logs {id}` shows what it printed"
DIFF = "`git diff {base} {ref}` shows what it changed: nothing is lost"
RETRY = "`orchd retry {id}` runs it again on the present main"
ANEW = "change its file: that starts it anew"

REASONS: Mapping[Reason, Telling] = {
    Reason.EXIT: Telling("its command did not succeed", steps=(LOG, DIFF, RETRY, ANEW)),
    Reason.TIMEOUT: Telling(
        "it ran into its time limit of {limit} and was ended",
        steps=(LOG, DIFF, "raise `timeout:` in its file: that starts it anew", RETRY),
    ),
    Reason.WORKSPACE: Telling(
        "its workspace could not be prepared, or its result could not be taken from it", steps=(LOG, DIFF, RETRY)
    ),
    Reason.NOTHING: Telling(
        "its command reported success but changed nothing",
        steps=(LOG, "if that is right, write `noop: allowed` into its file: that starts it anew", RETRY),
    ),
    Reason.CLAIM: Telling(
        "it changed paths outside its claim",
        steps=("widen `claims:` in its file: that starts it anew", DIFF, RETRY),
    ),
    Reason.POLICY: Telling(
        "its result holds something that may not come in",
        steps=(DIFF, "change its command so that it does not make this: that starts it anew", RETRY),
    ),
    Reason.GATE: Telling(
        "a gate was red on the merged tree", steps=("`orchd logs {gate}` shows what the gate printed", DIFF, RETRY, ANEW)
    ),
    Reason.CONFLICT: Telling(
        "main changed the same lines since it began",
        steps=(RETRY, "or merge `{ref}` by hand and `orchd cancel {id}`", DIFF),
    ),
    Reason.LOST: Telling(
        "its supervisor was gone and had left no exit evidence ({lost} times)",
        steps=(LOG, DIFF, RETRY),
    ),
    Reason.CANCELLED: Telling("somebody cancelled it", steps=(DIFF, RETRY)),
}

CAUSES: Mapping[Cause, str] = {
    Cause.NONE: "nothing holds it back: it starts at the next look",
    Cause.NEEDS: "it needs {others}",
    Cause.BLOCKED: "it cannot start: it needs {others}",
    Cause.AFTER: "it comes after {others}",
    Cause.CLAIM: "its claim `{mine}` meets `{theirs}` of {others}",
    Cause.SLOTS: "all slots are taken by {active}",
    Cause.DRAINING: "orchd is stopping and starts nothing new",
    Cause.NOT_ASKED: "this run was asked for other tasks",
}

CAUSE_STEPS: Mapping[Cause, tuple[str, ...]] = {
    Cause.BLOCKED: ("`orchd explain {first}` says what to do about it", "or take it out of `needs:` in the file of {id}"),
    Cause.DRAINING: ("`orchd run` or `orchd daemon` goes on with it",),
    Cause.NOT_ASKED: ("`orchd run {id}` runs it",),
}

SAVE_STEPS: Mapping[SaveStep, str] = {
    SaveStep.PLANNED: "it is being merged with main",
    SaveStep.MERGED: "the gates run on the merged tree",
    SaveStep.GATED: "it is about to land on main",
    SaveStep.LANDED: "main contains it; the checkpoint is being published",
}

HOLDS: Mapping[Hold, str] = {
    Hold.DIRTY: "it is ready to land, but your checkout of main has changes of its own",
    Hold.UNTRACKED: "it is ready to land, but files that git does not track in your checkout are in the way",
}
HOLD_STEPS = (
    "commit, stash or move these files (`git status` shows them); orchd looks again by itself",
    "or merge it yourself: `git merge {ready}`",
)

UNJUDGED = frozenset({Status.WAITING, Status.RUNNING, Status.STOPPING, Status.WITHDRAWN})

CLAIMED: Mapping[Reason, str] = {
    Reason.EXIT: "its command did not succeed",
    Reason.TIMEOUT: "it had not ended within its limit",
    Reason.WORKSPACE: "",
    Reason.LOST: "",
    Reason.CANCELLED: "",
}
"""What the command itself said. All other reasons stand against a command that reported success."""


def tell_task(task: Task, state: State, decision: Decision | None = None) -> Telling:
    """The story of `task`; `decision` is the arbiter's present word on it, if it waits."""
    if task.status is Status.WAITING:
        return _tell_waiting(task, state, decision)
    return _STATUSES[task.status](task, state)


def tell_claimed(task: Task) -> str:
    """What the command of the last attempt said about itself; empty when it has said nothing (yet)."""
    if task.status in UNJUDGED:
        return ""
    return CLAIMED.get(task.reason, "its command reported success") if task.reason else "its command reported success"


def tell_proven(task: Task, checkpoint: Checkpoint | None) -> str:
    """What orchd has evidence for; `checkpoint` is the one that landed it."""
    if task.status is Status.LANDED:
        gates = f"; {tell_gates(checkpoint)}" if checkpoint else ""
        return f"main contains it since {task.checkpoint} ({task.commit[:SHORT_OID]}){gates}"
    return _PROVEN.get(task.status, "nothing landed").format(ref=short_ref(task.ref))


def tell_gates(checkpoint: Checkpoint) -> str:
    """Whether a checkpoint was gated."""
    if is_verified(checkpoint):
        return f"gates on the tree that landed: {inert(checkpoint.gates)}"
    return f"{UNVERIFIED}: no gates were configured"


def is_verified(checkpoint: Checkpoint) -> bool:
    """Whether any gate judged the tree of this checkpoint."""
    return checkpoint.gates not in ("", UNVERIFIED)


def list_needs(state: State) -> tuple[Need, ...]:
    """What waits for a person, the longest first; what has no date comes last."""
    needs = [
        Need(task.spec.id, tell_task(task, state).what, task.ended_ms, f"orchd retry {task.spec.id}")
        for task in state.tasks.values()
        if task.status is Status.HELD
    ]
    if state.save and state.save.hold:
        what = _with_items(HOLDS[state.save.hold], state.save.hold_detail)
        needs.append(Need(name_items(state.save), what, state.save.date_ms, "git status"))
    if state.problems:
        files = sorted({problem.file for problem in state.problems})
        needs.append(Need(_shorten_list(files), f"{len(state.problems)} problem(s) in input files", 0, "orchd check"))
    return tuple(sorted(needs, key=lambda need: (need.since_ms == 0, need.since_ms)))


def name_items(save: Save) -> str:
    """The tasks that a save still works on."""
    gone = {excluded.item.task for excluded in save.excluded}
    return _shorten_list([item.task for item in save.items if item.task not in gone])


def short_ref(ref: str) -> str:
    """A ref as git takes it on the command line, without the parts that git finds by itself."""
    return ref.removeprefix("refs/heads/").removeprefix("refs/tags/")


def _tell_waiting(task: Task, state: State, decision: Decision | None) -> Telling:
    why = (f"attempt {task.attempt} was lost: its supervisor was gone without evidence",) if task.lost else ()
    if decision is None:
        return Telling(
            "it waits; orchd has not looked at it yet", why, ("`orchd run` or `orchd daemon` starts what can start",)
        )
    facts = _decision_facts(task, state, decision)
    return Telling(
        CAUSES[decision.cause].format_map(facts),
        why,
        tuple(step.format_map(facts) for step in CAUSE_STEPS.get(decision.cause, ())),
    )


def _decision_facts(task: Task, state: State, decision: Decision) -> dict[str, str]:
    mine, theirs = (*map(inert, decision.detail), "**", "**")[:2]
    active = [t.spec.id for t in state.tasks.values() if t.status in (Status.RUNNING, Status.STOPPING)]
    return {
        "id": task.spec.id,
        "first": decision.others[0] if decision.others else task.spec.id,
        "others": _shorten_list([_name_other(other, state) for other in decision.others]) or "another task",
        "active": _shorten_list(active) or "tasks that start now",
        "mine": mine,
        "theirs": theirs,
    }


def _name_other(other: TaskId, state: State) -> str:
    task = state.tasks.get(other)
    if task is None:
        return other
    return f"{other} ({task.status}{f': {task.reason}' if task.reason else ''})"


def _tell_running(task: Task, _: State) -> Telling:
    return Telling(
        f"attempt {task.attempt} runs on {task.base[:SHORT_OID]}",
        (f"its limit is {tell_span(task.spec.timeout_seconds)}",),
        (f"`orchd logs {task.spec.id} -f` follows it", f"`orchd cancel {task.spec.id}` ends it"),
    )


def _tell_stopping(task: Task, _: State) -> Telling:
    return Telling("somebody cancelled it; all its processes are being ended, and its work will be kept")


def _tell_ready(task: Task, state: State) -> Telling:
    under_way = "the save under way comes first" if state.save else "orchd merges it at the next look"
    return Telling(f"its changes stay inside its claim and are on `{short_ref(task.ref)}`; {under_way}")


def _tell_saving(task: Task, state: State) -> Telling:
    if state.save is None:
        return Telling("it is being saved")
    if state.save.hold is None:
        return Telling(SAVE_STEPS[state.save.step], _tell_verdicts(state.save))
    why = (*_tell_verdicts(state.save), *map(inert, state.save.hold_detail))
    steps = tuple(step.format(ready=ready_ref(state.save.number)) for step in HOLD_STEPS)
    return Telling(HOLDS[state.save.hold], why, steps)


def _tell_verdicts(save: Save) -> tuple[str, ...]:
    if not save.gates:
        return (f"{UNVERIFIED}: no gates are configured",)
    return tuple(
        f"gates {'green' if verdict.green else 'red'} on the tree after {verdict.index} of {len(save.chain)} task(s)"
        for verdict in save.verdicts
    )


def _tell_landed(task: Task, _: State) -> Telling:
    undo = f"`git show {task.commit[:SHORT_OID]}` shows the checkpoint" if task.commit else ""
    return Telling(f"main contains it since {task.checkpoint}", steps=(undo,) if undo else ())


def _tell_unchanged(task: Task, _: State) -> Telling:
    what = "it succeeded and left main as it is"
    why = (
        ("its file says that changing nothing is fine",) if task.spec.noop else ("main already had everything that it changed",)
    )
    return Telling(what, why, (f"`orchd retry {task.spec.id}` runs it again",))


def _tell_withdrawn(task: Task, _: State) -> Telling:
    return Telling("its file was removed while it waited", steps=("put its file back to run it",))


def _tell_failed(task: Task, _: State) -> Telling:
    told = (
        REASONS[task.reason]
        if task.reason
        else Telling("it did not land, and no reason was recorded", steps=(LOG, DIFF, RETRY))
    )
    facts = _task_facts(task)
    items = tuple(item for item in task.detail if item != facts["gate"])
    return Telling(
        _with_items(told.what.format_map(facts), items),
        tuple(map(inert, items)) if len(items) > SHOWN_ITEMS else (),
        tuple(step.format_map(facts) for step in told.steps if all(facts[name] for name in _names_in(step))),
    )


def _task_facts(task: Task) -> dict[str, str]:
    """What the sentences may name. An empty fact removes the steps that need it: no work, nothing to diff."""
    return {
        "id": task.spec.id,
        "base": task.base[:SHORT_OID],
        "ref": short_ref(task.ref),
        "limit": tell_span(task.spec.timeout_seconds),
        "lost": str(task.lost),
        "gate": next((item for item in task.detail if GATE_RUN.fullmatch(item)), ""),
    }


def _names_in(template: str) -> list[str]:
    return [name for _, name, _, _ in string.Formatter().parse(template) if name]


def _with_items(what: str, items: tuple[str, ...]) -> str:
    return f"{what}: {_shorten_list(items)}" if items else what


def _shorten_list(items: list[str] | tuple[str, ...]) -> str:
    shown = ", ".join(map(inert, items[:SHOWN_ITEMS]))
    return f"{shown} and {len(items) - SHOWN_ITEMS} more" if len(items) > SHOWN_ITEMS else shown


_STATUSES: Mapping[Status, Callable[[Task, State], Telling]] = {
    Status.RUNNING: _tell_running,
    Status.STOPPING: _tell_stopping,
    Status.READY: _tell_ready,
    Status.SAVING: _tell_saving,
    Status.LANDED: _tell_landed,
    Status.UNCHANGED: _tell_unchanged,
    Status.FAILED: _tell_failed,
    Status.HELD: _tell_failed,
    Status.CANCELLED: _tell_failed,
    Status.WITHDRAWN: _tell_withdrawn,
}

_PROVEN: Mapping[Status, str] = {
    Status.READY: "its changes stay inside its claim (`{ref}`); not merged, not gated",
    Status.SAVING: "its changes stay inside its claim (`{ref}`); a save works on it",
    Status.UNCHANGED: "main needed no change from it",
    Status.HELD: "its changes stay inside its claim (`{ref}`); not landed",
}
