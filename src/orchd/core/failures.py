"""Why an attempt of an agent came to nothing: structured facts first, what it printed last.

Rule: a word in a text never overrules a clock, a status or a refusal that was seen. The words are a table in order; the first
that fits decides, so what must never be retried (a login, a setting, a refusal, money) stands above what may be.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from orchd.model.agent import Failure, Report, Watch
from orchd.model.dataclass import dataclass
from orchd.model.limits import ERROR_CHARACTERS, SPENT_SHARE

F = Failure

UNTOLD = Report()


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an attempt that came to nothing. `code` is the exit code or minus the signal of its program (None: it
    left none), `lost` that its supervisor left no evidence, `late` that it ran out of its time, `unfit` that its program could
    not be started as it was asked. `gate` is the gate that is red for its work. `tokens` is what it was allowed
    (0: any number). `printed` is what was said about its end besides."""

    program: str = ""
    report: Report = UNTOLD
    code: int | None = None
    lost: bool = False
    late: bool = False
    unfit: bool = False
    gate: str = ""
    tokens: int = 0
    printed: str = ""


CLOCKS = {
    Watch.PROGRESS: F.TIMEOUT,
    Watch.WALL: F.TIMEOUT,
    Watch.MONEY: F.BUDGET,
    Watch.REPETITION: F.CONVERGENCE_FAILURE,
}
"""What a clock alone says. SILENCE is told after the error that a program reported: refused by its provider, it may wait for
ever without another word."""

STATUSES = {401: F.AUTH, 403: F.AUTH, 402: F.BUDGET, 408: F.TIMEOUT, 413: F.TOKEN_EXHAUSTED, 429: F.RATE_LIMIT}
"""What an HTTP status of the provider says; 5xx: it is unavailable. The others say only that the request was refused."""

EXITS = {("gemini", 41): F.AUTH, ("gemini", 53): F.BUDGET, ("gemini", 55): F.CONFIG}
"""Exit codes by which a program says more than that it failed."""

NOT_STARTED = frozenset({126, 127})
"""Exit codes of what is not there, or is no program."""

MONEY = re.compile(r"insufficient_quota|insufficient.credits|billing|spend limit|credit balance")
PER_TIME = re.compile(r"resource_exhausted|per ?(day|minute|min)\b|free.?tier")

WORDS: tuple[tuple[str, Failure], ...] = (
    # a login that does not work: before everything, so that it is never retried
    (r"invalid (x-)?api.?key|incorrect api key|api key (not valid|required|expired)|api_key_(invalid|required)", F.AUTH),
    (r"authentication.?(_error|error|credential|method)|unauthenticated|\bunauthorized\b|not able to authenticate", F.AUTH),
    (r"(error code|status|status code|http|error)[:\s]*\(?40[13]\b|^\W*40[13]\b|\b40[13] (unauthorized|forbidden|\{)", F.AUTH),
    (r"(access|refresh|oauth|auth\w*) token\b.*(revoked|expired|invalid|refreshed|already been used)|token_expired", F.AUTH),
    (r"invalid (auth\w*|access|bearer) token|run /login|(sign|log) ?in again|not logged in|please log ?in", F.AUTH),
    (r"accessdenied|permissiondenied(error)?\b|not authorized to|no auth credentials", F.AUTH),
    (r"(missing environment variable|\bno )\W*\w*_api_key|\w+_api_key\W.*(not set|missing|required|must be set)", F.AUTH),
    # money and caps
    (r"resource_exhausted|quota exceeded for", F.RATE_LIMIT),
    (r"insufficient_quota|insuffi\w+ (credit|balance|funds|quota)|(more|add|purchase) credits\b(?!.*try again)", F.BUDGET),
    (r"check your plan and billing|billing (hard )?limit|credit balance|spend(ing)? limit|payment required", F.BUDGET),
    (r"budget (has been )?(exceeded|reached|exhausted)|max.?budget|(error|status|code)?[:\s]\b402\b|^402\b", F.BUDGET),
    (r"(workspace|specified) api usage limits|regain access on|upgrade to plus: ", F.BUDGET),
    (r"max(imum)? (number of )?(\w+ )?turns|max_turns|maxsessionturns", F.BUDGET),
    # too often or too much at once: "tokens" here are a pace, not the size of a request
    (r"rate.?limit|too many (requests|tokens)|throttl|\b429\b|tokens per min|(daily|hourly) (quota|limit)", F.RATE_LIMIT),
    (r"(usage|session|message|weekly|daily|5-hour|your) limit\b.*(reach|reset|try again|upgrade|hit|admin)", F.RATE_LIMIT),
    (r"(usage|session) limit reached|hit your \w*\s?limit|limits? will reset|exceeded your .*usage", F.RATE_LIMIT),
    (r"resource (has been )?exhausted|quota limitation|quota exceeded", F.RATE_LIMIT),
    # the request does not fit
    (r"context.?(length|window|limit)|prompt .*too long|input .*(too long|is longer)|too many input tokens", F.TOKEN_EXHAUSTED),
    (r"exceeds? (the )?max\w* (number of )?(tokens|context)|prompt tokens limit|max(imum)? tokens", F.TOKEN_EXHAUSTED),
    # a tool that it may not use
    (r"(has been|been|was|auto.?)\s?(denied|rejected)\b|\bpermission.{0,3}denied\b", F.PERMISSION),
    (r"denied by (policy|user)|rejected:|rejected by user", F.PERMISSION),
    (r"haven't granted|requested permissions? to|rule which prevents you|blocked by policy|permission denied by", F.PERMISSION),
    (r"operation not permitted|read-only (workspace|file system|sandbox)|sandbox (denied|error)|\beperm\b", F.PERMISSION),
    # no progress, although it worked
    (r"stuck (in|repeating)|potential loop|loop (was )?detected|\d+ reflections allowed", F.CONVERGENCE_FAILURE),
    (r"search/replace blocks?|search ?block failed|conform to the edit format|edit was not applied", F.CONVERGENCE_FAILURE),
    # the model or the program broke
    (r"usage polic|safety polic|content.?polic|cyber.?(polic|security risk)|content.?filter|blockedprompt", F.MODEL_FAILURE),
    (r"malformed.?(function|tool)|(empty|unparsable|malformed) (response|stream)|assistant messages", F.MODEL_FAILURE),
    (r"is not valid json|unexpected (line|token|end)|json error|function (call|response) parts|tool_result", F.MODEL_FAILURE),
    (r"heap (out of memory|limit)|out of memory|sig(kill|segv|abrt)|segmentation fault|panicked at", F.MODEL_FAILURE),
    (r"(exited with|exit) code (13[2-9])\b|died unexpectedly|core dumped", F.MODEL_FAILURE),
    # the provider cannot be reached or cannot answer
    (r"overload|\b5(00|02|03|04|20|29)\b|service unavailable|\bunavailable\b|bad gateway|high demand", F.UNAVAILABLE),
    (r"servers are down|internal server error|stream (closed|disconnected)|server disconnected", F.UNAVAILABLE),
    (r"connection ?(error|attempts|refused|reset|closed)|fetch failed|error sending request|no connection", F.UNAVAILABLE),
    (r"\beconn\w+|\betimedout|\benotfound|\beai_again|getaddrinfo|network (error|unreachable)", F.UNAVAILABLE),
    # its own time ran out
    (r"time(d)? ?out|timeout|deadline", F.TIMEOUT),
    # a setting is wrong
    (r"model\w* ?not ?found|model_not_found|not_found_error|model .*(does not exist|may not exist)", F.CONFIG),
    (r"is not found for api version|no longer available|providermodelnotfound|\bnotfounderror", F.CONFIG),
    (r"unsupported (parameter|value)|(does not|doesn't) support|isn.t supported", F.CONFIG),
    (r"(parameter|value|throughput|model)\b.*not supported", F.CONFIG),
    (r"(loading|load|invalid|reload) config\w*|toml parse|unknown variant|invalid type", F.CONFIG),
    (r"unrecognized arguments?|unknown (option|argument)|unexpected argument|unknown name", F.CONFIG),
    (r"provider not provided|invalid_request_error|trusted directory|field required", F.CONFIG),
)
"""Words and what they mean, in order. Against the text in small letters, with one space between words."""


