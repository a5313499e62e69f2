"""What must hold of costs, spelled without their own helpers. Used by hypothesis and by the quick pass of the mutants."""

from __future__ import annotations

import random
from dataclasses import replace

from orchd.core.costs import (
    Column,
    Grant,
    add_bill,
    book,
    find_rest,
    read_spent,
    subtract,
    sum_spent,
    sum_up,
    word_spent,
)
from orchd.core.prices import find_price, price_of
from orchd.model.agent import Price, Usage
from orchd.model.cost import Account, Bill, Caps, Ledger, Meter, Rest, Spent
from orchd.model.limits import ACCOUNT_DAYS, METERS

DOLLAR = 1_000_000
PRICES = (
    Price("opus", 15 * DOLLAR, 1_500_000, 75 * DOLLAR, "2026-11-01"),
    Price("gpt-*", 2 * DOLLAR, 200_000, 8 * DOLLAR, "2026-11-01"),
    Price("gpt-mini*", DOLLAR, 100_000, 4 * DOLLAR, "2026-11-01"),
)
BILL = Bill("2026-11-27", "s", "a", "claude", "opus")


def check_resumed(dice: random.Random) -> None:
    """However often conversations are taken up again, what is booked is what was spent."""
    ledger, spent = Ledger(), {"tokens": 0, "micros": 0}
    sums = dict.fromkeys("xyz", (0, 0, 0, 0))
    for _ in range(dice.randint(1, 12)):
        name, cumulative = dice.choice("xyz"), dice.random() < 0.7
        new = tuple(dice.randint(0, 50) for _ in range(4))
        spent["tokens"] += new[0] + new[1] + new[2]
        spent["micros"] += new[3]
        if cumulative:
            sums[name] = tuple(a + b for a, b in zip(sums[name], new, strict=True))
        told = Usage(*(sums[name] if cumulative else new), cumulative)
        day = f"2026-11-{dice.randint(10, 12)}"
        ledger = book(ledger, replace(BILL, day=day, task=dice.choice("abc"), conversation=name, told=told), ())
    booked = [one.input_tokens + one.cached_tokens + one.output_tokens for one in ledger.accounts]
    assert sum(booked) == spent["tokens"], "tokens are counted twice, or not at all"
    assert sum(one.micros for one in ledger.accounts) == spent["micros"], "money is counted twice, or not at all"
    for by in Column:
        total = sum_up(ledger.accounts, by)
        assert sum(one.micros for one in total) == spent["micros"]
        assert len({getattr(one, by) for one in ledger.accounts}) == len(total)


def check_caps(dice: random.Random) -> None:
    """Whatever is spent, as long as each run keeps to what it was allowed, no cap is ever passed."""
    caps = Caps(dice.choice((0, 30)), dice.choice((0, 60)), dice.choice((0, 100)))
    ledger, running = Ledger(), list[tuple[Bill, Grant]]()
    for number in range(40):
        asks = replace(BILL, session=dice.choice("st"), task=dice.choice("abc"), conversation=str(number))
        rest = find_rest(ledger, caps, [grant for _, grant in running], asks)
        assert (rest is None) == (caps == Caps())
        wish = dice.randint(1, 40)
        allowed = wish if rest is None else min(wish, rest.micros)
        if allowed > 0:
            running.append((asks, Grant(asks.session, asks.task, allowed)))
        if running and dice.random() < 0.6:
            bill, grant = running.pop(dice.randrange(len(running)))
            told = Usage(1, 0, 1, dice.randint(0, grant.micros), bool(number % 2))
            ledger = book(ledger, replace(bill, told=told), ())
        check_kept(ledger, caps)


def check_kept(ledger: Ledger, caps: Caps) -> None:
    for by, cap in (("task", caps.task_micros), ("session", caps.session_micros), ("day", caps.day_micros)):
        sums: dict[str, int] = {}
        for one in ledger.accounts:
            sums[getattr(one, by)] = sums.get(getattr(one, by), 0) + one.micros
        assert not cap or all(total <= cap for total in sums.values()), (by, sums)


