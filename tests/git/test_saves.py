from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from git_world import World, commit, git, titles, write

from orchd.adapters.history import read_history
from orchd.adapters.place import find_place
from orchd.adapters.state_reader import read_checkpoints, read_work
from orchd.core.chain_proof import prove_history
from orchd.core.wording import name_definition
from orchd.errors import OrchdError
from orchd.model.cost import Spent
from orchd.model.ids import ready_ref, save_ref
from orchd.model.save import Hold, SaveStep
from orchd.model.work import Reason


def status(world: World) -> str:
    return git(world.top, "status", "--porcelain")


def test_a_save_lands_exactly_the_gated_tree_and_moves_a_clean_checkout(world: World) -> None:
    base = world.main
    tips = world.branch_tip({"a.txt": "ONE\ntwo\nthree\n"}), world.branch_tip({"new/c.txt": "c\n", "gone.txt": None})
    saves = world.saves()
    save = world.gated(saves, world.plan(*tips))
    assert saves.look(save, world.main).hold is None
    save = world.landed(saves, save)
    assert git(world.top, "rev-parse", "main^{tree}") == save.chain[-1].tree
    assert git(world.top, "rev-parse", "main^1") == base
    assert status(world) == ""
    assert (world.top / "new/c.txt").read_text() == "c\n"
    assert not (world.top / "gone.txt").exists()
    assert (world.top / "a.txt").read_text() == "ONE\ntwo\nthree\n"
    assert "land save" in git(world.top, "reflog", "-1", "HEAD")
    git(world.top, "fsck", "--strict", "--no-dangling")


def test_publishing_makes_tag_branch_and_notes_once(world: World) -> None:
    saves = world.saves()
    tip = world.branch_tip({"a.txt": "1\n"})
    save = world.landed(saves, world.gated(saves, world.plan(tip)))
    once = git(world.top, "for-each-ref")
    saves.publish(save)
    assert git(world.top, "for-each-ref") == once
    assert saves.look(save, world.main).published
    assert git(world.top, "rev-parse", "session/default/integration") == save.commit
    shown = git(world.top, "log", "-1", "--notes=orch/audit", "main")
    assert "checkpoint: checkpoint/2023-11-14-007" in shown
    assert f"task: t1 1.1 {tip}" in shown
    assert "gate: tests passed in 1.2 s" in shown
    assert f"Orch-Gate: tests passed {name_definition(save.gates[0])}" in shown
    assert name_definition(save.gates[0]) != name_definition(replace(save.gates[0], run="false")), "what judged is named"
    assert "save: " in git(world.top, "notes", "--ref=orch/audit", "show", tip)
    (seen,) = read_checkpoints(world.place)
    assert (seen.name, seen.commit, seen.session, seen.tasks, seen.gates) == (
        "checkpoint/2023-11-14-007",
        save.commit,
        "default",
        ("t1",),
        "tests",
    )


def test_notes_of_others_stay_and_are_shown_beside_ours(world: World) -> None:
    git(world.top, "notes", "--ref=orch/audit", "add", "-m", "mine", "HEAD")
    first = world.main
    saves = world.saves()
    save = world.landed(saves, world.gated(saves, world.plan(world.branch_tip({"a.txt": "1\n"}))))
    git(world.top, "notes", "--ref=orch/audit", "add", "-f", "-m", "early", save.commit)
    assert not saves.look(save, world.main).published
    saves.publish(save)
    saves.publish(save)
    assert git(world.top, "notes", "--ref=orch/audit", "show", first) == "mine"
    said = git(world.top, "notes", "--ref=orch/audit", "show", save.commit)
    assert said.startswith("early")
    assert said.count("checkpoint: ") == 1


def test_another_tag_of_that_name_stays_and_the_save_is_told_before_it_lands(world: World) -> None:
    saves = world.saves()
    save = world.gated(saves, world.plan(world.branch_tip({"a.txt": "1\n"})))
    git(world.top, "tag", "checkpoint/2023-11-14-007", save.base)
    assert saves.look(save, world.main).taken
    with pytest.raises(OrchdError, match="somebody else made the tag"):
        saves.publish(replace(save, commit=save.base))
    assert git(world.top, "rev-parse", "checkpoint/2023-11-14-007") == save.base


