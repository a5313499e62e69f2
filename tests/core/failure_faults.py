"""Faults in what is made of a failed attempt; each must be noticed."""

from __future__ import annotations

FAULTS: dict[str, tuple[str, str, str]] = {
    "a lost one is judged by its words": ("failures", "(facts.lost, F.LOST)", "(False, F.LOST)"),
    "what could not start is judged by its words": ("failures", "(facts.unfit, F.CONFIG)", "(False, F.CONFIG)"),
    "a program that is not there is tried again": ("failures", "facts.code in NOT_STARTED and not report.tools", "False"),
    "what its tools ended with is the program": ("failures", "NOT_STARTED and not report.tools", "NOT_STARTED"),
    "a circle is a lack of time": ("failures", "Watch.REPETITION: F.CONVERGENCE_FAILURE,", "Watch.REPETITION: F.TIMEOUT,"),
    "words overrule a clock": ("failures", "    if report.ended_by in CLOCKS:\n", "    if False:\n"),
    "who waits in silence has no reason": ("failures", "        yield from _from_words(report.error)\n", "        pass\n"),
    "anything printed explains a silence": (
        "failures",
        "        yield from _from_words(report.error)\n",
        "        yield from _from_words(report.error, report.printed)\n",
    ),
    "money is not seen": ("failures", "    Watch.MONEY: F.BUDGET,\n", ""),
    "no budget is no tokens": ("failures", "    if facts.tokens and ", "    if "),
    "tokens are used up to the last": ("failures", ">= SPENT_SHARE * facts.tokens", ">= facts.tokens"),
    "money is a pace": ("failures", "    if status == 429 and MONEY", "    if False and MONEY"),
    "a daily pace is money": ("failures", " and not PER_TIME.search(error)", ""),
    "a status proves nothing": ("failures", "    if status in STATUSES:\n", "    if False:\n"),
    "a server that fails is a setting": ("failures", "    if status >= 500:\n", "    if False:\n"),
    "a refused request says nothing": ("failures", "yield F.CONFIG if said is F.UNKNOWN else said", "yield F.CONFIG"),
    "a red gate proves nothing": ("failures", "    if facts.gate:\n", "    if False:\n"),
    "a refusal is not seen": ("failures", "    if report.denied:\n", "    if False:\n"),
    "what it printed goes before its error": (
        "failures",
        "_from_words(report.error, report.printed, facts.printed)",
        "_from_words(report.printed, facts.printed, report.error)",
    ),
    "what its program printed is not read": (
        "failures",
        "report.error, report.printed, facts.printed",
        "report.error, facts.printed",
    ),
    "what it said is believed": (
        "failures",
        "report.error, report.printed, facts.printed",
        "report.error, report.words, report.printed, facts.printed",
    ),
    "a crash has no reason": ("failures", "    if facts.code is not None and facts.code < 0:\n", "    if False:\n"),
    "who says that it is done is unknown": ("failures", "F.CONVERGENCE_FAILURE if report.finished else F.UNKNOWN", "F.UNKNOWN"),
    "the beginning of what is printed counts": ("failures", "text[-ERROR_CHARACTERS:]", "text"),
    "a text is read from the back": (
        "failures",
        "for pattern, failure in _patterns() if",
        "for pattern, failure in _patterns()[::-1] if",
    ),
}
