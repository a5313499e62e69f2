"""Claims: two globs overlap whenever one file could belong to both, decided in no time whatever the globs."""

from __future__ import annotations

import functools
import subprocess
import sys
import time
import unicodedata

import oracle
import pytest
import rules
import walk
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchd.core import claims
from orchd.core.folding import fold_name
from orchd.model.claim import PathSpec

TWINS = (
    ("a", "A", "\u00e1", "\u0301", "\uff21"),
    ("e", "\u00e9", "\u00c9", "\u0301", "\u0323"),
    ("s", "S", "\u00df", "\u1e9e", "\u017f"),
    ("f", "i", "\ufb01", "\ufb03", "F"),
    ("i", "I", "\u0130", "\u0131", "\u0307"),
    ("k", "K", "\u212a", "\u200d", "\u00ad"),
    ("\u03c3", "\u03a3", "\u03c2", "\u0345", "\u03b1"),
    ("\u1100", "\u1161", "\uac00", "\u200b", "a"),
    ("\u30ab", "\u30ac", "\u3099", "\uff76", "\uff9e"),
    ("2", "\u00b2", "\u00bd", "\ufe0f", "\u2044"),
)
"""Alphabets of letters that some file system takes for one another, marks that change places, and what is left out."""

plain_segments = st.sampled_from(("**", "*", "a", "b", "a*", "*a", "*b*", "ab", "A", "a*b", "c"))
plain_globs = st.lists(plain_segments, min_size=1, max_size=4).map("/".join)
alphabets = st.sampled_from(TWINS)
quick = settings(max_examples=250, deadline=None, derandomize=True, database=None)


@quick
@given(plain_globs, plain_globs)
def test_globs_overlap_exactly_when_they_share_a_path(first: str, second: str) -> None:
    paths = oracle.all_paths(depth=3)
    rules.check_overlap(first, second, paths)


@quick
@given(st.sampled_from(walk.GLOBS), st.sampled_from(walk.GLOBS))
def test_globs_that_share_no_path_can_be_held_at_the_same_time(first: str, second: str) -> None:
    rules.check_apart(first, second)


@st.composite
def twin_globs(draw: st.DrawFn) -> tuple[str, str, tuple[str, ...]]:
    """Two globs over one alphabet, and that alphabet."""
    alphabet = draw(alphabets)
    segments = st.lists(st.sampled_from((*alphabet, "*", "?")), min_size=1, max_size=3).map("".join)
    segments = segments.filter(lambda segment: "**" not in segment)
    globs = st.lists(st.one_of(segments, segments, st.just("**")), min_size=1, max_size=2).map("/".join)
    return draw(globs), draw(globs), alphabet


@functools.cache
def twin_paths(alphabet: tuple[str, ...]) -> tuple[str, ...]:
    """Every path of at most three characters in all, and of two names with two characters each."""
    names = oracle.all_names("".join(alphabet), 3)
    short = [name for name in names if len(name) <= 2]
    return (*names, *(f"{one}/{other}" for one in short for other in short))


@settings(quick, max_examples=400)
@given(twin_globs())
@example(("*\u0323", "*\u0301\u0323", TWINS[1]))
@example(("?", "\u00df", TWINS[2]))
@example(("s?", "\u1e9e", TWINS[2]))
@example(("i/*", "\u0131/a", ("i", "\u0131", "a")))
@example(("k", "\u212a\u200d", TWINS[5]))
def test_globs_overlap_when_any_file_system_takes_a_path_of_each_for_one_file(case: tuple[str, str, tuple[str, ...]]) -> None:
    first, second, alphabet = case
    rules.check_overlap(first, second, twin_paths(alphabet))


def test_all_forms_of_a_character_fold_to_the_same() -> None:
    """Goes through all of Unicode, so that folding piece by piece is as good as folding names."""
    forms = ("NFC", "NFD", "NFKC", "NFKD")
    for number in (*range(0xD800), *range(0xE000, 0x30000), *range(0xE0000, 0xE1000)):
        character = chr(number)
        twins = {character.upper(), character.lower(), character.title(), character.casefold()}
        twins |= {unicodedata.normalize(form, character) for form in forms}
        for twin in twins - {character}:
            assert fold_name(twin) == fold_name(character), (hex(number), twin)


