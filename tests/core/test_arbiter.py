"""The arbiter: the same answer to the same state, room for everybody, and nobody barges or starves."""

from __future__ import annotations

import random
from dataclasses import replace

import rules
import walk
from hypothesis import given, settings
from hypothesis import strategies as st

from orchd.core.arbiter import decide
from orchd.core.desk import Room
from orchd.model.claim import PathSpec
from orchd.model.config import Agent, Config, Slots
from orchd.model.snapshot import Cause
from orchd.model.work import Status, Task, TaskSpec

quick = settings(max_examples=150, deadline=None, derandomize=True, database=None)
NAMES = "abcdefgh"
STATUSES = (*(Status.WAITING,) * 5, *Status)


@st.composite
def queues(draw: st.DrawFn) -> list[Task]:
    """Some tasks in any status; a task needs only earlier ones."""
    tasks = []
    for order, name in enumerate(NAMES[: draw(st.integers(1, 8))]):
        earlier = st.lists(st.sampled_from(NAMES[:order]), max_size=2).map(tuple) if order else st.just(())
        claims = draw(st.lists(st.builds(PathSpec, st.sampled_from(walk.GLOBS), st.sampled_from(walk.MODES)), max_size=2))
        spec = TaskSpec(
            name, "t", "r", needs=draw(earlier), after=draw(earlier), claims=tuple(claims), priority=draw(st.integers(-1, 1))
        )
        tasks.append(rules.waiting(spec, order, draw(st.sampled_from(STATUSES))))
    return tasks


@quick
@given(queues(), st.integers(0, 5), st.randoms(use_true_random=False))
def test_the_arbiter_keeps_its_rules_in_any_order_of_the_tasks(tasks: list[Task], parallel: int, dice: random.Random) -> None:
    rules.check_arbiter(tasks, parallel, dice.sample(range(len(tasks)), len(tasks)))


@quick
@given(st.integers(1, 4), st.lists(st.sampled_from(("a/1", "a/2", "a/*", "*/3")), min_size=5, max_size=8))
def test_a_broad_claim_starts_though_small_ones_keep_coming(parallel: int, globs: list[str]) -> None:
    small = [rules.waiting(TaskSpec(f"s{at}", "t", "r", claims=(PathSpec(glob),)), at) for at, glob in enumerate(globs)]
    rules.check_fairness(
        rules.waiting(TaskSpec("broad", "t", "r", claims=(PathSpec("a/**"), PathSpec("**/3")))), small, parallel
    )


def test_a_task_that_touches_nothing_held_passes_one_that_waits_for_its_claim() -> None:
    def claim(name: str, glob: str, order: int, status: Status = Status.WAITING) -> Task:
        return rules.waiting(TaskSpec(name, "t", "r", claims=(PathSpec(glob),)), order, status)

    tasks = [
        claim("runs", "a/x", 1, Status.RUNNING),
        claim("broad", "a/**", 2),
        claim("small", "a/y", 3),
        claim("else", "b/y", 4),
    ]
    causes = {
        d.task: (d.cause, d.others) for d in decide(rules.holding({t.spec.id: t for t in tasks}), Room(Config(parallel=4)))
    }
    expected = {"broad": (Cause.CLAIM, ("runs",)), "small": (Cause.CLAIM, ("broad",)), "else": (Cause.NONE, ())}
    assert causes == expected


def kinds(config: Config, *specs: TaskSpec) -> dict[str, tuple[Cause, tuple[str, ...]]]:
    """What holds each of these tasks back, when all of them wait and claim nothing of each other."""
    tasks = {spec.id: rules.waiting(replace(spec, claims=(PathSpec(spec.id),)), order) for order, spec in enumerate(specs)}
    return {d.task: (d.cause, d.others) for d in decide(rules.holding(tasks), Room(config))}


def test_each_group_has_its_own_limit_and_unknown_groups_have_none() -> None:
    config = Config(parallel=9, groups=(Slots("migrations", 1), Slots("docs", 2)))
    specs = [TaskSpec(f"{group}{at}", "t", "r", group=group) for group in ("migrations", "docs", "new", "") for at in range(3)]
    said = kinds(config, *specs)
    assert said["migrations1"] == (Cause.GROUP, ("migrations0",))
    assert said["docs2"] == (Cause.GROUP, ("docs0", "docs1"))
    assert [task for task, (cause, _) in said.items() if cause is Cause.NONE] == [
        "migrations0", "docs0", "docs1", "new0", "new1", "new2", "0", "1", "2",
    ]  # fmt: skip


def test_agents_share_the_slots_of_their_provider() -> None:
    agents = (Agent("claude", 2, "anthropic"), Agent("opus", None, "anthropic"), Agent("shell", 1))
    config = Config(parallel=9, agents=agents, providers=(Slots("anthropic", 3),))
    names = ("claude", "claude", "claude", "opus", "opus", "shell", "shell")
    said = kinds(config, *(TaskSpec(f"t{at}", "t", "r", agent=name) for at, name in enumerate(names)))
    assert said["t2"] == (Cause.AGENT, ("t0", "t1"))
    assert said["t4"] == (Cause.PROVIDER, ("t0", "t1", "t3"))
    assert said["t6"] == (Cause.AGENT, ("t5",))
    assert [said[f"t{at}"][0] for at in (0, 1, 3, 5)] == [Cause.NONE] * 4
