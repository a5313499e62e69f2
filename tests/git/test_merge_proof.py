"""No merge is used that could not be proven: each fault is planted, and without the proof it gets in."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from git_world import World, commit, git
from hypothesis import given
from hypothesis import strategies as st

from orchd.adapters import merge_chain
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_trees import edit_tree
from orchd.core.merge_proof import MergeSeen, find_faults
from orchd.model.save import Excluded, Save
from orchd.model.work import Reason

PATHS = st.frozensets(st.sampled_from("abcdef"))


@given(PATHS, PATHS)
def test_what_keeps_both_sides_and_no_more_has_no_fault(ours: frozenset[str], theirs: frozenset[str]) -> None:
    assert find_faults(MergeSeen(ours, theirs, ours | theirs)) == ()


@given(PATHS, PATHS, PATHS)
def test_any_other_set_of_changes_is_a_fault(ours: frozenset[str], theirs: frozenset[str], merged: frozenset[str]) -> None:
    assert bool(find_faults(MergeSeen(ours, theirs, merged))) == (merged != ours | theirs)


def merge(world: World, tip: str) -> Save:
    save = world.plan(tip)
    world.saves().merge(save, ["t"])
    return save


def excluded(world: World, save: Save) -> tuple[Excluded, ...]:
    seen = world.saves().look(save, world.main).chain
    assert seen is not None
    return seen.excluded


def make_program(repo: GitRepo, tree: str, name: str) -> str:
    builder = repo.library.TreeBuilder(tree)
    builder.insert(name, builder.get(name).id, 0o100755)
    return str(builder.write())


Spoil = Callable[[GitRepo, str], str]

SPOILT: dict[str, tuple[Spoil, str]] = {
    "a landed change comes undone": (lambda repo, tree: edit_tree(repo, tree, {"landed.txt": ""}), "would come undone"),
    "the task's change is lost": (lambda repo, tree: edit_tree(repo, tree, {"task.txt": ""}), "would be lost"),
    "a path that nobody touched": (
        lambda repo, tree: edit_tree(repo, tree, {"b.txt": repo.write_blob(b"x")}),
        "neither side changed it",
    ),
    "other content than the second program's": (
        lambda repo, tree: edit_tree(repo, tree, {"a.txt": repo.write_blob(b"almost\n")}),
        "different trees",
    ),
    "another mode than the second program's": (lambda repo, tree: make_program(repo, tree, "task.txt"), "different trees"),
}


@pytest.mark.parametrize("guarded", [True, False])
@pytest.mark.parametrize("name", SPOILT)
def test_a_wrong_merge_is_held_and_without_the_proof_it_gets_in(
    world: World, name: str, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil, words = SPOILT[name]
    right = merge_chain.unite_trees

    def wrong(repo: GitRepo, base: str, ours: str, theirs: str) -> str | None:
        united = right(repo, base, ours, theirs)
        return united and spoil(repo, united)

    monkeypatch.setattr(merge_chain, "unite_trees", wrong)
    if not guarded:
        monkeypatch.setattr(merge_chain, "prove_merge", lambda *_: ())
    tip = world.branch_tip({"a.txt": "the task's\n", "task.txt": "new\n"})
    commit(world.top, {"landed.txt": "landed\n"})
    found = excluded(world, merge(world, tip))
    if not guarded:
        assert found == ()
        return
    [gone] = found
    assert gone.reason is Reason.PROOF
    assert any(words in line for line in gone.detail)


@pytest.mark.parametrize("guarded", [True, False])
def test_two_names_that_one_file_system_takes_for_one_do_not_meet_on_main_and_without_the_proof_they_do(
    world: World, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not guarded:
        monkeypatch.setattr(merge_chain, "prove_merge", lambda *_: ())
    tip = world.branch_tip({"docs/Readme": "the task's\n"})
    commit(world.top, {"docs/README": "main's\n"})
    gone = excluded(world, merge(world, tip))
    found = [(one.reason, one.detail) for one in gone]
    held = [(Reason.PROOF, ("docs/Readme differs from README only in case or composition",))]
    assert found == (held if guarded else [])


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_a_rename_on_one_side_and_an_edit_on_the_other_is_no_fault(world: World, side: str) -> None:
    text = "".join(f"line {number}\n" for number in range(40))
    commit(world.top, {"old.txt": text})
    git(world.work, "pull", "-q", "--rebase", "origin", "main")
    rename: dict[str, str | bytes | None] = {"old.txt": None, "new.txt": text}
    edit: dict[str, str | bytes | None] = {"old.txt": text.replace("line 7\n", "line seven\n")}
    tip = world.branch_tip(rename if side == "theirs" else edit)
    commit(world.top, edit if side == "theirs" else rename)
    save = merge(world, tip)
    assert excluded(world, save) == ()
    seen = world.saves().look(save, world.main).chain
    assert seen is not None
    assert "line seven" in git(world.top, "show", f"{seen.chain[-1].head}:new.txt")


def test_the_attributes_of_the_checkout_do_not_make_the_two_differ(world: World) -> None:
    (world.top / ".gitattributes").write_text("*.txt merge=union\n")
    base = "".join(f"{number}\n" for number in range(9))
    commit(world.top, {"c.txt": base})
    git(world.work, "pull", "-q", "--rebase", "origin", "main")
    tip = world.branch_tip({"c.txt": base.replace("0\n", "zero\n")})
    commit(world.top, {"c.txt": base.replace("8\n", "eight\n")})
    assert excluded(world, merge(world, tip)) == ()
