"""Scenes about leases: heartbeats, expiry, fences. On the programme of `playbook` once this module is imported."""

from __future__ import annotations

from dataclasses import replace

from playbook import kinds, look, planned, saving, scene, state_of, step, task
from rules import a_save
from world import demand

from orchd.core import attempts, duties, leases
from orchd.core.evolve import evolve
from orchd.model.action import (
    LandSave,
    RevokeRun,
    SalvageRun,
    StartRun,
    StopRun,
)
from orchd.model.message import AttemptEnded, AttemptStarted
from orchd.model.run import CommandResult, Entry, Exit, Outcome, Phase, Returned, RunSeen
from orchd.model.save import SaveStep
from orchd.model.snapshot import State
from orchd.model.work import Reason, Status, TaskSpec

SILENT = RunSeen(Phase.RUNNING, silent_seconds=90.0)
DONE = Exit(Outcome.EXITED, (CommandResult("run", 0, 1.0),), "tip", fence=3)
TAKEN = Returned(Entry.ACCEPTED, "tip", "ref")


def leased(status: Status, fence: int = 3, expired_ms: int = 0, lost: int = 0) -> State:
    """The task `a` under a lease with a fence."""
    state = state_of(task(status, lost=lost))
    lease = replace(state.leases["a"], fence=fence, expired_ms=expired_ms)
    return replace(state, leases={"a": lease}, next_fence=fence + 1)


@scene
def a_lease_expires_in_silence_and_its_run_is_revoked() -> None:
    for status in (Status.RUNNING, Status.STOPPING):
        plan = planned(leased(status), runs={"a.1.1": SILENT})
        demand("expired", kinds(plan) == ["LeaseExpired"] and plan.state.leases["a"].expired_ms == 7, plan)
        demand("revoked", plan.actions == (RevokeRun("a.1.1"),), plan)
        again = planned(plan.state, runs={"a.1.1": SILENT})
        demand("once", not again.events and again.actions == (RevokeRun("a.1.1"),), again)


@scene
def a_lease_stands_while_its_supervisor_beats_whatever_the_wall_clock_says() -> None:
    beating = RunSeen(Phase.RUNNING, silent_seconds=89.9)
    for now_ms in (-(10**12), 0, 10**15):
        plan = planned(leased(Status.RUNNING), runs={"a.1.1": beating}, now_ms=now_ms)
        demand("nothing", not plan.events and not plan.actions, plan)
    for seen in (RunSeen(Phase.LOST, silent_seconds=900.0), RunSeen(Phase.ENDED, DONE, silent_seconds=900.0)):
        demand("who is gone is not silent", "LeaseExpired" not in kinds(planned(leased(Status.RUNNING), runs={"a.1.1": seen})))


@scene
def a_lease_from_before_the_fences_does_not_expire() -> None:
    plan = planned(leased(Status.RUNNING, fence=0), runs={"a.1.1": SILENT})
    demand("nothing", not plan.events and not plan.actions, plan)


@scene
def whatever_an_expired_holder_brings_is_kept_and_not_accepted() -> None:
    gone = leased(Status.RUNNING, expired_ms=5)
    back = planned(gone, runs={"a.1.1": RunSeen(Phase.RUNNING)})
    demand("also when it beats again", back.actions == (RevokeRun("a.1.1"),) and not back.events, back)
    dead = planned(gone, runs={"a.1.1": RunSeen(Phase.LOST)})
    demand("salvaged", dead.actions == (SalvageRun("a.1.1"),), dead)
    (admit,) = planned(gone, runs={"a.1.1": RunSeen(Phase.ENDED, DONE)}).actions
    demand("kept", not admit.order.accept, admit)  # type: ignore[union-attr]
    for lost, status in ((0, Status.WAITING), (1, Status.FAILED)):
        state = leased(Status.RUNNING, expired_ms=5, lost=lost)
        (event,) = conclude(state, DONE, TAKEN)
        demand("lost", (event.status, event.reason) == (status, Reason.LOST), event)
        demand("told", "no heartbeat for 90 s" in event.detail[0], event)
    (event,) = conclude(leased(Status.STOPPING, expired_ms=5), DONE, TAKEN)
    demand("cancelled is cancelled", event.status is Status.CANCELLED, event)


