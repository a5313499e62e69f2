"""Random walks through the whole core: promises at every step, and in the end everything drains."""

from __future__ import annotations

from collections import Counter
from typing import get_args

import pytest
import walk
import world
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchd.model.message import (
    AttemptEnded,
    Event,
    SaveGated,
    SaveMerged,
)
from orchd.model.work import Reason, Status

CHUNK, STEPS = 200, 80
BETWEEN_CLONES = {"SessionOwned", "SessionElsewhere", "TaskAdopted", "SessionAdopted", "RequestRefused"}
"""Events that only happen where clones share a remote: `test_clones` walks there."""


@pytest.mark.parametrize("chunk", range(8))
def test_random_walks_keep_every_promise_and_drain(chunk: int) -> None:
    for seed in range(1000 + chunk * CHUNK, 1000 + (chunk + 1) * CHUNK):
        walk_from(seed, STEPS)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("chunk", range(8))
def test_many_long_walks_keep_every_promise_and_drain(chunk: int) -> None:
    for seed in range(10**6 + chunk * 10**5, 10**6 + chunk * 10**5 + 200):
        walk_from(seed, 40 + seed % 300)


def walk_from(seed: int, steps: int) -> world.World:
    """A walk whose failure names its seed."""
    try:
        return walk.walk(walk.Seeded(seed), steps)
    except Exception as error:
        error.add_note(f"walk.walk(walk.Seeded({seed}), {steps})")
        raise


class Drawn:
    """Choices from hypothesis, which makes a failing walk as tame as it can."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data

    def roll(self, sides: int) -> int:
        return self._data.draw(st.integers(0, sides - 1))


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.data())
def test_walks_that_hypothesis_chooses_keep_every_promise(data: st.DataObject) -> None:
    walk.walk(Drawn(data), 15)


def test_the_walks_visit_every_event_status_reason_and_action() -> None:
    events, statuses, reasons, actions = Counter[str](), set[Status](), set[Reason | None](), Counter[str]()
    ports = dict(world.PORTS)
    for kind, port in ports.items():
        world.PORTS[kind] = counted(actions, kind.__name__, port)
    try:
        for seed in range(480):
            done = walk_from(seed, STEPS)
            events.update(type(event).__name__ for event in done.log)
            statuses |= {task.status for task in done.state.tasks.values()}
            statuses |= {event.status for event in done.log if isinstance(event, AttemptEnded)}
            reasons |= {task.reason for task in done.state.tasks.values()}
            saves = [event for event in done.log if isinstance(event, SaveMerged | SaveGated)]
            reasons |= {gone.reason for event in saves for gone in event.excluded}
    finally:
        world.PORTS.update(ports)
    assert set(events) == {kind.__name__ for kind in get_args(Event)} - BETWEEN_CLONES
    assert set(actions) == {kind.__name__ for kind in ports}
    assert statuses >= set(Status) - {Status.RUNNING, Status.STOPPING, Status.READY}
    # Two changes on one line of which the first falls out while it lands are a scene of `session_scenes`: no walk finds them.
    # Nobody moves main back in a walk.
    assert reasons >= set(Reason) - {Reason.POLICY, Reason.BUILT_ON, Reason.BASE}
    assert min(events.values()) >= 5, events
    assert min(actions.values()) >= 5, actions


def counted(seen: Counter[str], name: str, port: object) -> object:
    """A port that counts its calls."""

    def call(*arguments: object) -> None:
        seen[name] += 1
        port(*arguments)  # type: ignore[operator]

    return call
