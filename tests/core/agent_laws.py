"""What must hold when agents fail, spelled without the core's own helpers."""

from __future__ import annotations

from dataclasses import replace

from world import demand

from orchd.model.message import AttemptStarted, CostBooked, Event, ProposalsHeard, RemedyFound, TaskSeen
from orchd.model.snapshot import Plan, Snapshot, State
from orchd.model.work import Task

PERSONS = ("auth", "config", "permission", "budget")
ABOUT_A_PROVIDER = ("rate-limit", "unavailable")


def check_agents(snapshot: Snapshot, before: State, event: Event) -> None:
    """One event: who is tried again, by whom, and who is left alone."""
    if isinstance(event, RemedyFound):
        check_remedy(snapshot, before, event)
    if isinstance(event, AttemptStarted):
        check_pick(snapshot, before, event)
    if isinstance(event, CostBooked):
        steps = [step.name for step in snapshot.state.tasks[event.bill.task].spec.steps]
        demand("a bill is for a step, where there are steps", event.bill.step in ([*steps, "run"] if steps else [""]), event)
    if isinstance(event, ProposalsHeard):
        check_proposals(snapshot, before, event)
    if isinstance(event, TaskSeen) and event.proposer:
        asker = before.tasks[event.proposer]
        demand("what was proposed is new", event.spec.id not in before.tasks, event)
        demand("one below its proposer", event.depth == asker.depth + 1 <= snapshot.config.proposal_depth, event)
        demand("in its session", event.spec.session == asker.spec.session, event)
        demand("an agent proposes no command", not (asker.spec.is_for_agent and event.spec.run), event)


def check_remedy(snapshot: Snapshot, before: State, event: RemedyFound) -> None:
    task, tried = before.tasks[event.task], event.tried
    steps = {step.name: step.goal for step in task.spec.steps} or {"": task.spec.goal}
    if event.skips:
        [step] = [one for one in task.spec.steps if one.name == event.skips]
        demand("only what is optional is skipped", step.optional and tried.step == event.skips, event)
        demand("an agent is skipped only when nobody knows why it failed", tried.failure.value == "unknown", event)
        demand("it is skipped once, and goes on", step.name not in task.skipped and event.status.value == "waiting", event)
        return
    demand("only work of agents is recovered", steps[tried.step], event)
    if event.spec:
        check_division(task, event)
        return
    tries = [one for one in task.tried if one.step == tried.step]
    demand("a failure is followed up once", task.attempt not in [one.attempt for one in task.tried], event)
    demand("it is about the attempt that failed", task.status.value == "failed" and tried.attempt == task.attempt, event)
    demand("a provider cools for its own sake", bool(event.cools_until_ms) == (tried.failure in ABOUT_A_PROVIDER), event)
    demand("cooling has an end", not event.cools_until_ms or event.cools_until_ms > snapshot.now_ms, event)
    if event.status.value == "failed":
        demand("a person is told what to change", event.detail, event)
        return
    demand("attempts are bounded", len(tries) + 1 < 3, event)
    demand("what a person must settle is never tried again", tried.failure not in PERSONS, event)
    assert event.pick is not None
    if event.pick != tried.candidate:
        minds = [one.candidate.model or one.candidate.program for one in (*tries, tried)]
        demand("no model is asked twice", (event.pick.model or event.pick.program) not in minds, event)
    elif tried.failure not in ABOUT_A_PROVIDER:
        same = [one for one in tries if one.candidate == tried.candidate]
        demand("the same is tried once more at most", not same, event)


def check_division(task: Task, event: RemedyFound) -> None:
    """One step is replaced by few smaller ones, and everything else is as it was."""
    assert event.spec is not None
    before = [step for step in task.spec.steps if step.name != event.tried.step]
    fresh = [step for step in event.spec.steps if step not in before]
    names = [step.name for step in event.spec.steps]
    demand("it goes on", event.status.value == "waiting" and event.pick == event.tried.candidate, event)
    demand("few parts, each with a goal", 2 <= len(fresh) <= 5 and all(step.goal and step.depth <= 2 for step in fresh), event)
    demand("the others stay, in their order", [step for step in event.spec.steps if step not in fresh] == before, event)
    demand("each step has a name of its own", len(set(names)) == len(names), event)
    demand("nothing else is asked", replace(event.spec, steps=()) == replace(task.spec, steps=()), event)


def check_pick(snapshot: Snapshot, before: State, event: AttemptStarted) -> None:
    task = before.tasks[event.task]
    demand("a command has no agent", bool(event.pick) == (task.spec.is_for_agent and not task.rework), event)
    if event.pick:
        vendor = event.pick.provider or event.pick.program
        demand(
            "who wants to be left alone is left alone", before.cooling.get(vendor, snapshot.now_ms) <= snapshot.now_ms, event
        )
        demand("attempts are bounded", len(task.tried) < 3, event)
        demand("a remedy is carried out", not task.tried or event.pick == task.pick, event)


def without_cooling(planned: Plan, now_ms: int, wanted: float | None) -> float | None:
    """When somebody looks again, but for providers that are left alone: those wake nobody too late."""
    ends = [until for until in planned.state.cooling.values() if until > now_ms]
    waits = [planned.state.cooling[one.detail[0]] for one in planned.decisions if one.cause.value == "cooling"]
    demand("whoever waits for a provider is woken", not waits or (planned.wake_ms or 0) <= min(waits), planned.wake_ms)
    demand("and somebody is", not waits or planned.wake_ms is not None, planned.wake_ms)
    early = planned.wake_ms in ends and (wanted is None or planned.wake_ms <= wanted)
    return wanted if early else planned.wake_ms


def check_proposals(snapshot: Snapshot, before: State, event: ProposalsHeard) -> None:
    task = before.tasks[event.task]
    demand("proposals have a number", task.proposed + len(event.taken) <= snapshot.config.proposals, event)
    demand("only who ended well proposes", task.status.value in ("ready", "unchanged"), task)
    demand("what was taken is there", all(before.tasks[name].proposer == event.task for name in event.taken), event)
