"""What goes on now, as records: what runs, and what is claimed. Apart from `cli.views`, which tells why, because these commands
are typed all day and pay for what they import.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from orchd.cli.fields import Row
from orchd.cli.saves import NO_SAVE, view_save_runs
from orchd.cli.spending import join_reports
from orchd.core.progress import name_items
from orchd.core.reservations import find_overlaps, standing
from orchd.core.watched import current_run
from orchd.model.claim import Lease, PathSpec, Reservation
from orchd.model.ids import RunId
from orchd.model.save import Save
from orchd.model.snapshot import State
from orchd.model.work import Status, Task

if TYPE_CHECKING:
    from orchd.app import RunView
    from orchd.model.agent import Report


def view_ps(state: State, running: Mapping[RunId, RunView], now_ms: int = 0) -> tuple[Row, ...]:
    """Each task that runs, whether its process is seen or not, the gates, and the save under way."""
    active = [task for task in in_order(state) if task.status in (Status.RUNNING, Status.STOPPING)]
    rows = [_view_run(task, running.get(current_run(task))) for task in active]
    gated = {one.id: one for one in (*([state.save] if state.save else []), *state.screenings.values())}
    runs = [(gated.get(run[1:].partition(".")[0]), run, seen) for run, seen in running.items() if run.startswith("@")]
    gates = [_view_gates(save, run, seen) for save, run, seen in runs if save]
    return (*rows, *gates, *view_save_runs(state.save, now_ms))


def view_claims(
    state: State, running: Mapping[RunId, RunView], reservations: Iterable[Reservation] = (), now_ms: int = 0
) -> tuple[Row, ...]:
    """One record for each thing that a lease or a person holds, or that a running task wants."""
    beats = {run.split(".")[0]: seen.beat_seconds for run, seen in running.items()}
    leases = [row for lease in state.leases.values() for row in _view_lease(lease, beats.get(lease.task))]
    return (*leases, *(row for one in reservations for row in _view_reservation(one, state, now_ms)))


def _view_lease(lease: Lease, beat_seconds: float | None) -> Iterator[Row]:
    row: Row = {
        "task": lease.task,
        "state": "held",
        "owner": lease.owner,
        "epoch": lease.epoch,
        "fence": lease.fence or None,
        "beat_seconds": beat_seconds,
        "since": lease.granted_ms,
        "file": "",
        "until": None,
        "why": "",
        "overlaps": (),
    }
    for mode, glob in _things(lease.paths, lease.resources, lease.ports):
        yield {**row, "mode": mode, "glob": glob}
    for want in lease.wants:
        yield from ({**row, "state": "wanted", "mode": mode, "glob": glob} for mode, glob in _things(want.paths))
    for refusal in lease.refused:
        refused: Row = {**row, "state": "refused", "why": refusal.why}
        yield from ({**refused, "mode": mode, "glob": glob} for mode, glob in _things(refusal.paths))


def _view_reservation(one: Reservation, state: State, now_ms: int) -> Iterator[Row]:
    stands = bool(standing((one,), now_ms))
    row: Row = {
        "task": "",
        "state": "held" if stands else "expired",
        "owner": one.by,
        "epoch": None,
        "fence": None,
        "beat_seconds": None,
        "since": None,
        "file": one.path,
        "until": one.until_ms or None,
        "why": one.why,
        "overlaps": find_overlaps(one, state.leases) if stands else (),
    }
    yield from ({**row, "mode": mode, "glob": glob} for mode, glob in _things(one.paths, one.resources))


def _things(paths: Iterable[PathSpec], resources: Iterable[str] = (), ports: Iterable[int] = ()) -> Iterator[tuple[str, str]]:
    yield from ((str(path.mode), path.glob) for path in paths)
    yield from (("resource", name) for name in resources)
    yield from (("port", str(port)) for port in ports)


def _view_run(task: Task, seen: RunView | None) -> Row:
    return {
        "run": current_run(task),
        "kind": "task",
        "task": task.spec.id,
        "attempt": task.attempt,
        "pid": seen and seen.pid,
        "elapsed_seconds": seen and seen.seconds,
        "left_seconds": seen and max(0.0, task.spec.timeout_seconds - (seen.step_seconds if seen.step else seen.seconds)),
        "claims": tell_paths(task.spec.claims),
        **view_stream(join_reports(seen.reports) if seen else None),
        **NO_SAVE,
        "step": seen.step if seen else "",
    }


def _view_gates(save: Save, run: RunId, seen: RunView) -> Row:
    limit = sum(gate.timeout_seconds for gate in save.gates)
    return {
        "run": run,
        "kind": "gates",
        "task": name_items(save),
        "attempt": int(run.rpartition(".")[2]),
        "pid": seen.pid,
        "elapsed_seconds": seen.seconds,
        "left_seconds": max(0.0, limit - seen.seconds),
        "claims": (),
        **view_stream(None),
        **NO_SAVE,
    }


def view_stream(report: Report | None) -> Row:
    """What the stream of an agent says about its work."""
    usage = report.usage if report else None
    return {
        "last_tool": report.last_tool if report else "",
        "tools": report and report.tools,
        "tokens": usage and usage.input_tokens + usage.output_tokens,
        "cost": usage and usage.cost_micros,
    }


def tell_paths(paths: Iterable[PathSpec]) -> tuple[str, ...]:
    """Each glob after what is claimed of it."""
    return tuple(f"{path.mode} {path.glob}" for path in paths)


def in_order(state: State) -> list[Task]:
    """The tasks as they came."""
    return sorted(state.tasks.values(), key=lambda task: task.order)
