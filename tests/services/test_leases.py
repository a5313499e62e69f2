"""Leases in the real loop: the wall clock may say what it likes, a stuck holder is replaced, and its work is kept."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from stories import Repo
from test_reconcile import opened

from orchd.adapters import fork_server, heartbeat
from orchd.adapters.place import Place
from orchd.core import leases
from orchd.engine import reconcile
from orchd.engine.reconcile import Reconciler
from orchd.model.snapshot import State

HOUR_MS, DAY_MS = 3_600_000, 86_400_000


class Jumping:
    """A wall clock that is set an hour back or a day forward at each look. The other clock is the machine's own."""

    def __init__(self, real: object) -> None:
        self._real = real
        self._jumps: Iterator[int] = itertools.cycle((-HOUR_MS, DAY_MS, 0, -DAY_MS, HOUR_MS))

    def now_ms(self) -> int:
        return self._real.now_ms() + next(self._jumps)  # type: ignore[attr-defined]

    def monotonic(self) -> float:
        return self._real.monotonic()  # type: ignore[attr-defined]


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is about leases goes thirty times faster."""
    quick = "import orchd.adapters.heartbeat as h; h.BEAT_SECONDS = 0.05; serve(int"
    monkeypatch.setattr(fork_server, "_PROGRAM", fork_server._PROGRAM.replace("serve(int", quick))
    monkeypatch.setattr(leases, "LEASE_SECONDS", 3.0)
    monkeypatch.setattr(heartbeat, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(reconcile, "LOOK_SECONDS", 0.05)


def run_with_jumps(place: Place) -> State:
    with opened(place) as (ports, bell, ears):
        reconciler = Reconciler(dataclasses.replace(ports, clock=Jumping(ports.clock)), bell)
        reconciler.lead()
        state = reconciler.run(until_idle=True)
    assert not ears.troubles
    return state


def logged(repo: Repo) -> list[dict]:
    """All events, the oldest first."""
    operations = repo.data("op", "log", "-n", "1000")
    return [event for operation in reversed(operations) for event in operation["events"]]  # type: ignore[arg-type]


def freeze_once(flag: Path) -> str:
    """A command line that stops its own supervisor when it is run for the first time."""
    return f"if mkdir {flag}; then echo half > n; kill -STOP $PPID; sleep 1000; fi; echo whole > n"


@pytest.mark.slow
def test_no_lease_expires_because_somebody_sets_the_clock(repo: Repo, place: Place, hasty: None) -> None:
    repo.write(".orch/config.yaml", "gates: [{name: unit, run: sleep 4}]\n")
    repo.task("one", "sleep 5; echo 1 > n", claims=["n"])
    task = run_with_jumps(place).tasks["one"]
    assert (task.status, task.attempt, task.lost) == ("landed", 1, 0)
    assert "LeaseExpired" not in {event["type"] for event in logged(repo)}


def test_no_stuck_holder_keeps_its_claim_because_somebody_sets_the_clock(
    repo: Repo, place: Place, hasty: None, tmp_path: Path
) -> None:
    repo.task("one", freeze_once(tmp_path / "flag"), claims=["n"])
    repo.task("two", "cat n > m", claims=["n", "m"], priority=-1)
    state = run_with_jumps(place)
    one = state.tasks["one"]
    assert (one.status, one.attempt, one.lost) == ("landed", 2, 1)
    assert repo.git("show", "main:m") == "whole", "who waited for the claim got it afterwards"
    events = logged(repo)
    (expired,) = [event for event in events if event["type"] == "LeaseExpired"]
    fences = [event["lease"]["fence"] for event in events if event["type"] == "AttemptStarted"]
    assert fences == sorted(set(fences)) and expired["fence"] == fences[0]
    (lost,) = [event for event in events if event["type"] == "AttemptEnded" and event["status"] == "waiting"]
    assert "no heartbeat" in lost["detail"][0]
    assert repo.git("show", f"{lost['ref']}:n") == "half", "what the stuck holder wrote is kept"


def test_stuck_gates_are_run_again(repo: Repo, place: Place, hasty: None, tmp_path: Path) -> None:
    gate = f"if mkdir {tmp_path}/flag; then kill -STOP $PPID; sleep 1000; fi"
    repo.write(".orch/config.yaml", f"gates: [{{name: unit, run: '{gate}'}}]\n")
    repo.task("one", "echo 1 > n", claims=["n"])
    assert run_with_jumps(place).tasks["one"].status == "landed"
    assert "GateLost" in {event["type"] for event in logged(repo)}


def test_a_stuck_task_can_be_cancelled(repo: Repo, place: Place, hasty: None, tmp_path: Path) -> None:
    again = f"echo x > n; trap '' TERM; while kill -STOP $PPID; do touch {tmp_path}/stuck; sleep 0.01; done"
    repo.task("one", again, claims=["n"])
    repo.write(".orch/config.yaml", "kill_grace: 0.2\n")
    with opened(place) as (ports, bell, _):
        reconciler = Reconciler(ports, bell)
        reconciler.lead()
        while not (tmp_path / "stuck").exists():
            reconciler.turn()
        repo.orchd("cancel", "one")
        state = reconciler.run(until_idle=True)
    assert state.tasks["one"].status == "cancelled"
    assert repo.git("show", f"{state.tasks['one'].ref}:n") == "x"


def test_without_the_expiry_a_stuck_holder_keeps_its_claim(
    repo: Repo, place: Place, hasty: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "LEASE_SECONDS", float("inf"))
    repo.task("one", freeze_once(tmp_path / "flag"), claims=["n"])
    with opened(place) as (ports, bell, _):
        reconciler = Reconciler(ports, bell)
        reconciler.lead()
        while (seen := ports.runs.look(["one.1.1"])["one.1.1"]).silent_seconds < 6:
            reconciler.turn()
            bell.wait(0.05)
        assert reconciler.turn().state.tasks["one"].status == "running", seen
        repo.orchd("cancel", "one")
        assert reconciler.run(until_idle=True).tasks["one"].status == "cancelled"
