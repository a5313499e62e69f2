"""What follows when an attempt of an agent came to nothing, as a table: for each class the remedies in order, the first that
can be had.

Bounded by construction: each Retry and Wait costs one of the few attempts of a step, each Decompose one of the few levels, and
everything else ends it. Rules: a class that a person must settle is never tried again; a fallback is never a model that was
tried; after a failure of a model or of a provider it is somebody else's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from orchd.model.agent import Failure, Watch
from orchd.model.limits import COOL_MOST_SECONDS, COOL_SECONDS, STEP_ATTEMPTS, SUB_STEP_DEPTH, SUB_STEPS
from orchd.model.recovery import Candidate, Case, Decompose, Escalate, Outlook, Remedy, Resume, Retry, Tried, Wait
from orchd.model.work import Reason

F = Failure
Move: TypeAlias = Callable[[Case], Remedy | None]

COOLS = frozenset({F.RATE_LIMIT, F.UNAVAILABLE})
"""Classes that are about the provider, not about the work: it is left alone for a while, by everybody."""

PERSONS = frozenset({F.AUTH, F.CONFIG, F.PERMISSION, F.BUDGET})
"""Classes that only a person can settle."""

SETTINGS: Mapping[Failure, str] = {
    F.AUTH: "sign in with `{program}` (or set its key where orchd is started), then `orchd retry`",
    F.CONFIG: "correct `model:`, `agent:` or the settings of `{program}`: {what}",
    F.PERMISSION: "allow it in the `rules:` of the agent's definition, or change the task: {what}",
    F.BUDGET: "raise the budget or the cap that was reached, or pay `{vendor}`: {what}",
    F.TOKEN_EXHAUSTED: "split the task into smaller ones, or name an agent with a larger context (or more `limits: tokens`) "
    "in `agent:`",
    F.RATE_LIMIT: "name an agent of another provider in `agent:`, or retry later: `{vendor}` wants to be left alone",
    F.UNAVAILABLE: "name an agent of another provider in `agent:`, or retry later: `{vendor}` does not answer",
    F.MODEL_FAILURE: "name an agent of another vendor than `{vendor}` in `agent:`",
    F.TIMEOUT: "raise `timeout:`, or split the task into smaller ones",
    F.CONVERGENCE_FAILURE: "name another agent in `agent:`, or make the goal smaller or clearer: {what}",
    F.LOST: "look why supervisors die on this machine (memory?), then `orchd retry`",
    F.UNKNOWN: "`orchd logs` shows what it printed; then `orchd retry`, or name another agent in `agent:`",
}
"""What a person can change, by class. Each is told with the attempt that was last."""

CLOSER: Mapping[tuple[Failure, str], str] = {
    (F.TIMEOUT, Watch.SILENCE): "raise `limits: silence` in `.orch/config.yaml`, or name another agent in `agent:`",
    (F.TIMEOUT, Watch.PROGRESS): "raise `limits: progress` in `.orch/config.yaml`, or split the task into smaller ones",
    (F.TOKEN_EXHAUSTED, Watch.TOKENS): "raise `limits: tokens` in the agent's definition, or split the task into smaller ones",
    (
        F.CONVERGENCE_FAILURE,
        Reason.EVIDENCE,
    ): "correct `evidence:` if it names the wrong paths, name another agent in `agent:`, or make the goal clearer: {what}",
}
"""The same where more than the class is known: which of our clocks ended it, or what its result lacks."""


def find_remedy(case: Case) -> Remedy:
    """What to do next. The same case always gives the same answer."""
    for move in REMEDIES[case.last.failure]:
        remedy = move(case)
        if remedy is not None:
            return remedy
    return _escalate(case)


def cools_until(tried: tuple[Tried, ...], now_ms: int) -> int:
    """Until when the provider of the last attempt is left alone: as long as it asks for, else longer each time."""
    last = tried[-1]
    most_ms = now_ms + int(COOL_MOST_SECONDS * 1000)
    if last.until_ms and now_ms < last.until_ms <= most_ms:
        return last.until_ms
    times = sum(one.failure in COOLS and one.candidate.vendor == last.candidate.vendor for one in tried)
    return min(most_ms, now_ms + (int(COOL_SECONDS * 1000) << max(0, times - 1)))


def has_attempts(case: Case) -> bool:
    """Whether the step may be tried once more."""
    return len(case.tried) < STEP_ATTEMPTS


def _pick(case: Case, *, fits: Callable[[Candidate], bool]) -> Remedy | None:
    """The first candidate of the chain that was not tried and fits; one whose provider is not being left alone if there is
    one, else whoever can be asked first."""
    if not has_attempts(case):
        return None
    known = {one.candidate.mind for one in case.tried}
    able = [one for one in case.chain if one.mind not in known and fits(one)]
    return _first_free(able, case)


def _first_free(able: list[Candidate], case: Case) -> Remedy | None:
    cooling = case.cooling
    free = next((one for one in able if cooling.get(one.vendor, case.now_ms) <= case.now_ms), None)
    if free is not None:
        return Retry(free)
    soonest = min(able, key=lambda one: cooling[one.vendor], default=None)
    return Wait(soonest, cooling[soonest.vendor]) if soonest else None


def _another(case: Case) -> Remedy | None:
    return _pick(case, fits=bool)


def _another_vendor(case: Case) -> Remedy | None:
    vendor = case.last.candidate.vendor
    return _pick(case, fits=lambda one: one.vendor != vendor)


def _larger(case: Case) -> Remedy | None:
    most = max(one.candidate.context_tokens for one in case.tried)
    return _pick(case, fits=lambda one: one.context_tokens > most)


def _same(case: Case) -> Remedy | None:
    """The same once more, if it was tried once only."""
    last = case.last.candidate
    times = sum(one.candidate.mind == last.mind for one in case.tried)
    return _first_free([last], case) if has_attempts(case) and times == 1 else None


def _same_unless_produced(case: Case) -> Remedy | None:
    return None if case.last.produced else _same(case)


def _wait(case: Case) -> Remedy | None:
    """The same again, later: it did not come to its work."""
    return Wait(case.last.candidate, cools_until(case.tried, case.now_ms)) if has_attempts(case) else None


def _elsewhere(case: Case) -> Remedy | None:
    """Somebody else's now; to wait for somebody else is no better than to wait for this one."""
    remedy = _another_vendor(case)
    return remedy if isinstance(remedy, Retry) else None


