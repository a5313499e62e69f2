"""Scenes of a main that somebody set back: what landed is not there any more. On the programme of the playbook."""

from __future__ import annotations

from dataclasses import replace

from playbook import SPEC, planned, scene, state_of, task
from rules import a_save
from world import demand

from orchd.core.chronicle import tell_events
from orchd.core.evolve import evolve
from orchd.core.gone import find_newest, list_landings
from orchd.core.losses import Loss, is_unbroken, parse_work, tell_settled, word_again, word_waiver
from orchd.core.restoring import word_restore
from orchd.core.telling import Scene, list_needs, tell_task
from orchd.model.message import LandingsGone, RequestRefused, TaskRetried, TaskSeen, TaskWithdrawn
from orchd.model.save import Checkpoint, Merged, SaveStep
from orchd.model.snapshot import Cause, Intent, State, Verb
from orchd.model.work import Status, Task

LOST = frozenset({"a"})


def landed(name: str = "a", number: int = 1) -> Task:
    spec = replace(SPEC, id=name)
    return task(Status.LANDED, spec=spec, commit=f"land-{name}", checkpoint=f"checkpoint/2026-01-01-{number:03}")


def needing(need: str = "a", name: str = "b") -> Task:
    return task(Status.WAITING, spec=replace(SPEC, id=name, needs=(need,)), order=2, attempt=0)


def both() -> State:
    return state_of(landed(), needing())


def asked(verb: Verb, subject: str, *words: str) -> tuple[Intent, ...]:
    return (Intent("1", verb, subject, words),)


@scene
def a_need_is_met_only_while_main_contains_its_landing() -> None:
    lost = planned(both(), gone=LOST)
    demand("it is stored", lost.events == (LandingsGone(("a",), ("a",)),) and lost.state.gone == LOST, lost.events)
    [said] = lost.decisions
    demand("it does not start", (said.cause, said.others) == (Cause.GONE, ("a",)), said)
    demand("told once", not planned(lost.state, gone=LOST).events, lost)
    found = planned(lost.state)
    demand("it goes on when main has it again", found.state.tasks["b"].status is Status.RUNNING, found.events)
    demand("that is stored, too", LandingsGone((), (), ("a",)) in found.events, found.events)
    other = state_of(landed(), needing("c"), landed("c"))
    demand("others go on", planned(other, gone=LOST).state.tasks["b"].status is Status.RUNNING, other)
    told = tell_task(lost.state.tasks["b"], lost.state, said, Scene("trunk"))
    demand("the reason is told", "needs a (landed), and trunk does not contain" in told.what, told)
    demand(
        "with the ways out", ["explain a" in told.steps[0], "retry a" in told.steps[1], "take it out" in told.steps[2]], told
    )
    [need] = list_needs(lost.state, Scene("trunk"))
    demand("it waits for a person", (need.subject, need.command) == ("b", "orchd explain b"), need)


@scene
def who_waits_behind_it_is_told_the_root() -> None:
    state = replace(state_of(landed(), needing(), needing("b", "c")), gone=LOST)
    plan = planned(state, gone=LOST)
    said = {one.task: one for one in plan.decisions}
    told = tell_task(state.tasks["c"], state, said["c"])
    demand("the root is named", "a (landed) holds back b" in told.what and "retry a" in told.steps[1], told)


@scene
def what_main_lost_can_be_asked_for_again_and_nothing_else_that_landed() -> None:
    kept = planned(both(), intents=asked(Verb.RETRY, "a"), draining=True)
    demand("what landed is not run again", kept.state.tasks["a"].status is Status.LANDED, kept.events)
    again = planned(both(), gone=LOST, intents=asked(Verb.RETRY, "a"), draining=True)
    demand("what is gone is", TaskRetried in map(type, again.events), again.events)
    demand("it waits", again.state.tasks["a"].status is Status.WAITING, again.state)
    demand("nothing is said to be back", not planned(again.state, gone=LOST, draining=True).events, again)
    causes = {one.task: one.cause for one in again.decisions}
    demand("who needs it waits for that", causes["b"] is Cause.NEEDS, causes)
    demand("not a whole session of it", not planned(both(), gone=LOST, intents=asked(Verb.RETRY_SESSION, "default")).events[1:])


@scene
def what_was_asked_for_again_is_dropped_when_main_has_it_again() -> None:
    back = LandingsGone((), (), ("a",), ("a",))
    asks = asked(Verb.RETRY, "a")
    again = planned(both(), gone=LOST, intents=asks, draining=True).state
    cancelled = planned(again, gone=LOST, intents=asked(Verb.CANCEL, "a"), draining=True).state
    for state in (again, cancelled, evolve(again, [TaskWithdrawn("a")])):
        demand("it is still looked for", list_landings(state) == {"a": "land-a"}, state)
        found = planned(state)
        demand("that is told", back in found.events, found.events)
        kept = replace(found.state.tasks["a"], setbacks=(), detail=())
        demand("it has landed, and is not done twice", kept == replace(landed(), ended_ms=kept.ended_ms), kept)
        demand("what needs it goes on", found.state.tasks["b"].status is Status.RUNNING, found.events)
    begun = planned(both(), gone=LOST, intents=asks).state
    demand("what has begun", begun.tasks["a"].status is Status.RUNNING and not list_landings(begun), begun)
    demand("has landed no more", (begun.tasks["a"].checkpoint, begun.tasks["a"].commit) == ("", ""), begun)
    demand("goes on", LandingsGone(()) in planned(begun).events, planned(begun).events)
    lines = [(line.word, line.text) for line in tell_events([back], again)]
    demand("in words", ("dropped", "the retry of a: there is nothing left to do") in lines, lines)


