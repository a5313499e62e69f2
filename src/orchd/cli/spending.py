"""What agents cost, as rows."""

from __future__ import annotations

from orchd.cli.fields import Row
from orchd.core.costs import NAMES, Column, sum_up
from orchd.model.agent import MICROS
from orchd.model.cost import Account
from orchd.model.snapshot import State


def view_costs(state: State, by: Column) -> tuple[Row, ...]:
    """What was spent, added up."""
    return tuple(_view(account, by) for account in sum_up(state.ledger.accounts, by))


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
