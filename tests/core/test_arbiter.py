"""The arbiter: the same answer to the same state, room for everybody, and nobody barges or starves."""

from __future__ import annotations

import random
from dataclasses import replace

import crowd
import pytest
import queueing
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
            name,
            "t",
            "r",
            draw(st.sampled_from(("default", "default", "other"))),
            draw(earlier),
            draw(earlier),
            tuple(claims),
            draw(st.sampled_from((0, 0, 1, -1, 12))),
        )
        seen_ms = draw(st.integers(0, 12)) * 300_000
        tasks.append(rules.waiting(spec, order, draw(st.sampled_from(STATUSES)), seen_ms))
    return tasks


@quick
@given(queues(), st.integers(0, 5), st.randoms(use_true_random=False), st.integers(0, 5_000_000))
def test_the_arbiter_keeps_its_rules_in_any_order_of_the_tasks(
    tasks: list[Task], parallel: int, dice: random.Random, now_ms: int
) -> None:
    queueing.check_arbiter(tasks, parallel, dice.sample(range(len(tasks)), len(tasks)), now_ms)


segments = st.sampled_from(("a", "A", "b", "ab", "a*", "*", "**"))
globs = st.lists(segments, min_size=1, max_size=4).map("/".join)
claim_lists = st.lists(st.builds(PathSpec, globs, st.sampled_from(walk.MODES)), min_size=1, max_size=3).map(tuple)


@quick
@given(st.lists(claim_lists, max_size=12), st.lists(claim_lists, max_size=6), st.integers(1, 4))
def test_the_index_of_held_claims_answers_as_asking_every_holder_does(
    holders: list[tuple[PathSpec, ...]], asked: list[tuple[PathSpec, ...]], at_once: int
) -> None:
    queueing.check_held(holders, asked, at_once)


@settings(quick, max_examples=25)
@given(
    st.randoms(use_true_random=False),
    st.integers(40, 100),
    st.sampled_from(crowd.CLAIMS),
    st.sampled_from(("", "slow")),
)
def test_nothing_starves_whatever_keeps_coming(dice: random.Random, priority: int, claims: tuple[str, ...], group: str) -> None:
    crowd.check_start(dice.randrange, priority, claims, group)


@settings(quick, max_examples=40)
@given(st.randoms(use_true_random=False), st.integers(1, 6), st.lists(st.integers(1, 25), min_size=1, max_size=4).map(tuple))
def test_sessions_get_equal_shares_of_the_slots(dice: random.Random, parallel: int, sizes: tuple[int, ...]) -> None:
    crowd.check_shares(dice.randrange, parallel, sizes)


@pytest.mark.parametrize(("waited_ms", "small"), [(3_600_000, (Cause.CLAIM, ("broad",))), (3_599_000, (Cause.NONE, ()))])
def test_small_claims_pass_a_broad_one_until_it_has_waited_long_enough(waited_ms: int, small: tuple[Cause, object]) -> None:
    def claim(name: str, glob: str, order: int, status: Status = Status.WAITING) -> Task:
        return rules.waiting(TaskSpec(name, "t", "r", claims=(PathSpec(glob),)), order, status, seen_ms=order)

    tasks = (
        claim("runs", "a/x", 0, Status.RUNNING),
        claim("broad", "a/**", 0),
        claim("small", "a/y", 1),
        claim("else", "b/y", 2),
    )
    state = queueing.holding({task.spec.id: task for task in tasks})
    causes = {d.task: (d.cause, d.others) for d in decide(state, Room(Config(parallel=4), waited_ms))}
    assert causes == {"broad": (Cause.CLAIM, ("runs",)), "small": small, "else": (Cause.NONE, ())}


def kinds(config: Config, *specs: TaskSpec) -> dict[str, tuple[Cause, tuple[str, ...]]]:
    """What holds each of these tasks back, when all of them wait and claim nothing of each other."""
    tasks = {spec.id: rules.waiting(replace(spec, claims=(PathSpec(spec.id),)), order) for order, spec in enumerate(specs)}
    return {d.task: (d.cause, d.others) for d in decide(queueing.holding(tasks), Room(config))}


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


def test_a_slot_of_a_group_is_kept_for_the_task_that_nobody_may_pass() -> None:
    queueing.check_kept_slot()
    queueing.check_no_place_for_who_waits_for_a_person()
    queueing.check_broad_first()


def test_nothing_starts_while_the_machine_lacks_something() -> None:
    queueing.check_scarcity()
