"""Small scenes between clones: what the remote shows in, the expected events and actions out.

The tests run them one by one; the quick pass of the mutants runs all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rules import a_save, seen_file
from world import demand

from orchd.core.evolve import evolve
from orchd.core.phrases import COPIED
from orchd.core.planner import plan
from orchd.core.telling import Scene as TellingScene
from orchd.core.telling import tell_task
from orchd.core.tenures import publish_task
from orchd.model.action import (
    AskNumbers,
    FollowMain,
    HoldSession,
    LandSave,
    StartRun,
)
from orchd.model.claim import Lease, PathSpec
from orchd.model.config import Config
from orchd.model.cost import Spent
from orchd.model.ids import NOWHERE
from orchd.model.message import AttemptStarted, SessionElsewhere, SessionOwned
from orchd.model.number import NumberWish
from orchd.model.run import Phase, RunSeen
from orchd.model.save import Merged, Save, SaveItem, SaveStep
from orchd.model.snapshot import Cause, FilesSeen, PastLanding, SaveSeen, Snapshot, State
from orchd.model.tenure import Bid, Follow, Holding, SharedSeen, Tenure, TenureSeen
from orchd.model.work import Answer, Reason, Rework, Source, Status, Task, TaskSpec

Scene = Callable[[], None]
SCENES: list[Scene] = []
SPEC = TaskSpec("a", "A", "make")
TAKEOVER_SECONDS = 60.0


def scene(rule: Scene) -> Scene:
    """Put a rule on the programme."""
    SCENES.append(rule)
    return rule


def play_all() -> None:
    """Every scene."""
    for rule in SCENES:
        rule()


def task(status: Status = Status.WAITING, **fields: object) -> Task:
    return replace(Task(SPEC, status, "1", Source.FILE, 1, 0), **fields)


def a_state(one: Task, holding: Holding | None = None) -> State:
    open_now = one.status.value in ("running", "stopping", "ready", "saving")
    leases = {"a": Lease("a", "me", 1, SPEC.claims, 0)} if open_now else {}
    return State(next_order=2, tasks={"a": one}, leases=leases, holdings={"default": holding} if holding else {})


def seen(owner: str, epoch: int, age: float = 1.0, *tasks: Task, ours: bool | None = None, number: int = 1) -> TenureSeen:
    tenure = Tenure("default", owner, epoch, TAKEOVER_SECONDS, number, tasks)
    return TenureSeen(tenure, f"v{epoch}", age, owner == "me" if ours is None else ours)


def look(state: State, tenure: TenureSeen | None, **fields: object) -> Snapshot:
    """A snapshot with the task's file there, and the remote answering."""
    file = seen_file(SPEC)
    tenures = {"default": tenure} if tenure else {}
    shared = SharedSeen("me", "main", tenures, answered=True)
    shared = replace(shared, **{key: fields.pop(key) for key in ("busy", "answered", "follow", "rests") if key in fields})
    config = Config(takeover_seconds=TAKEOVER_SECONDS)
    return replace(Snapshot(0, state, config, "main", FilesSeen((file,)), shared=shared), **fields)


def bids(snapshot: Snapshot) -> list[Bid]:
    return [action.bid for action in plan(snapshot).actions if isinstance(action, HoldSession)]


def kinds(snapshot: Snapshot) -> set[type]:
    planned = plan(snapshot)
    return {type(one) for one in (*planned.events, *planned.actions)}


def mine(age: float = 1.0, *tasks: Task) -> tuple[Holding, TenureSeen]:
    return Holding("me", 1), seen("me", 1, age, *tasks)


@scene
def a_session_without_an_owner_is_bid_for_and_nothing_starts_before_the_remote_shows_it() -> None:
    snapshot = look(a_state(task()), None)
    demand(
        "the bid is create-only", [(bid.old, bid.tenure.owner, bid.tenure.epoch) for bid in bids(snapshot)] == [("", "me", 1)]
    )
    demand("nothing starts", AttemptStarted not in kinds(snapshot))
    [decision] = plan(snapshot).decisions
    demand("it is told why", decision.cause is Cause.ELSEWHERE and decision.detail[0] == "default", decision)


