"""Duties: the actions that the state asks for and whose effect is not seen yet.

Rule: derived from state and snapshot alone, never remembered. What was lost is asked for again; what is done is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from orchd.core.agents import is_agent_unclear, order_job
from orchd.core.attempts import UNSEEN, ended_well
from orchd.core.briefing import tell_proposing, tell_task, word_brief
from orchd.core.chains import chosen_spec
from orchd.core.gate_duties import serve_gates
from orchd.core.intake import recorded_drops
from orchd.core.leases import holds_tokens, is_silent
from orchd.core.numbering import wishes_of
from orchd.core.ownership import is_secure
from orchd.core.prompting import collect_asks
from orchd.core.proposing import find_most
from orchd.core.requests import Hearing, find_hearing
from orchd.core.saving import lands_nothing_new
from orchd.core.schedule import is_busy
from orchd.core.sessions import tip_of
from orchd.core.statuses import ACTIVE, BUSY
from orchd.core.steps import find_begin, list_left, must_change
from orchd.core.tenures import bid_for_landing, list_bids
from orchd.core.watched import current_run, watched_runs
from orchd.model.action import (
    Action,
    AdmitResult,
    AdmitRework,
    DiscardWorkspace,
    FollowMain,
    ForgetIntent,
    ForgetSaves,
    HoldSession,
    KeepResults,
    LandSave,
    MergeSave,
    PlaceLine,
    PublishSave,
    ReleaseBase,
    ReleaseLives,
    RevokeRun,
    SalvageRun,
    SettleDrop,
    StartRun,
    StopRun,
    TakeLive,
)
from orchd.model.agent import Job
from orchd.model.claim import Lease
from orchd.model.ids import GATE_MARK, RunId, TaskId
from orchd.model.limits import SPENT_REFS
from orchd.model.run import AdmitOrder, Command, Entry, Phase, RunOrder, RunSeen
from orchd.model.save import Save, SaveStep, Target
from orchd.model.snapshot import SaveSeen, Snapshot, State
from orchd.model.tenure import Follow
from orchd.model.work import Status, Task


def list_duties(state: State, snapshot: Snapshot) -> Iterator[Action]:
    """All actions that are due now. Their order does not matter for correctness."""
    for intent in snapshot.intents:
        if find_hearing(intent, snapshot) is not Hearing.LATER:
            yield ForgetIntent(intent.id)
    for drop, problems in recorded_drops(state, snapshot.files).items():
        yield SettleDrop(drop, problems)
    for task in state.tasks.values():
        if task.status in ACTIVE:
            yield from tell_task(task, state, snapshot)
            yield from _serve_attempt(task, state, snapshot)
    yield from _serve_save(state, snapshot)
    yield from serve_gates(state, snapshot)
    yield from _serve_shared(state, snapshot)
    yield from _place_lines(state, snapshot)
    yield from _clear_up(state, snapshot)


def _serve_attempt(task: Task, state: State, snapshot: Snapshot) -> Iterator[Action]:
    lease = state.leases[task.spec.id]
    seen = snapshot.runs.get(current_run(task), UNSEEN)
    if task.rework is not None:
        if seen.returned is None:
            accept = task.status is Status.RUNNING
            yield AdmitRework(_order_admission(task, current_run(task), lease.fence, accept=accept), task.rework)
    elif seen.phase is Phase.ABSENT and task.status is Status.RUNNING:
        if is_secure(task.spec.session, snapshot.shared) and not is_agent_unclear(task.spec, snapshot.agents):
            asks = collect_asks(task, state, snapshot) if task.spec.is_for_agent else ()
            yield StartRun(order_attempt(task, lease, snapshot), task.spec.id, asks)
    elif seen.phase is Phase.RUNNING and lease.expired_ms:
        yield RevokeRun(current_run(task))
    elif seen.phase is Phase.RUNNING and task.status is Status.STOPPING:
        yield StopRun(current_run(task))
    elif seen.phase is Phase.LOST:
        yield SalvageRun(current_run(task))
    elif seen.exit and seen.returned is None:
        accept = task.status is Status.RUNNING and not lease.expired_ms and ended_well(seen.exit)
        yield admit_in_turn(_order_admission(task, current_run(task), lease.fence, accept=accept), seen)
    if seen.phase is Phase.RUNNING and seen.live and seen.live.fresh:
        yield TakeLive(_order_admission(task, current_run(task), lease.fence, accept=True))


def admit_in_turn(order: AdmitOrder, seen: RunSeen) -> AdmitResult | TakeLive:
    """The result, after what the task had committed while it ran: that may be more than its result."""
    return TakeLive(order) if seen.live and seen.live.fresh else AdmitResult(order)


def _order_admission(task: Task, run: RunId, fence: int, *, accept: bool) -> AdmitOrder:
    spec = task.spec
    claims, begin = spec.claims, find_begin(task)
    return AdmitOrder(run, spec.session, spec.id, task.base, claims, accept, fence, begin, spec.evidence)


def order_attempt(task: Task, lease: Lease, snapshot: Snapshot) -> RunOrder:
    """What the supervisor is told about an attempt."""
    spec, run = task.spec, current_run(task)
    names = (("ORCHD_TASK", spec.id), ("ORCHD_SESSION", spec.session), ("ORCHD_ATTEMPT", str(task.attempt)))
    earlier = (("ORCHD_EARLIER", task.earlier.tip),) if task.earlier else ()
    env = (*names, *earlier, *_name_ports(lease.ports))
    proposer = f"Orch-Proposed-By: {task.proposer}\n" if task.proposer else ""
    message = f"{spec.title}\n\nOrch-Task: {spec.id}\nOrch-Attempt: {run}\n{proposer}"
    commands = tuple(_order_commands(task, lease, snapshot))
    brief = word_brief(task, (path for path in lease.paths if path not in lease.extended))
    most = find_most(task, snapshot.agents, snapshot.config)
    brief += tell_proposing(most.tasks) if most.tasks > task.proposed and task.depth < most.depth else ""
    begin, wishes = find_begin(task) or task.base, wishes_of(task)
    return RunOrder(run, begin, commands, True, message, env, brief, lease.fence, wishes)  # noqa: FBT003


def _order_commands(task: Task, lease: Lease, snapshot: Snapshot) -> Iterator[Command]:
    """A command for each step that is left."""
    left, seconds = list_left(task), task.spec.timeout_seconds
    goals = sum(bool(step.goal) for step in left)
    job = _order_job(task, lease, snapshot, goals) if goals else None
    for step in left:
        named = (("ORCHD_STEP", step.name),) if task.spec.steps else ()
        yield Command(step.name, step.run, seconds, named, job if step.goal else None, must_change(step, task.spec))


def _order_job(task: Task, lease: Lease, snapshot: Snapshot, goals: int) -> Job:
    """By who was chosen. All `goals` together get no more money than was granted: each an equal part."""
    job = order_job(chosen_spec(task), snapshot)
    micros = max(1, lease.budget_micros // goals) if lease.budget_micros else job.budget_micros
    return replace(job, budget_micros=micros, clocks=replace(job.clocks, micros=micros))


def _name_ports(ports: tuple[int, ...]) -> Iterator[tuple[str, str]]:
    if ports:
        yield "ORCHD_PORT", str(ports[0])
    if len(ports) > 1:
        yield "ORCHD_PORTS", " ".join(map(str, ports))


def _serve_save(state: State, snapshot: Snapshot) -> Iterator[Action]:
    save, seen = state.save, snapshot.save
    if save is not None:
        present = seen if seen and seen.id == save.id else SaveSeen(save.id)
        if save.verdicts and not snapshot.gates.kept:
            yield KeepResults(save)
        if save.step in SAVE_DUTIES:
            yield from SAVE_DUTIES[save.step](save, present, state, snapshot)


def _place_lines(state: State, snapshot: Snapshot) -> Iterator[Action]:
    """Integration branches that are not where the state says: a fork that begins, a line that was cut, a stranger's push."""
    for name, session in state.sessions.items():
        tip = tip_of(state, session)
        if tip and snapshot.lines.get(name) != tip and not (state.save and state.save.session == name):
            yield PlaceLine(name, tip)


