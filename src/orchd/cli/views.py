"""From the state to the records that commands print. Pure: the same state and time give the same records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from orchd.cli.closing import tasks_of_run
from orchd.cli.fields import Row
from orchd.cli.listings import in_order, tell_paths, view_stream
from orchd.cli.saves import view_saves
from orchd.cli.spending import Reports, join_reports, view_spent, view_task_costs
from orchd.core.conflicts import tell_conflicts
from orchd.core.inert import inert
from orchd.core.outlooks import tell_recovery
from orchd.core.phrases import QUESTIONS, TAKE_EARLIER
from orchd.core.statuses import SUCCEEDED, is_open_question
from orchd.core.steps import tell_steps
from orchd.core.telling import (
    SCENE,
    Scene,
    is_verified,
    list_needs,
    short_ref,
    tell_claimed,
    tell_proven,
    tell_task,
)
from orchd.core.watched import current_run
from orchd.model.agent import Report
from orchd.model.dataclass import dataclass
from orchd.model.ids import RunId, TaskId
from orchd.model.problem import Problem
from orchd.model.save import Checkpoint, Tally
from orchd.model.snapshot import Decision, State
from orchd.model.work import Status, Task

if TYPE_CHECKING:
    from orchd.adapters.attic import Kept
    from orchd.adapters.server import Server
    from orchd.adapters.state_reader import HotState, Operation
    from orchd.app import RunView, Served
    from orchd.core.chain_proof import Proof
    from orchd.core.disputes import Disagreement
    from orchd.core.lessons import Lessons
    from orchd.core.policy import Change

SHOWN_CHECKPOINTS = 5
LIVE = (
    Status.HELD,
    Status.FAILED,
    Status.STOPPING,
    Status.RUNNING,
    Status.SAVING,
    Status.INTEGRATED,
    Status.READY,
    Status.WAITING,
)
"""Statuses of tasks that are not done, in the order in which people want to see them."""


def view_status(
    hot: HotState,
    decisions: Iterable[Decision],
    checkpoints: Iterable[Checkpoint],
    running: Mapping[RunId, RunView],
    server: Server | None,
    *,
    sandbox: str,
    scene: Scene = SCENE,
    now_ms: int,
) -> Row:
    """The record of `orchd status`."""
    landed = _newest_first(checkpoints)
    last = landed[0] if landed else None
    return {
        "needs_you": _view_needs(hot.state, scene, now_ms),
        "server": server and {"pid": server.pid, "host": server.host, "since": server.since_ms},
        "sandbox": sandbox,
        "branch": scene.branch,
        "checkpoint": last and _view_checkpoint(last),
        "verified": last is not None and is_verified(last),
        "counts": _count_statuses(hot),
        "saves": view_saves(hot.state),
        "tasks": _view_live(hot.state, decisions, running, scene),
        "landed": view_checkpoints(landed[:SHOWN_CHECKPOINTS]),
        "cooling": [{"provider": who, "until": at} for who, at in sorted(hot.state.cooling.items()) if at > now_ms],
    }


def view_breaks(proof: Proof) -> tuple[Row, ...]:
    """The records of `orchd verify`: what is broken, then what was and is settled."""
    breaks, words = frozenset(proof.breaks), ("checkpoint", "commit", "what")
    return tuple(
        {name: getattr(one, name) for name in words} | {"broken": one in breaks} for one in (*proof.breaks, *proof.settled)
    )


def view_checkpoints(checkpoints: Iterable[Checkpoint]) -> tuple[Row, ...]:
    """One record for each, the newest first."""
    return tuple(map(_view_checkpoint, _newest_first(checkpoints)))


def view_operations(operations: Iterable[Operation]) -> tuple[Row, ...]:
    """One record for each."""
    return tuple({"oid": o.oid, "at": o.at_ms, "events": tuple(o.events), "subject": o.subject} for o in operations)


def view_explain(task: Task, state: State, decision: Decision | None, scene: Scene = SCENE) -> Row:
    """What happened to the task, why, and what to do next."""
    from orchd.core.chains import tell_chain

    told = tell_task(task, state, decision, scene)
    why = (*told.why, *map(inert, tell_chain(task.spec, scene.agents))) if task.status not in SUCCEEDED else told.why
    return {"task": task.spec.id, "status": str(task.status), "what": told.what, "why": why, "next": told.steps}


def view_question(task: Task, outside: Iterable[Change] | None, found: Disagreement | None = None) -> Row:
    """What is asked about the task; empty texts when nothing is."""
    from orchd.cli.disputing import view_disagreement

    asked, commands = QUESTIONS[task.reason] if is_open_question(task) and task.reason else ("", ())
    return {
        "task": task.spec.id,
        "status": str(task.status),
        "question": asked,
        "tip": task.tip if asked else "",
        "outside": tell_changes(outside or ()),
        **view_disagreement(found),
        "answers": tuple(command.format(task=task.spec.id) for command in (*_propose(found), *commands)),
    }


def _propose(found: Disagreement | None) -> tuple[str, ...]:
    return (TAKE_EARLIER,) if found is not None and found.proposes else ()


def view_attic(attic: Iterable[Kept]) -> tuple[Row, ...]:
    """One record for each."""
    names = ("task", "why", "what", "size_bytes", "place")
    return tuple(
        {name: getattr(kept, name) for name in names} | {"number": kept.number or None, "at": kept.at_ms} for kept in attic
    )


def tell_changes(changes: Iterable[Change]) -> tuple[str, ...]:
    """Each path after what happened to it."""
    return tuple(map(_tell_change, changes))


def _tell_change(change: Change) -> str:
    from orchd.core.policy import name_change

    return f"{name_change(change)} {change.path}"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked about a held result: paths outside its claim, or a conflict."""

    outside: Iterable[Change] | None = ()
    found: Disagreement | None = None


