"""Scenes about results that strayed outside their claim, and about what a person answers."""

from __future__ import annotations

from dataclasses import replace

from playbook import SPEC, look, planned, scene, state_of, task
from rules import check_covers, check_overlap
from world import demand

from orchd.core import answers, duties, globs, intake
from orchd.core.claims import covers, overlaps
from orchd.core.evolve import evolve
from orchd.core.telling import tell_task
from orchd.model.action import AdmitRework, StartRun
from orchd.model.claim import PathSpec
from orchd.model.message import AttemptEnded, AttemptStarted, TaskAnswered, TaskRetried
from orchd.model.run import AdmitOrder, CommandResult, Entry, Exit, Outcome, Phase, Returned, RunSeen
from orchd.model.snapshot import FilesSeen, Intent, Verb
from orchd.model.work import Answer, Earlier, Reason, Rework, SettledFile, Source, Status, Task

CLAIMED = replace(SPEC, claims=(PathSpec("src/**"),))
AGAIN = Rework(Answer.DROP, "tip", "old", "attic/a/1")
ODD_PATHS = ("plain.txt", "a[1].txt", "a*b", "a?b", "**", "{x}", "!x", "a\\b", "a\nb", "\udcff", "src/[id]/page.tsx")


def held(**more: object) -> Task:
    """A task whose result strayed."""
    known = {"tip": "tip", "base": "old", "ref": "attic/a/1", "reason": Reason.CLAIM, "detail": ("x",), "spec": CLAIMED}
    return task(Status.HELD, **(known | more))


def asked(*words: str) -> tuple[Intent, ...]:
    return (Intent("1", Verb.ANSWER, "a", words),)


@scene
def an_answer_takes_the_very_result_up_again_without_a_run() -> None:
    for said in (Answer.WIDEN, Answer.DROP):
        plan = planned(state_of(held()), intents=asked(said, "tip", "docs/x.md"))
        answered, started = plan.events
        demand("answered, then started", isinstance(answered, TaskAnswered) and isinstance(started, AttemptStarted), plan)
        now = plan.state.tasks["a"]
        demand("the result is named", now.rework == Rework(said, "tip", "old", "attic/a/1"), now)
        demand("the old base", now.base == "old" and now.attempt == 2, now)
        demand("the claim is wider", [c.glob for c in now.spec.claims] == ["src/**", "docs/x.md"], now)
        demand("and held", plan.state.leases["a"].paths == now.spec.claims, plan)
        demand("no run", not any(isinstance(action, StartRun) for action in plan.actions), plan)
        (admit,) = (action for action in plan.actions if isinstance(action, AdmitRework))
        order = AdmitOrder("a.1.2", "default", "a", "old", now.spec.claims, accept=True, fence=1)
        demand("the airlock judges it again under the wider claim", admit == AdmitRework(order, now.rework), admit)


@scene
def an_answer_that_nobody_waits_for_is_forgotten() -> None:
    known = [asked("widen", "other-tip"), asked("widen"), asked(), asked("perhaps", "tip")]
    for intents in known:
        demand("forgotten", not planned(state_of(held()), intents=intents).events, intents)
    for status in set(Status) - {Status.HELD}:
        demand("not held", answers.hear_answer(replace(held(), status=status), ("widen", "tip")) is None, status)
    for reason in set(Reason) - {Reason.CLAIM}:
        demand("held for something else", answers.hear_answer(held(reason=reason), ("widen", "tip")) is None, reason)
    for reason in set(Reason) - {Reason.CONFLICT}:
        words = answers.word_settlement(Answer.OURS, "tip", "onto")
        demand("no conflict is held", answers.hear_answer(held(reason=reason), words) is None, reason)