def _titles(save: Save, state: State) -> tuple[str, ...]:
    return tuple(state.tasks[item.task].spec.title for item in save.items)


def _merge(save: Save, seen: SaveSeen, state: State, snapshot: Snapshot) -> Iterator[Action]:
    if seen.chain is None:
        yield MergeSave(save, _titles(save, state))


def _land(save: Save, seen: SaveSeen, state: State, snapshot: Snapshot) -> Iterator[Action]:
    if save.target is Target.LINE:
        yield from _publish(save, seen, state, snapshot)
        return
    waits = save.hold is not None and seen.offered
    hopeless = seen.taken or snapshot.main != save.base
    shared = snapshot.shared
    must_not = not is_secure(save.session, shared) or (shared is not None and (shared.busy or shared.rests))
    may = not must_not and holds_tokens(save, state) and not lands_nothing_new(save)
    if may and not seen.landed and not hopeless and not waits:
        yield LandSave(save, _titles(save, state), bid_for_landing(save, state, snapshot))


def _publish(save: Save, seen: SaveSeen, state: State, snapshot: Snapshot) -> Iterator[Action]:
    if not seen.published:
        yield PublishSave(save)


SAVE_DUTIES: Mapping[SaveStep, Callable[[Save, SaveSeen, State, Snapshot], Iterator[Action]]] = {
    SaveStep.PLANNED: _merge,
    SaveStep.GATED: _land,
    SaveStep.LANDED: _publish,
}


