"""Quotas: how many tasks of a kind may run at the same time. One row for each kind; a new limit is a new row."""

from __future__ import annotations

from collections.abc import Callable

from orchd.core.sessions import session_of
from orchd.model.config import Config
from orchd.model.dataclass import dataclass
from orchd.model.recovery import Candidate
from orchd.model.snapshot import Cause, State
from orchd.model.work import TaskSpec


def always(_: object) -> bool:
    """Whatever the configuration says."""
    return True


@dataclass(frozen=True, slots=True)
class Quota:
    """`name_of` is the pool of this kind that a task takes a slot of (empty: none), given who does it (None: whom it names).
    `limit_of` are the slots of a pool (None: no limit), `cause` is what holds a task back when they are taken,
    `is_set` whether a configuration can limit any pool of this kind."""

    cause: Cause
    name_of: Callable[[TaskSpec, Candidate | None, Config], str]
    limit_of: Callable[[str, State, Config], int | None]
    is_set: Callable[[Config], object] = always


def _everybody(_: TaskSpec, __: Candidate | None, ___: Config) -> str:
    return "all"


def _group_of(spec: TaskSpec, _: Candidate | None, __: Config) -> str:
    return spec.group


def _agent_of(spec: TaskSpec, pick: Candidate | None, _: Config) -> str:
    return pick.agent if pick else spec.agent


def _provider_of(spec: TaskSpec, pick: Candidate | None, config: Config) -> str:
    if pick and pick.provider:
        return pick.provider
    name = _agent_of(spec, pick, config)
    return next((agent.provider for agent in config.agents if agent.name == name), "")


def _session_of(spec: TaskSpec, _: Candidate | None, __: Config) -> str:
    return spec.session


def _parallel(_: str, __: State, config: Config) -> int:
    return config.parallel


def _session_limit(name: str, state: State, _: Config) -> int | None:
    return session_of(state, name).spec.parallel or None


def _group_limit(name: str, _: State, config: Config) -> int | None:
    return next((group.parallel for group in config.groups if group.name == name), None)


def _agent_limit(name: str, _: State, config: Config) -> int | None:
    return next((agent.parallel for agent in config.agents if agent.name == name), None)


def _provider_limit(name: str, _: State, config: Config) -> int | None:
    return next((provider.parallel for provider in config.providers if provider.name == name), None)


QUOTAS = (
    Quota(Cause.SLOTS, _everybody, _parallel),
    Quota(Cause.SESSION, _session_of, _session_limit),
    Quota(Cause.GROUP, _group_of, _group_limit, lambda config: config.groups),
    Quota(Cause.AGENT, _agent_of, _agent_limit, lambda config: config.agents),
    Quota(Cause.PROVIDER, _provider_of, _provider_limit, lambda config: config.providers),
)
"""The widest first: its cause is told when several are used up."""