@scene
def a_settled_conflict_is_taken_up_on_what_had_landed() -> None:
    file = SettledFile("a b=c", "1" * 40)
    for said in (Answer.OURS, Answer.THEIRS, Answer.FILES, Answer.EARLIER):
        words = answers.word_settlement(said, "tip", "onto", [file])
        plan = planned(state_of(held(reason=Reason.CONFLICT)), intents=asked(*words))
        now = plan.state.tasks["a"]
        demand("the whole answer is kept", now.rework == Rework(said, "tip", "onto", "attic/a/1", "old", (file,)), now)
        demand("on what had landed", now.base == "onto" and now.spec.claims == CLAIMED.claims, now)
        (admit,) = (action for action in plan.actions if isinstance(action, AdmitRework))
        demand("it is judged against that", admit.order.base == "onto" and admit.order.claims == CLAIMED.claims, admit)


@scene
def a_task_that_settles_its_conflict_itself_runs_again_on_main_and_is_told_of_the_earlier_result() -> None:
    disputed = held(reason=Reason.CONFLICT, detail=("src/x\x1b",), source=Source.FILE)
    plan = planned(state_of(disputed), intents=asked("task", "tip"))
    now = plan.state.tasks["a"]
    demand("it starts anew", [type(event) for event in plan.events] == [TaskRetried, AttemptStarted], plan)
    demand("on main", (now.base, now.rework, now.attempt) == ("base", None, 2), now)
    demand("the earlier result is known", now.earlier == Earlier("tip", "old", ("src/x\x1b",)), now)
    (start,) = (action for action in plan.actions if isinstance(action, StartRun))
    brief = start.order.brief
    demand("it is told", "git diff old tip" in brief and "src/x\\x1b" in brief and "\x1b" not in brief, brief)
    demand("and can find it", ("ORCHD_EARLIER", "tip") in start.order.env, start)
    ended = RunSeen(Phase.ENDED, Exit(Outcome.LOST, fence=1), Returned(Entry.UNCHANGED))
    lost = planned(plan.state, runs={"a.1.2": ended}, draining=True).state.tasks["a"]
    demand("a lost attempt is told again", lost.status is Status.WAITING and lost.earlier == now.earlier, lost)
    done = replace(ended, exit=replace(ended.exit, outcome=Outcome.EXITED, results=(CommandResult("run", 0, 1.0),)))
    over = planned(plan.state, runs={"a.1.2": done}, draining=True).state.tasks["a"]
    demand("once", over.status is Status.FAILED and over.earlier is None, over)
    plain = planned(state_of(disputed), intents=(Intent("1", Verb.RETRY, "a"),)).state.tasks["a"]
    demand("a plain retry is told nothing", plain.attempt == 2 and plain.earlier is None, plain)
    demand("it answers no other question", answers.hear_answer(held(), ("task", "tip")) is None)


@scene
def words_about_a_conflict_that_make_no_sense_are_forgotten() -> None:
    disputed = held(reason=Reason.CONFLICT)
    known = [
        ("ours", "tip"),
        ("ours", "tip", ""),
        ("ours", "other", "onto"),
        ("widen", "tip", "onto"),
        ("files", "tip", "onto", "x"),
    ]
    for words in known:
        demand("forgotten", answers.hear_answer(disputed, words) is None, words)
    lost = Returned(Entry.REFUSED, "tip", "attic/a/2", Reason.CONFLICT, ("b.txt",))
    begun = RunSeen(Phase.ENDED, Exit(Outcome.EXITED, (CommandResult("answer", 0, 0.0),), "tip"), lost)
    running = state_of(task(Status.RUNNING, rework=Rework(Answer.FILES, "tip", "onto", "r", "old"), attempt=2))
    now = planned(running, runs={"a.1.2": begun}).state.tasks["a"]
    demand("what is still open is asked again", (now.status, now.reason, now.tip) == (Status.HELD, Reason.CONFLICT, "tip"), now)


@scene
def a_result_that_is_taken_up_again_needs_no_file() -> None:
    waits = task(Status.WAITING, rework=AGAIN)
    gone = tuple(intake.read_files(state_of(waits), look(state_of(waits), files=FilesSeen())))
    demand("it is not withdrawn", not gone, gone)


