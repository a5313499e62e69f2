"""What people read about a task: what happened, on what evidence, and what they can do about it.

Why here: the command line, the audience of a run and later doors must tell the same story, so the sentences are tables
in the core. Rule: every status, reason and cause has an entry, and no sentence claims more than the record proves.
"""

from __future__ import annotations

import itertools
import re
import shlex
import string
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import field, replace

from orchd.core.conflicts import tell_conflicts
from orchd.core.exit_words import tell_expiry
from orchd.core.gating import was_screened_out
from orchd.core.gone import list_lost
from orchd.core.inert import inert
from orchd.core.outlooks import tell_recovery
from orchd.core.phrases import (
    ASK_AGAIN,
    BACK,
    BUSY_STEPS,
    CAUSE_STEPS,
    CAUSES,
    CHANGES,
    COPIED,
    DIFF,
    EXPIRED,
    FOLLOW_UP,
    GIT_IS_BUSY,
    GO_ON,
    HOLD_STEPS,
    HOLDS,
    LOG,
    LOST_BEFORE,
    NO_COMMAND,
    NO_ROOM_ALONE,
    REASONS,
    RESTORES,
    RETRY,
    REWORK,
    SAVE_STEPS,
    SCREENED_OUT,
    SETTLED_BEFORE,
    UNSERVED,
    Telling,
)
from orchd.core.progress import name_items, shorten_list
from orchd.core.screens import is_cleared, list_held
from orchd.core.session_telling import list_unsaved, tell_integrated, tell_screening, tell_wait_for_save, waits_for_person
from orchd.core.statuses import FINISHED, SUCCEEDED, has_strayed, is_open_question, may_lack
from orchd.core.steps import list_left
from orchd.core.tables import tell_span
from orchd.core.waits import tell_more, tell_refused
from orchd.model.agent import AgentsSeen
from orchd.model.claim import Reservation
from orchd.model.config import Config
from orchd.model.dataclass import dataclass
from orchd.model.ids import NOWHERE, SHORT_OID, TaskId, integration_branch, ready_ref
from orchd.model.save import UNVERIFIED, Checkpoint, Hold, Save, Target
from orchd.model.snapshot import Cause, Decision, State
from orchd.model.work import Answer, Reason, Rework, Source, Status, Task

GATE_RUN = re.compile(r"@[0-9a-f]+\.\d+\.\d+")
"""A run id among the details of a refusal: the run of the gate that was red."""


PLAIN_CONFIG = Config()
NO_AGENTS = AgentsSeen()


@dataclass(frozen=True, slots=True)
class Scene:
    """What is seen around the state. `branch`: where tasks land; `served`: whether an orchd works here now; `archived`:
    tasks that others name and that the state at hand does not hold; `files`: the ids that have a task file now (None: not
    looked at); `checkpoint`: the one that landed the task; `contained`: whether the branch still contains it;
    `kept`: what people keep for themselves now; `config` and `now_ms` say when saves are due; `alarms` are trouble that is
    nobody's task; `agents` can do goals; `settled` are tasks whose whole conflict was settled before."""

    branch: str = "main"
    served: bool = True
    archived: Mapping[TaskId, Task] = field(default_factory=dict)
    files: frozenset[TaskId] | None = None
    checkpoint: Checkpoint | None = None
    contained: bool = True
    kept: tuple[Reservation, ...] = ()
    config: Config = PLAIN_CONFIG
    now_ms: int = 0
    alarms: tuple[Need, ...] = ()
    agents: AgentsSeen = NO_AGENTS
    settled: frozenset[TaskId] = frozenset()

    def lacks_file(self, task: Task) -> bool:
        """Whether the file that `task` came from is gone, so that it would be withdrawn when it waits."""
        return self.files is not None and task.source is not Source.INBOX and task.spec.id not in self.files


SCENE = Scene()


@dataclass(frozen=True, slots=True)
class Need:
    """Something that waits for a person. `since_ms` 0: unknown since when. `command` answers it or shows what to answer."""

    subject: str
    what: str
    since_ms: int
    command: str


UNJUDGED = frozenset({Status.WAITING, Status.RUNNING, Status.STOPPING, Status.WITHDRAWN})

CLAIMED: Mapping[Reason, str] = {
    Reason.EXIT: "its command did not succeed",
    Reason.TIMEOUT: "it had not ended within its limit",
    Reason.AGENT: "its agent did not say that it was done, or that something was refused to it",
    Reason.WORKSPACE: "",
    Reason.LOST: "",
    Reason.CANCELLED: "",
}
"""What the command itself said. All other reasons stand against a command that reported success."""


