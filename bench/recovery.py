"""Recovery on a scripted workload: 200 tasks of which 30 % of the attempts fail; no recovery and plain retry beside it.

`python bench/recovery.py [SEED]`. No program is started and no time passes: what is measured is the decision of
`core/recovery.py`, in attempts and in the minutes of the script. The script is the same for all three: whether an attempt fails
and how depends on the seed, the task, the vendor and the number of the attempt alone.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from dataclasses import dataclass

from orchd.core.recovery import COOLS, PERSONS, cools_until, find_remedy
from orchd.model.agent import Failure
from orchd.model.recovery import Candidate, Case, Retry, Tried, Wait

TASKS, SHARE = 200, 0.30
MINUTE_MS = 60_000
CHAIN = (Candidate("claude", "opus", "anthropic"), Candidate("codex", "gpt", "openai"), Candidate("gemini", "pro", "google"))
MIX = {
    Failure.RATE_LIMIT: 20,
    Failure.UNAVAILABLE: 15,
    Failure.MODEL_FAILURE: 15,
    Failure.TIMEOUT: 15,
    Failure.CONVERGENCE_FAILURE: 15,
    Failure.AUTH: 5,
    Failure.CONFIG: 3,
    Failure.PERMISSION: 4,
    Failure.BUDGET: 3,
    Failure.UNKNOWN: 5,
}
"""How often each class is among the failures, in per cent. An assumption; nothing better than its order is known."""

STUBBORN = PERSONS | {Failure.MODEL_FAILURE, Failure.CONVERGENCE_FAILURE}
"""The same agent fails in the same way again at the same task."""

LASTS_MS = 10 * MINUTE_MS
"""How long a provider that fails so does not answer."""

WORK_MS, FAIL_MS = 6 * MINUTE_MS, 2 * MINUTE_MS
"""An attempt that succeeds, and one that fails."""


@dataclass(frozen=True)
class Sum:
    landed: int = 0
    attempts: int = 0
    minutes: float = 0.0


Policy = Callable[[tuple[Tried, ...], int], tuple[Candidate, int] | None]
"""Who is next and when (milliseconds), after these failures; None: nobody."""


def no_recovery(tried: tuple[Tried, ...], now_ms: int) -> tuple[Candidate, int] | None:
    return None


def plain_retry(tried: tuple[Tried, ...], now_ms: int) -> tuple[Candidate, int] | None:
    return (CHAIN[0], now_ms) if len(tried) < 3 else None


def recovery(tried: tuple[Tried, ...], now_ms: int) -> tuple[Candidate, int] | None:
    cooling = {tried[-1].candidate.vendor: cools_until(tried, now_ms)} if tried[-1].failure in COOLS else {}
    remedy = find_remedy(Case(tried, CHAIN, now_ms, cooling))
    if isinstance(remedy, Wait):
        return remedy.candidate, remedy.until_ms
    return (remedy.candidate, now_ms) if isinstance(remedy, Retry) else None


def run(policy: Policy, seed: int) -> Sum:
    """All tasks, each on its own."""
    landed = attempts = spent_ms = 0
    for task in range(TASKS):
        tried, now_ms, candidate = tuple[Tried, ...](), 0, CHAIN[0]
        while True:
            failure = find_failure(seed, task, candidate, tried, now_ms)
            now_ms += WORK_MS if failure is None else FAIL_MS
            attempts += 1
            if failure is None:
                landed += 1
                break
            tried = (*tried, Tried(candidate, failure, now_ms))
            follows = policy(tried, now_ms)
            if follows is None:
                break
            candidate, now_ms = follows
        spent_ms += now_ms
    return Sum(landed, attempts, spent_ms / MINUTE_MS)


def find_failure(seed: int, task: int, candidate: Candidate, tried: tuple[Tried, ...], now_ms: int) -> Failure | None:
    """How an attempt fails; None: it does not."""
    before = [one for one in tried if one.candidate == candidate]
    if before and before[-1].failure in STUBBORN:
        return before[-1].failure
    if before and before[-1].failure in COOLS and now_ms < before[0].at_ms + LASTS_MS:
        return before[-1].failure
    dice = random.Random(f"{seed} {task} {candidate.vendor} {len(before)}")
    return dice.choices(list(MIX), list(MIX.values()))[0] if dice.random() < SHARE else None


POLICIES: dict[str, Policy] = {"no recovery": no_recovery, "plain retry, three": plain_retry, "recovery": recovery}


def main() -> None:
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    print("| policy | landed of 200 | attempts | attempts per landed | minutes |")
    print("|---|---|---|---|---|")
    for name, policy in POLICIES.items():
        done = run(policy, seed)
        print(f"| {name} | {done.landed} | {done.attempts} | {done.attempts / done.landed:.2f} | {done.minutes:.0f} |")


if __name__ == "__main__":
    main()
