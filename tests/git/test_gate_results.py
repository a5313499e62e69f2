"""What the port `GateResults` promises, asked of git and of its memory twin; and what only git can get wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import pytest
from gate_book import GateBook
from git_world import World, git

from orchd.adapters import gate_results
from orchd.adapters.gate_results import GitGateResults, narrow_tree
from orchd.adapters.notes import read_note
from orchd.model.config import Config
from orchd.model.ids import GATE_NOTES_REF
from orchd.model.limits import RESULT_DAYS
from orchd.model.save import Gate, GateResult, Merged, Save, SaveStep, Verdict

UNIT, LINT = Gate("unit", "make unit"), Gate("lint", "make lint")
GREEN = tuple(GateResult(gate.name, True, 0, 2.5) for gate in (UNIT, LINT))
DAY_MS = 24 * 3600 * 1000


@pytest.fixture(params=["git", "twin"])
def results(request: pytest.FixtureRequest, world: World) -> Callable[[], object]:
    """Each call is another process."""
    if request.param == "git":
        return lambda: GitGateResults(world.open())
    book = GateBook()
    return lambda: SimpleNamespace(look=lambda save, config: book.look(save), keep=lambda save, config: book.keep(save))


def merged(world: World, gates: tuple[Gate, ...] = (UNIT, LINT), **files: str) -> Save:
    """A save whose chain exists."""
    saves = world.saves()
    tip = world.branch_tip({name.replace("__", "/"): text for name, text in files.items()} or {"a.txt": "1\n"})
    save = world.gated(saves, world.plan(tip, gates=gates))
    return replace(save, step=SaveStep.MERGED, verdicts=(), lands=0)


def judged(save: Save, *results: GateResult, index: int = 1) -> Save:
    return replace(save, verdicts=(Verdict(index, all(r.green for r in results), results),))


def names(found: tuple[GateResult, ...]) -> list[str]:
    return [result.gate for result in found]


def test_what_was_green_is_known_to_the_next_save_with_the_same_tree(results, world: World) -> None:
    save = merged(world)
    assert not any(results().look(save, Config()).known.values())
    done = judged(save, *GREEN)
    assert not results().look(done, Config()).kept
    results().keep(done, Config())
    assert results().look(done, Config()).kept
    again = replace(save, id="another", number=8)
    seen = results().look(again, Config())
    assert names(seen.known[1]) == ["unit", "lint"]
    assert [result.seconds for result in seen.known[1]] == [2.5, 2.5]
    assert not seen.known[0], "the base is another tree"
    assert seen.kept, "it has no results of its own"


def test_red_results_are_not_kept_and_a_dispute_takes_back_what_was(results, world: World) -> None:
    save = merged(world)
    red = GateResult("lint", False, 1, 1.0)
    results().keep(judged(save, GREEN[0], red), Config())
    assert names(results().look(save, Config()).known[1]) == ["unit"]
    doubt = judged(save, replace(GREEN[0], green=False, code=1, disputed=True))
    assert not results().look(doubt, Config()).kept
    results().keep(doubt, Config())
    assert results().look(doubt, Config()).kept
    assert not results().look(save, Config()).known[1]


def test_keeping_twice_changes_nothing_and_stored_results_are_no_news(results, world: World) -> None:
    save = judged(merged(world), *GREEN)
    results().keep(save, Config())
    before = git(world.top, "for-each-ref")
    results().keep(save, Config())
    cached = judged(save, *(replace(result, cached=True) for result in GREEN))
    results().keep(cached, Config())
    assert results().look(cached, Config()).kept
    assert git(world.top, "for-each-ref") == before


def test_before_the_merge_there_is_nothing_to_know(results, world: World) -> None:
    save = replace(merged(world), step=SaveStep.PLANNED, chain=())
    assert results().look(save, Config()) == results().look(replace(save, gates=()), Config())


def known(world: World, save: Save, config: Config | None = None) -> list[str]:
    return names(GitGateResults(world.open()).look(save, config or Config()).known[1])


def test_another_command_variable_or_environment_is_another_gate(world: World, monkeypatch) -> None:
    monkeypatch.setenv("CI", "1")
    save = merged(world, (UNIT,))
    config = Config(env=("CI",))
    GitGateResults(world.open()).keep(judged(save, GREEN[0]), config)
    assert known(world, save, config) == ["unit"]
    assert known(world, replace(save, gates=(replace(UNIT, run="make other"),)), config) == []
    assert known(world, replace(save, gates=(replace(UNIT, env=(("A", "1"),)),)), config) == []
    assert known(world, replace(save, gates=(replace(UNIT, timeout_seconds=1.0),)), config) == ["unit"]
    assert known(world, save) == []
    monkeypatch.setenv("CI", "2")
    assert known(world, save, config) == []
    monkeypatch.setenv("CI", "1")
    monkeypatch.setenv("TERM", "strange")
    assert known(world, save, config) == ["unit"]


def test_a_result_grows_old(world: World) -> None:
    save = merged(world, (UNIT,))
    GitGateResults(world.open()).keep(judged(save, GREEN[0]), Config())
    for days, counts in ((RESULT_DAYS, True), (RESULT_DAYS + 1, False), (-RESULT_DAYS - 1, False)):
        assert bool(known(world, replace(save, date_ms=save.date_ms + days * DAY_MS))) == counts


def test_inputs_decide_which_trees_are_the_same_for_a_gate(world: World) -> None:
    gate = replace(UNIT, inputs=("src/**", "Makefile"))
    first = merged(world, (gate,), src__a__x="1\n", docs__x="1\n", Makefile="all:\n")
    GitGateResults(world.open()).keep(judged(first, GREEN[0]), Config())
    assert known(world, merged(world, (gate,), src__a__x="1\n", docs__x="2\n", Makefile="all:\n")) == ["unit"]
    for files in ({"src__a__x": "2\n"}, {"Makefile": "other:\n"}, {"src__new": "1\n"}):
        other = {"src__a__x": "1\n", "docs__x": "1\n", "Makefile": "all:\n", **files}
        assert known(world, merged(world, (gate,), **other)) == []
    assert known(world, replace(first, gates=(UNIT,))) == [], "without inputs it is the whole tree"


@pytest.mark.parametrize("inputs", [("scr/**",), ("src/*.rs",), ("src/a",)])
def test_globs_that_name_no_file_let_no_tree_pass_untested(world: World, inputs: tuple[str, ...]) -> None:
    gate = replace(UNIT, inputs=inputs)
    first = merged(world, (gate,), src__a__x="1\n")
    GitGateResults(world.open()).keep(judged(first, GREEN[0]), Config())
    assert known(world, replace(first, number=8)) == ["unit"], "the very same tree"
    assert known(world, merged(world, (gate,), src__a__x="a bug\n")) == []


def test_a_narrowed_tree_has_exactly_the_named_files(world: World) -> None:
    repo = world.open()
    files = ("src/a/x.py", "src/b/y.py", "docs/z.md", "Makefile", "src/a/deep/w.py")
    tree = repo.tree_of(world.branch_tip(dict.fromkeys(files, "1\n")))
    for globs, expected in (
        (("src/a/**",), {"src/a/x.py", "src/a/deep/w.py"}),
        (("**/*.py", "Makefile"), set(files) - {"docs/z.md"}),
        (("nothing/**",), set()),
    ):
        listed = git(world.top, "ls-tree", "-r", "--name-only", narrow_tree(repo, tree, globs)).split()
        assert set(listed) == expected
    assert narrow_tree(repo, tree, ("**",)) == tree


def test_lines_that_say_something_else_are_passed_over(world: World) -> None:
    save = merged(world, (UNIT,))
    key = gate_results.name_key(UNIT, gate_results.fingerprint(Config()))
    tree = save.chain[0].tree
    for line in (f'{{"key":"{key}"', f'{{"key":"{key}"}}', f'["{key}"]', f'{{"key":"{key}","green":"yes"}}', f"{key} is green"):
        git(world.top, "notes", f"--ref={GATE_NOTES_REF}", "append", "-m", line, tree)
        assert known(world, save) == []
    GitGateResults(world.open()).keep(judged(save, GREEN[0]), Config())
    assert known(world, save) == ["unit"]
    assert key in read_note(world.open(), GATE_NOTES_REF, tree)


def test_what_was_green_on_a_task_by_itself_is_known_to_the_save_that_merges_it_into_the_same_tree(world: World) -> None:
    save = merged(world)
    item = save.items[0]
    alone = replace(save, id="alone", base=item.base or save.base, base_tree="", chain=(Merged(item, item.tip, ""),))
    results = GitGateResults(world.open())
    assert names(results.look(alone, Config()).known[1]) == []
    results.keep(judged(alone, *GREEN), Config())
    assert results.look(judged(alone, *GREEN), Config()).kept
    assert names(results.look(save, Config()).known[1]) == ["unit", "lint"]
    assert names(results.look(alone, Config()).known[1]) == ["unit", "lint"]