@scene
def before_the_remote_has_answered_and_while_something_is_under_way_nothing_is_bid() -> None:
    for fields in ({"answered": False}, {"busy": True}):
        demand("no bid", not bids(look(a_state(task()), None, **fields)), fields)


@scene
def what_was_proposed_in_another_clone_is_as_deep_here() -> None:
    theirs = publish_task(task(attempt=1, proposer="x", depth=1, proposed=2))
    taken = plan(look(a_state(task()), seen("you", 1, 1.0, theirs))).state.tasks["a"]
    demand("by whom, how deep, how many", (taken.proposer, taken.depth, taken.proposed) == ("x", 1, 2), taken)


@scene
def what_a_task_has_cost_goes_with_it_once() -> None:
    rows = (
        ("what the owner spent", Spent(5, 50), None, 1, Spent(5, 50)),
        ("ours is in it", Spent(9, 90), Spent(4, 40), 1, Spent(9, 90)),
        ("what we have not told yet", Spent(4, 40), Spent(9, 90), 1, Spent(9, 90)),
        ("an earlier generation is over", Spent(5, 50), Spent(9, 90), 2, Spent(5, 50)),
    )
    for why, theirs, ours, generation, spent in rows:
        record = publish_task(task(attempt=1, generation=generation, spent=theirs))
        planned = plan(look(a_state(task(generation=1, spent=ours)), seen("you", 1, 1.0, record)))
        demand(why, planned.state.tasks["a"].spent == spent, planned.state.tasks["a"].spent)
        again = replace(look(planned.state, seen("you", 1, 1.0, record)), state=planned.state)
        demand("and that is heard once", not plan(again).events, why, plan(again).events)


@scene
def an_attempt_that_another_owner_ends_was_not_free() -> None:
    for spec, booked in ((replace(SPEC, goal="g", run="", agent="claude"), [1]), (SPEC, [])):
        state = a_state(task(Status.RUNNING, attempt=1, base="main", spec=spec), Holding("me", 1))
        for phase, unpriced in ((Phase.RUNNING, booked), (Phase.ABSENT, [])):
            planned = plan(look(state, seen("you", 2), runs={"a.1.1": RunSeen(phase)}))
            demand("as unknown", [one.unpriced for one in planned.state.ledger.accounts] == unpriced, phase)


@scene
def the_owner_starts_for_half_of_the_time_after_its_last_sign_of_life() -> None:
    for age, starts in ((0.0, True), (29.9, True), (30.1, False), (500.0, False)):
        holding, tenure = mine(age, publish_task(task()))
        demand("only a secure owner starts", (AttemptStarted in kinds(look(a_state(task(), holding), tenure))) == starts, age)


@scene
def a_stored_start_whose_run_is_not_there_waits_for_ownership_too() -> None:
    running = task(Status.RUNNING, attempt=1, base="main")
    for age, starts in ((1.0, True), (31.0, False)):
        holding, tenure = mine(age)
        demand("only a secure owner starts a run", (StartRun in kinds(look(a_state(running, holding), tenure))) == starts, age)


@scene
def the_owner_renews_in_time_and_when_its_records_changed_and_rests_when_all_is_done() -> None:
    waiting, running = task(), task(Status.RUNNING, attempt=1, base="main")
    done = task(Status.LANDED, attempt=1)
    for one, told, age, renews in (
        (running, running, 1.0, False),
        (running, running, 12.1, True),
        (running, waiting, 1.0, True),
        (done, done, 59.0, False),
        (done, running, 1.0, True),
    ):
        holding, tenure = mine(age, publish_task(told))
        runs = {"a.1.1": RunSeen(Phase.RUNNING)}
        made = bids(look(a_state(one, holding), tenure, runs=runs))
        demand("renewed when it is due", [(bid.old, bid.tenure.epoch) for bid in made] == [("v1", 1)] * renews, one, age)


