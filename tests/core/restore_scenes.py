"""Scenes of trees that come back: a task that claims all and runs nothing. On the programme of the playbook."""

from __future__ import annotations

from dataclasses import replace

from playbook import planned, scene, state_of, task
from world import demand

from orchd.core.restoring import word_restore
from orchd.model.action import AdmitRework, StartRun
from orchd.model.message import AttemptStarted, RequestRefused, TaskSeen
from orchd.model.snapshot import FilesSeen, Intent, State, Verb
from orchd.model.tenure import SharedSeen, Tenure, TenureSeen
from orchd.model.work import Answer, Rework, Status


def asked(*words: str) -> tuple[Intent, ...]:
    return (Intent("1", Verb.RESTORE, "undo-1", words),)


@scene
def a_tree_comes_back_as_a_task_that_claims_all_and_runs_nothing() -> None:
    for onto, base in (("", "main"), ("landed", "landed")):
        plan = planned(State(), main="main", intents=asked(*word_restore("old", onto, "Undo it")))
        seen, started = plan.events
        demand("seen and started", isinstance(seen, TaskSeen) and isinstance(started, AttemptStarted), plan)
        now = plan.state.tasks["undo-1"]
        demand("what comes back is named", now.rework == Rework(Answer.RESTORE, "old", onto, ""), now)
        demand("it starts where it is asked for, or from main", now.base == base, now)
        demand("nobody else has anything", [spec.glob for spec in plan.state.leases["undo-1"].paths] == ["**"], plan)
        kinds = {type(action) for action in plan.actions}
        demand("nothing is run", AdmitRework in kinds and StartRun not in kinds, plan)
        again = planned(plan.state, main="main", intents=asked(*word_restore("old", onto, "Undo it")))
        demand("asked once, heard once", not any(isinstance(event, TaskSeen) for event in again.events), again)


@scene
def words_that_make_no_sense_bring_nothing_back() -> None:
    for words in ((), ("old",), ("", "", "x"), ("old", "", "x", "more")):
        demand("nothing is heard", not planned(State(), intents=asked(*words)).events, words)


@scene
def a_restore_is_not_withdrawn_for_having_no_file_and_its_retry_is() -> None:
    waits = task(Status.WAITING, rework=Rework(Answer.RESTORE, "old", "", ""))
    demand(
        "it has no file", planned(state_of(waits), draining=True, files=FilesSeen()).state.tasks["a"].status is Status.WAITING
    )
    failed = replace(waits, rework=None)
    demand(
        "nothing would run",
        planned(state_of(failed), draining=True, files=FilesSeen()).state.tasks["a"].status is Status.WITHDRAWN,
    )


@scene
def only_the_owner_of_the_default_session_brings_a_tree_back() -> None:
    theirs = TenureSeen(Tenure("default", "you", 1, 60.0), "v1", 1.0)
    shared = SharedSeen("me", "main", {"default": theirs}, answered=True)
    plan = planned(State(), main="main", shared=shared, intents=asked(*word_restore("old", "", "x")))
    demand("another clone would have to", any(isinstance(event, RequestRefused) for event in plan.events), plan)
    demand("nothing comes back here", not plan.state.tasks, plan)
