"""What agents cost: prices, caps, and the ledger of what was spent.

Money is in millionths of a US dollar; days are UTC, like 2026-11-27.
"""

from __future__ import annotations

from orchd.model.agent import Usage
from orchd.model.dataclass import dataclass
from orchd.model.ids import SessionId, TaskId
from orchd.model.limits import CAP_SHARES

UNTOLD = Usage()


@dataclass(frozen=True, slots=True)
class Caps:
    """The most that may be spent on a task (all its attempts), in a session, and on a day. No cap: 0. A run without a budget
    may spend one of so many `shares` of the last two."""

    task_micros: int = 0
    session_micros: int = 0
    day_micros: int = 0
    shares: int = CAP_SHARES


@dataclass(frozen=True, slots=True)
class Bill:
    """What one run of an agent told. `told` is what its program said at the end, in its own way of counting; `untold`: it ended
    before it said anything of that, so nobody knows what it cost. `step` is which of the task's (empty: it has none)."""

    day: str
    session: SessionId
    task: TaskId
    agent: str
    model: str
    conversation: str = ""
    told: Usage = UNTOLD
    untold: bool = False
    step: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """What was spent on a day for a task by an agent with a model. `unpriced` runs have no known price, or told no tokens;
    their money is not in `micros`."""

    day: str
    session: SessionId
    task: TaskId
    agent: str
    model: str
    runs: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    micros: int = 0
    unpriced: int = 0


@dataclass(frozen=True, slots=True)
class StepSpent:
    """The part of one step, as in `Spent`."""

    name: str
    tokens: int = 0
    micros: int = 0
    unpriced: int = 0


@dataclass(frozen=True, slots=True)
class Spent:
    """What all runs of agents for one piece of work took: tokens in and out, the money that is known, and how many runs are not
    in it because nobody knows their price. `steps` are the parts of its steps, where it has some."""

    tokens: int = 0
    micros: int = 0
    unpriced: int = 0
    steps: tuple[StepSpent, ...] = ()


@dataclass(frozen=True, slots=True)
class Meter:
    """What the program of a conversation had counted when it was last heard, since the conversation began."""

    conversation: str
    told: Usage


@dataclass(frozen=True, slots=True)
class Ledger:
    """All accounts, and the meters of conversations that may be taken up again, the newest last."""

    accounts: tuple[Account, ...] = ()
    meters: tuple[Meter, ...] = ()


NOTHING_SPENT = Ledger()


@dataclass(frozen=True, slots=True)
class Rest:
    """What may still be spent, and which cap says so."""

    micros: int
    cap: str
