"""The command that answers for what is held."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from orchd.cli.commands.telling import find_task
from orchd.cli.commands.working import UNSERVED_ASK
from orchd.cli.envelopes import ENVELOPES
from orchd.cli.fields import Row
from orchd.cli.flags import Command, read_flags
from orchd.cli.output import print_record, print_records, say
from orchd.cli.views import view_question
from orchd.core.answers import find_outside, word_answer
from orchd.core.globs import complete_glob, glob_fault, name_exactly
from orchd.core.inert import inert
from orchd.core.policy import Change
from orchd.core.statuses import is_open_question
from orchd.errors import UsageError
from orchd.model.claim import PathSpec
from orchd.model.ids import TaskId
from orchd.model.limits import LIST_ITEMS
from orchd.model.snapshot import Verb
from orchd.model.work import Answer, Task

if TYPE_CHECKING:
    from orchd.adapters.place import Place

SHOWN_PATHS = 5


@click.command(cls=Command)
@click.argument("task")
@click.argument("globs", nargs=-1, metavar="[GLOB]...")
@click.option("--widen", is_flag=True, help="Let the task change what GLOBs name too; without GLOBs exactly its paths.")
@click.option("--drop", is_flag=True, help="Put back what is outside the claim and take the rest.")
def answer(task: TaskId, globs: tuple[str, ...], *, widen: bool, drop: bool) -> None:
    """Answer for a held TASK that changed paths outside its claim. Without options it prints the question. The result is
    judged again; the command does not run again. With both, what GLOBs do not name is put back."""
    from orchd import app

    place = app.find(read_flags().repo)
    known = find_task(place, task)
    if not widen and not drop:
        if globs:
            raise UsageError("GLOBs only go with --widen", f"`orchd answer {task}` prints the question")
        row = view_question(known, app.outside(place, known) if is_open_question(known) else ())
        print_record(ENVELOPES["question"], row, _question_lines(row))
        return
    outside = _find_question(place, known)
    said = Answer.DROP if drop else Answer.WIDEN
    more = _choose_globs(task, outside, globs, drop=drop) if widen else ()
    _check_rest(known, outside, more, said)
    _ask(place, known, word_answer(said, known.tip, more))


def _find_question(place: Place, task: Task) -> tuple[Change, ...]:
    from orchd import app

    name = task.spec.id
    if not is_open_question(task):
        raise UsageError(f"{name} is {task.status}: nothing is asked about it", f"`orchd explain {name}` says more")
    outside = app.outside(place, task)
    if not outside:
        raise UsageError(f"the held result of {name} is gone", f"`orchd retry {name}` runs it again")
    return outside


def _choose_globs(task: TaskId, outside: Sequence[Change], globs: Sequence[str], *, drop: bool) -> tuple[str, ...]:
    """What the claim is widened by: the globs, or exactly the paths."""
    for glob in globs:
        if fault := glob_fault(glob):
            raise UsageError(f"`{glob}` cannot be claimed: {fault}", "`orchd answer -h` shows how it is used")
    if globs:
        return tuple(map(complete_glob, globs))
    if drop:
        raise UsageError(
            "--widen with --drop needs GLOBs: what they do not name is put back", f"`orchd answer {task}` lists all"
        )
    if len(outside) > LIST_ITEMS:
        raise UsageError(
            f"{len(outside)} paths are too many for one claim", f"name globs: `orchd answer {task} --widen 'src/**'`"
        )
    return tuple(dict.fromkeys(name_exactly(change.path) for change in outside))


def _check_rest(task: Task, outside: Sequence[Change], more: Sequence[str], said: Answer) -> None:
    rest = find_outside(outside, tuple(map(PathSpec, more)))
    if said is Answer.WIDEN and rest:
        named = ", ".join(inert(change.path) for change in rest[:SHOWN_PATHS])
        hint = f"name more globs, or add --drop to put them back: `orchd answer {task.spec.id}` lists all"
        raise UsageError(f"{len(rest)} path(s) would still be outside the claim: {named}", hint)


def _ask(place: Place, task: Task, words: Sequence[str]) -> None:
    from orchd import app

    app.ask(place, Verb.ANSWER, task.spec.id, words)
    served = app.server(place) is not None
    row = {"task": task.spec.id, "verb": str(Verb.ANSWER), "status": str(task.status), "served": served}
    print_records(ENVELOPES["ask"], [row])
    if not served:
        say(UNSERVED_ASK)


def _question_lines(row: Row) -> Iterator[str]:
    yield f"{row['task']}: {row['question']}"
    for name in ("outside", "answers"):
        items = row[name]
        if isinstance(items, tuple) and items:
            yield f"{name}:"
            yield from (f"  {inert(item)}" for item in items)
