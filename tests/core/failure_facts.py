"""What facts say about an attempt that came to nothing, each with the class that it must have."""

from __future__ import annotations

from orchd.core.failures import Facts, name_failure
from orchd.model.agent import Failure, Report, Usage, Watch

F = Failure
LATE = "Request timed out."
FACTS = {
    "nothing is left of a lost one": (Facts(lost=True, printed="401 unauthorized"), F.LOST),
    "a clock overrules words": (Facts(report=Report(ended_by=Watch.PROGRESS, error="429 rate limit")), F.TIMEOUT),
    "repetition is no lack of time": (Facts(report=Report(ended_by=Watch.REPETITION)), F.CONVERGENCE_FAILURE),
    "a silent one that was refused": (Facts(report=Report(ended_by=Watch.SILENCE, status=429)), F.RATE_LIMIT),
    "a silent one that said why": (Facts(report=Report(ended_by=Watch.SILENCE, error="429, again"), late=True), F.RATE_LIMIT),
    "a red gate whatever was printed": (Facts(gate="tests", report=Report(printed="overloaded")), F.CONVERGENCE_FAILURE),
    "a silent one that told of something": (
        Facts(report=Report(ended_by=Watch.SILENCE, printed="401 unauthorized"), late=True),
        F.TIMEOUT,
    ),
    "what its program printed beside its stream": (Facts(code=1, report=Report(printed="Error: invalid api key")), F.AUTH),
    "its error before that": (Facts(report=Report(error="overloaded", printed="invalid api key")), F.UNAVAILABLE),
    "what it said proves nothing": (Facts(code=1, report=Report(words="I handle 401 unauthorized now")), F.UNKNOWN),
    "a silent one": (Facts(report=Report(ended_by=Watch.SILENCE)), F.TIMEOUT),
    "a status overrules words": (Facts(report=Report(status=503, error="invalid api key")), F.UNAVAILABLE),
    "a login": (Facts(report=Report(status=401, error="rate limit, try again")), F.AUTH),
    "no money is no pace": (Facts(report=Report(status=429, error="insufficient_quota: check billing")), F.BUDGET),
    "a daily pace is no money": (Facts(report=Report(status=429, error="RESOURCE_EXHAUSTED check billing")), F.RATE_LIMIT),
    "a 400 says what it is": (Facts(report=Report(status=400, error="prompt is too long")), F.TOKEN_EXHAUSTED),
    "a 400 that says nothing": (Facts(report=Report(status=400, error="hm")), F.CONFIG),
    "a code of the program": (Facts("gemini", code=41), F.AUTH),
    "a program that is not there": (Facts("codex", code=127, report=Report(error="overloaded")), F.CONFIG),
    "a shell that its tools ended with": (Facts("codex", code=127, report=Report(tools=1)), F.UNKNOWN),
    "the same code of another": (Facts("codex", code=41), F.UNKNOWN),
    "a red gate": (Facts(gate="tests", report=Report(finished=True)), F.CONVERGENCE_FAILURE),
    "a refused tool": (Facts(report=Report(denied=("Bash(rm)",), finished=True)), F.PERMISSION),
    "its tokens are used up": (Facts(tokens=1000, report=Report(usage=Usage(800, 0, 100))), F.TOKEN_EXHAUSTED),
    "its tokens are not used up": (Facts(tokens=1000, report=Report(usage=Usage(800, 0, 99))), F.UNKNOWN),
    "its money is used up": (Facts(report=Report(ended_by=Watch.MONEY, error="429 rate limit"), late=True), F.BUDGET),
    "it could not be started": (Facts(unfit=True, printed="overloaded"), F.CONFIG),
    "it ran out of its time": (Facts(late=True), F.TIMEOUT),
    "what it printed": (Facts(code=1, printed=LATE), F.TIMEOUT),
    "its error before what it printed": (Facts(report=Report(error="overloaded"), printed=LATE), F.UNAVAILABLE),
    "it crashed": (Facts(code=-11), F.MODEL_FAILURE),
    "it says it is done": (Facts(code=0, report=Report(finished=True)), F.CONVERGENCE_FAILURE),
    "nobody knows": (Facts(code=1), F.UNKNOWN),
}

WORDS = {
    "invalid api key, rate limit exceeded": F.AUTH,
    "RESOURCE_EXHAUSTED: insufficient credits": F.RATE_LIMIT,
    "insufficient_quota: too many requests": F.BUDGET,
    "rate limit: the prompt is too long": F.RATE_LIMIT,
    "request timed out: service unavailable": F.UNAVAILABLE,
    "the model does not exist: deadline": F.TIMEOUT,
    "xai model unavailable": F.UNAVAILABLE,
}
"""Texts that two rows fit: what must never be retried goes first, then the cause before its consequence."""


def check_facts() -> None:
    """All of them, without pytest."""
    for name, (facts, failure) in FACTS.items():
        assert name_failure(facts) is failure, name
    for text, failure in WORDS.items():
        assert name_failure(Facts(code=1, report=Report(error=text))) is failure, text
    long = Facts(code=1, printed="invalid api key" + " " * 5000)
    assert name_failure(long) is F.UNKNOWN, "only the end counts"
