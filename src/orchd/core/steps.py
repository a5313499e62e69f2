"""Steps: which checkpoints of a task are kept, which steps are left, and where the next attempt begins.

Rule: an attempt goes on from the last checkpoint that the task has; nothing else says how far it is.
"""

from __future__ import annotations

from orchd.model.agent import Report
from orchd.model.ids import Oid
from orchd.model.limits import STEP_CHECKPOINTS
from orchd.model.run import AGENT, RUN, Exit
from orchd.model.work import Reason, Status, Step, StepMade, Task, TaskSpec

REST = Step(RUN, "true")
SKIPPED, UNDONE, DONE = "skipped", "-", "done"
"""What is told of a step in the place of its commit."""

MADE = frozenset({Status.READY, Status.SAVING, Status.INTEGRATED, Status.LANDED, Status.UNCHANGED, Status.HELD})
"""Of a task that is so far, all steps were done."""


def plan_of(spec: TaskSpec) -> tuple[Step, ...]:
    """The steps of a task; one that has none is a step of its own."""
    return spec.steps or (Step(AGENT if spec.goal else RUN, spec.run, spec.goal, spec.acceptance, parts=spec.parts),)


def must_change(step: Step, spec: TaskSpec) -> bool:
    """Whether a step is only done when something has changed: whoever merely says so is an agent."""
    return bool(step.goal) and not (step.optional or spec.noop)


def join_steps(task: Task, made: tuple[StepMade, ...]) -> tuple[StepMade, ...]:
    """The newest of the checkpoints that a task had and those that its attempt made, each step once."""
    joined = {one.name: one for one in (*task.steps, *made)}
    return tuple(joined.values())[-STEP_CHECKPOINTS:]


def find_begin(task: Task) -> Oid:
    """The commit that its next or present attempt starts from; empty: its base."""
    return task.steps[-1].commit if task.steps else ""


def list_left(task: Task) -> tuple[Step, ...]:
    """The steps that its next or present attempt runs. Where all of them are skipped, one that changes nothing: what the
    others have made is the result."""
    left = plan_of(task.spec)[_place(task.spec, task.steps[-1].name) + 1 if task.steps else 0 :]
    return tuple(step for step in left if step.name not in task.skipped) or (REST,)


def keep_skipped(task: Task, made: tuple[StepMade, ...]) -> tuple[str, ...]:
    """The skipped steps that a task is still without when it goes on after the checkpoints `made`."""
    last = _place(task.spec, made[-1].name) if made else 0
    return tuple(name for name in task.skipped if _place(task.spec, name) < last)


def name_next(task: Task) -> str:
    """The step with which its next attempt begins; empty: it has no steps."""
    return list_left(task)[0].name if task.spec.steps else ""


def find_failed(task: Task, ran: str) -> Step:
    """The step at which an attempt came to nothing: the last one that it ran (`ran`, empty: nobody knows), else the one with
    which the next attempt begins."""
    return next((step for step in plan_of(task.spec) if step.name == ran), list_left(task)[0])


def cut_before(task: Task, step: str) -> tuple[StepMade, ...] | None:
    """The checkpoints that stay when a task is to go on with `step`; None: the one before it is not kept, or there is no such
    step."""
    place = _place(task.spec, step)
    if place <= 0:
        return None if place else ()
    made = tuple(one for one in task.steps if _place(task.spec, one.name) < place)
    return made if made and _place(task.spec, made[-1].name) == place - 1 else None


def list_open(task: Task) -> tuple[str, ...]:
    """The steps with which an attempt could begin."""
    return tuple(step.name for step in task.spec.steps if cut_before(task, step.name) is not None)


def _place(spec: TaskSpec, name: str) -> int:
    """Where a step stands among those of the task; -1: nowhere."""
    return next((at for at, step in enumerate(spec.steps) if step.name == name), -1)


def list_reports(left: Exit | None) -> tuple[tuple[str, Report], ...]:
    """What each agent of a run told, after the name of its command."""
    if left is None:
        return ()
    told = [(result.name, result.report) for result in left.results if result.report]
    last = left.results[-1].name if left.results else ""
    return (*told, *([(last, left.report)] if left.report else ()))


def tell_steps(task: Task) -> tuple[tuple[str, str], ...]:
    """Each step with the commit that it came to, or a word: it was skipped, is not done, or its checkpoint is not kept."""
    if not task.spec.steps:
        return ()
    kept = {one.name: one.commit for one in task.steps}
    if task.status in MADE or task.reason is Reason.GATE or task.rework:
        # The last step has no checkpoint of its own: it ends with the result.
        kept.setdefault(task.spec.steps[-1].name, task.tip or find_begin(task) or task.base)
    known = {**kept, **dict.fromkeys(task.skipped, SKIPPED)}
    last = max((_place(task.spec, name) for name in kept), default=-1)
    return tuple((step.name, known.get(step.name, DONE if at < last else UNDONE)) for at, step in enumerate(task.spec.steps))
