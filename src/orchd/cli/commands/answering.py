"""The command that answers for what is held."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from orchd.cli.commands.settling import ask_again, check_asked, settle
from orchd.cli.commands.telling import find_asked, find_task
from orchd.cli.commands.working import UNSERVED_ASK
from orchd.cli.disputing import disagreement_lines
from orchd.cli.envelopes import ENVELOPES
from orchd.cli.fields import Row
from orchd.cli.flags import Command, read_flags
from orchd.cli.output import print_record, print_records, say
from orchd.cli.views import view_question
from orchd.core.answers import find_outside, word_answer
from orchd.core.globs import complete_glob, glob_fault, name_exactly
from orchd.core.inert import inert
from orchd.core.policy import Change
from orchd.errors import UsageError
from orchd.model.claim import PathSpec
from orchd.model.dataclass import dataclass
from orchd.model.ids import TaskId
from orchd.model.limits import LIST_ITEMS
from orchd.model.merge import Side
from orchd.model.snapshot import Verb
from orchd.model.work import Answer, Reason, Task

if TYPE_CHECKING:
    from orchd.adapters.place import Place

SHOWN_PATHS = 5
TAKEN = (*map(str, Side), str(Answer.EARLIER))


@click.command(cls=Command)
@click.argument("task")
@click.argument("globs", nargs=-1, metavar="[GLOB]...")
@click.option("--widen", is_flag=True, help="Let the task change what GLOBs name too; without GLOBs exactly its paths.")
@click.option("--drop", is_flag=True, help="Put back what is outside the claim and take the rest.")
@click.option("--take", type=click.Choice(TAKEN), help="Of a conflict: what landed, what it made, or what was answered before.")
@click.option("--file", "files", multiple=True, metavar="[PATH=]FILE", help="Of a conflict: PATH becomes what FILE holds.")
@click.option("--task", "again", is_flag=True, help="Of a conflict: the task itself settles it, in another attempt.")
def answer(task: TaskId, globs: tuple[str, ...], **said: Any) -> None:
    """Answer for a held TASK that changed paths outside its claim, or that conflicts with what landed. Without options it
    prints the question. What the answer comes to is judged and gated; the command does not run again, but for --task. With
    --widen and --drop, what GLOBs do not name is put back; with --take and --file, the files that are named count first."""
    from orchd import app

    place = app.find(read_flags().repo)
    known, options = find_task(place, task), Options(**said)
    if options.groups > 1:
        raise UsageError("these answer different questions: --widen and --drop, --take and --file, --task", _prints(task))
    if globs and not options.widen:
        raise UsageError("GLOBs only go with --widen", _prints(task))
    if options.again:
        ask_answer(place, known, ask_again(place, known))
    elif options.take or options.files:
        ask_answer(place, known, settle(place, known, options.take or "", options.files))
    elif options.widen or options.drop:
        ask_answer(place, known, _answer_claim(place, known, globs, options))
    else:
        asked = find_asked(place, known)
        row = view_question(known, asked.outside, asked.found)
        print_record(ENVELOPES["question"], row, _question_lines(row, known))


@dataclass(frozen=True, slots=True)
class Options:
    """What the options of the command say."""

    widen: bool
    drop: bool
    take: str | None
    files: tuple[str, ...]
    again: bool

    @property
    def groups(self) -> int:
        """How many different questions they answer."""
        return sum((self.widen or self.drop, bool(self.take or self.files), self.again))


def _prints(task: TaskId) -> str:
    return f"`orchd answer {task}` prints the question"


def _answer_claim(place: Place, task: Task, globs: tuple[str, ...], options: Options) -> tuple[str, ...]:
    outside, said = _find_question(place, task), Answer.DROP if options.drop else Answer.WIDEN
    more = _choose_globs(task.spec.id, outside, globs, drop=said is Answer.DROP) if options.widen else ()
    _check_rest(task, outside, more, said)
    return word_answer(said, task.tip, more)


def _find_question(place: Place, task: Task) -> tuple[Change, ...]:
    from orchd import app

    check_asked(task, Reason.CLAIM)
    outside = app.outside(place, task)
    if not outside:
        raise UsageError(f"the held result of {task.spec.id} is gone", f"`orchd retry {task.spec.id}` runs it again")
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


def ask_answer(place: Place, task: Task, words: Sequence[str]) -> None:
    """Drop the answer and say so."""
    from orchd import app

    app.ask(place, Verb.ANSWER, task.spec.id, words)
    served = app.server(place) is not None
    row = {"task": task.spec.id, "verb": str(Verb.ANSWER), "status": str(task.status), "served": served}
    print_records(ENVELOPES["ask"], [row])
    if not served:
        say(UNSERVED_ASK)


def _question_lines(row: Row, task: Task) -> Iterator[str]:
    yield f"{row['task']}: {row['question']}"
    yield from disagreement_lines(row, task.spec.title)
    for name in ("outside", "answers"):
        items = row[name]
        if isinstance(items, tuple) and items:
            yield f"{name}:"
            yield from (f"  {inert(item)}" for item in items)
