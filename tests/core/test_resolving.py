"""Conflicts that are settled without asking: nothing that a side added is lost, and what is not sure is a question."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from resolving_scenes import CASES, NEVER, PLAIN, RESOLVING, WRONG, WRONGED, settled, swapped, texts

from orchd.core import resolving
from orchd.core.resolving import Resolution, choose_recipes, find_faults, may_resolve, resolve
from orchd.core.threeway import split_lines
from orchd.model.merge import Recipe, Resolving

LINES = st.sampled_from(
    ["a\n", "a  b\n", "  a b\n", "import a\n", "import b\n", "from m import x, y\n", "c = 1\n", "c = 2\n", "\n"]
)
TEXTS = st.lists(LINES, max_size=5).map("".join)
PATHS = st.sampled_from(["f.py", "f.c", "f.md"])
ALL = tuple(Recipe)


@given(PATHS, TEXTS, TEXTS, TEXTS)
@settings(max_examples=300)
def test_every_line_that_a_side_added_is_there_whatever_the_recipe(path: str, base: str, ours: str, theirs: str) -> None:
    """Said without the guards' own words: lines without white space, and of imports and words their parts."""
    for recipe in ALL:
        made = resolve(texts(base, ours, theirs, path), [recipe])
        if made is None:
            continue
        for side in (ours, theirs):
            added = Counter(words(side)) - Counter(words(base))
            assert added.keys() <= set(words(made.text)), (recipe, made)
        if recipe in (Recipe.ADJACENT, Recipe.SUPERSET, Recipe.UNION):
            for side in (ours, theirs):
                assert (set(split_lines(side)) - set(split_lines(base))) <= set(split_lines(made.text)), (recipe, made)


def words(text: str) -> list[str]:
    return text.replace(",", " ").split()


@given(PATHS, TEXTS, TEXTS, TEXTS)
@settings(max_examples=200)
def test_it_does_not_matter_which_side_is_which(path: str, base: str, ours: str, theirs: str) -> None:
    for recipe in set(ALL) - {Recipe.UNION}:
        one = texts(base, ours, theirs, path)
        assert resolve(one, [recipe]) == resolve(swapped(one), [recipe]), recipe


@given(PATHS, TEXTS, TEXTS, TEXTS)
def test_what_is_settled_has_nothing_left_to_settle(path: str, base: str, ours: str, theirs: str) -> None:
    """Merged once more with either side it stays as it is."""
    made = resolve(texts(base, ours, theirs, path), ALL)
    if made is not None:
        again = texts(ours, made.text, ours, path)
        assert resolve(again, ALL) is None and find_faults(again, made) == ()


@given(PATHS, TEXTS, TEXTS, st.data())
def test_the_guards_refuse_a_result_that_lacks_a_line_which_only_one_side_added(
    path: str, base: str, theirs: str, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, base.count("\n")))
    lines = list(split_lines(base))
    one = texts(base, "".join((*lines[:at], "only ours\n", *lines[at:])), theirs, path)
    recipe = data.draw(st.sampled_from(ALL))
    assert any("lost" in fault for fault in find_faults(one, Resolution(theirs, (recipe,))))


@pytest.mark.parametrize("name", CASES)
def test_each_recipe_settles_its_kind_and_nothing_else(name: str) -> None:
    recipe, base, ours, theirs, path, expected = CASES[name]
    assert settled(recipe, base, ours, theirs, path) == expected


@pytest.mark.parametrize(("made", "words"), WRONG)
def test_a_wrong_result_is_refused_whoever_made_it(made: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    one = WRONGED
    assert any(words in fault for fault in find_faults(one, Resolution(made, (Recipe.UNION,))))
    wrong = {Recipe.UNION: lambda _: split_lines(made)[1:]}
    monkeypatch.setattr(resolving, "RECIPES", wrong)
    assert resolve(one, [Recipe.UNION]) is None
    monkeypatch.setattr(resolving, "find_faults", lambda *_: ())
    assert resolve(one, [Recipe.UNION]) is not None, "the twin: without the guards it is used"


@pytest.mark.parametrize("name", NEVER)
def test_what_is_never_settled_without_asking(name: str) -> None:
    assert may_resolve(PLAIN) and not may_resolve(NEVER[name])


def test_pointers_of_lfs_are_asked_about() -> None:
    pointer = resolving.LFS_POINTER + "/spec/v1\n"
    assert settled(Recipe.ADJACENT, "a\nb\n", "A\nb\n", "a\nB\n") == "A\nB\n"
    assert settled(Recipe.ADJACENT, pointer + "a\nb\n", pointer + "A\nb\n", pointer + "a\nB\n") == "?"


def test_union_is_for_the_paths_that_somebody_named() -> None:
    named = Resolving(RESOLVING.recipes, ("CHANGES.md", "news/**"))
    assert Recipe.UNION in choose_recipes("CHANGES.md", named) and Recipe.UNION in choose_recipes("news/a/b.txt", named)
    assert choose_recipes("docs/CHANGES.md", named) == RESOLVING.recipes


def test_all_conflicts_of_a_file_are_settled_or_none() -> None:
    far = "1\n2\n3\n4\n"
    assert settled(Recipe.ADJACENT, f"a\nb\n{far}c\n", f"A\nb\n{far}X\n", f"a\nB\n{far}Y\n") == "?"
