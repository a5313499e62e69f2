"""What must hold of recovery, spelled without its own helpers. Used by hypothesis and by the quick pass of the mutants."""

from __future__ import annotations

import random
from dataclasses import replace

from orchd.core.recovery import REMEDIES, cools_until, find_remedy
from orchd.model.agent import Failure, Watch
from orchd.model.recovery import Candidate, Case, Decompose, Escalate, Outlook, Part, Remedy, Resume, Retry, Tried, Wait
from orchd.model.work import Reason

F = Failure
NOW = 1_000_000
CHAIN = tuple(
    Candidate(program, model, provider, context_tokens=context)
    for program, model, provider, context in (
        ("claude", "opus", "anthropic", 200),
        ("claude", "sonnet", "anthropic", 1000),
        ("codex", "gpt", "openai", 400),
        ("opencode", "grok", "xai", 100),
        ("opencode", "opus", "xai", 200),
        ("aider", "", "", 0),
        ("kilo", "", "", 0),
    )
)
PARTS = tuple(Part(name, f"do {name}") for name in "abcdefg")


def make_case(dice: random.Random) -> Case:
    """A first failure of the first of some candidates."""
    chain = tuple(dice.sample(CHAIN, dice.randint(1, 5)))
    cooling = {name: NOW + dice.choice((-5, 0, 5, 50_000)) for name in ("anthropic", "openai", "xai") if dice.random() < 0.3}
    parts = PARTS[: dice.choice((0, 0, 1, 2, 5, 6))]
    case = Case((), chain, NOW, cooling, parts, dice.randint(0, 3), dice.random() < 0.3)
    return fail(case, chain[0], dice)


def fail(case: Case, candidate: Candidate, dice: random.Random) -> Case:
    """The case after one more failure, some time later. A provider that does not answer is left alone from then on."""
    failure = dice.choice(tuple(F))
    tried = Tried(candidate, failure, case.now_ms, dice.random() < 0.5, 10, dice.choice((0, 0, case.now_ms + 9000)), "why")
    case = replace(case, tried=(*case.tried, tried), now_ms=case.now_ms + dice.randint(0, 1000))
    if failure in (F.RATE_LIMIT, F.UNAVAILABLE):
        until_ms = cools_until(case.tried, case.now_ms)
        case = replace(case, cooling={**case.cooling, candidate.vendor: until_ms})
    return case


def check_unrolled(dice: random.Random) -> None:
    """Whatever fails, a step comes to its end after few attempts."""
    case = make_case(dice)
    for _ in range(9):
        remedy = find_remedy(case)
        assert find_remedy(case) == remedy, "the same case, another answer"
        check_remedy(case, remedy)
        if isinstance(remedy, Retry):
            case = fail(case, remedy.candidate, dice)
        elif isinstance(remedy, Wait):
            case = fail(replace(case, now_ms=remedy.until_ms), remedy.candidate, dice)
        else:
            return
    raise AssertionError("a step is tried for ever")


def check_remedy(case: Case, remedy: Remedy) -> None:
    last = case.tried[-1]
    match remedy:
        case Retry(candidate) | Wait(candidate):
            check_again(case, candidate)
        case Decompose(parts):
            assert 2 <= len(parts) <= 5 and case.depth < 2, remedy
            assert parts == case.parts, "what was proposed is done, all of it"
        case Resume():
            assert case.optional and last.failure is F.UNKNOWN, remedy
        case Escalate(outlook, setting):
            assert setting and "{" not in setting
            persons = last.failure in (F.AUTH, F.CONFIG, F.PERMISSION, F.BUDGET)
            assert (outlook is Outlook.ESCALATED) == persons
            assert outlook is not Outlook.RETRY_FAILED or len(case.tried) > 1
    if isinstance(remedy, Retry):
        assert case.cooling.get(remedy.candidate.vendor, 0) <= case.now_ms, "who wants to be left alone is asked"
    if isinstance(remedy, Wait):
        assert remedy.until_ms > case.now_ms, "waiting for what is over"


def check_again(case: Case, candidate: Candidate) -> None:
    """Another attempt: of whom, and why that one."""
    last, failure = case.tried[-1], case.tried[-1].failure
    assert len(case.tried) < 3, "too many attempts"
    assert failure not in (F.AUTH, F.CONFIG, F.PERMISSION, F.BUDGET), "what a person must settle is tried again"
    assert candidate in case.chain
    models = [one.candidate.model for one in case.tried if one.candidate.model]
    if candidate != last.candidate:
        assert candidate.model not in models, "a model is tried twice"
        if failure in (F.MODEL_FAILURE, F.RATE_LIMIT, F.UNAVAILABLE):
            mine, theirs = ((c.provider or c.program) for c in (candidate, last.candidate))
            assert mine != theirs, "the same vendor after it failed"
        if failure is F.TOKEN_EXHAUSTED:
            assert candidate.context_tokens > max(one.candidate.context_tokens for one in case.tried)
        return
    assert failure in (F.RATE_LIMIT, F.UNAVAILABLE, F.TIMEOUT, F.LOST, F.UNKNOWN), "the same again, though it failed"
    if failure not in (F.RATE_LIMIT, F.UNAVAILABLE):
        assert [one.candidate for one in case.tried].count(candidate) == 1, "the same is tried again and again"
    assert not (failure is F.TIMEOUT and last.produced), "work that was begun is done again by the same"


