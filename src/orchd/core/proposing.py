"""Tasks that tasks propose: what a task left in its control folder becomes tasks of its session, within limits.

Rules: nothing is proposed where nobody allowed it; never more than the number, never deeper than the depth; only a result
that was accepted proposes, so each proposal is heard once, whatever happens to this process. An agent proposes goals for
itself only: by a command, or by another agent, it could do what its own rules deny.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from orchd.core.agents import find_agent, find_agent_fault
from orchd.core.evolve import evolve
from orchd.core.graph import find_graph_problems
from orchd.core.statuses import ACTIVE
from orchd.core.watched import current_run
from orchd.model.agent import AUTO, AgentsSeen
from orchd.model.config import Config
from orchd.model.dataclass import dataclass
from orchd.model.ids import DEFAULT_SESSION, TaskId
from orchd.model.message import Event, ProposalsHeard, TaskSeen
from orchd.model.run import Proposal
from orchd.model.snapshot import FileSeen, Snapshot, State
from orchd.model.work import SHELL, Source, Status, Task, TaskSpec

HEARD = frozenset({Status.READY, Status.UNCHANGED})
"""What has come of an attempt whose proposals are heard."""


@dataclass(frozen=True, slots=True)
class Most:
    """What a task may propose: so many tasks in all, and at most so deep."""

    tasks: int
    depth: int


def find_most(task: Task, seen: AgentsSeen, config: Config) -> Most:
    """The limits of a task: those of its agent's definition, else of the configuration."""
    agent = find_agent(task.pick.agent, (), seen) if task.pick else None
    own = agent.max_proposals if agent else None
    return Most(config.proposals if own is None else own, config.proposal_depth)


def hear_proposals(state: State, snapshot: Snapshot) -> Iterator[Event]:
    """What the attempts propose that were concluded in this look."""
    for name, before in snapshot.state.tasks.items():
        if before.status in ACTIVE and state.tasks[name].status in HEARD:
            run = snapshot.runs.get(current_run(before))
            if run is not None and run.proposals:
                events = tuple(_hear(state.tasks[name], run.proposals, state, snapshot))
                yield from events
                state = evolve(state, events)


def _hear(task: Task, proposals: tuple[Proposal, ...], state: State, snapshot: Snapshot) -> Iterator[Event]:
    most = find_most(task, snapshot.agents, snapshot.config)
    good, refused = dict[TaskId, FileSeen](), list[tuple[str, str]]()
    for one in proposals:
        spec = _adopt(one.spec, task) if one.spec else None
        why = _find_limit(task, most, len(good)) or one.why or _object(one, spec, task, state, snapshot)
        if why or spec is None:
            refused.append((one.id, why))
        else:
            good[one.id] = FileSeen(_path(one.id), spec, one.digest, Source.INBOX)
    wrong = find_graph_problems(good, {name: known.spec for name, known in state.tasks.items()})
    refused += [(name, problem.message) for name, problem in sorted(wrong.items())]
    taken = [file for name, file in good.items() if name not in wrong]
    for order, file in enumerate(taken, state.next_order):
        seen = TaskSeen(file.spec, file.digest, file.source, "", 1, order, snapshot.now_ms)
        yield replace(seen, proposer=task.spec.id, depth=task.depth + 1)
    yield ProposalsHeard(task.spec.id, tuple(file.spec.id for file in taken), tuple(f"{name}: {why}" for name, why in refused))


def _find_limit(task: Task, most: Most, taken: int) -> str:
    """Which limit stands against one more; empty: none."""
    if most.tasks == 0:
        return "nobody allowed it to propose tasks (`proposals` is 0)"
    if task.depth >= most.depth:
        return f"it was proposed itself, at depth {task.depth} of {most.depth} (`proposal_depth`)"
    return f"it may propose {most.tasks} in all (`proposals`)" if task.proposed + taken >= most.tasks else ""


def _object(one: Proposal, spec: TaskSpec | None, task: Task, state: State, snapshot: Snapshot) -> str:
    """What stands against this one; empty: nothing."""
    files = snapshot.files
    if one.id in state.tasks or one.id in files.unsettled or any(file.spec.id == one.id for file in files.good):
        return "there is a task of this name"
    if spec is None or one.spec is None:
        return "it is no task"
    if one.spec.session not in (DEFAULT_SESSION, task.spec.session):
        return f"it would be in another session than `{task.spec.session}`"
    if task.spec.is_for_agent:
        return _object_to_agent(one.spec, task)
    fault = find_agent_fault(FileSeen(_path(one.id), spec, "", Source.INBOX), snapshot.agents)
    return fault.message if fault else ""


def _object_to_agent(wish: TaskSpec, task: Task) -> str:
    if wish.run or any(step.run for step in wish.steps):
        return "an agent may propose goals only, no commands"
    chain = {AUTO, SHELL, task.spec.agent, *task.spec.fallbacks}
    return "" if {wish.agent, *wish.fallbacks} <= chain else "an agent may propose work for itself only"


def _adopt(wish: TaskSpec, task: Task) -> TaskSpec:
    """As a task of the session of `task`, no more urgent than that; that of an agent is for the same ones."""
    spec = task.spec
    own = replace(wish, session=spec.session, priority=min(wish.priority, spec.priority))
    return replace(own, agent=spec.agent, fallbacks=spec.fallbacks, model=spec.model) if spec.is_for_agent else own


def _path(name: TaskId) -> str:
    return f"proposals/{name}.yaml"