def tell_task(task: Task, state: State, decision: Decision | None = None, scene: Scene = SCENE) -> Telling:
    """The story of `task`; `decision` is the arbiter's present word on it, if it waits."""
    if task.status is Status.WAITING:
        return _warn(_tell_waiting(task, state, decision, scene), task, {**scene.archived, **state.tasks})
    told = _foresee(_STATUSES[task.status](task, state, scene), task, state)
    told = _warn(told, task, {**scene.archived, **state.tasks})
    stands = task.status not in FINISHED and not scene.served
    return replace(told, steps=(*told.steps, UNSERVED)) if stands else told


def _warn(told: Telling, task: Task, known: Mapping[TaskId, Task]) -> Telling:
    """With what it goes on, or was done, without."""
    lines, recovery = list_warnings(task, known), tell_recovery(task)
    more = (f"recovery: {recovery}",) if recovery else ()
    return replace(told, what="; ".join((told.what, *lines)), why=(*told.why, *lines, *more)) if lines or more else told


def list_warnings(task: Task, known: Mapping[TaskId, Task]) -> tuple[str, ...]:
    """What a task is without, line by line: optional steps that could not be done, optional tasks that failed."""
    steps = (f"without its optional step `{name}`, which failed" for name in task.skipped)
    lacked = (name for name in task.spec.needs if name in known and may_lack(known[name]))
    return (*steps, *(f"without `{name}`, which is optional and failed" for name in lacked))


def _foresee(told: Telling, task: Task, state: State) -> Telling:
    """With the conflicts that are predicted for it, and what it asked for in vain."""
    lines, vain = tell_conflicts(task.spec.id, state.conflicts), tell_refused(task.spec.id, state)
    more = f" (and {len(lines) - 1} more)" if lines[1:] else ""
    what = f"{told.what}; {lines[0]}{more}" if lines else told.what
    return replace(told, what=what, why=(*told.why, *lines, *vain))


def tell_claimed(task: Task) -> str:
    """What the command of the last attempt said about itself; empty when it has said nothing (yet)."""
    if task.status in UNJUDGED:
        return ""
    return CLAIMED.get(task.reason, "its command reported success") if task.reason else "its command reported success"


def tell_proven(task: Task, scene: Scene = SCENE) -> str:
    """What orchd has evidence for."""
    if task.status is Status.LANDED:
        gates = f"; {tell_gates(scene.checkpoint)}" if scene.checkpoint else ""
        return f"{_tell_where(task, scene)} ({task.commit[:SHORT_OID]}){gates}"
    if has_strayed(task) or (task.status is Status.UNCHANGED and task.detail):
        return "nothing landed"
    return _PROVEN.get(task.status, "nothing landed").format(ref=short_ref(task.ref), branch=scene.branch)


def tell_gates(checkpoint: Checkpoint) -> str:
    """Whether a checkpoint was gated."""
    if is_verified(checkpoint):
        return f"gates on the tree that landed: {inert(checkpoint.gates)}"
    return f"{UNVERIFIED}: no gates were configured"


def is_verified(checkpoint: Checkpoint) -> bool:
    """Whether any gate judged the tree of this checkpoint."""
    return checkpoint.gates not in ("", UNVERIFIED)


def list_needs(state: State, scene: Scene = SCENE) -> tuple[Need, ...]:
    """What waits for a person: alarms, then the longest first; what has no date comes last."""
    needs = [
        Need(task.spec.id, _tell_question(task, state, scene), task.ended_ms, _answer(task, scene))
        for task in state.tasks.values()
        if task.status is Status.HELD
    ]
    needs += _list_gone(state, scene)
    needs += [
        Need(f"session {name}", what, 0, f"orchd session {'resume' if session.paused else 'land'} {name}")
        for name, session in state.sessions.items()
        if (what := waits_for_person(session, state))
    ]
    needs += [
        Need(f"session {name}", f"{count} task(s) are done and wait for a save", since_ms, f"orchd save {name}")
        for name, (count, since_ms) in list_unsaved(state, scene.config).items()
    ]
    if state.save and state.save.hold:
        facts, items = _hold_facts(state.save, scene)
        what = _with_items(HOLDS[state.save.hold].format_map(facts), items)
        shows = "df -h" if state.save.hold is Hold.ROOM else f"{facts['git']} status"
        needs.append(Need(name_items(state.save), what, state.save.date_ms, shows))
    needs += [Need(one.items[0].task, NO_ROOM_ALONE, one.date_ms, "df -h") for one in list_held(state)]
    if state.problems:
        files = sorted({problem.file for problem in state.problems})
        needs.append(Need(shorten_list(files), f"{len(state.problems)} problem(s) in input files", 0, "orchd check"))
    return (*scene.alarms, *sorted(needs, key=lambda need: (need.since_ms == 0, need.since_ms)))


