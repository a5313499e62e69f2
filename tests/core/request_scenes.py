"""Scenes between clones about what people ask of sessions: who hears it, and what of it outlives the owner."""

from __future__ import annotations

from dataclasses import replace

from clone_scenes import SPEC, a_state, bids, gated, look, mine, scene, seen, task
from rules import seen_file
from world import demand

from orchd.core.planner import plan
from orchd.core.tenures import publish_task, seal
from orchd.model.action import ForgetIntent, HoldSession, LandSave
from orchd.model.message import RequestRefused, SavePlanned
from orchd.model.session import Landing, Session, SessionFileSeen, SessionSpec, SessionsSeen
from orchd.model.snapshot import FilesSeen, Intent, SaveSeen, Verb
from orchd.model.tenure import Holding, Refused, Tenure, TenureSeen
from orchd.model.work import Reason, Status

REQUESTS = (
    Intent("i", Verb.RETRY, "a"),
    *(Intent("i", verb, "default") for verb in (Verb.PAUSE_SESSION, Verb.RETRY_SESSION, Verb.CANCEL_SESSION)),
    Intent("i", Verb.FORK_SESSION, "default", ("c", "checkpoint/1", "manual")),
)


@scene
def a_request_that_only_the_owner_can_hear_is_refused_once_and_for_all_to_see() -> None:
    failed = task(Status.FAILED, reason=Reason.EXIT)
    foreign, state = seen("you", 2, 1.0, publish_task(failed)), a_state(failed, Holding("you", 2))
    for asked in REQUESTS:
        planned = plan(look(state, foreign, intents=(asked,)))
        [refused] = planned.events
        one = Refused("i", asked.verb, asked.subject, "default", "you")
        demand("it is refused", isinstance(refused, RequestRefused) and refused.refused == one, planned.events)
        demand("and forgotten", ForgetIntent in map(type, planned.actions), planned.actions)
        again = plan(replace(look(planned.state, foreign, intents=(asked,))))
        demand("once", not again.events, again.events)
        demand("the last ones are known", planned.state.refused == (one,), planned.state.refused)


@scene
def a_request_takes_over_from_an_owner_that_gives_no_sign_of_life_and_is_heard_then() -> None:
    failed = task(Status.FAILED, reason=Reason.EXIT)
    state = a_state(failed, Holding("you", 2))
    for asked in REQUESTS[:-1]:
        waits = plan(look(state, seen("you", 2, 60.0, publish_task(failed)), intents=(asked,)))
        demand("it waits", not waits.events and ForgetIntent not in map(type, waits.actions), waits)
        [bid] = (action.bid for action in waits.actions if isinstance(action, HoldSession))
        demand("the session is taken over", (bid.tenure.owner, bid.tenure.epoch) == ("me", 3), bid)
        ours = plan(look(state, seen("me", 3, 1.0, publish_task(failed)), intents=(asked,)))
        forgotten = ForgetIntent in map(type, ours.actions)
        demand("then it is heard", forgotten and RequestRefused not in map(type, ours.events), ours)
    idle = plan(look(state, seen("you", 2, 60.0, publish_task(failed))))
    demand("without a request nothing is taken over", not idle.actions, idle.actions)
    early = look(state, None, intents=REQUESTS[:1], answered=False)
    demand("before the remote has answered it waits", not plan(early).events and not plan(early).actions)
    known = plan(replace(early, state=replace(state, holdings={"default": Holding("me", 2)})))
    demand("but not with what we owned", ForgetIntent in map(type, known.actions), known)


@scene
def what_is_asked_of_a_session_that_was_given_back_counts() -> None:
    failed = task(Status.FAILED, reason=Reason.EXIT)
    state, free = a_state(failed, Holding("", 2)), seen("", 2, 1.0, publish_task(failed))
    planned = plan(look(state, free, intents=REQUESTS[:1]))
    demand("the retry is not taken back", planned.state.tasks["a"].status is Status.WAITING, planned.events)
    [bid] = (action.bid for action in planned.actions if isinstance(action, HoldSession))
    demand("and published", bid.tenure.tasks[0].status is Status.WAITING, bid)


