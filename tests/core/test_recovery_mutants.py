"""Seeded faults in recovery: each must be noticed by its rules."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_mutants import Fault, notice

FAULTS = {
    "a step is tried for ever": Fault("recovery", "return len(case.tried) < STEP_ATTEMPTS", "return True"),
    "a model is tried twice": Fault("recovery", "if one.mind not in known and fits(one)]", "if fits(one)]"),
    "only the last model counts as tried": Fault(
        "recovery", "one.candidate.mind for one in case.tried}", "case.last.candidate.mind}"
    ),
    "the vendor that failed is asked again": Fault("recovery", "fits=lambda one: one.vendor != vendor)", "fits=bool)"),
    "who wants to be left alone is asked": Fault("recovery", "if cooling.get(one.vendor, 0) <= case.now_ms)", "if True)"),
    "a smaller context is taken for a larger one": Fault("recovery", "one.context_tokens > most", "one.context_tokens >= most"),
    "the same is tried again and again": Fault("recovery", "and times == 1 else None", "else None"),
    "work that was begun is done again": Fault("recovery", "return None if case.last.produced else", "return"),
    "others are waited for while this one can be": Fault("recovery", "remedy if isinstance(remedy, Retry) else None", "remedy"),
    "a step becomes too many": Fault("recovery", "1 < len(case.parts) <= SUB_STEPS", "1 < len(case.parts)"),
    "one sub-step is a plan": Fault("recovery", "1 < len(case.parts)", "0 < len(case.parts)"),
    "steps are divided for ever": Fault("recovery", " and case.depth < SUB_STEP_DEPTH", ""),
    "what is needed is skipped": Fault("recovery", " if case.optional else None", ""),
    "a login is tried again": Fault("recovery", "F.AUTH: ()", "F.AUTH: (_same,)"),
    "a setting is tried again": Fault("recovery", "F.CONFIG: ()", "F.CONFIG: (_another,)"),
    "what was refused is tried by another": Fault("recovery", "F.PERMISSION: ()", "F.PERMISSION: (_another,)"),
    "what costs too much is tried again": Fault("recovery", "F.BUDGET: ()", "F.BUDGET: (_another,)"),
    "a provider may ask for a year": Fault("recovery", "now_ms < last.until_ms <= most_ms", "now_ms < last.until_ms"),
    "a provider is not believed": Fault("recovery", "if now_ms < last.until_ms <= most_ms:", "if False:"),
    "a provider is asked as often as before": Fault("recovery", "<< max(0, times - 1)", "<< 0"),
    "a persons matter looks like bad luck": Fault("recovery", "if failure in PERSONS:", "if False:"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=[name.replace(" ", "-") for name in FAULTS])
def test_each_seeded_fault_is_noticed(fault: Fault, tmp_path: Path) -> None:
    notice(fault, tmp_path)
