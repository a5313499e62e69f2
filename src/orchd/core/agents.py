"""Who works on the goal of a task, and with what: from names in task files to the job of a program.

Rule: a name means a definition first, then a program. What a task wishes goes before what the definition says, except rules
and limits, which only the definition has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from orchd.core.prices import find_price
from orchd.model.agent import AUTO, AgentsSeen, Definition, Job, Permit, Rule, Tool
from orchd.model.problem import Problem
from orchd.model.snapshot import FileSeen, Snapshot
from orchd.model.work import TaskSpec

IMPLEMENTS = "implement"
"""The capability that `auto` looks for when no label of the task is one."""

PLAIN_RULES = tuple(Rule(Permit.ALLOW, tool) for tool in (Tool.READ, Tool.EDIT, Tool.SHELL))
"""What a program may do that is named without a definition: what a workspace is for, and nothing outside of it."""

AGENT_CODES = {"E088": "there is no agent of this name", "E089": "the definition of its agent has a mistake"}


def find_agent(name: str, labels: tuple[str, ...], seen: AgentsSeen) -> Definition | None:
    """Who is meant by `name` for a task with these labels; None when there is nobody."""
    if name == AUTO:
        return next(_any_agent(labels, seen), None)
    defined = next((one for one in seen.good if one.name == name), None)
    return defined or (_plain(name) if name in seen.programs else None)


def make_job(spec: TaskSpec, agent: Definition, prompt: str) -> Job:
    """What the program of `agent` is to do for a task."""
    chosen = dict(agent.models).get(spec.effort, "") if spec.effort else ""
    return Job(
        agent.runner,
        prompt,
        spec.model or chosen or agent.model,
        spec.effort,
        agent.rules,
        agent.max_turns,
        agent.budget_micros,
        keys=agent.keys,
    )


def order_job(spec: TaskSpec, snapshot: Snapshot) -> Job:
    """The job of an attempt, without its prompt. Where nobody is meant any more, one that no program takes: the attempt then
    says so."""
    agent = find_agent(spec.agent, spec.labels, snapshot.agents)
    if agent is None:
        return Job(spec.agent, "")
    job, config = make_job(spec, agent, ""), snapshot.config
    price = find_price(job.model, config.prices)
    return replace(job, clocks=replace(config.clocks, tokens=agent.max_tokens, price=price))


def find_agent_fault(file: FileSeen, seen: AgentsSeen) -> Problem | None:
    """What is wrong with the agents that a task file names; None: nothing, or its goal needs none."""
    if not file.spec.is_for_agent:
        return None
    for name in (file.spec.agent, *file.spec.fallbacks):
        if name in seen.bad:
            what = f"its agent `{name}` has a file with a mistake"
            return _problem(file, name, "E089", what, f"repair .orch/agents/{name}.md first")
        if name != AUTO and find_agent(name, (), seen) is None:
            there = ", ".join((*(one.name for one in seen.good), *seen.programs, AUTO))
            return _problem(file, name, "E088", f"there is no agent `{name}`", f"`agent` is one of {there}")
    return None


def _problem(file: FileSeen, name: str, code: str, message: str, hint: str) -> Problem:
    at = next((mention for mention in file.named if mention.task == name), None)
    if at is None:
        return Problem(file.path, 0, 0, code, message, hint)
    return Problem(file.path, at.line, at.column, code, message, hint, at.excerpt, len(name))


def is_agent_unclear(spec: TaskSpec, seen: AgentsSeen) -> bool:
    """Whether it is not known yet who is meant: a file is being written, or a program being asked."""
    names = (spec.agent, *spec.fallbacks)
    return spec.is_for_agent and (not seen.unsettled.isdisjoint(names) or (AUTO in names and bool(seen.unasked)))


def _any_agent(labels: tuple[str, ...], seen: AgentsSeen) -> Iterator[Definition]:
    ready = [one for one in seen.good if one.runner in seen.fine and not one.objection]
    matches = {one.name: len(set(labels) & set(one.capabilities)) for one in ready}
    yield from sorted((one for one in ready if matches[one.name]), key=lambda one: (-matches[one.name], one.name))
    yield from (one for one in ready if IMPLEMENTS in one.capabilities)
    named = {one.name for one in seen.good} | seen.bad
    yield from (_plain(name) for name in seen.fine if name not in named)


def _plain(program: str) -> Definition:
    return Definition(program, program, rules=PLAIN_RULES)