NOTHING_ASKED = Asked()


def view_show(task: Task, state: State, decision: Decision | None, scene: Scene = SCENE, asked: Asked = NOTHING_ASKED) -> Row:
    """Everything about the task."""
    from orchd.cli.disputing import view_disagreement

    return {
        **_view_spec(task),
        **_view_attempt(task),
        "log": f"orchd logs {task.spec.id}" if task.attempt else "",
        "claimed": tell_claimed(task),
        **view_report(None),
        **view_task_costs(task, state, (), ()),
        "proven": tell_proven(task, scene),
        "checkpoint": task.checkpoint,
        "commit": task.commit,
        "reason": str(task.reason or ""),
        "detail": task.detail,
        "conflicts": tell_conflicts(task.spec.id, state.conflicts),
        "outside": tell_changes(asked.outside or ()),
        **view_disagreement(asked.found),
        **view_explain(task, state, decision, scene),
    }


def view_words(task: Task, reports: Reports) -> Row:
    """What agents said about themselves in the last attempt, in the place of what is known of a command."""
    report = join_reports(reports)
    said = report.words.strip() if report else ""
    return {"claimed": inert(said) or tell_claimed(task), **view_report(report)}


def view_report(report: Report | None) -> Row:
    """What the stream of an agent has said so far."""
    return {**view_stream(report), "denied": report.denied if report else ()}


def view_run(served: Served, summary: str, exit_code: int, decisions: Iterable[Decision] = (), scene: Scene = SCENE) -> Row:
    """How a run ended, with what became of each of its tasks."""
    said = {decision.task: decision for decision in decisions}
    return {
        "summary": summary,
        "exit_code": exit_code,
        "tasks": tuple(view_explain(task, served.state, said.get(task.spec.id), scene) for task in tasks_of_run(served)),
    }


def view_lessons(lessons: Lessons) -> tuple[Row, ...]:
    """One record for each recipe."""
    return tuple(
        {
            "recipe": str(one.recipe),
            "files": one.files,
            "same": one.same,
            "automatic": not one.fault,
            "why": one.fault,
        }
        for one in lessons.recipes
    )