def _serve_shared(state: State, snapshot: Snapshot) -> Iterator[Action]:
    """The shared remote, where there is one. A landing that is due takes the tenure along, so it comes first."""
    for bid in list_bids(state, snapshot):
        yield HoldSession(bid)
    if snapshot.shared is not None and snapshot.shared.follow is Follow.BEHIND:
        yield FollowMain(snapshot.shared.main)


def _clear_up(state: State, snapshot: Snapshot) -> Iterator[Action]:
    """Workspaces and keep refs that nobody needs. A workspace goes only after its work is reachable from a ref."""
    needed = watched_runs(state)
    for run, seen in snapshot.leftovers.items():
        if run not in needed:
            yield from _clear_workspace(run, seen, state.tasks)
    yield from _clear_refs(state, snapshot)


def _clear_refs(state: State, snapshot: Snapshot) -> Iterator[Action]:
    """Journals and keep refs that nobody needs, many at a time: each deletion is a process, whatever their number."""
    is_open = {name for name, task in state.tasks.items() if task.status in BUSY}
    stale = tuple(sorted(snapshot.journals - ({state.save.id} if state.save else set())))
    closed = tuple(sorted(snapshot.kept - is_open))
    at_work = any(is_busy(task, state, snapshot.config) for task in state.tasks.values())
    ended = tuple(sorted(snapshot.lives - watched_runs(state)))
    if stale and (len(stale) >= SPENT_REFS or not at_work):
        yield ForgetSaves(stale)
    if closed and (len(closed) >= SPENT_REFS or not at_work):
        yield ReleaseBase(closed)
    if ended and (len(ended) >= SPENT_REFS or not at_work):
        yield ReleaseLives(ended)


def _clear_workspace(run: RunId, seen: RunSeen, tasks: Mapping[TaskId, Task]) -> Iterator[Action]:
    task = tasks.get(run.split(".")[0])
    if is_silent(seen):
        yield RevokeRun(run)
    elif seen.phase is Phase.RUNNING:
        yield StopRun(run)
    elif seen.phase is Phase.LOST:
        yield SalvageRun(run)
    elif task is not None and seen.exit is not None and seen.returned is None:
        yield admit_in_turn(_order_admission(task, run, 0, accept=False), seen)
    elif run.startswith(GATE_MARK) or is_reachable(seen):
        yield DiscardWorkspace(run)


def is_reachable(seen: RunSeen) -> bool:
    """Whether everything that the run made is held by a ref (or there was nothing)."""
    returned = seen.returned
    return returned is not None and (bool(returned.ref) or returned.entry is Entry.UNCHANGED) and not returned.partial
