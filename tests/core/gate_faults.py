"""Seeded faults of the gates: each is one broken line that the scenes or the walks must notice."""

from __future__ import annotations

KNOWN_OR_HEARD = "(*_greens(save, index), *_reusable(save, index, known))"
NOT_SETTLED = "        if result is None:\n            return None\n"

FAULTS: dict[str, tuple[str, str, str]] = {
    "one green gate is enough": ("gating", "all(result.green for result in results)", "results[0].green"),
    "missing gate results are green": ("gating", NOT_SETTLED, NOT_SETTLED.replace("return None", "continue")),
    "a run that was cut short counts": ("gating", "said = ended.results if spoke else ()", "said = ended.results"),
    "a time-out of a gate is green": ("gating", "r.code == 0 and not r.timed_out", "r.code == 0"),
    "a red gate is not asked again": ("gating", "len(said) > gate.retries", "said"),
    "a red gate is asked for ever": ("gating", "len(said) > gate.retries", "False"),
    "a flake is silent": ("gating", "flaky=len(said) > 1 and not said[0].green", "flaky=False"),
    "all stored results are believed": ("gating", "% AUDITED_ONE_IN == 0", "< 0"),
    "no stored result is believed": ("gating", "% AUDITED_ONE_IN == 0", ">= 0"),
    "a doubt is silent": ("gating", "disputed=not result.green and gate.name in doubted", "disputed=False"),
    "what prepares a gate is left out": ("gating", " or not gate.inputs)", ")"),
    "gates after the last open one are run": ("gating", "save.gates[: missing[-1] + 1]", "save.gates"),
    "a stored result is believed against a run": ("gating", "if said or gate.name not in stored", "if gate.name not in stored"),
    "gates in each other's way are asked for ever": ("gating", "or len(tries) >= GATE_ATTEMPTS + MAX_RETRIES", ""),
    "what is known is run again": ("gating", KNOWN_OR_HEARD, "_greens(save, index)"),
    "what was green just now is run again": ("gating", KNOWN_OR_HEARD, "_reusable(save, index, known)"),
    "more is gated at a time than asked for": (
        "cutting",
        "range(1, min(width, links - 1) + 1)",
        "range(min(width + 1, links - 1), min(width + 2, links))",
    ),
    "a second tree is gated whatever it tells": ("cutting", "price = ROUND_RUNS * (width - 1)", "price = width"),
    "a second tree is never gated": ("cutting", "price = ROUND_RUNS * (width - 1)", "price = 0"),
    "the culprit is expected behind": ("cutting", "+ GOOD[first] * rest[0]", "+ rest[0]"),
    "verdicts of an earlier search end it": (
        "gating",
        "heard = heard + news if news else list(save.verdicts)",
        "heard += news\n        if not news:\n            return ()",
    ),
    "results are not stored": ("duties", "if save.verdicts and not snapshot.gates.kept:", "if False:"),
    "a save ends before its results are stored": (
        "landing",
        "if seen.published and snapshot.gates.kept:",
        "if seen.published:",
    ),
    "results are stored for ever": ("duties", "if save.verdicts and not snapshot.gates.kept:", "if save.verdicts:"),
    "old failures make saves timid": ("gating", "[-JUDGED_TASKS:]", ""),
    "a main that could not be gated is called red": (
        "gating",
        "if any(map(_is_unheard, results)) else RED_BEFORE",
        "if False else RED_BEFORE",
    ),
    "saves are never timid": ("gating", "red >= MANY_RED_SHARE * len(last)", "False"),
}
"""What breaks: the module of the core, the sound text, the broken one."""
