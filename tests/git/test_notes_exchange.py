"""Notes of records between clones of one remote: what each knows is kept, in any order, and the youngest word counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from git_world import DATE_MS, World, git
from shared_world import GitFamily, wait_for
from test_gate_results import GREEN, LINT, judged, merged

from orchd.adapters.gate_results import GitGateResults
from orchd.adapters.git_repo import open_repo
from orchd.adapters.notes import add_notes, adopt_notes, merge_notes, read_note, write_notes
from orchd.model.config import Config
from orchd.model.ids import GATE_NOTES_REF, SHARED_NOTES

ONE, TWO = "1" * 40, "2" * 40


def test_merged_notes_have_the_lines_of_both_and_none_twice(world: World) -> None:
    repo = world.open()
    mine = write_notes(repo, "", {ONE: "a\nb\n"}, 0)
    theirs = write_notes(repo, "", {ONE: "b\nc\n", TWO: "d\n"}, 0)
    both = merge_notes(repo, mine, theirs, 0)
    repo.refs.force("refs/notes/x", both)
    assert read_note(repo, "refs/notes/x", ONE).split() == ["a", "b", "c"]
    assert read_note(repo, "refs/notes/x", TWO) == "d\n"
    assert repo.parents_of(both) == (mine,)
    assert merge_notes(repo, both, theirs, 0) == merge_notes(repo, both, mine, 0) == both, "then there is nothing to say"
    assert merge_notes(repo, "", theirs, 0) == theirs and merge_notes(repo, mine, "", 0) == mine


def test_what_a_run_has_taken_back_stays_so_in_whatever_order_the_lines_come(world: World) -> None:
    repo, save = world.open(), merged(world)
    results = GitGateResults(repo)
    results.keep(judged(save, *GREEN), Config())
    old = repo.refs.read(GATE_NOTES_REF)
    red = replace(GREEN[0], green=False, code=1, disputed=True)
    later = replace(save, id="later", date_ms=DATE_MS + 1)
    results.keep(judged(later, red, GREEN[1]), Config())
    new = repo.refs.read(GATE_NOTES_REF)
    for first, second in ((old, new), (new, old)):
        repo.refs.force(GATE_NOTES_REF, first)
        assert adopt_notes(repo, GATE_NOTES_REF, second)
        known = GitGateResults(repo).look(later, Config()).known[1]
        assert [one.gate for one in known] == [LINT.name], "only what was not taken back"


@pytest.fixture
def family(tmp_path: Path) -> Iterator[GitFamily]:
    made = GitFamily(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("ref", SHARED_NOTES)
def test_a_clone_takes_in_what_the_remote_has_and_keeps_its_own(family: GitFamily, ref: str) -> None:
    one, two = (open_repo(family.place(name)) for name in ("one", "two"))
    add_notes(one, {ONE: "from one\n"}, DATE_MS, ref)
    add_notes(two, {ONE: "from two\n"}, DATE_MS, ref)
    git(family.top("one"), "push", "-q", "origin", ref)
    shared = family.open("two")
    wait_for(lambda: shared.look().answered)
    said = wait_for(lambda: shared.look() and "from one" in read_note(two, ref, ONE) and read_note(two, ref, ONE))
    assert said == "from two\n\nfrom one\n"