def conclude(state: State, left: Exit, returned: Returned) -> list[AttemptEnded]:
    """What follows from this evidence."""
    seen = RunSeen(Phase.ENDED, left, returned)
    return [e for e in attempts.conclude_attempts(state, look(state, runs={"a.1.1": seen})) if isinstance(e, AttemptEnded)]


@scene
def evidence_with_another_fence_is_never_a_success() -> None:
    for fence in (0, 2, 4):
        for left in (replace(DONE, fence=fence), Exit(Outcome.LOST, fence=fence)):
            (event,) = conclude(leased(Status.RUNNING), left, TAKEN)
            demand("fenced", (event.status, event.reason) == (Status.FAILED, Reason.FENCED), event)
    (event,) = conclude(leased(Status.RUNNING), DONE, TAKEN)
    demand("its own is", event.status is Status.READY, event)


@scene
def each_grant_has_a_higher_fence_and_the_next_attempt_takes_the_claim_over() -> None:
    tasks = [replace(task(Status.WAITING), order=at, spec=TaskSpec(name, "t", "r", claims=())) for at, name in enumerate("abc")]
    plan = planned(replace(state_of(*tasks), next_fence=8))
    fences = [event.lease.fence for event in plan.events if isinstance(event, AttemptStarted)]
    demand("rising", fences == [8, 9, 10] and plan.state.next_fence == 11, plan)
    orders = [action.order.fence for action in plan.actions if isinstance(action, StartRun)]
    demand("told to the supervisor", orders == fences, orders)
    gone = leased(Status.RUNNING, expired_ms=5)
    over = planned(gone, runs={"a.1.1": RunSeen(Phase.ENDED, Exit(Outcome.LOST, fence=3), Returned(Entry.UNCHANGED))})
    lease = over.state.leases["a"]
    demand("taken over", kinds(over) == ["AttemptEnded", "AttemptStarted"] and lease.fence == 4 and not lease.expired_ms, over)


@scene
def a_save_lands_only_under_the_leases_that_it_was_planned_under() -> None:
    state = saving(SaveStep.GATED, lands=2)
    demand("it lands", LandSave in {type(action) for action in step(state).actions})
    other = replace(state.tasks["t0"], attempt=2), replace(state.tasks["t0"], generation=2)
    spoilt = [replace(state, tasks={**state.tasks, "t0": one}) for one in other]
    spoilt.append(replace(state, leases={**state.leases, "t0": replace(state.leases["t0"], fence=9)}))
    spoilt.append(replace(state, leases={name: lease for name, lease in state.leases.items() if name != "t0"}))
    for one in spoilt:
        asked = tuple(duties.list_duties(one, look(one)))
        demand("it does not", LandSave not in {type(action) for action in asked}, one)
    unconcerned = replace(state.leases["t2"], fence=9)
    kept = leases.holds_tokens(replace(a_save(3), lands=2), replace(state, leases={**state.leases, "t2": unconcerned}))
    demand("what does not land does not count", kept)


@scene
def silent_gates_and_silent_orphans_are_revoked() -> None:
    plan = step(saving(SaveStep.MERGED), runs={"@save1.3.1": SILENT})
    demand("gates", plan.actions == (RevokeRun("@save1.3.1"),) and not plan.events, plan)
    beating = step(saving(SaveStep.MERGED), runs={"@save1.3.1": RunSeen(Phase.RUNNING, silent_seconds=89.0)})
    demand("beating gates go on", not beating.actions, beating)
    for seen, action in ((SILENT, RevokeRun("a.1.1")), (RunSeen(Phase.RUNNING), StopRun("a.1.1"))):
        orphan = planned(state_of(task(Status.CANCELLED)), leftovers={"a.1.1": seen})
        demand("orphan", orphan.actions == (action,), orphan)


@scene
def an_expired_lease_survives_the_log() -> None:
    plan = planned(leased(Status.RUNNING), runs={"a.1.1": SILENT})
    demand("the event says it all", evolve(leased(Status.RUNNING), plan.events) == plan.state)
