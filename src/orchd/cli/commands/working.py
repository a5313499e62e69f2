"""Commands that do work, or ask the one who does."""

from __future__ import annotations

import getpass
import secrets
import time
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

from orchd.cli.closing import close_run, tasks_of_run, tell_going_on
from orchd.cli.commands.telling import LISTING, find_task
from orchd.cli.envelopes import ENVELOPES
from orchd.cli.fields import to_data
from orchd.cli.flags import Command, read_flags
from orchd.cli.output import print_json, print_lines, print_records, say
from orchd.cli.suggest import unknown
from orchd.cli.views import view_run
from orchd.core.gone import is_there
from orchd.core.inert import inert
from orchd.core.lifecycle import allows
from orchd.core.sessions import may_be_given_up
from orchd.core.steps import cut_before, list_open
from orchd.core.telling import Scene, is_restore, tell_task
from orchd.errors import UsageError
from orchd.model.ids import NOWHERE, TaskId, is_slug
from orchd.model.message import StopAsked, TaskCancelled, TaskRetried
from orchd.model.save import Save
from orchd.model.snapshot import Decision, State, Verb
from orchd.model.work import Source, Status, Task

if TYPE_CHECKING:
    from orchd.adapters.place import Place
    from orchd.app import Served

HOLDER_CHARS = 100
UNSERVED_ASK = "nobody serves this repository: the next `orchd run` or `orchd daemon` does it"
TOLD_WAITING = 5

EVENTS = {Verb.RETRY: (TaskRetried,), Verb.CANCEL: (TaskCancelled, StopAsked)}
"""What each request can become."""


@click.command(cls=Command)
@click.argument("tasks", nargs=-1, metavar="[TASK]...")
def run(tasks: tuple[TaskId, ...]) -> int:
    """Work until nothing is left to do. With TASKs only on them and what they need."""
    from orchd import app

    flags = read_flags()
    place = app.find(flags.repo)
    _check_known(place, tasks)
    served = serve(place, until_idle=True, only=tasks)
    summary, code = close_run(served)
    say(summary)
    waiting = [task for task in tasks_of_run(served) if task.status is Status.WAITING]
    if flags.json or waiting:
        from orchd.cli.scenes import look_around

        decisions, scene = app.decisions(place, served.state), look_around(place, served.state, served=False)
        _tell_waiting(waiting, served.state, decisions, scene)
        if flags.json:
            row = view_run(served, summary, code, decisions, scene)
            print_json(ENVELOPES["run"], to_data(ENVELOPES["run"].fields, row))
    return code


def _tell_waiting(waiting: Sequence[Task], state: State, decisions: Iterable[Decision], scene: Scene) -> None:
    """Why each of those that wait does so; the first few."""
    said = {decision.task: decision for decision in decisions}
    for task in waiting[:TOLD_WAITING]:
        say(f"{task.spec.id} waits: {tell_task(task, state, said.get(task.spec.id), scene).what}")
    if len(waiting) > TOLD_WAITING:
        say("`orchd plan` tells of all that wait")


@click.command(cls=Command)
def daemon() -> None:
    """Serve the repository until stopped."""
    from orchd import app

    served = serve(app.find(read_flags().repo), until_idle=False)
    say(", ".join(["stopped", *tell_going_on(served.state)]))


def serve(place: Place, *, until_idle: bool, only: tuple[TaskId, ...] = ()) -> Served:
    """Serve with words on standard error. Who leaves at once is told what goes on without them."""
    from orchd import app
    from orchd.cli.audience import open_narrator

    flags = read_flags()
    narrator = open_narrator(quiet=flags.quiet, color=flags.color)
    try:
        with narrator.live() if until_idle else nullcontext():
            return app.serve(place, narrator, until_idle=until_idle, only=only)
    except KeyboardInterrupt:
        say(", ".join(["left at once", *tell_going_on(app.read_hot(place).state)]))
        raise


def _check_known(place: Place, tasks: Iterable[TaskId]) -> None:
    """Raises UsageError for the first of `tasks` that nobody has heard of."""
    from orchd import app

    for task in tasks:
        known = app.file_names(place)
        if task not in known and app.read_task(place, task) is None:
            raise unknown("task", task, known | app.read_all(place).tasks.keys(), LISTING)


