"""Who can do the work of a task with a goal, in the order of its wish, and who does it now. Apart from the remedies, because
clients need no more than this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from orchd.core.agents import find_agent, make_job
from orchd.core.arbiter import decide
from orchd.core.desk import Room
from orchd.model.agent import AgentsSeen, Definition
from orchd.model.config import Config
from orchd.model.ids import TaskId
from orchd.model.recovery import Candidate
from orchd.model.snapshot import Decision, Snapshot, State
from orchd.model.work import Status, Task, TaskSpec


def list_candidates(spec: TaskSpec, seen: AgentsSeen, config: Config) -> tuple[Candidate, ...]:
    """Who can do the goal of a task, in the order of its wish. The model that it wishes is that of the first."""
    specs = (spec, *(replace(spec, agent=name, model="") for name in spec.fallbacks))
    return tuple(_candidate(one, find_agent(one.agent, spec.labels, seen), config) for one in specs)


def choose(task: Task, seen: AgentsSeen, config: Config, cooling: Mapping[str, int], now_ms: int) -> Candidate | None:
    """Who does the next attempt: as a remedy said, else the first whose provider is not left alone, else whoever can be asked
    first. None: it is no work for an agent."""
    if not task.spec.goal:
        return None
    chain = (task.pick,) if task.pick and task.tried else list_candidates(task.spec, seen, config)
    return min(chain, key=lambda one: max(0, cooling.get(one.vendor, now_ms) - now_ms))


def list_resting(state: State, seen: AgentsSeen, config: Config, now_ms: int) -> dict[TaskId, tuple[str, int]]:
    """Waiting tasks that only a provider can do which is left alone, with that provider and until when."""
    resting = {}
    for name, task in state.tasks.items() if state.cooling else ():
        pick = choose(task, seen, config, state.cooling, now_ms) if task.status is Status.WAITING else None
        if pick and state.cooling.get(pick.vendor, now_ms) > now_ms:
            resting[name] = (pick.vendor, state.cooling[pick.vendor])
    return resting


def decide_alone(state: State, room: Room) -> tuple[Decision, ...]:
    """The arbiter's word for whoever looks without knowing the definitions of agents."""
    return decide(state, replace(room, resting=list_resting(state, AgentsSeen(), room.config, room.now_ms)))


def list_budgets(state: State, seen: AgentsSeen) -> dict[TaskId, int]:
    """What the agents of waiting tasks may spend at most by their definitions (0: they do not say)."""
    budgets = {}
    for name, task in state.tasks.items():
        if task.spec.goal and task.status is Status.WAITING:
            agent = find_agent(chosen_spec(task).agent, task.spec.labels, seen)
            budgets[name] = agent.budget_micros if agent else 0
    return budgets


def warms_at(state: State, snapshot: Snapshot) -> int | None:
    """When the first provider can be asked again that a waiting task waits for; None: nobody waits."""
    resting = list_resting(state, snapshot.agents, snapshot.config, snapshot.now_ms)
    return min((until_ms for _, until_ms in resting.values()), default=None)


def chosen_spec(task: Task) -> TaskSpec:
    """The wish of a task with the agent and the model by which its attempt is done."""
    return replace(task.spec, agent=task.pick.agent, model=task.pick.model) if task.pick else task.spec


def _candidate(spec: TaskSpec, agent: Definition | None, config: Config) -> Candidate:
    known = next((one.provider for one in config.agents if one.name == spec.agent), "")
    if agent is None:
        return Candidate(spec.agent, spec.model, known, spec.effort, agent=spec.agent)
    job = make_job(spec, agent, "")
    return Candidate(agent.runner, job.model, agent.provider or known, spec.effort, agent=spec.agent)