def _decompose(case: Case) -> Remedy | None:
    """One sub-step is the step itself, and what would become too many is no plan."""
    able = 1 < len(case.parts) <= SUB_STEPS and case.depth < SUB_STEP_DEPTH
    return Decompose(case.parts) if able else None


def _resume(case: Case) -> Remedy | None:
    return Resume(f"skipped: {_fill(case)}") if case.optional else None


def _escalate(case: Case) -> Escalate:
    failure = case.last.failure
    if failure in PERSONS:
        outlook = Outlook.ESCALATED
    else:
        outlook = Outlook.RETRY_FAILED if len(case.tried) > 1 else Outlook.UNRECOVERABLE
    return Escalate(outlook, _fill(case))


def _fill(case: Case) -> str:
    """What a person can change, with the evidence behind it, where there is any."""
    last = case.last
    text = CLOSER.get((last.failure, case.cause), SETTINGS[last.failure])
    text = text if last.what else text.removesuffix(": {what}")
    return text.format(program=last.candidate.program, vendor=last.candidate.vendor, what=last.what or last.failure.value)


REMEDIES: Mapping[Failure, tuple[Move, ...]] = {
    F.TOKEN_EXHAUSTED: (_decompose, _larger),
    F.RATE_LIMIT: (_elsewhere, _wait),
    F.UNAVAILABLE: (_elsewhere, _wait),
    F.MODEL_FAILURE: (_another_vendor, _decompose),
    F.TIMEOUT: (_same_unless_produced, _another, _decompose),
    F.CONVERGENCE_FAILURE: (_another, _decompose),
    F.LOST: (_same, _another),
    F.UNKNOWN: (_decompose, _same, _another, _resume),
    F.AUTH: (),
    F.CONFIG: (),
    F.PERMISSION: (),
    F.BUDGET: (),
}
"""What is tried for each class, in order. After the last stands: a person."""

TOLD: Mapping[Move, str] = {
    _another: "retry: the next that was not tried",
    _another_vendor: "retry: the next that was not tried, of another vendor",
    _elsewhere: "retry now: the next that was not tried, of another vendor that can be asked",
    _larger: "retry: the next that was not tried, with a larger context",
    _same: "retry the same, once",
    _same_unless_produced: "retry the same, once, if nothing was produced",
    _wait: "wait until the provider can be asked again, then the same",
    _decompose: "decompose into sub-steps",
    _resume: "skip it with a warning, if it is optional",
}
"""The moves in words, for the documentation."""
