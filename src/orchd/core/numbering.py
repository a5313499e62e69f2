"""Numbers of migrations and the like: how they stand in file names, which is the next, and how a task is told its own.

One sequence for all folders of a kind: a number is then never wrong, though a single folder may have gaps. Not meant are
names that begin with a date or a time, and names without a number (hashes).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from orchd.model.config import Config
from orchd.model.ids import TaskId, task_branch
from orchd.model.limits import NUMBER_DIGITS
from orchd.model.number import NumberWish
from orchd.model.run import RunOrder
from orchd.model.snapshot import Cause, Decision, Snapshot, State
from orchd.model.work import Status, Task

_NAME = re.compile(rf"[Vv]?(\d{{1,{NUMBER_DIGITS}}})(?![0-9A-Za-z])")
_WIDTH = 4


def read_number(name: str) -> str:
    """The digits that a file name begins with, as they stand there (`0042_add.py`, `V7__users.sql`); empty when it has
    none, or so many that they are no number in a row (a time)."""
    found = _NAME.match(name)
    return found[1] if found else ""


def next_number(present: Iterable[str], given: Iterable[str]) -> str:
    """The number after all that stand in files and all that were given, with the leading zeros of the files."""
    files, others = tuple(present), tuple(given)
    highest = max(map(int, (*files, *others)), default=0)
    width = max(map(len, files or others), default=_WIDTH)
    return f"{highest + 1:0{width}d}"


def is_free(number: str, elsewhere: Iterable[str]) -> bool:
    """Whether nobody else has used a number that was given before."""
    return int(number) not in set(map(int, elsewhere))


def find_paths(kind: str, config: Config) -> tuple[str, ...]:
    """In which files the numbers of a kind stand: as configured, else in folders that are named after the kind."""
    configured = {one.name: one.paths for one in config.numbers}
    return configured.get(kind, (f"**/{kind}s/*", f"**/{kind}/*"))


def name_variable(kind: str) -> str:
    """The environment variable in which a task finds its number."""
    return f"ORCHD_{kind.upper().replace('-', '_')}"


def hand_over(order: RunOrder, numbers: Sequence[tuple[NumberWish, str]]) -> RunOrder:
    """The order with the numbers that were given: in the environment (names of orchd's own win) and in the brief."""
    env = tuple((name_variable(wish.kind), number) for wish, number in numbers)
    told = f"{order.brief}\n{tell_numbers([(wish.kind, number) for wish, number in numbers])}" if order.brief else ""
    return replace(order, env=env + order.env, brief=told)


def tell_numbers(numbers: Iterable[tuple[str, str]]) -> str:
    """The numbers of each kind that a task was given, for whoever does it; empty when it got none."""
    lines = "".join(f"- {kind}: `{number}` (`${name_variable(kind)}`)\n" for kind, number in numbers)
    return f"## Your numbers\n\n{lines}\nNobody else gets them. Use no other.\n" if lines else ""


def wishes_of(task: Task) -> tuple[NumberWish, ...]:
    """What a task asks for. The session is in the name of the holder: clones may have tasks of one name in different ones."""
    spec = task.spec
    holder, branch = f"{spec.session}/{spec.id}.{task.generation}", task_branch(spec.session, spec.id)
    return tuple(NumberWish(kind, holder, branch) for kind in spec.numbers)


def wants_numbers(task: Task) -> bool:
    """Whether a task gets numbers when it starts; what is only judged again has them."""
    return task.status is Status.WAITING and task.rework is None and bool(task.spec.numbers)


def find_unnumbered(state: State, snapshot: Snapshot) -> Mapping[TaskId, tuple[str, ...]]:
    """The kinds of numbers that waiting tasks lack. Only where a shared remote gives them: else they are given at the start."""
    numbered = snapshot.numbered
    if numbered is None:
        return {}
    wanted = {name: wishes_of(task) for name, task in state.tasks.items() if wants_numbers(task)}
    lacking = {name: tuple(wish.kind for wish in wishes if wish not in numbered) for name, wishes in wanted.items()}
    return {name: kinds for name, kinds in lacking.items() if kinds}


def list_lacking(decisions: Iterable[Decision], state: State, snapshot: Snapshot) -> tuple[NumberWish, ...]:
    """What is to be asked for now: of those tasks that only lack their numbers, so that none is given for nothing."""
    shared, numbered = snapshot.shared, snapshot.numbered or frozenset()
    if shared is None or shared.busy:
        return ()
    tasks = (state.tasks[decision.task] for decision in decisions if decision.cause is Cause.NUMBERS)
    return tuple(wish for task in tasks for wish in wishes_of(task) if wish not in numbered)
