"""Lines in git: integrated work is published, landed link by link, and nothing of a line is lost."""

from __future__ import annotations

from dataclasses import replace

import pytest
from git_world import World, git, titles

from orchd.adapters.git_saves import GitSaves, last_link
from orchd.adapters.session_lines import GitLines
from orchd.errors import OrchdError
from orchd.model.save import Save, SaveItem, Target
from orchd.model.work import Reason

BRANCH = "refs/heads/session/default/integration"


def to_line(world: World, *tips: str, base: str = "", first: int = 1) -> Save:
    """A save of tips to the line, from `base` (empty: main)."""
    plan = world.plan(*tips)
    items = tuple(replace(item, task=f"t{at}", base=base) for at, item in enumerate(plan.items, first))
    return replace(plan, id=f"{first:016x}", target=Target.LINE, base=base or plan.base, items=items)


def integrate(world: World, saves: GitSaves, save: Save) -> Save:
    """Merged, gated and published."""
    gated = world.gated(saves, save)
    saves.publish(gated)
    assert saves.look(gated, world.main).published
    return gated


def test_integrating_moves_the_line_and_nothing_else(world: World) -> None:
    saves, main = world.saves(), world.main
    gated = integrate(world, saves, to_line(world, world.branch_tip({"x.txt": "x\n"})))
    assert git(world.top, "rev-parse", BRANCH) == last_link(gated).head
    assert (world.main, git(world.top, "tag")) == (main, "")
    note = git(world.top, "notes", "--ref", "orch/audit", "show", BRANCH)
    assert f"integrated: {last_link(gated).head}" in note
    assert "gate: tests passed" in note
    assert git(world.top, "status", "--porcelain") == ""


def test_publishing_again_changes_nothing(world: World) -> None:
    saves = world.saves()
    gated = integrate(world, saves, to_line(world, world.branch_tip({"x.txt": "x\n"})))
    refs = git(world.top, "for-each-ref")
    saves.publish(gated)
    assert git(world.top, "for-each-ref") == refs


def test_what_was_not_gated_is_not_integrated(world: World) -> None:
    saves = world.saves()
    gated = world.gated(saves, to_line(world, world.branch_tip({"x.txt": "x\n"})))
    for wrong in (replace(gated, verdicts=()), replace(gated, chain=(replace(last_link(gated), tree=world.main),))):
        with pytest.raises(OrchdError, match="must not be integrated"):
            saves.publish(wrong)
        assert [gone.reason for gone in saves.look(wrong, world.main).refused] == [Reason.PROOF]
    assert not git(world.top, "for-each-ref", BRANCH)


def make_line(world: World, saves: GitSaves) -> tuple[SaveItem, SaveItem]:
    """The links of two tasks, the second built on the first, as the items of a landing."""
    first = integrate(world, saves, to_line(world, world.branch_tip({"x.txt": "x\n"})))
    one = last_link(first).head
    tip = world.branch_tip({"a.txt": "one\nline\nthree\n"}, one)
    two = last_link(integrate(world, saves, to_line(world, tip, base=one, first=2))).head
    return SaveItem("t1", 1, 1, one, first.base), SaveItem("t2", 1, 1, two, one)


def landing(world: World, *items: SaveItem) -> Save:
    return replace(world.plan(), id="f" * 16, items=items, start=items[0].base)


def test_a_line_lands_on_a_main_that_has_moved_and_its_branch_follows(world: World) -> None:
    saves = world.saves()
    items = make_line(world, saves)
    world.top.joinpath("p.txt").write_text("p\n")
    git(world.top, "add", "-A")
    git(world.top, "commit", "-qm", "a person")
    save = world.landed(saves, world.gated(saves, landing(world, *items)))
    assert saves.look(save, world.main).published
    assert git(world.top, "show", "main:a.txt") == "one\nline\nthree"
    assert set(git(world.top, "ls-tree", "--name-only", "main").split()) >= {"x.txt", "p.txt"}
    assert git(world.top, "rev-parse", BRANCH) == world.main
    assert not git(world.top, "for-each-ref", "refs/orch/attic"), "the line is in main, so nothing is put away"


def test_after_a_link_that_conflicts_there_is_no_link(world: World) -> None:
    saves = world.saves()
    one, two = make_line(world, saves)
    third = world.branch_tip({"z.txt": "z\n"}, two.tip)
    last = last_link(integrate(world, saves, to_line(world, third, base=two.tip, first=3))).head
    world.top.joinpath("a.txt").write_text("one\nmain\nthree\n")
    git(world.top, "commit", "-qam", "a person")
    save = landing(world, one, two, SaveItem("t3", 1, 1, last, two.tip))
    saves.merge(save, titles(save))
    seen = saves.look(save, world.main).chain
    assert seen is not None
    assert [link.item.task for link in seen.chain] == ["t1"]
    assert [(gone.item.task, gone.reason) for gone in seen.excluded] == [("t2", Reason.CONFLICT)]


def test_work_that_was_started_from_what_is_no_longer_on_the_line_is_left_out(world: World) -> None:
    saves = world.saves()
    one, _ = make_line(world, saves)
    gone = world.branch_tip({"y.txt": "y\n"}, one.tip)
    save = to_line(world, gone, base=one.tip, first=3)
    save = replace(save, base=world.main)
    saves.merge(save, titles(save))
    seen = saves.look(save, world.main).chain
    assert seen is not None
    assert not seen.chain
    assert "line of its session was cut" in seen.excluded[0].detail[0]


def test_a_line_that_begins_on_what_main_lost_does_not_land(world: World) -> None:
    saves = world.saves()
    begun = world.branch_tip({"side.txt": "s\n"})
    link = last_link(integrate(world, saves, to_line(world, world.branch_tip({"x.txt": "x\n"}, begun), base=begun))).head
    save = landing(world, SaveItem("t1", 1, 1, link, begun))
    saves.merge(save, titles(save))
    seen = saves.look(save, world.main).chain
    assert seen is not None
    assert "which the session began on" in seen.excluded[0].detail[0]


def test_what_a_branch_loses_goes_to_the_attic_once(world: World) -> None:
    lines = GitLines(world.open())
    one, other = world.branch_tip({"x.txt": "1\n"}), world.branch_tip({"x.txt": "2\n"})
    lines.place("web", one)
    assert not git(world.top, "for-each-ref", "refs/orch/attic")
    for _ in range(2):
        lines.place("web", other)
    assert git(world.top, "rev-parse", "refs/orch/attic/@web/1") == one
    lines.place("web", one)
    lines.place("web", other)
    assert lines.look(["web", "nobody"]) == {"web": other}
    assert git(world.top, "for-each-ref", "--format=%(refname)", "refs/orch/attic").split() == [
        "refs/orch/attic/@web/1",
        "refs/orch/attic/@web/2",
    ]
