"""What agents cost, as rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

from orchd.cli.fields import Row
from orchd.core.costs import NAMES, Column, add_bill, sum_up, word_spent
from orchd.core.statuses import ACTIVE
from orchd.model.agent import MICROS, Price, Report
from orchd.model.cost import Account, Bill, Spent
from orchd.model.snapshot import State
from orchd.model.work import Task

Reports: TypeAlias = Sequence[tuple[str, Report]]
"""What the agents of an attempt have said so far, or in all, each after the name of its command."""


def view_costs(state: State, by: Column) -> tuple[Row, ...]:
    """What was spent, added up."""
    return tuple(_view(account, by) for account in sum_up(state.ledger.accounts, by))


def view_spent(spent: Spent | None) -> Row:
    """What work cost; nothing where no agent had a part in it. Money is told only when some of it is known."""
    if spent is None:
        return {"cost": None, "tokens": None, "unpriced": None}
    known = spent.micros or not spent.unpriced
    return {"cost": spent.micros if known else None, "tokens": spent.tokens, "unpriced": spent.unpriced}


def view_task_costs(task: Task, state: State, reports: Reports, prices: Sequence[Price]) -> Row:
    """What the agents of a task cost in all its attempts, and in each of its steps. An attempt that goes on is not in the books
    yet: `reports` are what it has said."""
    spent, wish = task.spent, task.pick or task.spec
    for name, report in reports if task.status in ACTIVE else ():
        step, model = name if task.spec.steps else "", report.model or wish.model
        bill = Bill("", task.spec.session, task.spec.id, "", model, report.conversation, report.usage, step=step)
        spent = add_bill(spent, state.ledger, bill, prices)
    steps = spent.steps if spent else ()
    return {**view_spent(spent), "step_costs": tuple(f"{one.name}: {word_spent(one)}" for one in steps)}


def join_reports(reports: Reports) -> Report | None:
    """One report for all agents of an attempt: the last one, with the calls, the refusals and the use of all. None: there was
    none."""
    total: Report | None = None
    for _, report in reports:
        total = report if total is None else _join(total, report)
    return total


def _join(before: Report, last: Report) -> Report:
    denied = (*before.denied, *last.denied)
    return replace(last, tools=before.tools + last.tools, denied=denied, usage=before.usage + last.usage)


def _view(account: Account, by: Column) -> Row:
    return {
        "name": NAMES[by](account),
        "by": str(by),
        "runs": account.runs,
        "input_tokens": account.input_tokens,
        "cached_tokens": account.cached_tokens,
        "output_tokens": account.output_tokens,
        "dollars": f"{account.micros / MICROS:.6f}",
        "unpriced": account.unpriced,
    }
