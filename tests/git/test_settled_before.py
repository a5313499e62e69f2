"""What a person settled is remembered in git and proposed when the same conflict comes again; it is never taken by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from git_world import World, commit, git, titles

from orchd.adapters import disputes, merge_chain
from orchd.adapters.disputes import read_disagreement
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_trees import edit_tree
from orchd.adapters.merge_report import MergeReport
from orchd.adapters.precedents import parse_notes
from orchd.adapters.settle import settle
from orchd.core.disputes import Disagreement
from orchd.model.ids import PRECEDENTS_REF
from orchd.model.merge import Resolved, Resolving
from orchd.model.save import Merged
from orchd.model.work import Answer, Reason, Rework, SettledFile, Source, Status, Task, TaskSpec

LONG = "".join(f"{number}\n" for number in range(30))
OURS, THEIRS, BOTH = (LONG.replace("3\n", f"{name}\n", 1) for name in ("ours", "theirs", "both"))


def begin(world: World) -> tuple[str, str]:
    """Where both sides began, and the result of a task; main has changed the same line."""
    base = commit(world.top, {"c.txt": LONG})
    tip = world.branch_tip({"c.txt": THEIRS}, base)
    commit(world.top, {"c.txt": OURS})
    return base, tip


def ask(world: World, base: str, tip: str, onto: str) -> Disagreement:
    task = Task(TaskSpec("t", "t", "r"), Status.HELD, "1", Source.FILE, 1, 0, tip=tip, base=base)
    found = read_disagreement(world.place, task, onto)
    assert found is not None
    return found


def answer(world: World, base: str, tip: str, text: str = BOTH) -> str:
    repo = world.open()
    file = SettledFile("c.txt", repo.write_blob(text.encode()))
    made = settle(repo, Rework(Answer.FILES, tip, world.main, "refs/orch/attic/t/1", base, (file,)), "t.1.2")
    assert isinstance(made, str)
    return made


def land(world: World, made: str, base: str, name: str) -> str:
    """What was settled lands, and the same conflict comes again: the result of another task."""
    git(world.top, "merge", "-q", "--ff-only", made)
    commit(world.top, {"c.txt": OURS})
    return world.branch_tip({"c.txt": THEIRS, name: "new\n"}, base)


def test_the_same_conflict_elsewhere_is_proposed_as_it_was_settled(world: World) -> None:
    base, tip = begin(world)
    tip = land(world, answer(world, base, tip), base, "2")
    [one] = ask(world, base, tip, world.main).disputed
    assert one.proposed and (one.proposed.text, one.proposed.run, one.proposed.path) == (BOTH, "t.1.2", "c.txt")
    assert one.change == ("@@ -2,5 +2,5 @@", " 1", " 2", "-ours", "+both", " 4", " 5")
    more = "before\n"
    base = commit(world.top, {"c.txt": None, "other.txt": more + LONG})
    tip = world.branch_tip({"other.txt": more + OURS}, base)
    commit(world.top, {"other.txt": more + THEIRS})
    found = ask(world, base, tip, world.main)
    assert found.proposes and found.disputed[0].proposed and found.disputed[0].proposed.text == more + BOTH


def test_an_answer_that_did_not_land_is_no_precedent_and_hides_none(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    base, tip = begin(world)
    made = answer(world, base, tip)
    assert not ask(world, base, tip, world.main).proposes, "its gate was red, or it waits"
    tip = land(world, made, base, "2")
    answer(world, base, tip, THEIRS)
    assert proposed(world, base, tip) == BOTH
    monkeypatch.setattr(disputes, "parse_notes", lambda notes, _: parse_notes(notes, bool))
    assert proposed(world, base, tip) == THEIRS, "without a look at what has landed"


def proposed(world: World, base: str, tip: str) -> str | None:
    [one] = ask(world, base, tip, world.main).disputed
    return one.proposed.text if one.proposed else None


def test_the_last_answer_that_landed_counts_and_the_same_one_is_not_written_again(world: World) -> None:
    base, tip = begin(world)
    made = answer(world, base, tip)
    once = git(world.top, "rev-parse", PRECEDENTS_REF)
    answer(world, base, tip)
    assert git(world.top, "rev-parse", PRECEDENTS_REF) == once
    tip = land(world, made, base, "2")
    tip = land(world, answer(world, base, tip, THEIRS), base, "3")
    note = git(world.top, "notes", "--ref=orch/precedents", "list").split()
    git(world.top, "gc", "-q", "--prune=now")
    assert proposed(world, base, tip) == THEIRS and len(note) == 2, "wherever the notes go"


def again(world: World) -> tuple[tuple[Merged, ...], list[Reason]]:
    """The save of a result with a conflict that was settled before."""
    base, tip = begin(world)
    answer(world, base, tip)
    saves = world.saves()
    save = world.plan(tip)
    save = replace(save, items=(replace(save.items[0], base=base),))
    saves.merge(save, titles(save))
    chain = saves.look(save, world.main).chain
    assert chain is not None
    return chain.chain, [one.reason for one in chain.excluded]


def test_a_save_never_takes_it_by_itself(world: World) -> None:
    assert again(world) == ((), [Reason.CONFLICT])


def test_a_save_that_took_it_would_land_what_nobody_answered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def take_earlier(repo: GitRepo, report: MergeReport, _: Resolving) -> tuple[str, tuple[Resolved, ...]]:
        tree = edit_tree(repo, report.tree, {"c.txt": repo.write_blob(BOTH.encode())})
        return tree, (Resolved("c.txt", ()),)

    monkeypatch.setattr(merge_chain, "resolve_merge", take_earlier)
    chain, left = again(world)
    assert len(chain) == 1 and not left