def case_of(failure: Failure, **changes: object) -> Case:
    """A first failure of opus, with a larger sonnet, a gpt and a grok behind it."""
    first = Tried(CHAIN[0], failure, NOW, produced=bool(changes.pop("produced", False)), until_ms=int(changes.pop("until", 0)))
    return replace(Case((first,), CHAIN[:4], NOW), **changes)


def check_table() -> None:
    """The table of the design, row by row."""
    opus, sonnet, gpt, grok = CHAIN[:4]
    two = PARTS[:2]
    assert set(REMEDIES) == set(F)
    assert find_remedy(case_of(F.TOKEN_EXHAUSTED, parts=two)) == Decompose(two)
    assert find_remedy(case_of(F.TOKEN_EXHAUSTED)) == Retry(sonnet)
    assert isinstance(find_remedy(case_of(F.TOKEN_EXHAUSTED, chain=(opus, grok))), Escalate)
    assert find_remedy(case_of(F.RATE_LIMIT)) == Retry(gpt)
    assert find_remedy(case_of(F.UNAVAILABLE, cooling={"openai": NOW + 1})) == Retry(grok)
    assert find_remedy(case_of(F.UNAVAILABLE, chain=(opus, sonnet))) == Wait(opus, NOW + 60_000)
    assert find_remedy(case_of(F.RATE_LIMIT, chain=(opus,), until=NOW + 5)) == Wait(opus, NOW + 5)
    assert find_remedy(case_of(F.RATE_LIMIT, chain=(opus,), until=NOW + 9 * 86_400_000)) == Wait(opus, NOW + 60_000)
    assert find_remedy(case_of(F.RATE_LIMIT, chain=(opus, gpt), cooling={"openai": NOW + 1})) == Wait(opus, NOW + 60_000)
    assert find_remedy(case_of(F.MODEL_FAILURE, parts=two)) == Retry(gpt)
    assert find_remedy(case_of(F.MODEL_FAILURE, chain=(opus, sonnet), parts=two)) == Decompose(two)
    assert find_remedy(case_of(F.MODEL_FAILURE, chain=(opus, gpt), cooling={"openai": NOW + 7})) == Wait(gpt, NOW + 7)
    assert find_remedy(case_of(F.TIMEOUT)) == Retry(opus)
    assert find_remedy(case_of(F.TIMEOUT, produced=True)) == Retry(sonnet)
    assert find_remedy(case_of(F.TIMEOUT, chain=(opus,), produced=True, parts=two)) == Decompose(two)
    assert find_remedy(case_of(F.CONVERGENCE_FAILURE, parts=two)) == Retry(sonnet)
    assert find_remedy(case_of(F.CONVERGENCE_FAILURE, chain=(opus,), parts=two)) == Decompose(two)
    assert find_remedy(case_of(F.LOST)) == Retry(opus)
    assert find_remedy(case_of(F.UNKNOWN, parts=two)) == Decompose(two)
    assert find_remedy(case_of(F.UNKNOWN, optional=True)) == Retry(opus)
    twice = case_of(F.UNKNOWN, chain=(opus,), optional=True)
    assert isinstance(find_remedy(replace(twice, tried=twice.tried * 2)), Resume)
    longer = case_of(F.RATE_LIMIT, chain=(opus,))
    assert find_remedy(replace(longer, tried=longer.tried * 2)) == Wait(opus, NOW + 120_000)
    for failure in (F.AUTH, F.CONFIG, F.PERMISSION, F.BUDGET):
        assert isinstance(find_remedy(case_of(failure, parts=two, optional=True)), Escalate)


ADVICE = (
    (F.TIMEOUT, Watch.SILENCE, "limits: silence"),
    (F.TIMEOUT, Watch.PROGRESS, "limits: progress"),
    (F.TIMEOUT, Watch.WALL, "raise `timeout:`"),
    (F.TIMEOUT, "", "raise `timeout:`"),
    (F.TOKEN_EXHAUSTED, Watch.TOKENS, "limits: tokens"),
    (F.TOKEN_EXHAUSTED, "", "limits: tokens"),
    (F.CONVERGENCE_FAILURE, Reason.EVIDENCE, "correct `evidence:`"),
    (F.RATE_LIMIT, Watch.SILENCE, "another provider"),
)


def check_advice() -> None:
    """The setting that is named is that of the limit which was reached, and of no other."""
    for failure, cause, named in ADVICE:
        case = case_of(failure, cause=cause)
        told = find_remedy(replace(case, tried=case.tried * 3))
        assert isinstance(told, Escalate) and named in told.setting, told
        assert ("timeout:" in told.setting) == (named == "raise `timeout:`"), told


def check_quickly() -> None:
    """All of it, with fixed dice."""
    check_table()
    check_advice()
    dice = random.Random(5)
    for _ in range(3000):
        check_unrolled(dice)
