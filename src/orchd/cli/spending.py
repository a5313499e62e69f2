"""What agents cost, as rows."""

from __future__ import annotations

from orchd.cli.fields import Row
from orchd.core.costs import NAMES, Column, sum_up
from orchd.model.agent import MICROS
from orchd.model.cost import Account, Spent
from orchd.model.snapshot import State


def view_costs(state: State, by: Column) -> tuple[Row, ...]:
    """What was spent, added up."""
    return tuple(_view(account, by) for account in sum_up(state.ledger.accounts, by))


def view_spent(spent: Spent | None) -> Row:
    """What work cost; nothing where no agent had a part in it. Money is told only when some of it is known."""
    if spent is None:
        return {"cost": None, "tokens": None, "unpriced": None}
    known = spent.micros or not spent.unpriced
    return {"cost": spent.micros if known else None, "tokens": spent.tokens, "unpriced": spent.unpriced}


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