@scene
def another_clones_session_is_taken_over_after_its_time_and_not_before() -> None:
    for age, takes in ((59.9, False), (60.0, True)):
        snapshot = look(a_state(task()), seen("you", 4, age, publish_task(task())))
        made = [(bid.old, bid.tenure.owner, bid.tenure.epoch) for bid in bids(snapshot)]
        demand("the epoch rises", made == [("v4", "me", 5)] * takes, age, made)


@scene
def a_stopping_daemon_takes_nothing_over_and_gives_back_what_it_does_not_need() -> None:
    demand("nothing is taken", not bids(look(a_state(task()), seen("you", 4, 99.0), draining=True)))
    holding, tenure = mine(1.0, publish_task(task()))
    [bid] = bids(look(a_state(task(), holding), tenure, draining=True))
    demand("it is given back", (bid.tenure.owner, bid.tenure.epoch) == ("", 1), bid)
    demand("it is free at once", [b.tenure.epoch for b in bids(look(a_state(task()), seen("", 1)))] == [2])


@scene
def an_earlier_process_of_this_clone_is_succeeded_at_once_and_its_runs_go_on() -> None:
    running = task(Status.RUNNING, attempt=1, base="main")
    snapshot = look(a_state(running, Holding("me", 1)), seen("me", 1, 1.0, ours=False))
    demand("with the next epoch", [bid.tenure.epoch for bid in bids(snapshot)] == [2])
    demand("nothing starts before", StartRun not in kinds(snapshot))
    after = plan(look(a_state(running, Holding("me", 1)), seen("me", 2, 1.0))).state
    demand("it still runs, as the same attempt", after.tasks["a"] == running, after.tasks)


@scene
def a_new_owner_counts_an_attempt_that_the_old_one_may_have_begun_unseen() -> None:
    before = a_state(task(attempt=2), Holding("you", 4))
    planned = plan(look(before, seen("me", 5, 1.0, number=9)))
    [owned] = [event for event in planned.events if isinstance(event, SessionOwned)]
    demand("the old owner is named", owned.before == "you", owned)
    [start] = [event for event in planned.events if isinstance(event, AttemptStarted)]
    demand("its number is skipped", start.attempt == 4, start)
    demand("numbers of checkpoints go on", planned.state.next_number == 9, planned.state.next_number)


@scene
def whoever_lost_a_session_stops_and_takes_the_owners_word() -> None:
    running = task(Status.RUNNING, attempt=3, base="main", generation=2)
    failed = publish_task(task(Status.FAILED, attempt=1, reason=Reason.EXIT, ref="refs/orch/attic/a/1", tip="t", ended_ms=7))
    state = replace(a_state(running, Holding("me", 1)), save=None)
    planned = plan(look(state, seen("you", 2, 1.0, failed)))
    [lost] = [event for event in planned.events if isinstance(event, SessionElsewhere)]
    demand("it says what was stopped", (lost.owner, lost.stopped) == ("you", ("a",)), lost)
    now = planned.state.tasks["a"]
    demand("the owner's word counts", (now.status, now.reason, now.ref) == (Status.FAILED, Reason.EXIT, ""), now)
    demand("our own counters never go back", (now.generation, now.attempt) == (2, 3), now)
    demand("it is said where the work is", "refs/orch/attic/a/1 in the clone of you" in now.detail[-1], now)
    demand("its claim is released", not planned.state.leases)
    again = replace(look(state, seen("you", 2, 1.0, failed)), state=planned.state)
    demand("that is said once", not plan(again).events, plan(again).events)