def _list_gone(state: State, scene: Scene) -> Iterator[Need]:
    """The tasks that wait for work that somebody took out of the branch."""
    known = {**scene.archived, **state.tasks}
    for task in state.tasks.values() if state.gone else ():
        lost = list_lost(task.spec.needs, known, state.gone) if task.status is Status.WAITING else ()
        if lost:
            what = f"it needs {shorten_list(lost)}, and {scene.branch} does not contain that work any more"
            yield Need(task.spec.id, what, 0, f"orchd explain {task.spec.id}")


def _tell_question(task: Task, state: State, scene: Scene) -> str:
    what = tell_task(task, state, scene=scene).what
    return f"{what}; {SETTLED_BEFORE.format(task=task.spec.id)}" if task.spec.id in scene.settled else what


def _answer(task: Task, scene: Scene) -> str:
    if is_open_question(task):
        return f"orchd answer {task.spec.id}"
    return f"orchd {'explain' if scene.lacks_file(task) else 'retry'} {task.spec.id}"


def short_ref(ref: str) -> str:
    """A ref as git takes it on the command line, without the parts that git finds by itself."""
    return ref.removeprefix("refs/heads/").removeprefix("refs/tags/")


def tell_rework(rework: Rework) -> str:
    """What becomes of a result that is taken up, or of a tree that comes back."""
    words = RESTORES if rework.answer is Answer.RESTORE else REWORK
    return words.format(tip=rework.tip[:SHORT_OID])


def _tell_waiting(task: Task, state: State, decision: Decision | None, scene: Scene) -> Telling:
    lost = (LOST_BEFORE.format(attempt=task.attempt), *map(inert, task.detail)) if task.lost else ()
    why = (*lost, tell_rework(task.rework)) if task.rework else (*lost, *_tell_earlier(task))
    if decision is None:
        return Telling(
            "it waits; orchd has not looked at it yet", why, ("`orchd run` or `orchd daemon` starts what can start",)
        )
    if decision.cause is Cause.NONE and not scene.served:
        return Telling(f"nothing holds it back, but {UNSERVED}", why)
    known = {**scene.archived, **state.tasks}
    roots = _find_roots(decision, known, state.gone)
    facts = {**_decision_facts(task, decision, known), "branch": scene.branch, **({"first": roots[0]} if roots else {})}
    stuck = tuple(f"{_name_other(root, known)} holds back {facts['others']}" for root in roots)
    steps = CAUSE_STEPS.get(Cause.BLOCKED if roots else decision.cause, ())
    told = tuple(step.format_map(facts) for step in steps)
    served = () if scene.served or decision.cause is Cause.BLOCKED or roots else (UNSERVED,)
    lands = tuple(dict.fromkeys(_landing_step(known[name]) for name in decision.others if _is_integrated(name, known)))
    return Telling("; ".join((CAUSES[decision.cause].format_map(facts), *stuck)), why, (*told, *lands, *served))


def _is_integrated(name: TaskId, known: Mapping[TaskId, Task]) -> bool:
    return name in known and known[name].status is Status.INTEGRATED


def _landing_step(task: Task) -> str:
    return f"`orchd session land {task.spec.session}` lands {task.spec.id}"


def _find_roots(decision: Decision, known: Mapping[TaskId, Task], gone: Collection[TaskId]) -> tuple[TaskId, ...]:
    """Where the decision is to wait for tasks that cannot start themselves: those behind them that ended badly, or whose work
    is gone."""
    roots: dict[TaskId, None] = {}
    left, passed = list(decision.others) if decision.cause is Cause.NEEDS else [], set[TaskId]()
    while left:
        name = left.pop(0)
        if name in passed or name not in known:
            continue
        passed.add(name)
        if known[name].status is Status.WAITING:
            left += known[name].spec.needs
        elif (known[name].status in FINISHED - SUCCEEDED and not may_lack(known[name])) or list_lost((name,), known, gone):
            roots[name] = None
    return tuple(roots)


def _decision_facts(task: Task, decision: Decision, known: Mapping[TaskId, Task]) -> dict[str, str]:
    mine, theirs, keeper = (*map(inert, decision.detail), "**", "**", "")[:3]
    active = [t.spec.id for t in known.values() if t.status in (Status.RUNNING, Status.STOPPING)]
    return {
        "id": task.spec.id,
        "first": decision.others[0] if decision.others else task.spec.id,
        "others": shorten_list([_name_other(other, known) for other in decision.others]) or "another task",
        "active": shorten_list(active) or "tasks that start now",
        "mine": mine,
        "theirs": theirs,
        "keeper": keeper,
    }


