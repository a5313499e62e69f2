"""Scenes of conflicts that were settled before: what is proposed, and what is not."""

from __future__ import annotations

from playbook import scene
from world import demand

from orchd.core.precedents import Precedent, Proposed, Trio, name_conflict, propose, set_precedent

HEAD, TAIL = "1\n2\n3\n", "7\n8\n9\n"
TWO: Trio = (
    f"{HEAD}a\n4\n5\n6\nb\n{TAIL}",
    f"{HEAD}a ours\n4\n5\n6\nb ours\n{TAIL}",
    f"{HEAD}a theirs\n4\n5\n6\nb theirs\n{TAIL}",
)
SETTLED = f"{HEAD}a both\n4\n5\n6\n{TAIL}"


def known(trio: Trio, settled: str) -> dict[str, Precedent]:
    return dict(set_precedent(trio, settled, "t.1.2", "a.txt"))


def proposed(trio: Trio, said: dict[str, Precedent]) -> str | None:
    found = propose(trio, said)
    return found.text if found else None


@scene
def the_same_conflict_is_proposed_with_where_it_comes_from() -> None:
    found = propose(TWO, known(TWO, SETTLED))
    demand("as it was settled", found == Proposed(SETTLED, "t.1.2", "a.txt"), found)
    swapped = TWO[0], TWO[2], TWO[1]
    demand("whichever side is ours", proposed(swapped, known(TWO, SETTLED)) == SETTLED)
    demand("nothing is proposed that nobody settled", propose(TWO, {}) is None)


@scene
def its_places_may_be_elsewhere_and_the_rest_of_the_file_is_the_new_one() -> None:
    moved = tuple(f"new\n{text}more\n" for text in TWO)
    base, ours, theirs = moved
    demand("the places as before", proposed((base, ours, theirs), known(TWO, SETTLED)) == f"new\n{SETTLED}more\n")
    other = (TWO[0], TWO[1].replace("b ours", "b mine"), TWO[2])
    demand("another conflict is another", proposed(other, known(TWO, SETTLED)) is None)
    one = tuple(text.replace(" ours", "").replace(" theirs", "") for text in TWO)
    demand("what is no conflict is none", proposed((one[0], one[1], TWO[2]), known(TWO, SETTLED)) is None)


@scene
def who_changed_more_than_the_places_is_quoted_only_for_the_very_same_texts() -> None:
    more = SETTLED.replace("1\n", "one\n")
    demand("the whole text", proposed(TWO, known(TWO, more)) == more)
    behind = SETTLED.replace("9\n", "nine\n")
    demand("also behind the places", proposed(TWO, known(TWO, behind)) == behind)
    moved = (f"new\n{TWO[0]}", f"new\n{TWO[1]}", f"new\n{TWO[2]}")
    demand("and not elsewhere", proposed(moved, known(TWO, more)) is None)
    unclear = SETTLED.replace("4\n5\n6\n", "4\n5\n6\n4\n5\n6\n")
    said = known(TWO, unclear)
    demand("nor where nobody can say which is which", [one.whole for one in said.values()] == [unclear], said)
    demand("a file that became empty is not remembered", not known(TWO, ""))


@scene
def lines_never_run_into_each_other() -> None:
    ending = ("x", "x ours", "x theirs")
    said = known(ending, "x both")
    demand("at the end as it was", proposed(ending, said) == "x both")
    inside = tuple(f"{text}\nnext\n" for text in ending)
    demand("not in the middle", propose((inside[0], inside[1], inside[2]), said) is None)
    forged = {name: Precedent("t.1.2", "a.txt", (("x",),)) for name in name_conflict(TWO)}
    demand("nor where the number of places differs", propose(TWO, forged) is None)
    joins = {name: Precedent("t.1.2", "a.txt", (("a",), ("b",))) for name in name_conflict(TWO)}
    demand("nor without an end of the line", propose(TWO, joins) is None)