@scene
def a_session_that_was_given_back_is_taken_with_its_records() -> None:
    landed = publish_task(task(Status.LANDED, attempt=1, commit="c", checkpoint="checkpoint/x"))
    planned = plan(look(a_state(task(), Holding("you", 4)), seen("", 4, 1.0, landed)))
    demand("landed stays landed", planned.state.tasks["a"].status is Status.LANDED, planned.state.tasks)
    demand("so there is nothing to take", not [a for a in planned.actions if isinstance(a, HoldSession)])
    released = plan(look(a_state(task(attempt=5), Holding("me", 4)), seen("", 4, 1.0, landed)))
    demand("what we gave back ourselves says nothing new", released.state.tasks["a"].attempt == 5)


@scene
def files_and_requests_here_say_nothing_about_what_another_clone_owns() -> None:
    failed = task(Status.FAILED, reason=Reason.EXIT)
    foreign = seen("you", 2, 1.0, publish_task(failed))
    state = a_state(failed, Holding("you", 2))
    changed = look(state, foreign, files=FilesSeen((seen_file(SPEC, digest="2"),)))
    demand("nothing happens", not plan(changed).events, changed)
    waiting = seen("you", 2, 1.0, publish_task(task()))
    gone = look(a_state(task(), Holding("you", 2)), waiting, files=FilesSeen())
    demand("a file that only its owner has is not withdrawn", not plan(gone).events)


@scene
def a_task_that_lacks_its_number_waits_with_its_place_kept_and_it_is_asked_for() -> None:
    spec = replace(SPEC, numbers=("migration", "step"))
    wants = replace(task(generation=2), spec=spec)
    other = replace(task(), spec=TaskSpec("b", "B", "make", priority=-1), order=2)
    state = replace(a_state(wants, Holding("me", 1)), tasks={"a": wants, "b": other})
    files = FilesSeen((seen_file(spec), seen_file(other.spec)))
    wish, more = (NumberWish(kind, "default/a.2", "refs/heads/session/default/task/a") for kind in spec.numbers)
    for numbered, fields, starts, asks in (
        (frozenset(), {}, (), ((wish, more),)),
        (frozenset({wish}), {}, (), ((more,),)),
        (frozenset({wish, more}), {}, ("a",), ()),
        (frozenset(), {"busy": True}, (), ()),
        (frozenset(), {"rests": True}, ("b",), ()),
        (None, {}, ("a",), ()),
    ):
        planned = plan(look(state, mine(1.0, publish_task(wants))[1], files=files, numbered=numbered, **fields))
        started = tuple(event.task for event in planned.events if isinstance(event, AttemptStarted))
        asked = tuple(action.wishes for action in planned.actions if isinstance(action, AskNumbers))
        demand("it starts with its number only", (started, asked) == (starts, asks), numbered, fields, started, asked)
        causes = {one.task: (one.cause, one.detail) for one in planned.decisions}
        cause = Cause.NUMBERS_REFUSED if fields.get("rests") else Cause.NUMBERS
        demand("it is told why", "a" in starts or causes["a"] in ((cause, ("migration, step",)), (cause, ("step",))), causes)
    again = replace(wants, rework=Rework(Answer.WIDEN, "tip", "base", "ref"))
    planned = plan(
        look(replace(state, tasks={"a": again}), mine(1.0, publish_task(again))[1], files=files, numbered=frozenset())
    )
    demand("what is only judged again needs none", AttemptStarted in map(type, planned.events), planned.decisions)


@scene
def claims_of_other_owners_are_respected() -> None:
    theirs = replace(task(Status.RUNNING), spec=TaskSpec("b", "B", "make", "other", claims=(PathSpec("src/**"),)))
    state = replace(a_state(task(), Holding("me", 1)), holdings={"default": Holding("me", 1), "other": Holding("you", 1)})
    snapshot = look(state, seen("me", 1, 1.0, publish_task(task())))
    other = TenureSeen(Tenure("other", "you", 1, TAKEOVER_SECONDS, 1, (publish_task(theirs),)), "w1", 1.0)
    assert snapshot.shared is not None
    tenures = {**snapshot.shared.tenures, "other": other}
    planned = plan(replace(snapshot, shared=replace(snapshot.shared, tenures=tenures)))
    [decision] = [one for one in planned.decisions if one.task == "a"]
    demand("it waits for the other's claim", (decision.cause, decision.others) == (Cause.CLAIM, ("b",)), decision)


