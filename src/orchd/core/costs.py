"""Costs: from what programs tell to what was spent, and what may still be spent.

Rules: a conversation that is taken up again tells its whole sum, and only what is new of it counts; money that nobody knows is
told as unknown and never guessed; a cap stops before it is passed, so what runs counts with all that it was allowed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum

from orchd.core.prices import price_of
from orchd.model.agent import MICROS, Price, Usage
from orchd.model.cost import Account, Bill, Caps, Ledger, Meter, Rest, Spent, StepSpent
from orchd.model.dataclass import dataclass
from orchd.model.ids import SessionId, TaskId
from orchd.model.limits import ACCOUNT_DAYS, METERS

COST = "Orch-Cost"
"""The trailer that says what the agents of a task cost."""
_SPENT = re.compile(r"(\d+) tokens, (\d+)\.(\d{6}) USD, (\d+) unpriced")


class Column(StrEnum):
    """By what costs are added up."""

    DAY = "day"
    SESSION = "session"
    TASK = "task"
    AGENT = "agent"
    MODEL = "model"


NAMES: Mapping[Column, Callable[[Account | Bill], str]] = {
    Column.DAY: lambda one: one.day,
    Column.SESSION: lambda one: one.session,
    Column.TASK: lambda one: one.task,
    Column.AGENT: lambda one: one.agent,
    Column.MODEL: lambda one: one.model,
}


@dataclass(frozen=True, slots=True)
class Grant:
    """What a running task may spend."""

    session: SessionId
    task: TaskId
    micros: int


def book(ledger: Ledger, bill: Bill, prices: Sequence[Price]) -> Ledger:
    """The ledger with one more run."""
    new = subtract(bill.told, _last_told(ledger, bill.conversation))
    cost = None if bill.untold else price_of(new, bill.model, prices)
    blank = Account(bill.day, bill.session, bill.task, bill.agent, bill.model)
    old = next((one for one in ledger.accounts if _key(one) == _key(blank)), blank)
    account = replace(
        old,
        runs=old.runs + 1,
        input_tokens=old.input_tokens + new.input_tokens,
        cached_tokens=old.cached_tokens + new.cached_tokens,
        output_tokens=old.output_tokens + new.output_tokens,
        micros=old.micros + (cost or 0),
        unpriced=old.unpriced + (cost is None),
    )
    accounts = (*(one for one in ledger.accounts if _key(one) != _key(blank)), account)
    return Ledger(shorten(accounts), _heard(ledger.meters, bill))


def add_bill(spent: Spent | None, ledger: Ledger, bill: Bill, prices: Sequence[Price]) -> Spent:
    """What a piece of work took with one more run, which is not in the `ledger` yet."""
    new = subtract(bill.told, _last_told(ledger, bill.conversation))
    cost = None if bill.untold else price_of(new, bill.model, prices)
    one = Spent(new.input_tokens + new.output_tokens, cost or 0, int(cost is None))
    total = sum_spent((spent, one)) or one
    return replace(total, steps=_add_step(spent.steps if spent else (), bill.step, one))


def _add_step(steps: tuple[StepSpent, ...], name: str, one: Spent) -> tuple[StepSpent, ...]:
    if not name:
        return steps
    old = next((step for step in steps if step.name == name), StepSpent(name))
    new = StepSpent(name, old.tokens + one.tokens, old.micros + one.micros, old.unpriced + one.unpriced)
    return tuple(new if step is old else step for step in steps) if old in steps else (*steps, new)


def sum_spent(parts: Iterable[Spent | None]) -> Spent | None:
    """All of it together, whatever the steps; None when no agent had a part in it."""
    known = [one for one in parts if one is not None]
    sums = (sum(one.tokens for one in known), sum(one.micros for one in known), sum(one.unpriced for one in known))
    return Spent(*sums) if known else None


def word_spent(spent: Spent | StepSpent) -> str:
    """As a trailer has it."""
    return f"{spent.tokens} tokens, {spent.micros // MICROS}.{spent.micros % MICROS:06} USD, {spent.unpriced} unpriced"


def read_spent(words: str) -> Spent | None:
    """What a trailer says; None when it is no such thing."""
    found = _SPENT.fullmatch(words)
    return Spent(int(found[1]), int(found[2]) * MICROS + int(found[3]), int(found[4])) if found else None


def subtract(told: Usage, before: Usage | None) -> Usage:
    """What is new in what was told. A sum below the last one means that its program began to count anew."""
    if before is None or not told.cumulative:
        return replace(told, cumulative=False)
    sums = (
        told.input_tokens - before.input_tokens,
        told.cached_tokens - before.cached_tokens,
        told.output_tokens - before.output_tokens,
    )
    if min(sums) < 0:
        return replace(told, cumulative=False)
    money = None
    if told.cost_micros is not None and before.cost_micros is not None:
        money = max(0, told.cost_micros - before.cost_micros)
    return Usage(sums[0], sums[1], sums[2], money)


def find_rest(ledger: Ledger, caps: Caps, grants: Sequence[Grant], asks: Bill) -> Rest | None:
    """What may be spent now on the task of `asks`, on its day: the least that a cap leaves, not below 0. None: no cap."""
    limits = ((Column.TASK, caps.task_micros), (Column.SESSION, caps.session_micros), (Column.DAY, caps.day_micros))
    rests = [Rest(max(0, cap - _spent(ledger, asks, by) - _granted(grants, asks, by)), str(by)) for by, cap in limits if cap]
    return min(rests, key=lambda rest: rest.micros, default=None)


def find_share(caps: Caps) -> int:
    """What a run without a budget may spend at most: its share of the least cap that it has in common with others, so that
    several can run beside each other. 0: there is none."""
    least = min((cap for cap in (caps.session_micros, caps.day_micros) if cap), default=0)
    return max(1, least // caps.shares) if least else 0


def shorten(accounts: tuple[Account, ...]) -> tuple[Account, ...]:
    """Accounts by day; days beyond the newest ones are forgotten."""
    days = sorted({one.day for one in accounts})[-ACCOUNT_DAYS:]
    return tuple(sorted((one for one in accounts if one.day in days), key=_key))


def sum_up(accounts: Iterable[Account], by: Column) -> tuple[Account, ...]:
    """Accounts added up by one of their names; the other names are empty."""
    sums: dict[str, Account] = {}
    for one in accounts:
        key = NAMES[by](one)
        sums[key] = _add(sums.get(key) or _blank(by, key), one)
    return tuple(sums[key] for key in sorted(sums))


def _blank(by: Column, key: str) -> Account:
    day, session, task, agent, model = (key if one is by else "" for one in Column)
    return Account(day, session, task, agent, model)


def _add(total: Account, one: Account) -> Account:
    return replace(
        total,
        runs=total.runs + one.runs,
        input_tokens=total.input_tokens + one.input_tokens,
        cached_tokens=total.cached_tokens + one.cached_tokens,
        output_tokens=total.output_tokens + one.output_tokens,
        micros=total.micros + one.micros,
        unpriced=total.unpriced + one.unpriced,
    )


def _key(one: Account) -> tuple[str, str, str, str, str]:
    return one.day, one.session, one.task, one.agent, one.model


def _last_told(ledger: Ledger, conversation: str) -> Usage | None:
    return next((one.told for one in ledger.meters if one.conversation == conversation), None) if conversation else None


def _heard(meters: tuple[Meter, ...], bill: Bill) -> tuple[Meter, ...]:
    """The meters after one more run. What counts each run alone needs none."""
    if not bill.conversation or not bill.told.cumulative:
        return meters
    others = tuple(one for one in meters if one.conversation != bill.conversation)
    return (*others, Meter(bill.conversation, bill.told))[-METERS:]


def _spent(ledger: Ledger, asks: Bill, by: Column) -> int:
    name = NAMES[by]
    return sum(one.micros for one in ledger.accounts if name(one) == name(asks))


def _granted(grants: Sequence[Grant], asks: Bill, by: Column) -> int:
    """What runs may still spend: all of their grants, and today."""
    mine = {Column.SESSION: lambda one: one.session == asks.session, Column.TASK: lambda one: one.task == asks.task}
    fits: Callable[[Grant], bool] = mine.get(by, bool)
    return sum(one.micros for one in grants if fits(one))
