"""Made-up tasks and states for the tests of the command line."""

from __future__ import annotations

from dataclasses import replace

from orchd.adapters.server import Server
from orchd.model.claim import Lease, Mode, PathSpec
from orchd.model.ids import attic_ref
from orchd.model.save import Checkpoint, Gate, Merged, Save, SaveItem, SaveStep, Verdict
from orchd.model.snapshot import State
from orchd.model.work import Reason, Source, Status, Task, TaskSpec

BASE = "b" * 40
TIP = "c" * 40
COMMIT = "d" * 40
NOW_MS = 1_769_853_600_000
GATES = (Gate("tests", "make test", 60.0),)
CHECKPOINT = Checkpoint("checkpoint/2026-01-31-007", COMMIT, NOW_MS - 180_000, "default", ("t",), "tests")


SERVER = Server(42, "host", NOW_MS - 60_000)


def make_task(name="t", status=Status.WAITING, reason: Reason | None = None, **changes) -> Task:
    spec = TaskSpec(name, f"Title of {name}", "make it", claims=(PathSpec("src/**"), PathSpec("docs/*.md", Mode.APPEND)))
    task = Task(spec, status, "digest", Source.FILE, order=1, seen_ms=NOW_MS - 60_000, reason=reason)
    if status is not Status.WAITING:
        task = replace(task, attempt=1, base=BASE, started_ms=NOW_MS - 50_000)
    if status not in (Status.WAITING, Status.RUNNING, Status.STOPPING, Status.WITHDRAWN):
        task = replace(task, tip=TIP, ref=attic_ref(name, 1), ended_ms=NOW_MS - 40_000)
    if status is Status.LANDED:
        task = replace(task, checkpoint=CHECKPOINT.name, commit=COMMIT)
    return replace(task, **changes)


def make_state(*tasks: Task, **changes) -> State:
    leases = {
        t.spec.id: Lease(t.spec.id, "host-1", 3, t.spec.claims, NOW_MS - 50_000)
        for t in tasks
        if t.status in (Status.RUNNING, Status.READY, Status.SAVING)
    }
    return replace(State(tasks={t.spec.id: t for t in tasks}, leases=leases), **changes)


def make_save(step=SaveStep.MERGED, gates=GATES, **changes) -> Save:
    item = SaveItem("t", 1, 1, TIP)
    save = Save("5a5a5a5a5a5a", "default", BASE, (item,), gates, 7, NOW_MS - 30_000, step)
    chain = (Merged(item, COMMIT, "e" * 40),) if step is not SaveStep.PLANNED else ()
    verdicts = (Verdict(1, True, ()),) if gates and step in (SaveStep.GATED, SaveStep.LANDED) else ()
    return replace(save, chain=chain, verdicts=verdicts, **changes)
