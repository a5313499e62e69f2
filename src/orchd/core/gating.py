"""Gating: which trees of a chain to gate next, what the gates said about one, what may land, whom to blame.

The whole chain is gated first; when it is red, the longest green prefix is searched, and the first link after it is the
culprit by inference. Where many are expected to be red, links are gated one by one instead. Rule: a verdict is green only
when each gate was green on that very tree, now or (by its key) before; a red one is asked again on the same tree first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from orchd.core.cutting import cut
from orchd.core.exit_words import tell_exit
from orchd.model.ids import RunId, gate_run
from orchd.model.limits import (
    AUDITED_ONE_IN,
    GATE_ATTEMPTS,
    JUDGED_LEAST,
    JUDGED_TASKS,
    MANY_RED_SHARE,
    MAX_RETRIES,
)
from orchd.model.run import Exit, Outcome
from orchd.model.save import Excluded, Gate, GateResult, Save, Tally, Try, Verdict
from orchd.model.snapshot import ChainSeen, Known, State
from orchd.model.work import Reason, Status, Task

RED_BEFORE = "main itself is red: the gates fail without this task, too"
UNHEARD_BEFORE = "nor could they be run on main: this says nothing about the task, but about the machine (is its disk full?)"
JUDGED = frozenset({Status.LANDED, Status.INTEGRATED, Status.UNCHANGED})


def expects_red(state: State) -> bool:
    """Whether so many of the last tasks were turned away by gates that searching costs more than asking for each. From 1 in 4
    on that is so (save.md of the design; `bench/gating.py` counts the runs)."""
    ended = [task for task in state.tasks.values() if task.status in JUDGED or _was_culprit(task, state)]
    last = sorted(ended, key=lambda task: (task.ended_ms, task.order))[-JUDGED_TASKS:]
    red = sum(task.status is Status.FAILED for task in last)
    return len(last) >= JUDGED_LEAST and red >= MANY_RED_SHARE * len(last)


def _was_culprit(task: Task, state: State) -> bool:
    return task.status is Status.FAILED and task.reason is Reason.GATE and not was_screened_out(task, state)


def was_screened_out(task: Task, state: State) -> bool:
    """Whether gates have turned a failed task away by itself, before it came into a save."""
    screening = state.screenings.get(task.spec.id)
    return task.status is Status.FAILED and screening is not None and any(not verdict.green for verdict in screening.verdicts)


def next_probes(save: Save) -> tuple[int, ...]:
    """How many links to gate together next, at most `save.width` of them at the same time (0: the base itself, before the
    first link is blamed); nothing when enough is known. What was begun together is heard together, as far as it matters;
    verdicts that an earlier orchd would have asked for otherwise all count."""
    if not save.gates or not save.chain:
        return ()
    judged = {verdict.index: verdict for verdict in save.verdicts}
    heard = list[Verdict]()
    while probes := _plan_round(save, heard):
        left = tuple(index for index in probes if index not in judged and _matters(save, index))
        if left:
            return left
        news = [judged[index] for index in probes if index in judged]
        heard = heard + news if news else list(save.verdicts)
    return ()


def _plan_round(save: Save, heard: Sequence[Verdict]) -> tuple[int, ...]:
    """The probes after these verdicts."""
    green, red = _bound(heard)
    if red == 1:
        return () if any(verdict.index == 0 for verdict in heard) else (0,)
    first, end = green + 1, len(save.chain) + 1 if red is None else red
    if first == end:
        return ()
    if save.one_by_one:
        return tuple(range(first, min(first + save.width, end)))
    return (len(save.chain),) if red is None else tuple(green + place for place in cut(red - green, save.width))


def _matters(save: Save, index: int) -> bool:
    """Whether the verdict on a tree can still say something new."""
    green, red = bounds(save)
    return index == 0 or (green < index and (red is None or index < red))


def bounds(save: Save) -> tuple[int, int | None]:
    """The longest prefix known green (0: the base) and the shortest known red."""
    return _bound(save.verdicts)


def _bound(verdicts: Iterable[Verdict]) -> tuple[int, int | None]:
    said = tuple(verdicts)
    green = max((v.index for v in said if v.green), default=0)
    return green, min((v.index for v in said if not v.green and v.index > 0), default=None)


def landable(save: Save) -> int:
    """How many links may land once no probe is left."""
    return bounds(save)[0] if save.gates else len(save.chain)


def probe_run(save: Save, index: int) -> RunId:
    """The run that is due or going on for a probe."""
    return gate_run(save.id, index, 1 + len(_tries(save, index)))


def with_chain(save: Save, seen: ChainSeen | None) -> Save:
    """A save with the merge chain that its journal has already: its trees can be asked about one look earlier."""
    return replace(save, base_tree=seen.base_tree, chain=seen.chain) if seen and not save.chain else save


def open_gates(save: Save, index: int, known: Known) -> tuple[Gate, ...]:
    """The gates to run on a tree: those that have not been green on it yet, and before them all that may have to prepare
    something for them in the same workspace. Only one with `inputs` is known to stand for itself."""
    green = {result.gate for result in (*_greens(save, index), *_reusable(save, index, known))}
    missing = [at for at, gate in enumerate(save.gates) if gate.name not in green]
    upto = save.gates[: missing[-1] + 1] if missing else ()
    return tuple(gate for at, gate in enumerate(upto) if at in missing or not gate.inputs)


def hear(save: Save, index: int, ended: Exit) -> Try:
    """What an ended run of gates says. A run that was cut short says nothing."""
    spoke = ended.outcome is Outcome.EXITED or (ended.outcome is Outcome.TIMEOUT and any(r.timed_out for r in ended.results))
    said = ended.results if spoke else ()
    return Try(index, tuple(GateResult(r.name, r.code == 0 and not r.timed_out, r.code, r.seconds, r.timed_out) for r in said))


def judge(save: Save, index: int, known: Known, last: Try | None = None) -> Verdict | None:
    """The verdict on a tree, from what runs said so far (`last` besides) and what is known of it; None: not settled yet."""
    if last is not None:
        save = replace(save, tries=(*save.tries, last))
    tries, stored = _tries(save, index), {result.gate: result for result in _reusable(save, index, known)}
    doubted = {result.gate for result in known.get(index, ())}
    results = list[GateResult]()
    for gate in save.gates:
        said = [result for one in tries for result in one.results if result.gate == gate.name]
        result = _settle(gate, said, tries) if said or gate.name not in stored else stored[gate.name]
        if result is None:
            return None
        results.append(replace(result, disputed=not result.green and gate.name in doubted))
        if not result.green:
            break
    return Verdict(index, all(result.green for result in results), tuple(results), len(tries))


def _settle(gate: Gate, said: Sequence[GateResult], tries: Sequence[Try]) -> GateResult | None:
    """The last word of a gate: green once it was, red when it was so once more than its retries, or nobody could say: run
    after run was lost, or never came to it."""
    green = next((result for result in said if result.green), None)
    if green is not None:
        return replace(green, flaky=len(said) > 1 and not said[0].green)
    if len(said) > gate.retries:
        return said[-1]
    tries = [one for one in tries if not one.starved]
    lost = sum(not one.results for one in tries)
    unheard = lost >= GATE_ATTEMPTS or len(tries) >= GATE_ATTEMPTS + MAX_RETRIES
    return GateResult(gate.name, green=False, code=-1, seconds=0.0) if unheard else None


def _tries(save: Save, index: int) -> list[Try]:
    return [one for one in save.tries if one.index == index]


def _greens(save: Save, index: int) -> list[GateResult]:
    return [result for one in _tries(save, index) for result in one.results if result.green]


def _reusable(save: Save, index: int, known: Known) -> list[GateResult]:
    """Stored results that stand in for a run; one in AUDITED_ONE_IN is not believed and run again."""
    return [replace(result, cached=True) for result in known.get(index, ()) if not _is_audited(save, index, result.gate)]


def _is_audited(save: Save, index: int, gate: str) -> bool:
    """By chance, but the same in each look at this save."""
    dice = hashlib.sha256(f"{save.id} {index} {gate}".encode()).digest()
    return int.from_bytes(dice[:4], "big") % AUDITED_ONE_IN == 0


def blame(save: Save) -> tuple[Excluded, ...]:
    """The item that turned the chain red, with the gates that said so and the run that has their log."""
    red = bounds(save)[1]
    if red is None:
        return ()
    verdict = next(v for v in save.verdicts if v.index == red and not v.green)
    log = gate_run(save.id, verdict.index, verdict.attempt)
    before = tuple(_tell_before(v.results) for v in save.verdicts if v.index == 0 and not v.green)
    return (Excluded(save.chain[red - 1].item, Reason.GATE, (*describe_red(verdict.results), *before, log)),)


def _tell_before(results: Sequence[GateResult]) -> str:
    """What a red base says about the task that is blamed."""
    return UNHEARD_BEFORE if any(map(_is_unheard, results)) else RED_BEFORE


def _is_unheard(result: GateResult) -> bool:
    """Whether all runs of a gate were lost, so that it never said a word."""
    return result.code < 0 and not result.seconds and not result.timed_out


def describe_red(results: Iterable[GateResult]) -> tuple[str, ...]:
    """One line for each red gate."""
    return tuple(f"gate `{result.gate}` {_tell_red(result)}" for result in results if not result.green)


def _tell_red(result: GateResult) -> str:
    if result.timed_out:
        return f"timed out after {result.seconds:.0f} s"
    if _is_unheard(result):
        return "left no evidence of its end"
    return tell_exit(result.code)


def count_verdict(tallies: Mapping[str, Tally], verdict: Verdict) -> dict[str, Tally]:
    """The tallies with one verdict more."""
    return {**tallies, **{result.gate: _count(tallies.get(result.gate, Tally()), result) for result in verdict.results}}


def _count(tally: Tally, result: GateResult) -> Tally:
    if result.cached:
        return replace(tally, cached=tally.cached + 1, saved_seconds=round(tally.saved_seconds + result.seconds, 3))
    return replace(
        tally,
        green=tally.green + result.green,
        red=tally.red + (not result.green),
        flaky=tally.flaky + result.flaky,
        disputed=tally.disputed + result.disputed,
        seconds=round(tally.seconds + result.seconds, 3),
    )
