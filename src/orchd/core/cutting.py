"""Cutting: after which links of a red chain to gate next, so that runs and waiting together cost least.

One of the links is the first bad one, an earlier one rather than a later one, since each is bad with the same small chance. A
second tree at the same time is worth its run only where it cuts much off whatever the first one says: thirds of six links are,
thirds of sixteen are not.
"""

from __future__ import annotations

from functools import cache
from itertools import accumulate, repeat

from orchd.model.limits import RED_CHANCE, ROUND_RUNS, SAVE_ITEMS

Plan = tuple[float, tuple[int, ...]]
"""What it costs in runs on average, and the places."""

GOOD = tuple(accumulate(repeat(1 - RED_CHANCE, SAVE_ITEMS), float.__mul__, initial=1.0))
"""The chance that so many links are all good."""


def cut(links: int, width: int) -> tuple[int, ...]:
    """After how many of `links` links to ask, at most at `width` places at the same time. Equal parts where there are more
    than a save takes: a line that lands may be longer."""
    if links > SAVE_ITEMS:
        return tuple(links * part // (width + 1) for part in range(1, width + 1))
    return _plan(links, width)[1]


@cache
def _plan(links: int, width: int) -> Plan:
    """The cheapest round of probes. Who allows more at a time wants to wait less."""
    if links == 1:
        return 0.0, ()
    price = ROUND_RUNS * (width - 1)
    divided = ((probes, _divide(links, probes, width)) for probes in range(1, min(width, links - 1) + 1))
    return min(((probes + price + cost / _weigh(links), places) for probes, (cost, places) in divided), key=_cost_of)


@cache
def _divide(links: int, probes: int, width: int) -> Plan:
    """The cheapest places for so many probes: what each part would cost then, by its weight."""
    if probes == 0:
        return _weigh(links) * _plan(links, width)[0], ()
    plans = (_begin(first, _divide(links - first, probes - 1, width), width) for first in range(1, links - probes + 1))
    return min(plans, key=_cost_of)


def _begin(first: int, rest: Plan, width: int) -> Plan:
    cost = _weigh(first) * _plan(first, width)[0] + GOOD[first] * rest[0]
    return cost, (first, *(first + place for place in rest[1]))


def _weigh(links: int) -> float:
    """How likely the first bad link is one of the first `links`, as a chance."""
    return 1 - GOOD[links]


def _cost_of(plan: Plan) -> float:
    return plan[0]