@scene
def a_landing_takes_the_tenure_along_and_that_says_what_landed() -> None:
    saving, save = gated()
    state = replace(a_state(saving, Holding("me", 1)), save=save)
    for age, busy, lands in ((1.0, False, True), (31.0, False, False), (1.0, True, False)):
        snapshot = look(state, seen("me", 1, age), busy=busy, save=SaveSeen(save.id), main=save.base)
        actions = [action for action in plan(snapshot).actions if isinstance(action, LandSave)]
        demand("only a secure owner lands, one thing at a time", bool(actions) == lands, age, busy)
        for action in actions:
            assert action.bid is not None
            [told] = action.bid.tenure.tasks
            demand("it is told as landed", (told.status, action.bid.old) == (Status.LANDED, "v1"), action.bid)


@scene
def what_has_landed_is_finished_even_if_the_session_is_lost() -> None:
    saving, save = gated()
    state = replace(a_state(saving, Holding("me", 1)), save=save)
    foreign = seen("you", 2, 1.0, publish_task(saving))
    landed = SaveSeen(save.id, landed="c")
    first = plan(look(state, foreign, save=landed, main="beyond"))
    demand("the save has landed", first.state.save is not None and first.state.save.step is SaveStep.LANDED, first.events)
    last = plan(replace(look(first.state, foreign, main="beyond"), save=replace(landed, published=True)))
    closed = evolve(first.state, [event for event in last.events if type(event).__name__ == "SaveClosed"])
    demand("its task has landed", closed.tasks["a"].status is Status.LANDED, closed.tasks)
    lost = plan(look(state, foreign, save=SaveSeen(save.id), main=save.base)).state
    demand("what has not is given up", lost.save is None and lost.tasks["a"].status is Status.WAITING, lost)


@scene
def a_sign_of_life_never_says_less_than_the_landing_that_the_remote_has_seen() -> None:
    saving, save = gated()
    landed = publish_task(replace(saving, status=Status.LANDED, commit="c"))
    for step, commit in ((SaveStep.GATED, ""), (SaveStep.LANDED, "c")):
        state = replace(a_state(saving, Holding("me", 1)), save=replace(save, step=step, commit=commit))
        snapshot = look(state, seen("me", 1, 20.0, landed), save=SaveSeen(save.id), main="beyond")
        for bid in bids(snapshot):
            demand("it still says landed", [t.status for t in bid.tenure.tasks] == [Status.LANDED], bid)
    for retried in (replace(saving, generation=2), replace(saving, attempt=2)):
        [bid] = bids(look(a_state(retried, Holding("me", 1)), seen("me", 1, 20.0, landed)))
        demand("another generation, or what is done again", [t.status for t in bid.tenure.tasks] == [Status.RUNNING], bid)


@scene
def our_branch_follows_when_it_is_behind() -> None:
    holding, tenure = mine(1.0, publish_task(task()))
    for follow in Follow:
        asked = FollowMain in kinds(look(a_state(task(), holding), tenure, follow=follow))
        demand("only when nothing is in the way", asked == (follow is Follow.BEHIND), follow)


def gated() -> tuple[Task, Save]:
    """A task in a save that may land."""
    item = SaveItem("a", 1, 1, "tip")
    chain = (Merged(item, "head", "tree"),)
    save = replace(a_save(1, ()), items=(item,), chain=chain, step=SaveStep.GATED, base_tree="before", lands=1)
    return task(Status.SAVING, attempt=1, tip="tip", ref="session/default/task/a", base="base"), save