def _name_other(other: TaskId, known: Mapping[TaskId, Task]) -> str:
    task = known.get(other)
    if task is None:
        return other
    reason = f": {task.reason}" if task.reason and str(task.reason) != str(task.status) else ""
    return f"{other} ({task.status}{reason})"


def _tell_running(task: Task, state: State, scene: Scene) -> Telling:
    lease = state.leases.get(task.spec.id)
    if lease is not None and lease.expired_ms:
        return Telling(EXPIRED.format(attempt=task.attempt), tell_expiry(lease), (LOG.format(id=task.spec.id),))
    if task.rework:
        return Telling(tell_rework(task.rework))
    more = map(inert, tell_more(task.spec.id, state, scene.kept))
    return Telling(
        "; ".join((f"attempt {task.attempt} runs on {task.base[:SHORT_OID]}", *more)),
        (*_tell_earlier(task), f"its limit is {tell_span(task.spec.timeout_seconds)}"),
        (f"`orchd logs {task.spec.id} -f` follows it", f"`orchd cancel {task.spec.id}` ends it"),
    )


def _tell_earlier(task: Task) -> tuple[str, ...]:
    return (FOLLOW_UP.format(tip=task.earlier.tip[:SHORT_OID]),) if task.earlier else ()


def _tell_stopping(task: Task, _: State, __: Scene) -> Telling:
    return Telling("somebody cancelled it; all its processes are being ended, and its work will be kept")


def _tell_ready(task: Task, state: State, scene: Scene) -> Telling:
    proven = f"its changes stay inside its claim and are on `{short_ref(task.ref)}`"
    if not is_cleared(task, state, scene.config):
        return tell_screening(task, state, scene.config, proven)
    waits = tell_wait_for_save(task, state, scene.config, scene.now_ms)
    if waits:
        return Telling(f"{proven}; {waits}", steps=(f"`orchd save {task.spec.session}` saves it now",))
    merged = "; orchd merges it at the next look" if scene.served else ""
    return Telling(f"{proven}{'; the save under way comes first' if state.save else merged}")


def _tell_integrated(task: Task, state: State, scene: Scene) -> Telling:
    return tell_integrated(task, state, scene.branch)


def _tell_saving(task: Task, state: State, scene: Scene) -> Telling:
    save = state.save
    if save is None:
        return Telling("it is being saved")
    if save.hold is None:
        line = short_ref(integration_branch(save.session))
        branch = line if save.target is Target.LINE else scene.branch
        return Telling(SAVE_STEPS[save.step].format(branch=branch), _tell_verdicts(save))
    facts, items = _hold_facts(save, scene)
    busy = save.hold is Hold.DIRTY and any(map(GIT_IS_BUSY.match, items))
    steps = tuple(step.format_map(facts) for step in (BUSY_STEPS if busy else HOLD_STEPS[save.hold]))
    return Telling(HOLDS[save.hold].format_map(facts), (*_tell_verdicts(save), *map(inert, items)), steps)


def _hold_facts(save: Save, scene: Scene) -> tuple[dict[str, str], tuple[str, ...]]:
    """What the sentences about a hold may name, and what is in the way. A first detail `in FOLDER` names another work
    tree than the repository's own."""
    first = save.hold_detail[0] if save.hold_detail else ""
    folder = first.removeprefix("in ") if first.startswith("in /") else ""
    items = save.hold_detail[1:] if folder else save.hold_detail
    return {
        "branch": scene.branch,
        "where": f" in {inert(folder)}" if folder else "",
        "git": f"git -C {inert(shlex.quote(folder))}" if folder else "git",
        "ready": ready_ref(save.number),
        "files": shorten_list(items) or "these files",
    }, items


def _tell_verdicts(save: Save) -> tuple[str, ...]:
    if not save.gates:
        return (f"{UNVERIFIED}: no gates are configured",)
    return tuple(
        f"gates {'green' if verdict.green else 'red'} on the tree after {verdict.index} of {len(save.chain)} task(s)"
        for verdict in save.verdicts
    )


