"""What use of a model costs, by what its program says and by its price. Apart from the books, because supervisors of agents
need no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orchd.model.agent import Price, Usage

MILLION = 1_000_000


def price_of(used: Usage, model: str, prices: Sequence[Price]) -> int | None:
    """What it cost with a model, as `cost_of` says."""
    return cost_of(used, find_price(model, prices))


def cost_of(used: Usage, price: Price | None) -> int | None:
    """What it cost: as the program says; where it says nothing, or that it was free, by the price, rounded up. None: nobody
    knows; programs say of models that they do not know that they are free."""
    if used.cost_micros:
        return used.cost_micros
    if not used.input_tokens and not used.output_tokens:
        return 0
    if price is None:
        return None
    fresh = max(0, used.input_tokens - used.cached_tokens)
    total = fresh * price.input_micros + used.cached_tokens * price.cached_micros + used.output_tokens * price.output_micros
    return -(-total // MILLION)


def find_price(model: str, prices: Iterable[Price]) -> Price | None:
    """The price of a model: of its very name, else of the longest beginning that has one."""
    fits = [one for one in prices if one.model == model or (one.model.endswith("*") and model.startswith(one.model[:-1]))]
    return max(fits, key=lambda one: (one.model == model, len(one.model)), default=None)
