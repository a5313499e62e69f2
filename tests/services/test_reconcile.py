"""The loop: failing actions are told and tried again, lost races dropped, a leader that was replaced stops."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from stories import Repo

from orchd import assembly
from orchd.adapters.leadership import take_leadership
from orchd.adapters.place import Place
from orchd.core import planner
from orchd.engine import reconcile
from orchd.engine.bell import Bell
from orchd.engine.reconcile import Reconciler
from orchd.errors import Busy, OrchdError
from orchd.ports import Ports


class Ears:
    def __init__(self) -> None:
        self.troubles: list[str] = []

    def told(self, *_: object) -> None: ...

    def trouble(self, text: str) -> None:
        self.troubles.append(text)


class Failing:
    """A real port whose one method fails as often as it is told to."""

    def __init__(self, real: object, method: str, times: int) -> None:
        self._real, self._method, self.left = real, method, times

    def __getattr__(self, name: str) -> object:
        if name == self._method and self.left > 0:
            self.left -= 1
            raise OSError("no space left on device")
        return getattr(self._real, name)


@contextmanager
def opened(place: Place) -> Iterator[tuple[Ports, Bell, Ears]]:
    bell, leader, ears = Bell(), take_leadership(place), Ears()
    with assembly.open_ports(place, leader, ears, bell.ring) as ports:
        yield ports, bell, ears
    leader.release()


@pytest.mark.parametrize("port_and_method", ["airlock.admit", "runs.start", "saves.merge", "saves.land"])
def test_an_action_that_fails_is_told_and_tried_again(
    repo: Repo, place: Place, port_and_method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "LOOK_SECONDS", 0.01)
    port, method = port_and_method.split(".")
    repo.task("one", "echo 1 > n1", claims=["n1"])
    with opened(place) as (ports, bell, ears):
        failing = Failing(getattr(ports, port), method, 2)
        reconciler = Reconciler(dataclasses.replace(ports, **{port: failing}), bell)
        reconciler.lead()
        state = reconciler.run(until_idle=True)
    assert state.tasks["one"].status == "landed"
    assert failing.left == 0
    assert all("no space left" in text for text in ears.troubles) and len(ears.troubles) == 2


@pytest.mark.parametrize("port_and_method", ["files.look", "saves.look", "runs.look", "store.commit", "settings.look"])
def test_an_error_in_a_look_is_told_and_the_next_look_goes_on(
    repo: Repo, place: Place, port_and_method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "LOOK_SECONDS", 0.01)
    port, method = port_and_method.split(".")
    repo.task("one", "echo 1 > n1", claims=["n1"])
    with opened(place) as (ports, bell, ears):
        failing = Failing(getattr(ports, port), method, 0)
        reconciler = Reconciler(dataclasses.replace(ports, **{port: failing}), bell)
        reconciler.lead()
        reconciler._try_turn(0)
        failing.left = 3
        state = reconciler.run(until_idle=True)
    assert state.tasks["one"].status == "landed"
    assert len(ears.troubles) == 3


def land_one_while_another_runs(repo: Repo, place: Place, monkeypatch: pytest.MonkeyPatch, patience: int) -> dict[str, str]:
    """`two` runs until `one` has landed, or until its patience (twentieths of a second) is over."""
    monkeypatch.setattr(reconcile, "LOOK_SECONDS", 60.0)
    seen = f"git --git-dir={place.git_dir} cat-file -e main:n1"
    repo.task("one", "echo 1 > n1", claims=["n1"])
    repo.task("two", f"for i in $(seq {patience}); do {seen} && echo 2 > n2 && break; sleep 0.05; done", claims=["n2"])
    with opened(place) as (ports, bell, _):
        reconciler = Reconciler(ports, bell)
        reconciler.lead()
        tasks = reconciler.run(until_idle=True).tasks
    return {name: task.status.value for name, task in tasks.items()}


def test_a_save_that_gathers_is_not_forgotten_while_another_task_runs(
    repo: Repo, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    landed = land_one_while_another_runs(repo, place, monkeypatch, patience=1000)
    assert landed == {"one": "landed", "two": "landed"}


def test_without_waking_it_waits_for_the_end_of_the_other(repo: Repo, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planner, "wakes_at", lambda *_: None)
    landed = land_one_while_another_runs(repo, place, monkeypatch, patience=30)
    assert landed == {"one": "landed", "two": "failed"}


def test_an_error_in_the_first_look_is_told_as_it_is(repo: Repo, place: Place) -> None:
    with opened(place) as (ports, bell, _):
        reconciler = Reconciler(dataclasses.replace(ports, files=Failing(ports.files, "look", 1)), bell)
        reconciler.lead()
        with pytest.raises(OSError, match="no space"):
            reconciler.run(until_idle=True)


def test_a_run_in_the_foreground_gives_up_when_every_action_fails(
    repo: Repo, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "LOOK_SECONDS", 0.01)
    repo.task("one", "echo 1 > n1", claims=["n1"])
    with opened(place) as (ports, bell, _):
        doomed = dataclasses.replace(ports, airlock=Failing(ports.airlock, "admit", 10**9))
        reconciler = Reconciler(doomed, bell)
        reconciler.lead()
        with pytest.raises(OrchdError, match="every action fails"):
            reconciler.run(until_idle=True)
    repo.orchd("run")
    assert repo.status("one") == "landed", "nothing was lost"


def test_a_leader_that_was_replaced_stops(repo: Repo, place: Place) -> None:
    with opened(place) as (ports, bell, _):
        first, second = Reconciler(ports, bell), Reconciler(ports, bell)
        first.lead()
        first.turn()
        second.lead()
        with pytest.raises(Busy, match="took over"):
            first.turn()
        second.turn()


def test_a_lost_race_drops_the_plan_and_the_next_turn_sees_the_world_anew(repo: Repo, place: Place) -> None:
    with opened(place) as (ports, bell, _):
        reconciler = Reconciler(ports, bell)
        reconciler.lead()
        while reconciler.turn().again:
            pass
        stored = ports.store.load()

        class Racing:
            """Somebody else is always a moment faster, once."""

            done = False

            def __getattr__(self, name: str) -> object:
                return getattr(ports.store, name)

            def commit(self, *arguments: object) -> object:
                if not self.done:
                    self.done = True
                    ports.store.commit(stored, stored.state, (), 1)
                return ports.store.commit(*arguments)

        repo.task("one", "echo 1 > n1", claims=["n1"])
        racing = Reconciler(dataclasses.replace(ports, store=Racing()), bell)
        racing._epoch = stored.state.epoch
        state = racing.run(until_idle=True)
    assert state.tasks["one"].status == "landed"
    assert state.tasks["one"].attempt == 1
