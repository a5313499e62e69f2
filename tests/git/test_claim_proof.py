"""What a task changed outside its claim does not land, whoever let it in: the fault is planted behind the airlock's back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from git_world import World, commit, titles

from orchd.adapters import landing_proof
from orchd.errors import OrchdError
from orchd.model.claim import Mode, PathSpec
from orchd.model.work import Reason

Files = dict[str, str | bytes | None]

PLANTED: dict[str, tuple[Files, tuple[PathSpec, ...], str]] = {
    "a change": ({"src/b.txt": "x\n"}, (PathSpec("docs/**"),), "src/b.txt was changed"),
    "a deletion": ({"gone.txt": None, "docs/a": "x"}, (PathSpec("docs/**"),), "gone.txt was deleted"),
    "a new file": ({"evil.txt": "x"}, (PathSpec("docs/**"),), "evil.txt was added"),
    "a move out of the claim": ({"a.txt": None, "b.txt": "one\ntwo\nthree\n"}, (PathSpec("a.txt"),), "b.txt was added"),
    "a rewrite where it may only append": ({"a.txt": "two\n"}, (PathSpec("a.txt", Mode.APPEND),), "a.txt was changed"),
    "what it may only read": ({"a.txt": "two\n"}, (PathSpec("a.txt", Mode.READ),), "a.txt was changed"),
}


@pytest.mark.parametrize("guarded", [True, False])
@pytest.mark.parametrize("name", PLANTED)
def test_what_is_outside_the_claim_does_not_land_and_without_the_proof_it_does(
    world: World, name: str, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, claims, words = PLANTED[name]
    if not guarded:
        monkeypatch.setattr(landing_proof, "find_strays", lambda *_: ())
    world.claims["t1"] = claims
    saves = world.saves()
    save, before = world.gated(saves, world.plan(world.branch_tip(files))), world.main
    if guarded:
        with pytest.raises(OrchdError, match=f"outside the claim of t1: {words}"):
            saves.land(save, titles(save))
        assert world.main == before
        refused = [(gone.item.task, gone.reason, gone.detail[0]) for gone in saves.look(save, before).refused]
        assert refused == [("t1", Reason.CLAIM, words)]
    else:
        saves.land(save, titles(save))
        assert world.main != before
        assert not saves.look(save, world.main).refused


GOOD: dict[str, tuple[Files, tuple[PathSpec, ...]]] = {
    "within a glob": ({"src/b.txt": "x\n", "src/new/c.txt": "c", "gone.txt": None}, (PathSpec("src/**"), PathSpec("gone.txt"))),
    "what it appended": ({"a.txt": "one\ntwo\nthree\nfour\n"}, (PathSpec("a.txt", Mode.APPEND),)),
    "names of all kinds": ({"src/ä b\u00df.txt": "x"}, (PathSpec("src/**"),)),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_is_inside_the_claim_lands_though_main_moved_on(world: World, name: str) -> None:
    files, claims = GOOD[name]
    world.claims["t1"] = claims
    base = world.main
    tip = world.branch_tip(files)
    commit(world.top, {"elsewhere.txt": "main went on\n", "docs/x": "x"})
    plan = world.plan(tip)
    saves = world.saves()
    save = world.gated(saves, replace(plan, items=(replace(plan.items[0], base=base),)))
    saves.land(save, titles(save))
    assert world.main != plan.base


def test_several_commits_of_a_task_are_judged_together(world: World) -> None:
    world.claims["t1"] = (PathSpec("a.txt"),)
    base = world.main
    first = world.branch_tip({"a.txt": "x\n", "stray.txt": "x"})
    tip = world.branch_tip({"a.txt": "y\n"}, first)
    plan = world.plan(tip)
    saves = world.saves()
    save = world.gated(saves, replace(plan, items=(replace(plan.items[0], base=base),)))
    with pytest.raises(OrchdError, match=r"stray\.txt was added"):
        saves.land(save, titles(save))
