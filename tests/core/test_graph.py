"""The order between tasks: circles and lacks are found exactly when they exist."""

from __future__ import annotations

from dataclasses import replace

import rules
from hypothesis import given, settings
from hypothesis import strategies as st

from orchd.core import graph
from orchd.model.snapshot import Mention
from orchd.model.work import TaskSpec

quick = settings(max_examples=300, deadline=None, derandomize=True, database=None)
names = st.sampled_from("abcdef")
edges = st.dictionaries(names, st.lists(names, max_size=3), max_size=6)
needs = st.dictionaries(names, st.lists(st.sampled_from([*"abcdef", "known", "ghost"]), max_size=3), max_size=6)


@quick
@given(edges)
def test_circles_are_found_when_they_exist_and_each_is_real(graph_of: dict[str, list[str]]) -> None:
    rules.check_cycles(graph_of)


@quick
@given(needs)
def test_what_is_accepted_can_be_ordered_and_what_is_refused_has_a_fault(wanted: dict[str, list[str]]) -> None:
    rules.check_graph(wanted, frozenset({"known"}))


def test_a_circle_through_a_task_that_is_already_known_is_told_at_the_new_file() -> None:
    file = rules.seen_file(TaskSpec("a", "t", "r", after=("b",)))
    problems = graph.find_graph_problems({"a": file}, {"b": TaskSpec("b", "t", "r", needs=("a",))})
    assert problems["a"].code == "E062"
    assert problems["a"].message.endswith(("a -> b -> a", "b -> a -> b"))


def test_a_problem_points_at_the_place_that_names_the_task() -> None:
    file = rules.seen_file(TaskSpec("a", "t", "r", needs=("ghost",)))
    file = replace(file, mentions=(Mention("ghost", 3, 9, "needs: [ghost]"),))
    problem = graph.find_graph_problems({"a": file}, {})["a"]
    assert (problem.line, problem.column, problem.width, problem.excerpt) == (3, 9, 5, "needs: [ghost]")


def test_a_slip_of_the_pen_gets_a_suggestion() -> None:
    file = rules.seen_file(TaskSpec("a", "t", "r", needs=("http-clint",)))
    problem = graph.find_graph_problems({"a": file}, {"http-client": TaskSpec("http-client", "t", "r")})["a"]
    assert "`http-client`" in problem.hint


def test_of_files_with_one_id_all_but_the_first_are_problems() -> None:
    files = [rules.seen_file(TaskSpec("a", "t", "r"), f"tasks/{at}") for at in range(3)]
    first, again = graph.split_duplicates(files)
    assert first == {"a": files[0]}
    assert [(file.path, problem.code) for file, problem in again] == [("tasks/1", "E060"), ("tasks/2", "E060")]


def test_a_chain_of_ten_thousand_tasks_is_no_problem() -> None:
    files = {
        f"t{at}": rules.seen_file(TaskSpec(f"t{at}", "t", "r", needs=(f"t{at - 1}",) if at else ())) for at in range(10_000)
    }
    assert graph.find_graph_problems(files, {}) == {}


def test_a_new_file_that_closes_a_circle_over_waiting_tasks_is_told_with_the_whole_path() -> None:
    known = {"a": TaskSpec("a", "t", "r", needs=("b",)), "b": TaskSpec("b", "t", "r", after=("c",))}
    problems = graph.find_graph_problems({"c": rules.seen_file(TaskSpec("c", "t", "r", needs=("a",)))}, known)
    assert list(problems) == ["c"], "what waits already is left alone"
    path = problems["c"].message.partition(": ")[2].split(" -> ")
    assert path[0] == path[-1]
    assert "".join(path[:-1]) in ("abc", "bca", "cab")
