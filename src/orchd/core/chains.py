"""Who can do the work of a task with a goal, in the order of its wish, and who does it now. Apart from the remedies, because
clients need no more than this.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from orchd.core.agents import find_agent, make_job
from orchd.core.arbiter import decide
from orchd.core.desk import Room
from orchd.core.prices import find_price
from orchd.core.statuses import ACTIVE
from orchd.core.steps import list_left
from orchd.model.agent import AUTO, AgentsSeen, Definition
from orchd.model.config import Config
from orchd.model.ids import TaskId
from orchd.model.recovery import Candidate
from orchd.model.snapshot import Cause, Decision, State
from orchd.model.work import Status, Task, TaskSpec

WORKED_ON = ACTIVE | {Status.WAITING}


def list_candidates(spec: TaskSpec, seen: AgentsSeen, config: Config) -> tuple[Candidate, ...]:
    """Who can do the goal of a task, in the order of its wish. The model that it wishes is that of the first. Whose program is
    not installed, or cannot be held to its rules, is passed over; where that is so for all of them they stay, and the attempt
    says what is missing."""
    specs = (spec, *(replace(spec, agent=name, model="") for name in spec.fallbacks))
    found = tuple((find_agent(one.agent, spec.labels, seen), one) for one in specs)
    chain = tuple((agent, _candidate(one, agent, config)) for agent, one in found)
    able = tuple(one for agent, one in chain if not (agent and agent.objection) and not _is_missing(one.program, seen))
    return able or tuple(one for _, one in chain)


def tell_chain(spec: TaskSpec, seen: AgentsSeen) -> tuple[str, ...]:
    """What is to be said of the agents that a task names: who `auto` is, and who is passed over and why."""
    names = (spec.agent, *spec.fallbacks) if spec.is_for_agent else ()
    return tuple(line for name in names if (line := _tell_agent(name, spec.labels, seen)))


def _tell_agent(name: str, labels: tuple[str, ...], seen: AgentsSeen) -> str:
    agent, unfit = find_agent(name, labels, seen), dict(seen.unfit)
    if agent is None:
        return f"`{name}` is nobody: {', '.join(unfit.values()) or 'no program is known'}" if name == AUTO and unfit else ""
    if _is_missing(agent.runner, seen):
        return f"agent `{name}` is passed over: {unfit.get(agent.runner) or f'{agent.runner} is not installed'}"
    if agent.objection:
        return f"agent `{name}` is passed over: {agent.objection}"
    return f"`{AUTO}` is `{agent.name}` ({agent.runner})" if name == AUTO else ""


def _is_missing(program: str, seen: AgentsSeen) -> bool:
    return program in seen.programs and program not in seen.installed


def choose(task: Task, seen: AgentsSeen, config: Config, cooling: Mapping[str, int], now_ms: int) -> Candidate | None:
    """Who does the next attempt: as a remedy said, else the first whose provider is not left alone, else whoever can be asked
    first. None: it is no work for an agent."""
    if not task.spec.is_for_agent:
        return None
    chain = (task.pick,) if task.pick and task.tried else list_candidates(task.spec, seen, config)
    return min(chain, key=lambda one: max(0, cooling.get(one.vendor, now_ms) - now_ms))


def list_picks(state: State, seen: AgentsSeen, config: Config, now_ms: int) -> dict[TaskId, Candidate]:
    """Who does each task with a goal that runs, and who would do each that waits now."""
    picks = dict[TaskId, Candidate]()
    for name, task in state.tasks.items():
        if task.spec.is_for_agent and task.status in WORKED_ON:
            waits = task.status is Status.WAITING
            pick = choose(task, seen, config, state.cooling, now_ms) if waits else task.pick
            if pick is not None:
                picks[name] = pick
    return picks


def list_resting(state: State, picks: Mapping[TaskId, Candidate], now_ms: int) -> dict[TaskId, tuple[str, int]]:
    """Waiting tasks that only a provider can do which is left alone, with that provider and until when."""
    return {
        name: (pick.vendor, state.cooling[pick.vendor])
        for name, pick in picks.items()
        if state.tasks[name].status is Status.WAITING and state.cooling.get(pick.vendor, now_ms) > now_ms
    }


def decide_alone(state: State, room: Room, seen: AgentsSeen) -> tuple[Decision, ...]:
    """The arbiter's word for whoever only looks."""
    picks = list_picks(state, seen, room.config, room.now_ms)
    resting, budgets = list_resting(state, picks, room.now_ms), list_budgets(state, picks, seen)
    return decide(state, replace(room, picks=picks, resting=resting, budgets=budgets))


def list_budgets(state: State, picks: Mapping[TaskId, Candidate], seen: AgentsSeen) -> dict[TaskId, int]:
    """What the agents of waiting tasks may spend at most by their definitions (0: they do not say)."""
    budgets = {}
    for name, pick in picks.items():
        task = state.tasks[name]
        if task.status is Status.WAITING:
            agent = find_agent(pick.agent, task.spec.labels, seen)
            goals = sum(bool(step.goal) for step in list_left(task))
            budgets[name] = agent.budget_micros * goals if agent else 0
    return budgets


def warms_at(decisions: Iterable[Decision], cooling: Mapping[str, int]) -> int | None:
    """When the first provider can be asked again that a task waits for, and for nothing else; None: nobody waits so."""
    names = {one.detail[0] for one in decisions if one.cause is Cause.COOLING}
    return min((cooling[name] for name in names), default=None)


def chosen_spec(task: Task) -> TaskSpec:
    """The wish of a task with the agent and the model by which its attempt is done."""
    return replace(task.spec, agent=task.pick.agent, model=task.pick.model) if task.pick else task.spec


def _candidate(spec: TaskSpec, agent: Definition | None, config: Config) -> Candidate:
    name = agent.name if agent else spec.agent
    known = next((one.provider for one in config.agents if one.name == name), "")
    if agent is None:
        return Candidate(spec.agent, spec.model, known, spec.effort, agent=spec.agent)
    job = make_job(spec, agent, "")
    price = find_price(job.model, config.prices) if job.model else None
    context = price.context_tokens if price else 0
    return Candidate(agent.runner, job.model, agent.provider or known, spec.effort, context, agent.name, agent.max_tokens)