@given(st.lists(st.sampled_from([letter for alphabet in TWINS for letter in alphabet]), max_size=5).map("".join))
@quick
def test_a_name_folds_piece_by_piece(name: str) -> None:
    for at in range(len(name)):
        assert fold_name(name) == fold_name(name[:at]) + fold_name(name[at:])


def test_the_forms_of_one_name_overlap_and_other_names_do_not() -> None:
    for one, other in (
        ("STRASSE", "stra\u00dfe"),
        ("\u03c3\u03c3", "\u03a3\u03c2"),
        ("ti\u0307tle", "T\u0130TLE"),
        ("fi", "\ufb01"),
    ):
        assert claims.overlaps(one, other)
        assert claims.overlaps(f"src/{one}/*", f"SRC/{other}/x")
    assert not claims.overlaps("src/a*", "src/b*")
    assert not claims.overlaps("stra\u00dfe", "strase")


@settings(quick, max_examples=500)
@given(plain_globs, st.lists(st.sampled_from(("a", "b", "ab", "A", "ba", "c")), min_size=1, max_size=5).map("/".join))
def test_a_claim_covers_exactly_the_paths_that_its_glob_names(glob: str, path: str) -> None:
    rules.check_covers(glob, path)


@settings(quick, max_examples=300)
@given(twin_globs(), st.data())
def test_a_claim_covers_by_the_exact_name(case: tuple[str, str, tuple[str, ...]], data: st.DataObject) -> None:
    rules.check_covers(case[0], data.draw(st.sampled_from(twin_paths(case[2]))))


specs = st.builds(PathSpec, st.sampled_from(walk.GLOBS), st.sampled_from(walk.MODES))


@quick
@given(st.lists(specs, max_size=3).map(tuple), st.lists(specs, max_size=3).map(tuple))
def test_two_reads_and_two_appends_get_along_and_nothing_else(ours: tuple[PathSpec, ...], theirs: tuple[PathSpec, ...]) -> None:
    rules.check_clash(ours, theirs)


def test_question_marks_side_by_side_are_not_any_number_of_folders() -> None:
    assert not claims.overlaps("??/x", "a/b/x")
    assert not claims.overlaps("src/*?", "src/a/b")


HOSTILE = {
    "stars": ("*a" * 500 + "b", "*a" * 500 + "c"),
    "folders": ("**/a/" * 200 + "b", "**/a/" * 200 + "c"),
    "letters": ("x" * 1024, "x" * 1023 + "y"),
    "deep": ("a/" * 500 + "b", "**/" * 1 + "a/" * 500 + "c"),
    "questions": ("?" * 1000, "*?" * 500),
}


ASK = """
import sys
from orchd.core.claims import covers, overlaps
from orchd.model.claim import PathSpec
first, second = sys.argv[1:]
covers(PathSpec(first), "a" * 900), covers(PathSpec(first), "a/" * 400 + "d")
print(overlaps(first, second), overlaps(first, first))
"""


@pytest.mark.parametrize("globs", HOSTILE.values(), ids=HOSTILE)
def test_the_worst_globs_cost_no_time_and_no_recursion(globs: tuple[str, str]) -> None:
    done = subprocess.run([sys.executable, "-c", ASK, *globs], capture_output=True, text=True, timeout=10, check=True)
    assert done.stdout.split() == ["True" if "?" in globs[0] else "False", "True"]


def test_a_whole_task_file_of_the_worst_claims_is_judged_in_seconds() -> None:
    ours = [PathSpec("**/a/" * 200 + f"b{at}") for at in range(25)]
    theirs = [PathSpec("**/a/" * 200 + f"c{at}") for at in range(25)]
    began = time.process_time()
    assert claims.find_clash(ours, theirs) is None
    assert time.process_time() - began < 5