@scene
def a_new_wording_forgets_the_answer() -> None:
    state = state_of(task(Status.WAITING, rework=AGAIN, digest="old"))
    plan = planned(state, files=look(state_of(task(Status.WAITING))).files, draining=True)
    demand("the command will run", plan.state.tasks["a"].rework is None and plan.state.tasks["a"].digest == "1", plan)


@scene
def a_cancelled_answer_takes_nothing_in_and_remembers_the_work() -> None:
    stopping = state_of(task(Status.STOPPING, rework=AGAIN, attempt=2))
    now = planned(stopping).state.tasks["a"]
    demand("cancelled", (now.status, now.tip, now.ref) == (Status.CANCELLED, "tip", "attic/a/1"), now)
    begun = RunSeen(Phase.ENDED, Exit(Outcome.EXITED, (CommandResult("answer", 0, 0.0),), "tip"))
    (admit,) = duties.list_duties(stopping, look(stopping, runs={"a.1.2": begun}))
    demand("only kept", isinstance(admit, AdmitRework) and not admit.order.accept, admit)


@scene
def an_answered_task_from_the_inbox_waits_for_its_claim_like_any_other() -> None:
    other = replace(task(Status.RUNNING, order=2), spec=replace(SPEC, id="b", claims=(PathSpec("docs/**"),)))
    state = state_of(held(source=Source.INBOX), other)
    plan = planned(state, intents=asked("widen", "tip", "docs/x.md"), runs={"b.1.1": RunSeen(Phase.RUNNING)})
    (decision,) = plan.decisions
    demand("it waits for the one who holds it", decision.others == ("b",) and "docs/x.md" in decision.detail, decision)


@scene
def the_glob_of_a_path_names_it_and_meets_whatever_else_does() -> None:
    for path in ODD_PATHS:
        glob = globs.name_exactly(path)
        demand("it names the path", covers(PathSpec(glob), path), path, glob)
        demand("it is no wider than a sign", not covers(PathSpec(glob), path + "x"), path, glob)
        for other in ("*", "**", "*/*/*", "a*", "src/**", "plain.txt", glob):
            demand("it meets who names it", overlaps(glob, other) or not covers(PathSpec(other), path), path, other)
    check_covers("plain.txt", "plain.txt")
    check_overlap(globs.name_exactly("a/b"), "a/*", ("a/b", "a/c"))


@scene
def an_answer_counts_once() -> None:
    again = Rework(Answer.WIDEN, "tip", "base", "ref")
    for status, kept in ((Status.HELD, None), (Status.READY, None), (Status.WAITING, again)):
        end = AttemptEnded("a", 1, status, "tip", "ref", Reason.LOST if status is Status.WAITING else None, (), 1)
        after = evolve(state_of(task(Status.RUNNING, rework=again)), [end]).tasks["a"]
        demand("it is given up with the attempt that took it up, unless that was lost", after.rework == kept, after)


@scene
def an_answer_that_leaves_nothing_to_land_is_no_failure() -> None:
    for said, words in (
        (Answer.OURS, "what a person answered (ours) left nothing of its result to land"),
        (Answer.RESTORE, ""),
    ):
        rework = Rework(said, "tip", "onto", "attic/a/1", "old")
        running = state_of(task(Status.RUNNING, rework=rework, attempt=2, base="onto"))
        ended = Exit(Outcome.EXITED, (CommandResult("answer", 0, 0.0),), "tip")
        plan = planned(running, runs={"a.1.2": RunSeen(Phase.ENDED, ended, Returned(Entry.UNCHANGED, "tip", "attic/a/1"))})
        now = plan.state.tasks["a"]
        demand("its end", (now.status, now.reason, now.detail) == (Status.UNCHANGED, None, (words,) if words else ()), now)
        told = tell_task(now, plan.state)
        demand("told", (words or "it succeeded") in told.what and any("orchd retry a" in step for step in told.steps), told)
        demand("with its work", not words or "attic/a/1" in told.why[0], told)
