"""Scenes of landing: what the last proofs find is an answer about tasks, and the rest goes on."""

from __future__ import annotations

from playbook import kinds, saving, scene, step
from session_scenes import statuses
from world import demand

from orchd.core import planner
from orchd.core.statuses import is_open_question
from orchd.model.action import LandSave
from orchd.model.config import Config
from orchd.model.save import Excluded, SaveItem, SaveStep, Target, Verdict
from orchd.model.work import Reason

GREEN = (Verdict(3, True, ()),)


@scene
def what_the_last_proof_finds_outside_a_claim_is_asked_and_the_rest_is_saved_anew() -> None:
    for target in Target:
        state = saving(SaveStep.GATED, lands=3, verdicts=GREEN, target=target)
        assert state.save is not None
        gone = Excluded(state.save.items[1], Reason.CLAIM, ("b was changed",))
        plan = step(state, refused=(gone,))
        demand("given up and begun anew", kinds(plan) == ["SaveRefused", "SaveAbandoned", "SavePlanned"], target, plan)
        demand("a person is asked", is_open_question(plan.state.tasks["t1"]), plan.state.tasks["t1"])
        demand("about what was found", plan.state.tasks["t1"].detail == gone.detail, plan.state.tasks["t1"])
        save = plan.state.save
        demand("the rest goes on", save and [item.task for item in save.items] == ["t0", "t2"], save)
        demand("nothing lands now", LandSave not in {type(action) for action in plan.actions}, plan)


@scene
def when_nothing_is_left_after_the_last_proofs_orchd_rests() -> None:
    state = saving(SaveStep.GATED, lands=3, verdicts=GREEN)
    assert state.save is not None
    plan = step(state, refused=tuple(Excluded(item, Reason.PROOF, ("broken",)) for item in state.save.items))
    demand("held", statuses(plan.state) == ["held"] * 3 and plan.state.save is None, plan)
    demand("rest", not plan.actions and planner.is_idle(plan.state, Config()), plan)


@scene
def of_a_line_what_was_built_on_the_refused_is_held_with_it() -> None:
    items = tuple(SaveItem(f"t{at}", 1, 1, f"merge-t{at}", base) for at, base in enumerate(("base", "merge-t0", "base")))
    state = saving(SaveStep.GATED, lands=3, verdicts=GREEN, items=items, start="base")
    after = step(state, refused=(Excluded(items[0], Reason.CLAIM, ("x",)),)).state
    demand("both", statuses(after)[:2] == ["held", "held"] and after.tasks["t1"].reason is Reason.BUILT_ON, after)
    demand("and nobody else", statuses(after)[2] in ("ready", "saving"), after)


@scene
def what_has_landed_or_was_overtaken_is_not_refused() -> None:
    state = saving(SaveStep.GATED, lands=3, verdicts=GREEN)
    assert state.save is not None
    refused = (Excluded(state.save.items[0], Reason.CLAIM, ("x",)),)
    demand("landed", kinds(step(state, refused=refused, landed="C")) == ["SaveLanded"])
    demand("overtaken", kinds(step(state, "moved", refused=refused))[0] == "SaveAbandoned")