@click.command(cls=Command)
@click.argument("task")
@click.option("--from", "step", metavar="STEP", help="Keep what the steps before STEP have made, and begin with STEP.")
def retry(task: TaskId, step: str | None) -> None:
    """Ask for another attempt of TASK on the present main. With --from on the commit that it began with, from a step on."""
    _ask(Verb.RETRY, task, *([step] if step else []))


def _check_step(task: Task, step: str) -> None:
    """Raises UsageError when an attempt cannot begin with `step`."""
    if cut_before(task, step) is None:
        known = list_open(task)
        hint = f"it can begin with {', '.join(known)}" if known else "its work is not divided into `steps`"
        raise UsageError(f"{task.spec.id} cannot begin with {inert(step)!r}", hint)


@click.command(cls=Command)
@click.argument("task")
def cancel(task: TaskId) -> None:
    """Ask to end TASK, or not to start it. What it made is kept."""
    _ask(Verb.CANCEL, task)


@click.command(cls=Command)
@click.argument("kind")
@click.option("--for", "holder", metavar="WHO", help="Who gets it, and gets the same one again. Default: somebody new.")
def number(kind: str, holder: str | None) -> None:
    """Give the next number of KIND, like `migration`, that no task and nobody else gets."""
    from orchd import app

    if not is_slug(kind):
        raise UsageError(f"{inert(kind)!r} is not the name of a kind of numbers", "use a-z, 0-9 and hyphens, like `migration`")
    who = inert(holder)[:HOLDER_CHARS] if holder else f"{getpass.getuser()}-{secrets.token_hex(6)}"
    row = {"kind": kind, "number": app.take_number(app.find(read_flags().repo), kind, who), "holder": who}
    if read_flags().json:
        print_json(ENVELOPES["number"], to_data(ENVELOPES["number"].fields, row))
    else:
        print_lines([str(row["number"])])


def _is_recallable(verb: Verb, task: Task, save: Save | None) -> bool:
    """Whether the save that a task is in can be given up for this request, as far as is known here."""
    asked = verb is Verb.CANCEL and task.status is Status.SAVING
    return asked and save is not None and may_be_given_up(save, save.base)


def _record_loss(place: Place, task: Task) -> None:
    """Who asks for the work of `task` again, where main lost it: when it lands again, that settles the loss."""
    from orchd.adapters.losses import say_of
    from orchd.cli.commands.promoting import check_person
    from orchd.core.losses import word_again

    say_of(place, {task.commit: word_again(task.spec.id, check_person(""), time.time_ns() // 1_000_000)})


def _ask(verb: Verb, task: TaskId, *words: str) -> None:
    from orchd import app

    place = app.find(read_flags().repo)
    known = find_task(place, task)
    app.check_owner(place, known.spec.session)
    state = app.read_hot(place).state
    if verb is Verb.RETRY and known.status is Status.LANDED:
        from orchd.cli.scenes import look_at_main

        state = look_at_main(place, state, known)
    allowed = any(allows(event, known.status) for event in EVENTS[verb]) and not is_there(known, state.gone)
    if not allowed and not _is_recallable(verb, known, state.save):
        raise UsageError(f"{task} is {known.status}: there is nothing to {verb}", f"`orchd explain {task}` says more")
    if verb is Verb.RETRY and is_restore(known):
        raise UsageError(f"{task} was asked for once", "ask again with `orchd undo` or `orchd restore --make-main`")
    if verb is Verb.RETRY and known.source is not Source.INBOX and task not in app.file_names(place):
        raise UsageError(f"the file of {task} is gone: a retry would be withdrawn at once", f"put {task}.yaml back first")
    for step in words:
        _check_step(known, step)
    if task in state.gone and known.status is Status.LANDED and known.commit != NOWHERE:
        _record_loss(place, known)
    app.ask(place, verb, task, words)
    served = app.server(place) is not None
    print_records(ENVELOPES["ask"], [{"task": task, "verb": str(verb), "status": str(known.status), "served": served}])
    if not served:
        say(UNSERVED_ASK)
