from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest
from git_world import World, git

from orchd.adapters import git_state
from orchd.adapters.event_records import load_event
from orchd.adapters.git_state import GitStateStore
from orchd.adapters.records import EVENTS, dump_record, load_record
from orchd.adapters.state_reader import read_all, read_hot, read_operations, read_task
from orchd.core.evolve import evolve
from orchd.core.parts import divide
from orchd.errors import OrchdError
from orchd.model.agent import Failure
from orchd.model.claim import Lease, PathSpec
from orchd.model.ids import STATE_REF, TEXT_REF
from orchd.model.message import (
    AttemptEnded,
    AttemptStarted,
    Event,
    GateRan,
    LeaderTook,
    ProblemsChanged,
    RemedyFound,
    SavePlanned,
    ScreeningBegun,
    TaskCancelled,
    TaskSeen,
)
from orchd.model.problem import Problem
from orchd.model.recovery import Candidate, Part, Tried
from orchd.model.save import Gate, GateResult, Merged, Save, SaveItem, Verdict
from orchd.model.snapshot import State
from orchd.model.work import Reason, Source, Status, Step, Task, TaskSpec
from orchd.ports import StateStore, Stored

SECRET = "call Bob about the password"
OID = "a" * 40


def seen(task: str, order: int = 1, title: str = SECRET) -> TaskSeen:
    spec = TaskSpec(task, title, f"echo {SECRET}", goal=f"ask {SECRET}", acceptance=(SECRET,))
    return TaskSeen(spec, "d" * 64, Source.FILE, "", 1, order, 5)


def started(task: str) -> AttemptStarted:
    return AttemptStarted(task, 1, OID, Lease(task, "host:1", 1, (PathSpec("**"),), 6))


def ended(task: str, status: Status = Status.READY) -> AttemptEnded:
    return AttemptEnded(task, 1, status, OID, "refs/heads/x", None, (), 7)


ITEM = SaveItem("a", 1, 1, OID)
ALONE = Save("fedcba", "default", OID, (ITEM,), (Gate("unit", "make"),), 0, 8, chain=(Merged(ITEM, OID, ""),))

STORY: tuple[tuple[Event, ...], ...] = (
    (LeaderTook("host:1", 1),),
    (seen("a"), seen("b", 2), seen("c", 3), ProblemsChanged((Problem("x.yaml", 1, 2, "E1", "bad", excerpt="é\u2028"),))),
    (started("a"),),
    (ended("a"), TaskCancelled("b", 9), ProblemsChanged(())),
    (
        ScreeningBegun(ALONE),
        GateRan("fedcba", Verdict(1, True, (GateResult("unit", True, 0, 1.0),))),
        SavePlanned(Save("0123456789abcdef", "default", OID, (ITEM,), (), 1, 10)),
    ),
    (seen("b", 4, "another title"),),
)


class MemoryStore:
    """The twin."""

    def __init__(self) -> None:
        self._stored = Stored("", State())

    def load(self) -> Stored:
        return self._stored

    def commit(self, old: Stored, state: State, events: tuple[Event, ...], at_ms: int) -> Stored | None:
        if old.version != self._stored.version:
            return None
        self._stored = Stored(f"{old.version}x", state)
        return self._stored


@pytest.fixture(params=["git", "memory"])
def store(request: pytest.FixtureRequest, world: World) -> StateStore:
    return GitStateStore(world.open()) if request.param == "git" else MemoryStore()


def tell(store: StateStore, events: tuple[Event, ...]) -> Stored:
    old = store.load()
    new = store.commit(old, evolve(old.state, events), events, 1_700_000_000_000)
    assert new is not None
    return new


def test_before_the_first_commit_the_state_is_empty(store: StateStore) -> None:
    assert store.load() == Stored("", State())


def test_what_was_committed_is_loaded(store: StateStore) -> None:
    for events in STORY:
        new = tell(store, events)
        assert store.load() == new


