"""Claims: two globs overlap whenever one file could belong to both, decided in no time whatever the globs."""

from __future__ import annotations

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
from orchd.core.globs import glob_fault
from orchd.model.claim import PathSpec

TWINS = (
    "a",
    "A",
    "e",
    "\u00e9",
    "e\u0301",
    "\u00c9",
    "\u0301",
    "\u0323",
    "ss",
    "\u00df",
    "\u1e9e",
    "\ufb01",
    "fi",
    "K",
    "\u212a",
    "\u0345",
)
"""Letters that some file system takes for one another, and marks that change places."""

plain_segments = st.sampled_from(("**", "*", "a", "b", "a*", "*a", "*b*", "ab", "A", "a*b", "c"))
plain_globs = st.lists(plain_segments, min_size=1, max_size=4).map("/".join)
twin_segments = st.lists(st.sampled_from((*TWINS, "*", "?", "*", "?")), min_size=1, max_size=4).map("".join)
twin_globs = (
    st.lists(st.one_of(twin_segments, st.just("**")), min_size=1, max_size=3).map("/".join).filter(lambda g: not glob_fault(g))
)
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


@settings(quick, max_examples=300)
@given(twin_globs, twin_globs, st.data())
@example("*\u0323", "*\u0301\u0323", None)
@example("*\u0323", "a\u0323\u0301", None)
@example("?", "\u00df", None)
@example("s?", "\u1e9e", None)
def test_globs_overlap_for_all_names_of_one_file(first: str, second: str, data: st.DataObject | None) -> None:
    paths = [*draw_paths(first, data), *draw_paths(second, data)]
    rules.check_overlap(first, second, [*paths, *(twin for path in paths for twin in twins(path))])


def draw_paths(glob: str, data: st.DataObject | None) -> list[str]:
    """Paths that a glob names: each wildcard becomes some letters."""
    letters = ["a", "\u0301", "\u00e9"]
    paths = []
    for at in range(3):
        path = ""
        for character in glob.replace("**", "*/*" if at else "*"):
            if character in "*?":
                letter = data.draw(st.sampled_from(TWINS)) if data else letters[at]
                path += letter[:1] if character == "?" else letter
            else:
                path += character
        paths.append(path)
    return paths


def twins(path: str) -> list[str]:
    """Other names of the same file."""
    forms = [unicodedata.normalize(form, path) for form in ("NFC", "NFD")]
    return [other for form in forms for other in (form, form.upper(), form.lower(), form.casefold(), form.swapcase())]


@settings(quick, max_examples=500)
@given(plain_globs, st.lists(st.sampled_from(("a", "b", "ab", "A", "ba", "c")), min_size=1, max_size=5).map("/".join))
def test_a_claim_covers_exactly_the_paths_that_its_glob_names(glob: str, path: str) -> None:
    rules.check_covers(glob, path)


@settings(quick, max_examples=500)
@given(
    twin_globs,
    st.lists(st.lists(st.sampled_from(TWINS), min_size=1, max_size=3).map("".join), min_size=1, max_size=4).map("/".join),
)
def test_a_claim_covers_by_the_exact_name(glob: str, path: str) -> None:
    rules.check_covers(glob, path)


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
