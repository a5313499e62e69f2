"""The conflict radar says what `git merge-tree` says of each pair, asks once for each, and leaves nothing behind."""

from __future__ import annotations

import random
import subprocess
from itertools import combinations
from pathlib import Path

import pytest
from git_world import World, git
from test_tree_union import NAMES, change, random_tree

from orchd.adapters import git_radar, git_repo
from orchd.adapters.git_radar import GitRadar, read_merges
from orchd.adapters.git_repo import GitRepo
from orchd.model.snapshot import Meetings


def asked_of_git(world: World, oids: list[str]) -> Meetings:
    """Each pair merged by git on its own."""
    found = {}
    for one, other in combinations(sorted(set(oids)), 2):
        argv = ["git", "merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", one, other]
        done = subprocess.run(argv, cwd=world.top, capture_output=True, check=False)
        if done.returncode == 1:
            found[one, other] = tuple(done.stdout.decode().rstrip("\0").split("\0")[1:])
    return found


def files_of(world: World) -> set[Path]:
    return {path for path in (world.place.git_dir / "objects").rglob("*") if path.is_file()}


def scratch_of(world: World) -> list[Path]:
    """The radar's throw-away folders of this repository."""
    folders = git_radar.MEMORY, world.place.orch / "airlock"
    return [path for folder in folders for path in folder.glob(f"orchd-radar-{world.place.repo_id}-*")]


@pytest.mark.parametrize("memory", [git_radar.MEMORY, Path("/nowhere")])
def test_what_a_killed_look_left_is_removed_by_the_next(world: World, monkeypatch, memory: Path) -> None:
    monkeypatch.setattr(git_radar, "MEMORY", memory)
    at = memory if git_radar.is_roomy(memory) else world.place.orch / "airlock"
    left = at / f"orchd-radar-{world.place.repo_id}-left"
    left.mkdir(parents=True)
    (left / "object").write_text("x")
    main, *tips = three_tips(world)
    assert GitRadar(world.open()).look(main, tips)
    assert not scratch_of(world)


@pytest.mark.parametrize("seed", range(4))
def test_what_it_says_of_random_tips_is_what_git_says(world: World, seed: int) -> None:
    dice, repo = random.Random(seed), world.open()
    base = {path: f"{path}\n" * 5 for path in NAMES if dice.random() < 0.8} or {"a": "a\n"}
    first = repo.write_commit(random_tree(world, base), [], "base\n", 1)
    later = change(dice, base, "main")
    main = repo.write_commit(random_tree(world, later), [first], "main\n", 1)
    tips = []
    for number in range(9):
        start, files = dice.choice(((first, base), (main, later)))
        tips.append(repo.write_commit(random_tree(world, change(dice, files, f"t{number % 3}")), [start], f"{number}\n", 1))
    before = files_of(world)
    said = GitRadar(repo).look(main, tips)
    assert files_of(world) == before
    assert said == asked_of_git(world, [main, *tips])
    assert not scratch_of(world)


def three_tips(world: World) -> list[str]:
    """The first two change one line differently, the third is apart."""
    return [world.branch_tip(files) for files in ({"README": "one\n"}, {"README": "two\n"}, {"other": "x\n"})]


def test_a_new_tip_costs_its_own_pairs_only_and_a_tip_that_left_is_forgotten(world: World, monkeypatch) -> None:
    asked: list[tuple[str, str]] = []

    def merge_all(repo: GitRepo, pairs: list[tuple[str, str]]):
        asked.extend(pairs)
        return original(repo, pairs)

    original = git_radar._merge_all
    monkeypatch.setattr(git_radar, "_merge_all", merge_all)
    one, two, apart = three_tips(world)
    radar = GitRadar(world.open())
    assert radar.look(world.main, [one, apart]) == {} and asked == []
    pair = tuple(sorted((one, two)))
    for _ in range(2):
        assert radar.look(world.main, [one, two, apart]) == {pair: ("README",)}
        assert asked == [pair]
    assert radar.look(world.main, [one, apart]) == {}
    assert radar.look(world.main, [one, two]) == {pair: ("README",)} and asked == [pair, pair]


def test_a_tip_may_conflict_with_what_main_got_meanwhile(world: World) -> None:
    tip = world.branch_tip({"README": "one\n"})
    git(world.top, "update-ref", "refs/heads/main", world.branch_tip({"README": "two\n"}))
    assert GitRadar(world.open()).look(world.main, [tip]) == {tuple(sorted((tip, world.main))): ("README",)}


def test_what_main_holds_already_is_not_merged_again(world: World, monkeypatch) -> None:
    one, two, apart = three_tips(world)
    radar = GitRadar(world.open())
    assert radar.look(world.main, [apart]) == {}
    merged = world.branch_tip({"more": "m\n"}, base=apart)
    git(world.top, "update-ref", "refs/heads/main", merged)
    monkeypatch.setattr(git_radar, "_merge_all", None)
    assert radar.look(merged, [apart]) == {} == GitRadar(world.open()).look(merged, [apart])
    monkeypatch.undo()
    pair = tuple(sorted((one, two)))
    assert radar.look(merged, [apart, one, two]) == {pair: ("README",)}


def test_a_landed_tip_is_near_the_checkpoint_that_merged_it(world: World) -> None:
    """A checkpoint has two parents, its base and the chain of merges; no history has to be searched for what landed with it."""
    one, two, _ = three_tips(world)
    repo = world.open()
    tree = repo.tree_of(world.main)
    head = world.main
    for tip in (one, two):
        head = repo.write_commit(tree, [head, tip], "merged\n", 1)
    checkpoint = repo.write_commit(tree, [world.main, head], "checkpoint\n", 1)
    assert all(git_repo.is_near(repo, checkpoint, commit) for commit in (one, two, head, world.main, checkpoint))
    assert not any(git_repo.is_near(repo, commit, checkpoint) for commit in (one, two, head, world.main))


def test_unknown_and_unrelated_commits_are_not_predicted_and_spoil_nothing(world: World) -> None:
    one, two, _ = three_tips(world)
    repo = world.open()
    lonely = repo.write_commit(repo.tree_of(one), [], "nothing in common\n", 1)
    tips = ["1" * 40, lonely, one, two]
    assert GitRadar(repo).look(world.main, tips) == {tuple(sorted((one, two))): ("README",)}


def test_a_git_that_dies_predicts_nothing(world: World, monkeypatch) -> None:
    monkeypatch.setattr(git_radar, "RADAR_SECONDS", 0.0)
    one, two, apart = three_tips(world)
    assert GitRadar(world.open()).look(world.main, [one, two, apart]) == {}


def test_what_was_cut_off_is_left_out() -> None:
    whole = b"0\0tree\0a\0b c\0\0001\0tree\0\0000\0tree\0a\0\0"
    merges = [("a", "b c"), (), ("a",)]
    assert list(read_merges(whole)) == merges
    for length in range(len(whole)):
        assert list(read_merges(whole[:length])) == merges[: len(list(read_merges(whole[:length])))]