@functools.cache
def _patterns() -> tuple[tuple[re.Pattern[str], Failure], ...]:
    """Compiled when the first text is read: many never are."""
    return tuple((re.compile(pattern), failure) for pattern, failure in WORDS)


def name_failure(facts: Facts) -> Failure:
    """The class of a failed attempt. Only asked of attempts that came to nothing."""
    return next(_from_facts(facts))


def read_words(text: str) -> Failure:
    """What a text alone says. UNKNOWN: nothing that we know."""
    words = " ".join(text[-ERROR_CHARACTERS:].lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").split())
    return next((failure for pattern, failure in _patterns() if pattern.search(words)), F.UNKNOWN)


def _from_facts(facts: Facts) -> Iterator[Failure]:
    """Each thing that the facts say, the most certain first."""
    report = facts.report
    yield from (failure for held, failure in ((facts.lost, F.LOST), (facts.unfit, F.CONFIG)) if held)
    if facts.code in NOT_STARTED and not report.tools:
        yield F.CONFIG
    if report.ended_by in CLOCKS:
        yield CLOCKS[report.ended_by]
    yield from _from_caps(facts)
    yield from _from_status(report.status, report.error.lower())
    if (facts.program, facts.code) in EXITS:
        yield EXITS[facts.program, facts.code or 0]
    if report.ended_by is Watch.SILENCE:
        yield from _from_words(report.error)
    if facts.late or report.ended_by is not None:
        yield F.TIMEOUT
    if facts.gate:
        yield F.CONVERGENCE_FAILURE
    if report.denied:
        yield F.PERMISSION
    yield from _from_words(report.error, report.printed, facts.printed)
    if facts.code is not None and facts.code < 0:
        yield F.MODEL_FAILURE
    yield F.CONVERGENCE_FAILURE if report.finished else F.UNKNOWN


def _from_caps(facts: Facts) -> Iterator[Failure]:
    """What was allowed, and is used up."""
    used = facts.report.usage
    if facts.tokens and used.input_tokens + used.output_tokens >= SPENT_SHARE * facts.tokens:
        yield F.TOKEN_EXHAUSTED


def _from_words(*texts: str) -> Iterator[Failure]:
    """What each text says, if anything."""
    yield from (said for said in map(read_words, texts) if said is not F.UNKNOWN)


def _from_status(status: int, error: str) -> Iterator[Failure]:
    """What the provider's answer says. A quota that is money comes as 429 too, and a prompt that is too long as 400."""
    if status == 429 and MONEY.search(error) and not PER_TIME.search(error):
        yield F.BUDGET
    if status in STATUSES:
        yield STATUSES[status]
    if status >= 500:
        yield F.UNAVAILABLE
    if status >= 400:
        said = read_words(error)
        yield F.CONFIG if said is F.UNKNOWN else said