@scene
def what_main_lost_is_neither_undone_nor_landed_again() -> None:
    for words in (word_restore("before", "land-a", "Undo it"), word_restore("land-a", "", "Restore it")):
        request = asked(Verb.RESTORE, "undo-1", *words)
        plan = planned(both(), gone=LOST, intents=request)
        [refused] = [event.refused for event in plan.events if isinstance(event, RequestRefused)]
        demand("why", "main does not contain checkpoint/2026-01-01-001 any more: `git merge" in refused.why, refused)
        demand("nothing is begun", TaskSeen not in map(type, plan.events), plan.events)
        demand("said once", not planned(plan.state, gone=LOST, intents=request).events, plan.events)
        there = planned(both(), intents=request, draining=True)
        demand("what main has comes back", TaskSeen in map(type, there.events), there.events)


@scene
def a_restore_that_failed_is_not_asked_for_by_a_file() -> None:
    seen = planned(State(), intents=asked(Verb.RESTORE, "undo-1", *word_restore("old", "", "x")), draining=True)
    held = replace(seen.state.tasks["undo-1"], status=Status.HELD, rework=None)
    told = tell_task(held, State(), scene=Scene(files=frozenset()))
    demand("how it is asked for", any("orchd undo" in step for step in told.steps), told)
    demand("not by a file", not any("file" in step for step in told.steps), told)


@scene
def the_newest_landing_leads_to_all_before_it() -> None:
    state = state_of(landed("a", 9), landed("b", 10), landed("c", 2), task(Status.WAITING, order=9))
    demand("by its number", find_newest(state) == "land-b", state)
    demand("none", find_newest(State()) == "", State())
    save = replace(a_save(1), step=SaveStep.LANDED, commit="sealed", lands=1)
    save = replace(save, chain=(Merged(save.items[0], "head", "tree"),))
    demand("also one that was not closed yet", list_landings(state_of(save=save)) == {"t0": "sealed"}, save)


@scene
def only_a_person_settles_what_main_lost() -> None:
    again, waiver = word_again("a", "Ann", 0), word_waiver("checkpoint/1", "Ann \x1b", 0)
    once, later = parse_work("checkpoint/1", ["a 1.1 tip"]), parse_work("checkpoint/2", ["a 1.2 tip", "b 1.2 tip"])
    loss = Loss("checkpoint/1", "c1", once)
    demand("not time", not tell_settled(loss, later), later)
    demand("not a wish alone", not tell_settled(replace(loss, note=again), ()), again)
    demand("not the same landing", not tell_settled(replace(loss, note=again), once), once)
    demand("not a wish for another", not tell_settled(replace(loss, note=word_again("b", "Ann", 0)), later), later)
    both = replace(loss, work=parse_work("checkpoint/1", ["a 1.1 tip", "b 1.1 tip"]))
    demand("not a part of it", not tell_settled(replace(both, note=again), later), later)
    reworded = parse_work("checkpoint/3", ["a 2.3 tip"])
    demand("not a new wording", not tell_settled(replace(loss, note=again), reworded), reworded)
    newest = tell_settled(replace(loss, note=again), (*reworded, *parse_work("checkpoint/4", ["a 1.3 tip"]), *later))
    demand("but the newest of the same", newest.startswith("superseded by checkpoint/4 ("), newest)
    demand("not without work", not tell_settled(Loss("checkpoint/1", "c1"), later), later)
    demand("not a word about another", not tell_settled(replace(loss, note=word_waiver("checkpoint/2", "Ann", 0)), ()), loss)
    said = tell_settled(replace(loss, note=again), later)
    demand("by name and time", said == "superseded by checkpoint/2 (asked for again: a by Ann at 1970-01-01T00:00:00Z)", said)
    whole = tell_settled(replace(both, note=again + word_again("b", "Ben", 0)), later)
    demand("each is named once", whole.startswith("superseded by checkpoint/2 (") and "b by Ben at" in whole, whole)
    waived = tell_settled(replace(loss, note=f"x\n\n{waiver}"), ())
    demand("waived", waived == "waived by Ann \\x1b at 1970-01-01T00:00:00Z", waived)


@scene
def git_is_asked_unless_each_checkpoint_stands_on_another() -> None:
    one, two = (Checkpoint(name, name, 0, "default", (), "", base=base) for name, base in (("c1", "base"), ("c2", "c1")))
    demand("in a row", is_unbroken("c2", (one, two)) and is_unbroken("any", ()), one)
    demand("set back", not is_unbroken("c1", (one, two)) and not is_unbroken("base", (one, two)), one)
    demand("with a commit between", not is_unbroken("c2", (one, replace(two, base="other"))), two)
