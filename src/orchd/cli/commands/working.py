"""Commands that do work, or ask the one who does."""

from __future__ import annotations

import click

from orchd.cli.closing import close_run
from orchd.cli.commands.telling import find_task
from orchd.cli.envelopes import ENVELOPES, to_data
from orchd.cli.flags import Command, read_flags
from orchd.cli.output import print_json, print_records, say
from orchd.cli.views import view_run
from orchd.core.lifecycle import allows
from orchd.errors import UsageError
from orchd.model.ids import TaskId
from orchd.model.message import StopAsked, TaskCancelled, TaskRetried
from orchd.model.snapshot import Verb

EVENTS = {Verb.RETRY: (TaskRetried,), Verb.CANCEL: (TaskCancelled, StopAsked)}
"""What each request can become."""


@click.command(cls=Command)
@click.argument("tasks", nargs=-1, metavar="[TASK]...")
def run(tasks: tuple[TaskId, ...]) -> int:
    """Work until nothing is left to do. With TASKs only on them and what they need."""
    from orchd import app
    from orchd.cli.narrator import open_narrator

    flags = read_flags()
    narrator = open_narrator(quiet=flags.quiet, color=flags.color)
    with narrator.live():
        served = app.serve(app.find(flags.repo), narrator, until_idle=True, only=tasks)
    summary, code = close_run(served)
    say(summary)
    if flags.json:
        print_json(ENVELOPES["run"], to_data(ENVELOPES["run"].fields, view_run(served, summary, code)))
    return code


@click.command(cls=Command)
def daemon() -> None:
    """Serve the repository until stopped."""
    from orchd import app
    from orchd.cli.narrator import open_narrator

    flags = read_flags()
    app.serve(app.find(flags.repo), open_narrator(quiet=flags.quiet, color=flags.color), until_idle=False)


@click.command(cls=Command)
@click.argument("task")
def retry(task: TaskId) -> None:
    """Ask for another attempt of TASK on the present main."""
    _ask(Verb.RETRY, task)


@click.command(cls=Command)
@click.argument("task")
def cancel(task: TaskId) -> None:
    """Ask to end TASK, or not to start it. What it made is kept."""
    _ask(Verb.CANCEL, task)


def _ask(verb: Verb, task: TaskId) -> None:
    from orchd import app

    place = app.find(read_flags().repo)
    known = find_task(place, task)
    if not any(allows(event, known.status) for event in EVENTS[verb]):
        raise UsageError(f"{task} is {known.status}: there is nothing to {verb}", f"`orchd explain {task}` says more")
    app.ask(place, verb, task)
    served = app.server(place) is not None
    print_records(ENVELOPES["ask"], [{"task": task, "verb": str(verb), "status": str(known.status), "served": served}])
    if not served:
        say("nobody serves this repository: the next `orchd run` or `orchd daemon` does it")