def test_the_second_of_two_writers_loses(store: StateStore) -> None:
    old = store.load()
    tell(store, STORY[0])
    assert store.commit(old, evolve(old.state, STORY[0]), STORY[0], 1) is None
    assert store.load().state.epoch == 1


def test_another_process_reads_the_same_state_at_every_step(world: World) -> None:
    store, other = GitStateStore(world.open()), GitStateStore(world.open())
    for events in STORY:
        state = tell(store, events).state
        assert other.load().state == state
        assert GitStateStore(world.open()).load().state == state
        assert read_all(world.place) == state
    assert read_task(world.place, "b") == state.tasks["b"]
    assert read_task(world.place, "nobody") is None


def test_the_light_reader_leaves_the_archive_alone_but_counts_it(world: World) -> None:
    assert read_hot(world.place).state == State()
    store = GitStateStore(world.open())
    for events in STORY[:4]:
        tell(store, events)
    hot = read_hot(world.place)
    assert set(hot.state.tasks) == {"a", "c"}
    assert hot.archived == {Status.CANCELLED: 1}
    tell(store, STORY[5])
    assert read_hot(world.place).archived == {}


def test_replaying_the_log_gives_the_state(world: World) -> None:
    store = GitStateStore(world.open())
    for events in STORY:
        final = tell(store, events).state
    state = State()
    repo = world.open()
    for oid in git(world.top, "rev-list", "--first-parent", "--reverse", STATE_REF).splitlines():
        plain = load_record("events", git(world.top, "cat-file", "blob", f"{oid}:{EVENTS}").encode())["events"]
        texts = [repo.fetch([one["spec"]["text"]])[0] if "spec" in one else None for one in plain]
        state = evolve(state, [load_event(one, text) for one, text in zip(plain, texts, strict=True)])
    assert state == final


def test_operations_are_told_with_subject_number_and_events(world: World) -> None:
    store = GitStateStore(world.open())
    for events in STORY:
        tell(store, events)
    last, *_, first = read_operations(world.place, 10)
    assert (first.subject, first.at_ms) == ("orchd: lead epoch 1", 1_700_000_000_000)
    assert [one["type"] for one in last.events] == ["TaskSeen"]
    assert len(read_operations(world.place, 2)) == 2
    subjects = [one.subject for one in read_operations(world.place, 10)]
    assert "orchd: 4 events: add a, b, c; note 1 problems" in subjects
    assert "orchd: start a" in subjects
    numbers = git(world.top, "log", "--format=%(trailers:key=Orch-Seq,valueonly,separator=)", STATE_REF).split()
    assert numbers == ["6", "5", "4", "3", "2", "1"]


def test_personal_text_is_nowhere_but_in_the_text_ref_and_can_be_erased(world: World) -> None:
    store = GitStateStore(world.open())
    for events in STORY:
        tell(store, events)
    for oid in git(world.top, "rev-list", "--objects", STATE_REF).split():
        if len(oid) == 40:
            assert SECRET not in git(world.top, "cat-file", "-p", oid)
    assert SECRET in git(world.top, "grep", "Bob", TEXT_REF)
    assert git(world.top, "rev-list", "--count", TEXT_REF) == "1"
    git(world.top, "update-ref", "-d", TEXT_REF)
    git(world.top, "reflog", "expire", "--expire=now", "--all")
    git(world.top, "gc", "-q", "--prune=now")
    spec = GitStateStore(world.open()).load().state.tasks["a"].spec
    assert (spec.title, spec.run, spec.goal, spec.acceptance) == ("(erased)", "false", "", ())
    again = GitStateStore(world.open())
    tell(again, (TaskCancelled("c", 1),))
    assert read_all(world.place) == again.load().state


