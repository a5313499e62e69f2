"""From what a person says about a conflict to the words of the answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from orchd.core.answers import word_answer, word_settlement
from orchd.core.disputes import Disagreement, name_structural
from orchd.core.inert import inert
from orchd.core.statuses import is_open_question
from orchd.errors import UsageError
from orchd.model.limits import FILE_BYTES
from orchd.model.merge import Side
from orchd.model.work import Answer, Reason, SettledFile, Source, Task

if TYPE_CHECKING:
    from orchd.adapters.place import Place

MARKER = re.compile(rb"^(<{7}|>{7}) ", re.MULTILINE)
"""How git marks a conflict in a file."""

ANSWERS: Mapping[str, Answer] = {Side.OURS: Answer.OURS, Side.THEIRS: Answer.THEIRS, "": Answer.FILES}
"""By what is taken, besides what was answered before; nothing: each file is named."""

_ASKED = {Reason.CLAIM: "whether it may change paths outside its claim", Reason.CONFLICT: "how its conflict is settled"}


def check_asked(task: Task, reason: Reason) -> None:
    """Raises UsageError unless the question about the task is this one."""
    name = task.spec.id
    if not is_open_question(task) or task.reason is None:
        raise UsageError(f"{name} is {task.status}: nothing is asked about it", f"`orchd explain {name}` says more")
    if task.reason is not reason:
        raise UsageError(f"asked is {_ASKED[task.reason]}", f"`orchd answer {name}` prints the question")


def ask_again(place: Place, task: Task) -> tuple[str, ...]:
    """The words that have the task settle its conflict itself. Raises UsageError when it could not run again."""
    from orchd import app

    check_asked(task, Reason.CONFLICT)
    name = task.spec.id
    if task.source is not Source.INBOX and name not in app.file_names(place):
        raise UsageError(f"the file of {name} is gone, so it cannot run again", f"put `.orch/tasks/{name}.yaml` back first")
    return word_answer(Answer.TASK, task.tip, ())


def settle(place: Place, task: Task, take: str, files: Sequence[str]) -> tuple[str, ...]:
    """The words of the answer: a side, what was answered before, or nothing is taken where no file is named. Raises UsageError
    when it would leave something open, or makes no sense."""
    from orchd import app

    check_asked(task, Reason.CONFLICT)
    found = app.disagreement(place, task)
    name = task.spec.id
    if found is None:
        raise UsageError(f"git cannot merge the result of {name} with what has landed", f"`orchd retry {name}` runs it again")
    paths = {one.dispute.path: name_structural(one.dispute) for one in found.disputed}
    for path, why in paths.items():
        if why:
            hint = f"merge its branch by hand and `orchd cancel {name}`, or `orchd retry {name}`"
            raise UsageError(f"{inert(path)} cannot be settled by one side's file: {why}", hint)
    before = (
        {one.dispute.path: one.proposed.text.encode() for one in found.disputed if one.proposed}
        if take == Answer.EARLIER
        else {}
    )
    named = before | dict(_read_files(name, found, files))
    rest = [path for path in paths if path not in named]
    said = ANSWERS.get(take, Answer.EARLIER)
    if said in (Answer.FILES, Answer.EARLIER) and rest:
        hint = "name them with --file PATH=FILE too, or settle them with --take ours|theirs"
        open_still = "never settled before" if said is Answer.EARLIER else "still in conflict"
        raise UsageError(f"{open_still}: {', '.join(map(inert, rest[:5]))}", hint)
    stored = [SettledFile(path, app.store_file(place, content)) for path, content in named.items()]
    return word_settlement(said, task.tip, found.onto, stored)


def _read_files(task: str, found: Disagreement, files: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    paths = [one.dispute.path for one in found.disputed]
    for said in files:
        path, file = _split(said, paths, task)
        yield path, _read(path, Path(file))


def _split(said: str, paths: Sequence[str], task: str) -> tuple[str, str]:
    """PATH=FILE, where a path may hold `=` itself; without PATH only when a single file is in conflict."""
    known = next((path for path in sorted(paths, key=len, reverse=True) if said.startswith(f"{path}=")), None)
    if known is not None:
        return known, said[len(known) + 1 :]
    hint = f"`orchd answer {task}` lists the files in conflict"
    if len(paths) == 1 and "=" not in said:
        return paths[0], said
    if "=" in said:
        raise UsageError(f"{inert(said.partition('=')[0])} is not in conflict", hint)
    raise UsageError(f"--file {inert(said)} does not say which file in conflict it is", f"write --file PATH=FILE; {hint}")


def _read(path: str, file: Path) -> bytes:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}", "write --file PATH=FILE") from error
    if len(content) > FILE_BYTES:
        raise UsageError(f"{file} has {len(content)} bytes", f"at most {FILE_BYTES} may come in")
    if MARKER.search(content):
        raise UsageError(f"{file} still has conflict markers", f"settle them; it becomes {inert(path)} as it is")
    if not path.isprintable():
        raise UsageError(f"{inert(path)} cannot be named", "settle it with --take ours|theirs")
    return content