def view_problems(problems: Iterable[Problem]) -> tuple[Row, ...]:
    """One record for each."""
    names = ("file", "line", "column", "code", "message", "hint")
    return tuple({name: getattr(problem, name) for name in names} for problem in problems)


def find_problems(task: TaskId, problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems of the file that would give `task`."""
    return tuple(p for p in problems if p.file.rpartition("/")[2].partition(".")[0] == task)


def _view_needs(state: State, scene: Scene, now_ms: int) -> tuple[Row, ...]:
    return tuple(
        {
            "subject": need.subject,
            "what": need.what,
            "age_seconds": (now_ms - need.since_ms) / 1000 if need.since_ms else None,
            "command": need.command,
        }
        for need in list_needs(state, scene)
    )


def _view_checkpoint(checkpoint: Checkpoint) -> Row:
    return {
        "name": checkpoint.name,
        "created": checkpoint.created_ms,
        "commit": checkpoint.commit,
        "session": checkpoint.session,
        "gates": checkpoint.gates,
        "tasks": checkpoint.tasks,
        **view_spent(checkpoint.spent),
    }


def view_gates(state: State, promotions: Mapping[str, Tally]) -> tuple[Row, ...]:
    """What became of each gate, of saves and of `promotions`."""
    names, none = sorted(state.gates.keys() | promotions.keys()), Tally()
    total = {name: state.gates.get(name, none) + promotions.get(name, none) for name in names}
    return tuple({"gate": name, **asdict(tally)} for name, tally in total.items())


def _newest_first(checkpoints: Iterable[Checkpoint]) -> list[Checkpoint]:
    return sorted(checkpoints, key=lambda one: (one.created_ms, one.name), reverse=True)


def _count_statuses(hot: HotState) -> dict[str, int]:
    counts = Counter(task.status for task in hot.state.tasks.values()) + Counter(hot.archived)
    return {str(status): counts[status] for status in Status if counts[status]}


def _view_live(state: State, decisions: Iterable[Decision], running: Mapping[RunId, RunView], scene: Scene) -> tuple[Row, ...]:
    said = {decision.task: decision for decision in decisions}
    rows = []
    for task in sorted(in_order(state), key=lambda t: LIVE.index(t.status) if t.status in LIVE else len(LIVE)):
        if task.status in LIVE:
            seen = running.get(current_run(task))
            what = tell_task(task, state, said.get(task.spec.id), scene).what
            rows.append(
                {
                    "task": task.spec.id,
                    "status": str(task.status),
                    "elapsed_seconds": seen and seen.seconds,
                    "what": what if seen or task.status is not Status.RUNNING else f"{what}; its process is not seen",
                }
            )
    return tuple(rows)


def _view_spec(task: Task) -> Row:
    spec = task.spec
    return {
        "task": spec.id,
        "title": spec.title,
        "status": str(task.status),
        "run": spec.run,
        "session": spec.session,
        "source": str(task.source),
        "needs": spec.needs,
        "after": spec.after,
        "claims": tell_paths(spec.claims),
        "priority": spec.priority,
        "timeout_seconds": spec.timeout_seconds,
        "noop": spec.noop,
        "labels": spec.labels,
        "group": spec.group,
        "agent": spec.agent,
        "fallbacks": spec.fallbacks,
        "goal": spec.goal,
        "steps": tuple(map(" ".join, tell_steps(task))),
        "recovery": tell_recovery(task),
        "acceptance": spec.acceptance,
        "model": spec.model,
        "effort": str(spec.effort or ""),
        "evidence": spec.evidence,
    }


def _view_attempt(task: Task) -> Row:
    return {
        "proposer": task.proposer,
        "generation": task.generation,
        "attempt": task.attempt,
        "lost": task.lost,
        "seen": task.seen_ms,
        "started": task.started_ms or None,
        "ended": task.ended_ms or None,
        "base": task.base,
        "tip": task.tip,
        "ref": short_ref(task.ref),
    }