@scene
def a_pause_and_a_fork_are_published_and_outlive_their_owner() -> None:
    paused = Session(SessionSpec("default"), paused=True)
    forked = Session(SessionSpec("default", Landing.MANUAL), pinned="c", origin="checkpoint/1")
    for session in (paused, forked):
        alone = replace(a_state(task(), Holding("me", 1)), sessions={"default": session})
        [bid] = bids(look(alone, mine(1.0, publish_task(task()))[1]))
        demand("it is published", bid.tenure.settings == session, bid)
        [early] = bids(look(replace(alone, tasks={}, holdings={}), None, files=FilesSeen()))
        demand("before there is a task", early.tenure.settings == session, early)
        dead = seen("me", 1, 60.0, publish_task(task()), ours=False)
        dead = replace(dead, tenure=replace(dead.tenure, owner="you", settings=session))
        taken = plan(look(a_state(task(), Holding("you", 1)), dead))
        demand("the standby has it", taken.state.sessions == {"default": session}, taken.state.sessions)
        [bid] = (action.bid for action in taken.actions if isinstance(action, HoldSession))
        demand("and takes it over", bid.tenure.settings == session, bid)
        again = plan(replace(look(taken.state, dead)))
        demand("once", not again.events, again.events)
        own = replace(session, spec=SessionSpec("default", Landing.ON_COMPLETE), file="sessions/default.yaml", paused=False)
        file = SessionsSeen((SessionFileSeen(own.file, own.spec, session.pinned),))
        ruled = plan(look(replace(a_state(task(), Holding("you", 1)), sessions={"default": own}), dead, sessions=file))
        kept = ruled.state.sessions["default"]
        demand("a file here says how it lands, not whether it is paused", kept == replace(own, paused=session.paused), kept)
        done = a_state(task(Status.LANDED, commit="c"), Holding("you", 1))
        idle = replace(done, sessions={"default": replace(own, origin="")})
        quiet = look(idle, replace(dead, tenure=replace(dead.tenure, tasks=())), files=FilesSeen(), sessions=file)
        demand("who has no work takes nothing over", HoldSession not in map(type, plan(quiet).actions))
        going = replace(dead, tenure=replace(dead.tenure, settings=None))
        resumed = plan(look(replace(a_state(task(), Holding("you", 1)), sessions={"default": session}), going))
        demand("its owner let it go on", not resumed.state.sessions["default"].paused, resumed.state.sessions)
        mine_now = plan(look(alone, replace(going, tenure=replace(going.tenure, owner="me", settings=session)), draining=False))
        demand("an owner follows itself", mine_now.state.sessions == alone.sessions)


@scene
def a_session_that_is_over_is_not_adopted_again_and_again() -> None:
    done = publish_task(task(Status.LANDED, commit="c", checkpoint="checkpoint/1"))
    foreign = seen("you", 2, 1.0, done)
    foreign = replace(foreign, tenure=replace(foreign.tenure, settings=Session(SessionSpec("default", Landing.MANUAL))))
    snapshot = look(a_state(task(Status.LANDED, commit="c", checkpoint="checkpoint/1"), Holding("you", 2)), foreign)
    for _ in range(3):
        planned = plan(snapshot)
        snapshot = replace(snapshot, state=planned.state)
    demand("it comes to rest", not planned.events, planned.events)


@scene
def a_save_has_a_number_that_no_other_clone_has_used() -> None:
    ready, _ = gated()
    ready = replace(ready, status=Status.READY)
    snapshot = look(a_state(ready, Holding("me", 1)), seen("me", 1, 1.0))
    other = TenureSeen(Tenure("other", "you", 1, number=9), "w", 1.0)
    assert snapshot.shared is not None
    shared = replace(snapshot.shared, tenures={**snapshot.shared.tenures, "other": other})
    [planned] = (event for event in plan(replace(snapshot, shared=shared)).events if isinstance(event, SavePlanned))
    demand("the next free one", planned.save.number == 9, planned.save)


@scene
def a_task_of_the_same_name_in_a_session_of_another_clone_is_another_task() -> None:
    snapshot = look(a_state(task(Status.RUNNING, attempt=1), Holding("me", 1)), seen("me", 1, 1.0))
    theirs = publish_task(replace(task(Status.LANDED, commit="c"), spec=replace(SPEC, session="other")))
    other = TenureSeen(Tenure("other", "you", 1, tasks=(theirs,)), "w", 1.0)
    assert snapshot.shared is not None
    both = replace(snapshot.shared, tenures={**snapshot.shared.tenures, "other": other})
    free, lost = ({"default": seen(owner, 1, 1.0), "other": other} for owner in ("", "you"))
    for shared, session in (
        (both, "default"),
        (replace(both, tenures=free), "default"),
        (replace(both, tenures=lost), "other"),
    ):
        known = plan(replace(snapshot, shared=shared)).state.tasks["a"].spec.session
        demand("who is not another clone's stays", known == session, shared, known)


@scene
def a_task_that_was_moved_to_a_session_of_ours_is_taken_from_its_file() -> None:
    state, moved = a_state(task(Status.FAILED, reason=Reason.EXIT), Holding("you", 2)), replace(SPEC, session="other")
    files = FilesSeen((seen_file(moved, digest="2"),))
    left = plan(look(state, seen("you", 2, 1.0), files=files)).state.tasks["a"]
    demand("its owner gave it up", (left.spec.session, left.status) == ("other", Status.WAITING), left)
    kept = plan(look(state, seen("you", 2, 1.0, publish_task(state.tasks["a"])), files=files)).state.tasks["a"]
    demand("what its owner lists stays", kept.spec.session == "default", kept)


@scene
def a_landing_publishes_where_a_fork_goes_on() -> None:
    saving, save = gated()
    forked = Session(SessionSpec("default"), pinned="base", origin="checkpoint/1")
    state = replace(a_state(saving, Holding("me", 1)), save=save, sessions={"default": forked})
    planned = plan(look(state, seen("me", 1, 1.0), save=SaveSeen(save.id), main=save.base))
    [action] = (one for one in planned.actions if isinstance(one, LandSave))
    assert action.bid is not None
    settings = seal(action.bid.tenure, "sealed").settings
    demand("at the checkpoint", settings == replace(forked, pinned="sealed"), settings)
