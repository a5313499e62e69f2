"""What the port `Shared` promises, asked of git (two clones of a bare repository over a local path) and of its memory twin."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from shared_world import GitFamily, wait_for

from orchd.model.tenure import Bid, SharedSeen, Tenure, TenureSeen
from orchd.model.work import Source, Status, Task, TaskSpec
from orchd.ports import Shared
from twins.shared import MemoryRemote, MemoryShared

TASK = Task(TaskSpec("a", "a title", "make"), Status.RUNNING, "1", Source.FILE, 0, 0, attempt=3)


class Both:
    """The two, with the same words for both."""

    def __init__(self, open_clone: Callable[[str], Shared], cut: Callable[[str], None], heal: Callable[[str], None]) -> None:
        self._open = open_clone
        self.cut, self.heal = cut, heal
        self.clones: dict[str, Shared] = {name: open_clone(name) for name in ("one", "two")}

    def look(self, name: str) -> SharedSeen:
        seen = self.clones[name].look()
        assert seen is not None
        return seen

    def settled(self, name: str) -> SharedSeen:
        """Once nothing is under way."""
        return wait_for(lambda: (seen := self.look(name)).answered and not seen.busy and seen)

    def tenure(self, name: str, wanted: Callable[[TenureSeen], object] = bool) -> TenureSeen:
        return wait_for(lambda: (seen := self.look(name).tenures.get("default")) and wanted(seen) and seen)

    def hold(self, name: str, old: str, epoch: int, owner: str = "") -> None:
        self.settled(name)
        me = self.look(name).me
        self.clones[name].hold(Bid(old, Tenure("default", owner or me, epoch, 60.0, 7, (TASK,))))

    def reopen(self, name: str) -> None:
        """Another process of the same clone."""
        self.clones[name].close()  # type: ignore[attr-defined]
        self.clones[name] = self._open(name)


@pytest.fixture(params=["git", "twin"])
def both(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Both]:
    if request.param == "git":
        family = GitFamily(tmp_path)
        made = Both(family.open, family.cut, family.heal)
    else:
        remote, ticks, twins = MemoryRemote(), itertools.count(), dict[str, MemoryShared]()

        def open_twin(name: str) -> MemoryShared:
            return twins.setdefault(f"{name}{len(twins)}", MemoryShared(remote, name, lambda: next(ticks) / 100))

        def reach(name: str, *, reachable: bool) -> None:
            made.clones[name].reachable = reachable  # type: ignore[attr-defined]

        made = Both(open_twin, lambda name: reach(name, reachable=False), lambda name: reach(name, reachable=True))
    yield made
    for clone in made.clones.values():
        clone.close()  # type: ignore[attr-defined]


def test_what_one_holds_the_other_sees_with_all_its_records(both: Both) -> None:
    both.hold("one", "", 1)
    mine, theirs = both.tenure("one"), both.tenure("two")
    assert (mine.ours, theirs.ours) == (True, False)
    assert mine.tenure == theirs.tenure
    assert (theirs.tenure.owner, theirs.tenure.number, theirs.tenure.tasks) == (both.look("one").me, 7, (TASK,))
    assert both.look("one").me != both.look("two").me


def test_of_two_bids_over_the_same_version_exactly_one_wins(both: Both) -> None:
    both.settled("two")
    both.hold("one", "", 1)
    both.clones["two"].hold(Bid("", Tenure("default", both.look("two").me, 1)))
    owners = {both.settled(name).tenures["default"].tenure.owner for name in ("one", "two", "one")}
    assert len(owners) == 1
    assert sum(both.settled(name).tenures["default"].ours for name in ("one", "two")) == 1


def test_a_bid_over_a_version_that_is_gone_changes_nothing(both: Both) -> None:
    both.hold("one", "", 1)
    first = both.tenure("two").version
    both.hold("one", first, 1)
    second = both.tenure("two", lambda seen: seen.version != first).version
    for stale in (first, ""):
        both.hold("two", stale, 2)
        assert both.settled("two").tenures["default"].version == second


def test_a_sign_of_life_changes_the_version_and_its_age_begins_anew(both: Both) -> None:
    both.hold("one", "", 1)
    old = both.tenure("two", lambda seen: seen.age_seconds > 0.1)
    own = both.tenure("one", lambda seen: seen.age_seconds > 0.1)
    both.hold("one", own.version, 1)
    new, renewed = (both.tenure(name, lambda seen: seen.version != old.version) for name in ("two", "one"))
    assert renewed.ours
    assert new.version == renewed.version
    assert new.tenure == old.tenure


def test_a_clone_that_is_cut_off_sees_what_it_saw_and_learns_the_rest_later(both: Both) -> None:
    both.hold("one", "", 1)
    first = both.tenure("one").version
    both.cut("one")
    both.clones["one"].hold(Bid(first, replace(both.look("one").tenures["default"].tenure, number=8)))
    both.hold("two", both.tenure("two").version, 2)
    both.tenure("two", lambda seen: seen.ours)
    assert both.look("one").busy, "what became of the push is not known"
    assert both.look("one").tenures["default"].version == first
    both.heal("one")
    seen = both.settled("one").tenures["default"]
    assert (seen.tenure.owner, seen.tenure.epoch, seen.ours) == (both.look("two").me, 2, False)


def test_what_is_given_back_is_not_ours_from_that_moment_on(both: Both) -> None:
    both.hold("one", "", 1)
    own = both.tenure("one")
    assert own.ours
    both.cut("one")
    both.settled("one")
    both.clones["one"].hold(Bid(own.version, replace(own.tenure, owner="")))
    seen = both.look("one").tenures["default"]
    assert (seen.version, seen.ours) == (own.version, False)


def test_another_process_of_the_same_clone_has_its_name_but_not_its_hold(both: Both) -> None:
    both.hold("one", "", 1)
    me = both.look("one").me
    assert both.tenure("one").ours
    both.reopen("one")
    assert (both.settled("one").me, both.tenure("one").ours) == (me, False)