@scene
def what_main_has_lost_is_known_as_lost_where_the_state_has_just_begun() -> None:
    spec = replace(SPEC, id="a", needs=("b",))
    files = tuple(seen_file(one) for one in (spec, replace(SPEC, id="b"), replace(SPEC, id="c")))
    past = {name: PastLanding("checkpoint/d-007", "C", 1, 1, 5, name == "b") for name in ("b", "c")}
    begun = plan(Snapshot(7, State(), Config(), "base", FilesSeen(files), past=past)).state
    demand("it is not run again", {begun.tasks[name].status for name in "bc"} == {Status.LANDED}, begun)
    demand("and nothing starts without it", begun.gone == {"b"} and begun.tasks["a"].status is Status.WAITING, begun)
    demand("numbers go on", begun.next_number == 8, begun.next_number)
    changed = (seen_file(replace(SPEC, id="c"), digest="2"),)
    lost = {"c": replace(past["c"], generation=2, lost=True)}
    again = plan(Snapshot(8, begun, Config(), "base", FilesSeen(changed), past=lost, draining=True)).state.tasks["c"]
    demand("a changed file is asked for", again.status is Status.WAITING, again)
    copied = task(Status.LANDED, commit=NOWHERE, checkpoint="checkpoint/d-007")
    told = tell_task(copied, a_state(copied), None, TellingScene("main", contained=False))
    demand("a copy is told", told.why[0] == COPIED and not any("git show" in step for step in told.steps), told)


@scene
def whoever_needs_what_is_still_being_written_waits_for_it() -> None:
    a, b = (seen_file(replace(SPEC, id=name, needs=(need,))) for name, need in (("a", "b"), ("b", "c")))
    seen = FilesSeen((a, b), unsettled=frozenset("c"))
    begun = plan(Snapshot(7, State(), Config(), "base", seen))
    demand("nothing is wrong, and nothing is there yet", not (begun.state.problems or begun.state.tasks), begun.events)
    there = plan(Snapshot(8, begun.state, Config(), "base", FilesSeen((a, b, seen_file(replace(SPEC, id="c"))))))
    demand("then all are", there.state.tasks.keys() == set("abc"), there.events)
    missing = plan(Snapshot(8, begun.state, Config(), "base", FilesSeen((a, b))))
    demand("or it is missing", len(missing.state.problems) == 2, missing.state.problems)


@scene
def what_main_says_has_landed_does_not_run_where_the_state_has_just_begun() -> None:
    files = tuple(seen_file(replace(SPEC, id=name)) for name in ("a", "b", "c"))
    past = {"b": PastLanding("checkpoint/1", "C", 2, 3, 5)}
    begun = plan(Snapshot(7, State(), Config(), "base", FilesSeen(files), past=past, draining=True))
    state = begun.state
    demand("it was never one that waits", [type(one).__name__ for one in begun.events].count("TaskSeen") == 2, begun.events)
    known, others = state.tasks["b"], [state.tasks[name] for name in ("a", "c")]
    demand("it has landed", (known.status, known.checkpoint, known.commit) == (Status.LANDED, "checkpoint/1", "C"), known)
    demand("its counters go on", (known.generation, known.attempt) == (2, 3), known)
    demand("others wait", all(task.status is Status.WAITING for task in others), others)
    demand("each has its place", len({task.order for task in state.tasks.values()}) == 3, state.tasks)
    changed = (seen_file(known.spec, digest="2"),)
    again = plan(Snapshot(8, state, Config(), "base", FilesSeen(changed), past=past, draining=True)).state.tasks["b"]
    demand("what is asked for here counts more", again.generation == 3, again)
    pulled = {"b": replace(past["b"], generation=4, commit="D")}
    came = plan(Snapshot(8, state, Config(), "base", FilesSeen(changed), past=pulled, draining=True)).state.tasks["b"]
    demand("one that landed elsewhere since is known", (came.status, came.commit) == (Status.LANDED, "D"), came)
    demand("with its counters", came.generation == 4, came)
    after = plan(Snapshot(8, state, Config(), "base", FilesSeen(changed), draining=True)).state.tasks["b"]
    demand("another wording is another task", (after.status, after.generation) == (Status.WAITING, 3), after)