def check_scenes() -> None:
    """Rows of a table."""
    used = Usage(1_000_000, 400_000, 100_000)
    assert price_of(used, "opus", PRICES) == 600_000 * 15 + 400_000 * 1.5 + 100_000 * 75
    assert price_of(Usage(1, 0, 0), "opus", PRICES) == 15
    assert price_of(Usage(1, 0, 0), "gpt-mini", (replace(PRICES[2], input_micros=1),)) == 1, "what costs something is not free"
    assert price_of(used, "nobody", PRICES) is None and price_of(Usage(), "nobody", PRICES) == 0
    assert price_of(replace(used, cost_micros=7), "opus", PRICES) == 7
    free = replace(used, cost_micros=0)
    assert price_of(free, "opus", PRICES) == price_of(used, "opus", PRICES), "who does not know a model tells no money"
    assert price_of(free, "nobody", PRICES) is None, "and without a price nobody does"
    assert price_of(Usage(cost_micros=0), "nobody", PRICES) == 0
    lacking = book(Ledger(), replace(BILL, model="new", told=free), PRICES).accounts[0]
    assert (lacking.unpriced, lacking.micros) == (1, 0)
    assert [find_price(name, PRICES) for name in ("gpt-mini-2", "gpt-5", "opus-4")] == [PRICES[2], PRICES[1], None]
    before = Usage(100, 10, 50, 500, True)
    assert subtract(Usage(150, 10, 60, 700, True), before) == Usage(50, 0, 10, 200)
    assert subtract(Usage(150, 10, 60, None, True), before) == Usage(50, 0, 10, None)
    assert subtract(Usage(150, 10, 60, 700, False), before) == Usage(150, 10, 60, 700)
    assert subtract(Usage(20, 0, 5, 60, True), before) == Usage(20, 0, 5, 60), "it began to count anew"
    unpriced = book(Ledger(), replace(BILL, model="new", told=used), PRICES).accounts[0]
    assert (unpriced.unpriced, unpriced.micros, unpriced.runs, unpriced.input_tokens) == (1, 0, 1, 1_000_000)
    untold = book(Ledger(), replace(BILL, untold=True), PRICES).accounts[0]
    assert (untold.unpriced, untold.micros, untold.runs) == (1, 0, 1), "who told nothing was not free"
    spent = Ledger((Account("2026-11-26", "s", "a", "x", "m", micros=9), Account("2026-11-27", "s", "b", "x", "m", micros=5)))
    assert find_rest(spent, Caps(), (), BILL) is None
    assert find_rest(spent, Caps(10, 20, 20), (), BILL) == Rest(1, "task")
    assert find_rest(spent, Caps(0, 20, 20), (), BILL) == Rest(6, "session")
    assert find_rest(spent, Caps(0, 0, 20), (Grant("t", "c", 16),), BILL) == Rest(0, "day")
    assert find_rest(spent, Caps(10, 30, 0), (Grant("t", "c", 16),), BILL) == Rest(1, "task")
    check_lengths()
    check_spent()


def check_spent() -> None:
    """What a piece of work took: only what is new of a conversation, money as far as it is known, and back from its words."""
    told = Usage(100, 10, 50, 500, True)
    bill = replace(BILL, conversation="x", told=told)
    first = add_bill(None, Ledger(), bill, PRICES)
    assert first == Spent(150, 500, 0)
    more = add_bill(first, book(Ledger(), bill, PRICES), replace(bill, told=Usage(120, 10, 60, 700, True)), PRICES)
    assert more == Spent(180, 700, 0), "a conversation that goes on is counted once"
    assert add_bill(more, Ledger(), replace(BILL, model="new", told=Usage(1, 0, 1)), ()) == Spent(182, 700, 1)
    assert add_bill(None, Ledger(), replace(BILL, untold=True), PRICES) == Spent(0, 0, 1)
    assert sum_spent(()) is None and sum_spent((None, more, None)) == more
    assert sum_spent((more, first)) == Spent(330, 1200, 0)
    for one in (Spent(), more, Spent(7, 12_000_034, 2)):
        assert read_spent(word_spent(one)) == one
    assert word_spent(Spent(7, 12_000_034, 2)) == "7 tokens, 12.000034 USD, 2 unpriced"
    assert read_spent("7 tokens") is None


def check_lengths() -> None:
    """The ledger forgets what is very old, and nothing else."""
    accounts = tuple(Account(f"{number:05}", "s", task, "x", "m", 1) for number in range(ACCOUNT_DAYS) for task in "ab")
    meters = tuple(Meter(str(number), Usage(1, 0, 0, 1, True)) for number in range(METERS))
    told = Usage(1, 0, 0, 1, True)
    for day in ("00000", "99999"):
        longer = book(Ledger(accounts, meters), replace(BILL, day=day, task="b", conversation="new", told=told), ())
        assert len(longer.meters) == METERS and longer.meters[-1].conversation == "new"
        assert len({one.day for one in longer.accounts}) == ACCOUNT_DAYS
        assert {accounts[-1], accounts[-2]} <= set(longer.accounts)


def check_quickly() -> None:
    """All of it, with fixed dice."""
    check_scenes()
    dice = random.Random(3)
    for _ in range(300):
        check_resumed(dice)
        check_caps(dice)
