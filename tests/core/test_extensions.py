"""Running tasks ask for more: what they hold never overlaps, each request is answered, and nobody waits for ever."""

from __future__ import annotations

from collections import Counter

import extension_rules
import pytest
import walk
import world
from hypothesis import given, settings
from hypothesis import strategies as st
from test_walks import Drawn

from orchd.core import extensions
from orchd.core.extensions import read_request
from orchd.model.claim import Mode, PathSpec
from orchd.model.snapshot import Intent, Verb


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(st.data(), st.integers(2, 5))
def test_whatever_running_tasks_ask_for_nobody_waits_for_ever(data: st.DataObject, size: int) -> None:
    extension_rules.check_crowd(Drawn(data), size, 10)


def test_crowds_meet_every_kind_of_answer() -> None:
    seen = Counter[str]()
    for seed in range(120):
        crowd = extension_rules.check_crowd(walk.Seeded(seed), 2 + seed % 4, 25)
        seen.update(type(event).__name__ for event in crowd.log)
        seen.update("circle" for event in crowd.log if "never end" in getattr(getattr(event, "refusal", None), "why", ""))
    assert min(seen[name] for name in ("ExtensionAsked", "LeaseExtended", "ExtensionRefused", "circle")) >= 20, seen


def test_of_two_that_would_wait_for_each_other_the_younger_is_refused() -> None:
    extension_rules.check_circle()


def test_nobody_starts_on_what_a_running_task_waits_for() -> None:
    extension_rules.check_kept()


def test_what_a_task_in_another_clone_holds_is_refused_at_once() -> None:
    extension_rules.check_foreign()


def test_what_people_kept_is_free_when_its_time_is_over_and_not_before() -> None:
    extension_rules.check_expired()


def test_what_is_kept_until_a_session_lands_is_refused_at_once() -> None:
    extension_rules.check_line()


def test_without_the_drawing_two_would_wait_for_each_other_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extensions, "find_cycles", lambda edges: [])
    with pytest.raises(world.Broken, match="circle"):
        extension_rules.check_circle()


def test_a_request_waits_for_what_people_keep_and_goes_on_when_they_are_gone() -> None:
    crowd = extension_rules.start(walk.Seeded(1), 1)
    crowd.kept["anna"] = extension_rules.Reservation("claims/anna.yaml", (PathSpec("b/**"),))
    crowd.look(Intent("i1", Verb.CLAIM, "t0", ("b/a",)))
    assert crowd.state.leases["t0"].wants
    crowd.kept.clear()
    crowd.look()
    assert crowd.state.leases["t0"].paths == (PathSpec("a/a"), PathSpec("b/a"))
    assert crowd.state.leases["t0"].extended == (PathSpec("b/a"),)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((".orch/**",), "no task may change"),
        (("../x",), "cannot be claimed"),
        ((), "names no path"),
        (("a/a", "x]"), "not supported"),
    ],
)
def test_what_no_task_can_have_is_refused_with_the_reason(words: tuple[str, ...], why: str) -> None:
    crowd = extension_rules.start(walk.Seeded(1), 1)
    crowd.look(Intent("i1", Verb.CLAIM, "t0", words))
    (refusal,) = crowd.state.leases["t0"].refused
    assert why in refusal.why
    assert refusal.ask == "i1"


def test_a_request_is_a_glob_with_or_without_its_mode() -> None:
    paths, faults = read_request(("src/", "read docs/**", "append CHANGES.md", "read", "write  a b"))
    assert paths == (
        PathSpec("src/**"),
        PathSpec("docs/**", Mode.READ),
        PathSpec("CHANGES.md", Mode.APPEND),
        PathSpec("read"),
        PathSpec("a b"),
    )
    assert faults == ()
