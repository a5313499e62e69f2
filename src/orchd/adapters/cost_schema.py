"""What may be said of money in the configuration: prices of models, and caps. In dollars; inside in millionths."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, Field

from orchd.adapters.field_checks import Strict, fault
from orchd.model.agent import MICROS, Price
from orchd.model.cost import Caps
from orchd.model.limits import AGENT_TOKENS, BUDGET_DOLLARS, CAP_SHARES, LIST_ITEMS, MOST_SHARES, NAME_CHARACTERS, PRICE_DOLLARS

MODEL = re.compile(r"[^\s*]+\*?|\*")


def check_day(text: str) -> str:
    """A day like 2026-11-27."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise fault("bad_day", "this is no day") from None


def check_model(text: str) -> str:
    """The name of a model, or its beginning and `*`."""
    if MODEL.fullmatch(text) is None or len(text) > NAME_CHARACTERS:
        raise fault("bad_model", "this is no name of a model")
    return text


Dollars: TypeAlias = Annotated[float, Field(ge=0, le=PRICE_DOLLARS)]
Cap: TypeAlias = Annotated[float, Field(gt=0, le=BUDGET_DOLLARS)]
Model: TypeAlias = Annotated[str, AfterValidator(check_model)]


class PriceEntry(Strict):
    """What a model costs, in dollars for a million tokens."""

    input: Dollars = Field(description="Tokens of the prompt that were not cached.", examples=[3.0])
    cached: Dollars | None = Field(
        default=None, description="Cached tokens of the prompt. Default: as `input`.", examples=[0.3]
    )
    output: Dollars = Field(description="Tokens of the answer.", examples=[15.0])
    as_of: Annotated[str, AfterValidator(check_day)] = Field(
        description="The day on which somebody read this price.", examples=["2026-11-27"]
    )
    context: Annotated[int, Field(ge=1, le=AGENT_TOKENS)] | None = Field(
        default=None,
        description="Tokens that the model can hold. What was too much for one model goes to one that is known to hold more.",
        examples=[200_000],
    )


class CapsEntry(Strict):
    """The most that may be spent, in dollars. What could pass a cap is not started."""

    task: Cap | None = Field(
        default=None, description="On one task, all its attempts together. Default: no cap.", examples=[5.0]
    )
    session: Cap | None = Field(default=None, description="On the tasks of one session. Default: no cap.", examples=[50.0])
    day: Cap | None = Field(default=None, description="On one day (UTC). Default: no cap.", examples=[20.0])
    shares: Annotated[int, Field(ge=1, le=MOST_SHARES)] = Field(
        default=CAP_SHARES,
        description="An agent whose definition has no `dollars` may spend one of so many equal parts of the cap on its session "
        "or the day (the smaller one), so that several can run beside each other.",
        examples=[4],
    )


Prices: TypeAlias = Annotated[dict[Model, PriceEntry], Field(max_length=LIST_ITEMS)]


def to_prices(entries: Mapping[str, PriceEntry]) -> tuple[Price, ...]:
    """The prices as the model has them."""
    return tuple(
        Price(
            name,
            to_micros(entry.input),
            to_micros(entry.input if entry.cached is None else entry.cached),
            to_micros(entry.output),
            entry.as_of,
            entry.context or 0,
        )
        for name, entry in entries.items()
    )


def to_caps(entry: CapsEntry) -> Caps:
    """The caps as the model has them."""
    return Caps(to_micros(entry.task or 0), to_micros(entry.session or 0), to_micros(entry.day or 0), entry.shares)


def to_micros(dollars: float) -> int:
    """Millionths of a dollar."""
    return round(dollars * MICROS)