def test_forgetting_deletes_journal_and_offer_and_may_be_repeated(world: World) -> None:
    saves = world.saves()
    save = world.gated(saves, world.plan(world.branch_tip({"a.txt": "1\n"})))
    write(world.top, {"src/b.txt": "mine\n"})
    saves.land(save, titles(save))
    assert saves.journals() == {save.id}
    saves.forget([save.id])
    saves.forget([save.id])
    assert saves.journals() == world.saves().journals() == frozenset()
    assert git(world.top, "for-each-ref", "refs/orch") == ""


def test_a_conflict_leaves_out_one_item_and_names_the_paths(world: World) -> None:
    tips = [world.branch_tip({"a.txt": text}) for text in ("1\ntwo\nthree\n", "2\ntwo\nthree\n")]
    tips.append(world.branch_tip({"src/b.txt": "B\n"}))
    saves = world.saves()
    save = world.plan(*tips)
    saves.merge(save, titles(save))
    chain = saves.look(save, world.main).chain
    assert chain is not None
    assert [link.item.task for link in chain.chain] == ["t1", "t3"]
    assert [(one.item.task, one.reason, one.detail) for one in chain.excluded] == [("t2", Reason.CONFLICT, ("a.txt",))]


def test_an_unrelated_history_is_left_out(world: World, tmp_path: Path) -> None:
    git(world.work, "checkout", "-q", "--orphan", "other")
    tip = commit(world.work, {"z": "z"})
    git(world.top, "fetch", "-q", str(world.work), "other:refs/attic-of-test/other")
    saves = world.saves()
    save = world.plan(tip)
    saves.merge(save, titles(save))
    chain = saves.look(save, world.main).chain
    assert chain is not None
    assert not chain.chain
    assert chain.excluded[0].reason is Reason.BASE


def test_what_main_has_already_is_linked_without_a_commit(world: World) -> None:
    saves = world.saves()
    save = world.plan(world.main, world.branch_tip({"a.txt": "1\n"}))
    saves.merge(save, titles(save))
    chain = saves.look(save, world.main).chain
    assert chain is not None
    assert chain.chain[0].head == save.base


def test_a_replay_on_another_machine_gives_the_same_objects(world: World, tmp_path: Path) -> None:
    tips = [world.branch_tip({f"n{n}": str(n)}) for n in range(3)]
    save = world.plan(*tips)
    git(tmp_path, "clone", "-q", "--mirror", str(world.top), str(tmp_path / "twin"))
    twin = World(tmp_path / "twin", world.work, replace(world.place, git_dir=tmp_path / "twin", checkout=None))
    ends = []
    for one in (world, twin):
        saves = one.saves()
        done = one.landed(saves, one.gated(saves, save))
        saves.publish(done)
        ends.append((done, git(one.top, "rev-parse", "main", "checkpoint/2023-11-14-007", "refs/notes/orch/audit")))
    assert ends[0] == ends[1]


HOSTILE = """
[core]
  hooksPath = {hooks}
  autocrlf = true
  attributesFile = {attributes}
[merge]
  renames = false
  default = evil
[merge "evil"]
  driver = sh -c 'echo evil > %A; touch {mark}'
[commit]
  gpgSign = true
[init]
  defaultBranch = evil
"""


