"""Seeded faults of promotion: each is one broken line that the walks or the scenes must notice."""

from __future__ import annotations

FAULTS: dict[str, tuple[str, str]] = {
    "who promotes second gets through": ("if standing.open is None or not case.is_alive:", "if True:"),
    "what is there is deployed again": (
        "current.freight.tag == case.freight.tag and standing.last is current",
        "False",
    ),
    "what failed since is taken for there": (" and standing.last is current:", ":"),
    "a broken chain is no reason": ('    "chain": _check_chain,\n', ""),
    "unverified goes anywhere": ('    "gates": _check_gated,\n', ""),
    "unverified goes nowhere": ("if not case.ungated or case.environment.unverified:", "if not case.ungated:"),
    "what was left half-way is forgotten": ('    "left": _check_left,\n', ""),
    "a half-way roll back of the same freight is taken for a promotion": (
        "(left.freight.tag == case.freight.tag and not left.rollback)",
        "left.freight.tag == case.freight.tag",
    ),
    "the environment before is not asked": ('    "before": _check_before,\n', ""),
    "what failed before counts as good": (
        "(stint for stint in reversed(standing.stints) if stint.record is latest)",
        "(stint for stint in reversed(standing.stints) if stint.record.freight == case.freight)",
    ),
    "what came before its verify command is never verified": (
        "if not case.environment.verify or there.step is Step.VERIFIED:",
        "if True:",
    ),
    "what is verified is verified again": (
        "if not case.environment.verify or there.step is Step.VERIFIED:",
        "if not case.environment.verify:",
    ),
    "unproven is good": ("if case.before.verify and stint.record.step is not Step.VERIFIED:", "if False:"),
    "a roll back takes nothing back": ("_go_back(stints, record.freight) if record.rollback else stints", "stints"),
    "no soak time": ('    "soak": _check_soak,\n', ""),
    "soak time never ends with the stint": ("stint.until or case.now", "case.now"),
    "a stint goes on under a later deployment": ("elif stints and stints[-1].until is None:", "elif False:"),
    "the wall clock is always believed": ("same = bool(since.boot) and since.boot == until.boot", "same = False"),
    "clocks of two boots are compared": ("same = bool(since.boot) and since.boot == until.boot", "same = bool(since.boot)"),
    "no clocks are compared without a boot": ("same = bool(since.boot) and ", "same = "),
    "time runs backwards": ("return max(0, ", "return max(-(2**62), "),
    "no approvals": ('    "approvals": _check_approvals,\n', ""),
    "own approvals count": (" if _same_person(name) != promoter)", ")"),
    "one approves twice by writing it differently": ("found.setdefault(_same_person(record.by)", "found.setdefault(record.by"),
    "approvals of other freight count": (
        "if record.freight.tag == freight.tag and record.step is Step.APPROVED:",
        "if record.step is Step.APPROVED:",
    ),
    "approvals are never spent": ("            found.clear()\n", "            pass\n"),
    "approving twice is fine": (
        "if _same_person(case.by) in map(_same_person, find_approvers(case.chain.records, case.freight)):",
        "if False:",
    ),
    "what is broken can be approved": ("    if case.faults:\n        return _check", "    if False:\n        return _check"),
    "a retry has another key": ("last.key if last is not None and same else", "last.key if False else"),
    "every deployment of a freight has one key": ("freight.tag, case.chain.tip)", "freight.tag)"),
    "two environments share keys": ("(case.environment.name, case.freight", "(case.freight"),
    "a roll back has the key of a promotion": (" and last.rollback is rollback\n", "\n"),
    "deployed twice after a crash in verify": ("left.step is Step.VERIFYING\n", "False\n"),
    "deploy is skipped though it had not ended": (
        "skip = resumed and left is not None and left.step is Step.VERIFYING",
        "skip = resumed",
    ),
    "a roll back stays where it is": ("earlier = standing.stints[:-1]", "earlier = standing.stints"),
    "a roll back after a failure skips what was there": (
        "return standing.stints[-1].record.freight if standing.stints else None",
        "return standing.stints[-2].record.freight if standing.stints[1:] else None",
    ),
    "somebody else's deployment is ended": ("and left.key == record.key and left.process == record.process", ""),
}
"""What breaks in `core/promotion.py`: the sound text, the broken one."""
