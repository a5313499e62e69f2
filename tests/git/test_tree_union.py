"""Merging without a process gives what git's own merge gives, or nothing."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from git_world import World, git

from orchd.adapters.merge_report import MergeReport, report_merge
from orchd.adapters.tree_union import unite_trees

NAMES = ("a", "b", "d/a", "d/b", "d/e/a", "d/e/b", "f/a", "f/g/a", "h")


def random_tree(world: World, files: dict[str, str]) -> str:
    lines = "".join(f"100644 blob {blob(world, text)}\t{path}\n" for path, text in files.items())
    git(world.top, "read-tree", "--empty", env={"GIT_INDEX_FILE": str(index(world))})
    git(world.top, "update-index", "--index-info", stdin=lines, env={"GIT_INDEX_FILE": str(index(world))})
    return git(world.top, "write-tree", env={"GIT_INDEX_FILE": str(index(world))})


def index(world: World) -> Path:
    return world.place.git_dir / "test-index"


def blob(world: World, text: str) -> str:
    return world.open().write_blob(text.encode())


def change(dice: random.Random, files: dict[str, str], side: str) -> dict[str, str]:
    """Edits, additions, removals, renames of files and of whole folders."""
    new = dict(files)
    for _ in range(dice.randint(1, 3)):
        path = dice.choice(NAMES)
        kind = dice.random()
        if kind < 0.55:
            new[path] = new.get(path, "") + f"{side} {dice.randint(0, 3)}\n"
        elif kind < 0.75:
            new.pop(path, None)
        elif path in new:
            new[dice.choice(NAMES)] = new.pop(path)
    for path in [p for p in new if any(other.startswith(p + "/") for other in new)]:
        new.pop(path)
    return new or {"a": "left\n"}


@pytest.mark.parametrize("seed", range(6))
def test_where_it_answers_it_answers_like_git(world: World, seed: int) -> None:
    dice, answers = random.Random(seed), 0
    repo = world.open()
    for _ in range(25):
        base = {path: f"{path}\n" * 5 for path in NAMES if dice.random() < 0.8} or {"a": "a\n"}
        trees = [random_tree(world, files) for files in (base, change(dice, base, "ours"), change(dice, base, "theirs"))]
        united = unite_trees(repo, *trees)
        if united is None:
            continue
        answers += 1
        first = repo.write_commit(trees[0], [], "base\n", 1)
        ours, theirs = (repo.write_commit(tree, [first], "side\n", 1) for tree in trees[1:])
        assert report_merge(repo.place, ours, theirs) == MergeReport(united, clean=True), trees
    assert answers >= 3


def test_different_files_are_united_without_git(world: World) -> None:
    base = {"a": "a\n", "d/b": "b\n", "d/e/c": "c\n"}
    trees = [random_tree(world, base | more) for more in ({}, {"a": "1\n", "d/e/new": "n\n"}, {"d/b": "2\n", "x/y": "z\n"})]
    united = unite_trees(world.open(), *trees)
    assert united == random_tree(world, base | {"a": "1\n", "d/e/new": "n\n", "d/b": "2\n", "x/y": "z\n"})


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"a": "1\n"}, {"a": "2\n"}),
        ({"a": None}, {"d/b": "2\n"}),
        ({"d/b": None, "d/q": "b\n"}, {"d/new": "n\n"}),
        ({"x": "1\n"}, {"x/y": "2\n"}),
        ({"n": "1\n"}, {"n": "1\n"}),
    ],
)
def test_what_both_touched_and_what_could_be_a_rename_is_left_to_git(
    world: World, ours: dict[str, str | None], theirs: dict[str, str | None]
) -> None:
    base = {"a": "a\n", "d/b": "b\n", "d/c": "c\n"}

    def tree(changes: dict[str, str | None]) -> str:
        return random_tree(world, {path: text for path, text in (base | changes).items() if text is not None})

    assert unite_trees(world.open(), tree({}), tree(ours), tree(theirs)) is None
