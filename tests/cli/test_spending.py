"""What agents cost, as commands show it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cli_samples import make_state, make_task

from orchd.app import RunView
from orchd.cli.listings import view_ps
from orchd.cli.spending import join_reports, view_task_costs
from orchd.core.watched import current_run
from orchd.model.agent import Price, Report, Usage
from orchd.model.cost import Spent, StepSpent
from orchd.model.snapshot import State
from orchd.model.work import Status, Step


def test_what_a_task_cost_is_that_of_all_its_attempts_and_what_runs_counts():
    price = Price("s*", 10**6, 0, 10**6, "d")
    spent = Spent(10, 500, 1, (StepSpent("one", 10, 500, 1),))
    said = Report(model="sonnet", tools=2, usage=Usage(20, 0, 10), denied=("a",))
    reports = (("one", said), ("two", replace(said, model="x", usage=Usage(1, 0, 1, 7), words="done")))
    task = replace(make_task("t", Status.RUNNING), spent=spent)
    steps = replace(task, spec=replace(task.spec, steps=(Step("one", goal="x"), Step("two", goal="x"))))
    row = view_task_costs(steps, State(), reports, (price,))
    assert (row["tokens"], row["cost"], row["unpriced"]) == (42, 537, 1)
    assert row["step_costs"] == ("one: 40 tokens, 0.000530 USD, 1 unpriced", "two: 2 tokens, 0.000007 USD, 0 unpriced")
    ended = view_task_costs(replace(steps, status=Status.LANDED), State(), reports, (price,))
    assert (ended["tokens"], ended["cost"]) == (10, 500), "it is in the books"
    assert view_task_costs(task, State(), reports, (price,))["step_costs"] == ("one: 10 tokens, 0.000500 USD, 1 unpriced",)
    assert view_task_costs(make_task("t", Status.LANDED), State(), (), ())["tokens"] is None
    joined = join_reports(reports)
    assert joined and (joined.tools, joined.denied, joined.words, joined.usage) == (4, ("a", "a"), "done", Usage(21, 0, 11, 7))
    seen = RunView(77, 12.5, 3.25, Path("log"), reports, "two", 2.5)
    [shown] = view_ps(make_state(steps), {current_run(steps): seen})
    assert (shown["step"], shown["left_seconds"], shown["tools"]) == ("two", 3600.0 - 2.5, 4)