def test_the_parts_that_a_goal_is_divided_into_are_personal_text_too_and_the_first_wording_stays(world: World) -> None:
    store, first = GitStateStore(world.open()), seen("a")
    failed = Tried(Candidate("claude"), Failure.TOKEN_EXHAUSTED, attempt=1)
    spec = divide(first.spec, Step("agent", goal=SECRET), (Part("one", f"{SECRET} once"), Part("two", f"{SECRET} twice")))
    followed = RemedyFound("a", failed, Status.WAITING, failed.candidate, spec=spec)
    for events in ((first,), (started("a"),), (ended("a", Status.FAILED), followed)):
        tell(store, events)
    for oid in git(world.top, "rev-list", "--objects", STATE_REF).split():
        if len(oid) == 40:
            assert SECRET not in git(world.top, "cat-file", "-p", oid)
    assert len(git(world.top, "grep", "-l", "Bob", TEXT_REF).splitlines()) == 2
    assert GitStateStore(world.open()).load().state == read_all(world.place) == store.load().state
    assert [step.goal for step in store.load().state.tasks["a"].spec.steps] == [f"{SECRET} once", f"{SECRET} twice"]


def test_a_record_of_a_newer_orchd_is_refused_clearly(world: World) -> None:
    with pytest.raises(OrchdError, match="schema that this orchd does not know"):
        load_record("task", dump_record("task", {}).replace(b"/1", b"/2"))
    with pytest.raises(OrchdError, match="damaged"):
        load_record("task", b"{")


def test_records_are_canonical_json_with_a_schema(world: World) -> None:
    tell(GitStateStore(world.open()), (LeaderTook("host:1", 1), seen("a")))
    names = git(world.top, "ls-tree", "-r", "--name-only", STATE_REF).splitlines()
    assert sorted(names) == ["events.json", "meta.json", "task/a.json"]
    for name in names:
        text = git(world.top, "cat-file", "blob", f"{STATE_REF}:{name}")
        assert json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False) == text
        assert json.loads(text)["schema"].startswith("orchd/")


def test_a_record_stays_where_it_was_put_and_every_reader_finds_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def names() -> list[str]:
        return [name for name in git(world.top, "ls-tree", "-r", "--name-only", STATE_REF).splitlines() if "/" in name]

    store = GitStateStore(world.open())
    monkeypatch.setattr(git_state, "FEW_NAMES", 2)
    tell(store, tuple(seen(task, order) for order, task in enumerate("abcd", 1)))
    assert names() == ["task/18/d.json", "task/2e/c.json", "task/a.json", "task/b.json"]
    monkeypatch.setattr(git_state, "FEW_NAMES", 256)
    tell(store, (started("a"), started("c"), TaskCancelled("b", 9), TaskCancelled("d", 9)))
    assert names() == ["archive/b.json", "archive/d.json", "claim/a.json", "claim/c.json", "task/2e/c.json", "task/a.json"]
    tell(store, (seen("b", 5, "again"), seen("d", 6, "again")))
    assert names() == ["claim/a.json", "claim/c.json", *(f"task/{name}.json" for name in ("2e/c", "a", "b", "d"))]
    fresh = GitStateStore(world.open())
    assert fresh.load().state == store.load().state == read_all(world.place)
    assert {task: read_task(world.place, task) for task in "abcd"} == store.load().state.tasks
    assert read_task(world.place, "2e") is None
    assert read_hot(world.place).state.tasks == store.load().state.tasks


def test_an_operation_among_thousands_of_archived_tasks_is_quick(world: World) -> None:
    store = GitStateStore(world.open())
    task = Task(TaskSpec("x", "t", "r"), Status.LANDED, "d", Source.FILE, 1, 1, reason=Reason.EXIT)
    many = {f"x{n}": replace(task, spec=replace(task.spec, id=f"x{n}")) for n in range(300)}
    assert store.commit(store.load(), State(tasks=many), (LeaderTook("o", 1),), 1)
    begin = time.process_time()
    for number in range(5):
        tell(store, (LeaderTook("o", number + 2),))
    assert (time.process_time() - begin) / 5 < 0.05
    assert GitStateStore(world.open()).load().state == store.load().state
