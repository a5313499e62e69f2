"""Two sides over their base: cut as git cuts them, put together again without losing a line."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchd.core import threeway
from orchd.core.dispute_lines import tell_dispute
from orchd.core.threeway import Chunk, compare, split_lines
from orchd.model.merge import Side

TEXTS = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "d\n"]), max_size=6).map("".join)
ODD = st.text(alphabet="a\n\r\x0c\u2028é", max_size=8)


def ways(base: str, ours: str, theirs: str) -> threeway.ThreeWay:
    found = compare(*map(split_lines, (base, ours, theirs)))
    assert found is not None
    return found


@given(ODD)
def test_lines_put_together_are_the_text(text: str) -> None:
    assert "".join(split_lines(text)) == text
    assert all(line.count("\n") <= 1 and line for line in split_lines(text))


@given(TEXTS, TEXTS, TEXTS)
def test_each_side_is_what_its_chunks_say(base: str, ours: str, theirs: str) -> None:
    parts = ways(base, ours, theirs).parts
    for name, text in (("base", base), ("ours", ours), ("theirs", theirs)):
        assert "".join("".join(getattr(part, name) if isinstance(part, Chunk) else part) for part in parts) == text


@given(TEXTS, TEXTS)
def test_what_one_side_changed_is_taken_and_nothing_is_disputed(base: str, ours: str) -> None:
    for found in (ways(base, ours, base), ways(base, base, ours), ways(base, ours, ours)):
        assert not found.disputed and found.take(Side.OURS) == found.take(Side.THEIRS) == ours


@given(TEXTS, TEXTS, TEXTS)
def test_the_sides_are_symmetrical(base: str, ours: str, theirs: str) -> None:
    there, back = ways(base, ours, theirs), ways(base, theirs, ours)
    assert there.take(Side.OURS) == back.take(Side.THEIRS)
    assert [one.joined for one in there.disputed] == [one.joined for one in back.disputed]


KEPT, GONE, OTHER, BEFORE = range(4)
EDITS = st.lists(st.sampled_from([KEPT, KEPT, GONE, OTHER, BEFORE]), min_size=6, max_size=6)


def edited(edits: list[int], name: str) -> str:
    """Six lines, edited in place: what is left of them stays in order, so that every program aligns them alike."""
    forms = {KEPT: "{at}\n", GONE: "", OTHER: "{name}{at}\n", BEFORE: "+{name}{at}\n{at}\n"}
    return "".join(forms[edit].format(at=at, name=name) for at, edit in enumerate(edits))


@settings(max_examples=60, deadline=None)
@given(ours=EDITS, theirs=EDITS)
def test_one_side_is_taken_exactly_where_git_takes_it(
    ours: list[int], theirs: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("merge")
    texts = edited([KEPT] * 6, ""), edited(ours, "o"), edited(theirs, "t")
    found = ways(*texts)
    assert [found.take(side) for side in Side] == [merge_file(folder, *texts, side) for side in Side]


def merge_file(folder: Path, base: str, ours: str, theirs: str, side: Side) -> str:
    for name, text in (("base", base), ("ours", ours), ("theirs", theirs)):
        (folder / name).write_text(text)
    argv = ["git", "merge-file", "-p", f"--{side}", "ours", "base", "theirs"]
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=True).stdout


def test_changes_that_touch_are_joined_and_those_that_overlap_are_not() -> None:
    [chunk] = ways("a\nb\nc\n", "A\nb\nc\n", "a\nB\nc\n").disputed
    assert chunk.joined == ("A\n", "B\n")
    [chunk] = ways("a\nb\nc\n", "a\nX\nc\n", "a\nY\nc\n").disputed
    assert chunk.joined is None
    [chunk] = ways("a\n", "a\nX\n", "a\nY\n").disputed
    assert chunk.joined is None, "nobody knows which comes first"
    [chunk] = ways("a\nb\nc\nd\n", "a\nb\nX\nc\nd\n", "a\nB\nC\nd\n").disputed
    assert chunk.joined is None, "inside what the other replaced"


def test_what_would_take_too_long_is_not_compared() -> None:
    many = "a\n" * 3000
    assert compare(split_lines(many + "b\n" + many), split_lines("c\n" + many + "d\n" + many), ()) is None


def test_a_dispute_is_shown_with_hostile_text_made_inert_and_has_an_end() -> None:
    shown = tell_dispute(("a\nb\n", "a\n\x1b[2Jours\n", "a\ntheirs\u202e\n"))
    assert "ours  | \\x1b[2Jours" in shown and "theirs| theirs\\u202e" in shown and "  a" in shown
    assert all(line.isprintable() for line in shown)
    long = tell_dispute(("", "o\n" * 5000, "t\n" * 5000))
    assert len(long) < 300 and long[-1].startswith("... and ")