def test_hostile_configuration_attributes_and_hooks_change_nothing(world: World, tmp_path: Path) -> None:
    tips = world.branch_tip({"a.txt": "1\ntwo\nthree\n"}), world.branch_tip({"a.txt": "one\ntwo\n3\n"})
    save = world.plan(*tips)
    calm = world.gated(world.saves(), save)
    world.saves().forget([save.id])
    hooks, mark, attributes = tmp_path / "hooks", tmp_path / "mark", tmp_path / "attributes"
    hooks.mkdir()
    for name in ("reference-transaction", "post-checkout", "post-index-change", "post-merge"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {mark}\n")
        (hooks / name).chmod(0o755)
    attributes.write_text("* merge=evil\n")
    (world.top / ".git/info").mkdir(exist_ok=True)
    (world.top / ".git/info/attributes").write_text("* merge=evil\n")
    text = HOSTILE.format(hooks=hooks, mark=mark, attributes=attributes)
    (tmp_path / "home" / ".gitconfig").write_text(text)
    with (world.top / ".git/config").open("a") as out:
        out.write(text.replace("autocrlf = true", "autocrlf = false"))
    saves = world.saves()
    stormy = world.gated(saves, save)
    assert stormy == calm
    world.landed(saves, stormy)
    assert not mark.exists()


def test_a_tip_merges_across_a_rename_as_ort_does(world: World) -> None:
    tips = world.branch_tip({"gone.txt": None, "moved.txt": "gone\n"}), world.branch_tip({"gone.txt": "gone\nmore\n"})
    saves = world.saves()
    save = world.gated(saves, world.plan(*tips))
    assert git(world.top, "show", f"{save.chain[-1].head}:moved.txt") == "gone\nmore"


def test_a_foreign_commit_on_main_is_never_lost(world: World) -> None:
    saves = world.saves()
    save = world.gated(saves, world.plan(world.branch_tip({"a.txt": "1\n"})))
    foreign = commit(world.top, {"mine.txt": "mine\n"})
    saves.land(save, titles(save))
    assert world.main == foreign
    assert saves.look(save, foreign).landed == ""
    assert status(world) == ""


@pytest.mark.parametrize(
    ("files", "staged"), [({"src/b.txt": "mine\n"}, False), ({"src/b.txt": "mine\n"}, True), ({"a.txt": None}, False)]
)
def test_a_dirty_checkout_keeps_every_byte_and_is_offered_the_checkpoint(
    world: World, files: dict[str, str | None], staged: bool
) -> None:
    saves = world.saves()
    save = world.gated(saves, world.plan(world.branch_tip({"a.txt": "1\n"})))
    write(world.top, files)
    if staged:
        git(world.top, "add", "-A")
    before = status(world), world.main, git(world.top, "ls-files", "-s")
    saves.land(save, titles(save))
    seen = saves.look(save, world.main)
    assert (seen.hold, seen.hold_detail) == (Hold.DIRTY, tuple(files))
    assert (status(world), world.main, git(world.top, "ls-files", "-s")) == before
    assert saves.look(save, world.main).offered
    git(world.top, "stash", "-q")
    git(world.top, "merge", "-q", ready_ref(7))
    assert saves.look(save, world.main).landed


def test_an_untracked_file_in_the_way_holds_the_save(world: World) -> None:
    saves = world.saves()
    save = world.gated(saves, world.plan(world.branch_tip({"new/c.txt": "c\n"})))
    write(world.top, {"new": "a file where a folder must be\n", "other": "harmless\n"})
    saves.land(save, titles(save))
    seen = saves.look(save, world.main)
    assert (seen.hold, seen.hold_detail) == (Hold.UNTRACKED, ("new/c.txt",))
    assert world.main == save.base
    (world.top / "new").unlink()
    world.landed(saves, save)
    assert (world.top / "other").read_text() == "harmless\n"
    assert status(world) == "?? other"


def test_an_ignored_file_in_the_way_is_kept_too(world: World) -> None:
    (world.top / ".git/info").mkdir(exist_ok=True)
    (world.top / ".git/info/exclude").write_text("new.txt\n")
    write(world.top, {"new.txt": "precious\n"})
    saves = world.saves()
    save = world.gated(saves, world.plan(world.branch_tip({"new.txt": "c\n"})))
    saves.land(save, titles(save))
    assert saves.look(save, world.main).hold is Hold.UNTRACKED
    assert (world.top / "new.txt").read_text() == "precious\n"


def test_a_running_git_command_or_an_unfinished_merge_holds_the_save(world: World) -> None:
    saves = world.saves()
    save = world.gated(saves, world.plan(world.branch_tip({"a.txt": "1\n"})))
    for name in ("index.lock", "MERGE_HEAD"):
        (world.top / ".git" / name).touch()
        saves.land(save, titles(save))
        assert saves.look(save, world.main).hold is Hold.DIRTY
        assert world.main == save.base
        assert (world.top / ".git" / name).exists()
        (world.top / ".git" / name).unlink()


def test_a_checkout_of_another_branch_is_not_touched(world: World) -> None:
    git(world.top, "checkout", "-q", "-b", "topic")
    write(world.top, {"a.txt": "mine\n"})
    saves = world.saves()
    world.landed(saves, world.gated(saves, world.plan(world.branch_tip({"a.txt": "1\n"}))))
    assert (world.top / "a.txt").read_text() == "mine\n"
    assert git(world.top, "rev-parse", "HEAD") != world.main


def test_a_linked_worktree_that_shows_main_moves_too(world: World, tmp_path: Path) -> None:
    git(world.top, "checkout", "-q", "--detach")
    git(world.top, "worktree", "add", "-q", str(tmp_path / "linked"), "main")
    saves = world.saves()
    world.landed(saves, world.gated(saves, world.plan(world.branch_tip({"a.txt": "1\n"}))))
    assert (tmp_path / "linked/a.txt").read_text() == "1\n"
    assert git(tmp_path / "linked", "status", "--porcelain") == ""
    assert (world.top / "a.txt").read_text() == "one\ntwo\nthree\n"


def test_line_endings_and_filters_of_the_person_are_respected(world: World) -> None:
    git(world.top, "config", "core.autocrlf", "true")
    saves = world.saves()
    world.landed(saves, world.gated(saves, world.plan(world.branch_tip({"a.txt": "1\n"}))))
    assert (world.top / "a.txt").read_bytes() == b"1\r\n"
    assert status(world) == ""


def test_an_unfinished_rebase_of_main_holds_the_save(world: World) -> None:
    """HEAD is detached meanwhile, and the end of the rebase would put main back."""
    git(world.top, "branch", "side")
    commit(world.top, {"src/b.txt": "main\n"})
    git(world.top, "switch", "-q", "side")
    commit(world.top, {"src/b.txt": "side\n"})
    git(world.top, "switch", "-q", "main")
    saves = world.saves()
    save = world.gated(saves, world.plan(world.branch_tip({"a.txt": "1\n"})))
    subprocess.run(["git", "rebase", "-q", "side"], cwd=world.top, check=False, capture_output=True)
    saves.land(save, titles(save))
    seen = saves.look(save, world.main)
    assert (seen.hold, seen.hold_detail) == (Hold.DIRTY, ("a rebase is not finished",))
    assert world.main == save.base
    git(world.top, "rebase", "--abort")
    world.landed(saves, save)


def test_a_checkout_of_main_through_a_symbolic_branch_moves_too(world: World) -> None:
    git(world.top, "symbolic-ref", "refs/heads/trunk", "refs/heads/main")
    git(world.top, "symbolic-ref", "HEAD", "refs/heads/trunk")
    saves = world.saves()
    world.landed(saves, world.gated(saves, world.plan(world.branch_tip({"a.txt": "1\n"}))))
    assert status(world) == ""
    assert (world.top / "a.txt").read_text() == "1\n"


def test_a_git_directory_elsewhere_finds_its_own_work_tree_and_no_other(world: World, tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q", "-b", "main")
    commit(outer, {"a.txt": "of the outer repository\n"})
    git(world.top, "init", "-q", "--separate-git-dir", str(outer / "inner.git"))
    moved = World(world.top, world.work, find_place(world.top))
    git(world.work, "remote", "set-url", "origin", str(outer / "inner.git"))
    saves = moved.saves()
    moved.landed(saves, moved.gated(saves, moved.plan(moved.branch_tip({"a.txt": "1\n"}))))
    assert status(moved) == ""
    assert (moved.top / "a.txt").read_text() == "1\n"
    assert (outer / "a.txt").read_text() == "of the outer repository\n"


@pytest.mark.parametrize("flag", ["assume-unchanged", "skip-worktree"])
def test_an_edit_that_git_was_told_to_overlook_holds_the_save_and_stays(world: World, flag: str) -> None:
    git(world.top, "update-index", f"--{flag}", "a.txt")
    write(world.top, {"a.txt": "mine, and longer\n"})
    saves = world.saves()
    save = world.gated(saves, world.plan(world.branch_tip({"a.txt": "1\n"})))
    saves.land(save, titles(save))
    seen = saves.look(save, world.main)
    assert (seen.hold, seen.offered, world.main) == (Hold.DIRTY, True, save.base)
    assert "a.txt" in seen.hold_detail[0]
    assert (world.top / "a.txt").read_text() == "mine, and longer\n"
    git(world.top, "update-index", f"--no-{flag}", "a.txt")
    git(world.top, "checkout", "-q", "a.txt")
    assert saves.look(save, world.main).hold is None
    world.landed(saves, save)


def test_a_bare_repository_lands_without_a_checkout(bare_world: World) -> None:
    saves = bare_world.saves()
    save = bare_world.landed(saves, bare_world.gated(saves, bare_world.plan(bare_world.branch_tip({"a.txt": "1\n"}))))
    saves.publish(save)
    assert bare_world.main == save.commit
    assert saves.look(save, bare_world.main).published


def test_only_a_green_prefix_lands(world: World) -> None:
    saves = world.saves()
    save = world.gated(saves, world.plan(world.branch_tip({"x": "1"}), world.branch_tip({"y": "2"})))
    verdict = replace(save.verdicts[0], index=1)
    save = world.landed(saves, replace(save, lands=1, verdicts=(verdict,)))
    assert git(world.top, "ls-tree", "--name-only", "main", "x", "y") == "x"
    assert save.commit == world.main


@pytest.mark.parametrize("fault", ["verdict", "tree", "chain"])
def test_an_unproven_tree_never_lands(world: World, fault: str) -> None:
    saves = world.saves()
    save = world.gated(saves, world.plan(world.branch_tip({"x": "1"}), world.branch_tip({"y": "2"})))
    link = save.chain[-1]
    broken = {
        "verdict": replace(save, verdicts=()),
        "tree": replace(save, chain=(save.chain[0], replace(link, tree=save.chain[0].tree))),
        "chain": replace(save, chain=(replace(save.chain[0], head=link.head), link)),
    }[fault]
    with pytest.raises(OrchdError, match="must not land"):
        saves.land(broken, titles(save))
    assert world.main == save.base
    refused = saves.look(broken, save.base).refused
    assert [(gone.item.task, gone.reason) for gone in refused] == [("t1", Reason.PROOF), ("t2", Reason.PROOF)]


def test_a_journal_pins_base_and_tips_before_anything_is_merged(world: World) -> None:
    tips = [world.branch_tip({f"n{n}": str(n)}) for n in range(2)]
    saves = world.saves()
    save = world.plan(*tips)
    saves.merge(save, titles(save))
    reach = git(world.top, "rev-list", save_ref(save.id)).splitlines()
    assert {save.base, *tips} <= set(reach)
    chain = saves.look(save, world.main).chain
    assert chain is not None
    assert chain.chain[-1].head in reach


def test_a_stale_journal_of_the_same_name_does_not_count(world: World) -> None:
    saves = world.saves()
    old = world.plan(world.branch_tip({"a.txt": "1\n"}))
    saves.merge(old, titles(old))
    new = replace(old, date_ms=old.date_ms + 5000)
    assert saves.look(new, world.main).chain is None
    world.landed(saves, world.gated(saves, new))


def test_without_moving_the_checkout_a_staged_reversal_appears(world: World) -> None:
    """The twin: this is the harm that `MainMove.move` prevents."""
    saves = world.saves()
    save = world.gated(saves, world.plan(world.branch_tip({"a.txt": "1\n"})))
    repo = world.open()
    assert repo.refs.move("refs/heads/main", save.base, save.chain[-1].head)
    assert status(world) == "M  a.txt"


def test_without_compare_and_swap_a_foreign_commit_is_lost(world: World) -> None:
    """The twin: a forced update instead of `RefStore.move`."""
    saves = world.saves()
    save = world.gated(saves, world.plan(world.branch_tip({"a.txt": "1\n"})))
    foreign = commit(world.top, {"mine.txt": "mine\n"})
    world.open().refs.force("refs/heads/main", save.chain[-1].head)
    assert foreign not in git(world.top, "rev-list", "main")


def test_before_planned_there_is_no_evidence(world: World) -> None:
    seen = world.saves().look(replace(world.plan(world.main), step=SaveStep.PLANNED), world.main)
    assert (seen.chain, seen.landed, seen.hold, seen.published) == (None, "", None, False)


def test_what_agents_cost_is_read_back_from_the_checkpoint_and_the_chain_holds(world: World) -> None:
    plan, saves = world.plan(world.branch_tip({"x": "1"}), world.branch_tip({"y": "1"})), world.saves()
    spent = Spent(1234, 5_000_060, 1)
    save = world.gated(saves, replace(plan, items=(replace(plan.items[0], spent=spent), plan.items[1])))
    world.landed(saves, save)
    [checkpoint] = read_checkpoints(world.place)
    assert checkpoint.spent == spent
    assert [(token.split()[0], cost) for token, cost in read_work(world.place, checkpoint.name)] == [
        ("t1", spent),
        ("t2", None),
    ]
    assert prove_history(read_history(world.place, "main", "")).breaks == ()
