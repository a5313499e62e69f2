"""Commands that tell about one task."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from orchd.cli.disputing import disagreement_lines
from orchd.cli.envelopes import ENVELOPES
from orchd.cli.fields import Row, to_data
from orchd.cli.flags import Command, read_flags
from orchd.cli.output import complain, fact_lines, paint, print_json, print_record, say
from orchd.cli.spending import view_task_costs
from orchd.cli.suggest import unknown
from orchd.cli.views import Asked, find_problems, view_explain, view_show, view_words
from orchd.core.inert import inert, plain
from orchd.core.rendering import render_problem
from orchd.core.statuses import has_strayed, is_disputed
from orchd.errors import UsageError
from orchd.model.ids import RunId, TaskId, task_run
from orchd.model.snapshot import Decision, State
from orchd.model.work import Status, Task

if TYPE_CHECKING:
    from orchd.adapters.place import Place

BAD = 1
LISTING = "`orchd status` lists them; new files are read by `orchd run` and `orchd daemon`"


@click.command(cls=Command)
@click.argument("task")
@click.option("--prompt", is_flag=True, help="Print what the agent was told in the last attempt.")
def show(task: TaskId, *, prompt: bool) -> int:
    """Show everything about TASK. That includes what its command or its agent claimed and what is proven."""
    from orchd import app
    from orchd.adapters.evidence import read_reports
    from orchd.cli.scenes import look_at_main, look_closely

    place = app.find(read_flags().repo)
    if prompt:
        return _show_prompt(place, task)
    state = look_at_main(place, app.read_hot(place).state)
    known, code = _find_told(place, state, task)
    if known:
        run = task_run(known.spec.id, known.generation, known.attempt)
        reports, scene = read_reports(place, run) if known.attempt else (), look_closely(place, state, known)
        row = view_show(known, state, _decide(place, state, known), scene, find_asked(place, known))
        row = {**row, **view_words(known, reports), **view_task_costs(known, state, reports, scene.config.prices)}
        facts = fact_lines(ENVELOPES["show"].fields, row)
        print_record(ENVELOPES["show"], row, (*facts, *disagreement_lines(row, known.spec.title)))
    return code


def _show_prompt(place: Place, task: TaskId) -> int:
    from orchd.adapters.evidence import read_prompt

    if read_flags().json:
        raise UsageError("--json prints one record", "leave out --prompt")
    run = _find_run(place, task, None)
    said = read_prompt(place, run)
    if said is None:
        complain(f"{run} had no prompt", "its task is a command, or what was kept beside the repository is gone")
        return BAD
    _write_log((plain(said.encode()).encode(errors="replace"),), "the prompt was empty")
    return 0


def find_asked(place: Place, task: Task) -> Asked:
    """What is asked about the task now."""
    from orchd import app

    return Asked(
        app.outside(place, task) if has_strayed(task) else (), app.disagreement(place, task) if is_disputed(task) else None
    )


@click.command(cls=Command)
@click.argument("task")
def explain(task: TaskId) -> int:
    """Explain why TASK is where it is. Says what happened, on what evidence, and what you can do."""
    from orchd import app
    from orchd.cli.scenes import look_at_main, look_closely

    place = app.find(read_flags().repo)
    state = look_at_main(place, app.read_hot(place).state)
    known, code = _find_told(place, state, task)
    if known:
        row = view_explain(known, state, _decide(place, state, known), look_closely(place, state, known))
        print_record(ENVELOPES["explain"], row, _explain_lines(row))
    return code


@click.command(cls=Command)
@click.argument("task")
@click.option("-f", "--follow", is_flag=True, help="Go on until the attempt ends.")
@click.option("--raw", is_flag=True, help="Print the bytes as they are: control sequences, the stream of an agent.")
@click.option("--attempt", type=click.IntRange(min=1), help="Which attempt. [default: the last]")
def logs(task: str, *, follow: bool, raw: bool, attempt: int | None) -> int:
    """Print the output of TASK. A run that `orchd ps` named will do too."""
    from orchd import app
    from orchd.adapters.agent_log import tell_log

    flags = read_flags()
    if flags.json and (follow or raw):
        raise UsageError("--json prints one finished document", "leave out --follow and --raw")
    place = app.find(flags.repo)
    run = task if task.startswith("@") else _find_run(place, task, attempt)
    if not app.has_log(place, run):
        complain(f"the log of {run} is gone", "logs are kept beside the repository, not in it: no clone has them")
        return BAD
    lines = app.log_lines(place, run, follow)
    if not raw:
        lines = tell_log(place, run, lines)
    if flags.json:
        row = {"run": run, "lines": tuple(plain(line).rstrip("\n") for line in lines)}
        print_json(ENVELOPES["logs"], to_data(ENVELOPES["logs"].fields, row))
    else:
        _write_log(lines if raw else (plain(line).encode(errors="replace") for line in lines), f"{run} has printed nothing")
    return 0


def find_task(place: Place, task: TaskId) -> Task:
    """The record of `task`. Raises UsageError with a suggestion when there is none."""
    from orchd import app

    known = app.read_task(place, task)
    if known is None:
        raise unknown("task", task, app.read_all(place).tasks, LISTING)
    return known


def _find_told(place: Place, state: State, task: TaskId) -> tuple[Task | None, int]:
    """The task if there is one, and the exit code; what is wrong with its present file has been told."""
    from orchd import app

    problems = find_problems(task, state.problems)
    for problem in problems:
        click.echo(render_problem(problem), err=True)
    return (app.read_task(place, task), BAD) if problems else (find_task(place, task), 0)


def _decide(place: Place, state: State, task: Task) -> Decision | None:
    from orchd import app

    if task.status is not Status.WAITING:
        return None
    return next((said for said in app.decisions(place, state) if said.task == task.spec.id), None)


def _explain_lines(row: Row) -> Iterator[str]:
    yield f"{row['task']}: {paint(str(row['status']), read_flags())}"
    yield f"  {row['what']}"
    for name in ("why", "next"):
        items = row[name]
        if isinstance(items, tuple) and items:
            yield f"{name}:"
            yield from (f"  - {inert(item)}" for item in items)


def _find_run(place: Place, task: TaskId, attempt: int | None) -> RunId:
    known = find_task(place, task)
    number = attempt or known.attempt
    if not known.attempt:
        raise UsageError(f"{task} has not started yet", f"`orchd explain {task}` says why")
    if number > known.attempt:
        raise UsageError(f"{task} has {known.attempt} attempt(s), not {number}", f"`orchd show {task}`")
    return task_run(task, known.generation, number)


def _write_log(lines: Iterable[bytes], empty: str) -> None:
    """Line by line, so that following shows what there is. `empty` is the message when there is nothing."""
    out, printed = sys.stdout.buffer, False
    for line in lines:
        out.write(line)
        out.flush()
        printed = True
    if not printed:
        say(empty)
