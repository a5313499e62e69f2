"""Whatever a person makes of a conflict is proposed for the same one, exactly, and for no other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchd.core.precedents import name_conflict, propose, set_precedent
from orchd.core.threeway import compare, split_lines

LINES = st.sampled_from(["a\n", "b\n", "c\n", "d\n", "x\n"])
TEXTS = st.lists(LINES, max_size=7).map("".join)


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_it_is_proposed_as_it_was_settled_whichever_side_is_ours(base: str, ours: str, theirs: str, settled: str) -> None:
    known = set_precedent((base, ours, theirs), settled, "t.1.1", "p")
    for trio in ((base, ours, theirs), (base, theirs, ours)):
        found = propose(trio, known)
        assert (found.text if found else "") == settled


@given(TEXTS, TEXTS, TEXTS, st.lists(TEXTS, max_size=3))
def test_what_fills_the_places_is_proposed_there_after_lines_were_added_in_front(
    base: str, ours: str, theirs: str, fills: list[str]
) -> None:
    ways = compare(*map(split_lines, (base, ours, theirs)))
    assert ways is not None
    places = [split_lines((fills * 9)[at] if fills else "") for at in range(len(ways.disputed))]
    settled = ways.fill(places)
    known = set_precedent((base, ours, theirs), settled, "t.1.1", "p")
    front = "new\nlines\n"
    found = propose((front + base, front + ours, front + theirs), known)
    if found is not None:
        assert found.text == front + settled
    elif ways.disputed and settled:
        assert all(one.whole for one in known.values()), "only what cannot be told apart is kept as a whole"


@given(TEXTS, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS)
def test_another_conflict_has_another_name(base: str, ours: str, theirs: str, b: str, o: str, t: str) -> None:
    names = set(name_conflict((base, ours, theirs))), set(name_conflict((b, o, t)))
    if names[0] & names[1] and (base, {ours, theirs}) != (b, {o, t}):
        ways = [compare(*map(split_lines, trio)) for trio in ((base, ours, theirs), (b, o, t))]
        spots = [[(one.base, {one.ours, one.theirs}) for one in way.disputed] if way else None for way in ways]
        assert spots[0] == spots[1]