def _tell_landed(task: Task, _: State, scene: Scene) -> Telling:
    gates = (tell_gates(scene.checkpoint),) if scene.checkpoint else ()
    here = task.commit if task.commit != NOWHERE else ""
    commit = (f"its checkpoint is the commit {here[:SHORT_OID]}" if here else COPIED,) if task.commit else ()
    show = (f"`git show {here[:SHORT_OID]}` shows the checkpoint",) if here else ()
    tag = task.checkpoint if scene.checkpoint else ""
    merge = (f"`git merge {tag or here[:SHORT_OID]}` on {scene.branch} brings it back",) if tag or here else ()
    waive = (f"`orchd waive {tag}` says that it is not wanted back",) if tag else ()
    back = () if scene.contained else (*merge, _retry_step(task, scene).format_map(_task_facts(task, scene)), *waive)
    return Telling(_tell_where(task, scene), (*commit, *gates, *_tell_work(task)), (*show, *back))


def _tell_where(task: Task, scene: Scene) -> str:
    lost = f"it landed as {task.checkpoint}, but {scene.branch} does not contain it any more"
    return f"{scene.branch} contains it since {task.checkpoint}" if scene.contained else lost


def _tell_unchanged(task: Task, _: State, scene: Scene) -> Telling:
    what = f"it succeeded and left {scene.branch} as it is"
    had = f"{scene.branch} already had everything that it changed"
    why = ("its file says that changing nothing is fine",) if task.spec.noop else (had,)
    facts = _task_facts(task, scene)
    again = (_retry_step(task, scene).format_map(facts),)
    if task.detail:
        return Telling(f"{inert(task.detail[0])}; {scene.branch} stays as it is", _tell_work(task), again)
    return Telling(what, why, again)


def _tell_withdrawn(task: Task, _: State, __: Scene) -> Telling:
    return Telling("its file was removed while it waited", steps=("put its file back to run it",))


def _tell_failed(task: Task, state: State, scene: Scene) -> Telling:
    told = (
        REASONS[task.reason]
        if task.reason
        else Telling("it did not land, and no reason was recorded", steps=(LOG, DIFF, RETRY))
    )
    told = replace(told, what=SCREENED_OUT) if was_screened_out(task, state) else told
    facts = _task_facts(task, scene)
    items = tuple(item for item in task.detail if item != facts["gate"])
    again = {RETRY: (_retry_step(task, scene), GO_ON)}
    steps = dict.fromkeys(itertools.chain.from_iterable(again.get(step, (step,)) for step in told.steps))
    return Telling(
        _with_items(told.what.format_map(facts), items),
        (*map(inert, items), *_tell_work(task)),
        tuple(step.format_map(facts) for step in steps if all(facts[name] for name in _names_in(step))),
    )


def _retry_step(task: Task, scene: Scene) -> str:
    if is_restore(task):
        return ASK_AGAIN
    return BACK if scene.lacks_file(task) else RETRY


def is_restore(task: Task) -> bool:
    """Whether a task brings a tree back: it has no file and no command of its own, and is asked for once."""
    return task.spec.run == NO_COMMAND


def _tell_work(task: Task) -> tuple[str, ...]:
    """Where the work is, if there is any."""
    return (f"its work is {task.tip[:SHORT_OID]} on `{short_ref(task.ref)}`",) if task.tip and task.ref else ()


def _task_facts(task: Task, scene: Scene) -> dict[str, str]:
    """What the sentences may name. An empty fact removes the steps that need it: no work, nothing to diff."""
    return {
        "id": task.spec.id,
        "base": task.base[:SHORT_OID],
        "ref": short_ref(task.ref),
        "branch": scene.branch,
        "change": "" if scene.lacks_file(task) else CHANGES[task.source].format(branch=scene.branch),
        "limit": tell_span(task.spec.timeout_seconds),
        "lost": str(task.lost),
        "next_step": list_left(task)[0].name if task.steps and not scene.lacks_file(task) else "",
        "gate": next((item for item in task.detail if GATE_RUN.fullmatch(item)), ""),
    }


def _names_in(template: str) -> list[str]:
    return [name for _, name, _, _ in string.Formatter().parse(template) if name]


def _with_items(what: str, items: tuple[str, ...]) -> str:
    return f"{what}: {shorten_list(items)}" if items else what


_STATUSES: Mapping[Status, Callable[[Task, State, Scene], Telling]] = {
    Status.RUNNING: _tell_running,
    Status.STOPPING: _tell_stopping,
    Status.READY: _tell_ready,
    Status.SAVING: _tell_saving,
    Status.INTEGRATED: _tell_integrated,
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
    Status.INTEGRATED: "its changes stay inside its claim (`{ref}`) and are merged on the line of its session; not landed",
    Status.UNCHANGED: "{branch} needed no change from it",
    Status.HELD: "its changes stay inside its claim (`{ref}`); not landed",
}
