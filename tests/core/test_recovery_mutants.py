"""Seeded faults in recovery and in costs: each must be noticed by their rules."""

from __future__ import annotations

from pathlib import Path

import failure_faults
import pytest
from test_mutants import Fault, notice, thin_out

FAULTS = {
    "a step is tried for ever": Fault("recovery", "return len(case.tried) < STEP_ATTEMPTS", "return True"),
    "a model is tried twice": Fault("recovery", "if one.mind not in known and fits(one)]", "if fits(one)]"),
    "only the last model counts as tried": Fault(
        "recovery", "one.candidate.mind for one in case.tried}", "case.last.candidate.mind}"
    ),
    "the vendor that failed is asked again": Fault("recovery", "fits=lambda one: one.vendor != vendor)", "fits=bool)"),
    "who wants to be left alone is asked": Fault(
        "recovery", "if cooling.get(one.vendor, case.now_ms) <= case.now_ms)", "if True)"
    ),
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
    "a provider is not believed": Fault("recovery", "if last.until_ms and now_ms < last.until_ms <= most_ms:", "if False:"),
    "a provider is asked as often as before": Fault("recovery", "<< max(0, times - 1)", "<< 0"),
    "a persons matter looks like bad luck": Fault("recovery", "if failure in PERSONS:", "if False:"),
    "a lost attempt is not one of an agent": Fault("attempts", " and not _has_remedies(task):", ":"),
    "a circle is a lack of time": Fault("attempts", "seen.report.ended_by in OWN_CLOCKS or ", ""),
    "an answer is forgotten with a lost attempt": Fault("attempts", " and task.earlier is None", ""),
    "advice names the setting of another limit": Fault("recovery", "CLOSER.get((last.failure, case.cause), ", "str("),
    "nobody looks which clock it was": Fault("remedies", "return clock or task.reason", "return task.reason"),
    "who cannot be held to its rules is started": Fault("chains", "not (agent and agent.objection) and ", ""),
    "anybody is who cannot be held to its rules": Fault("agents", " and not one.objection]", "]"),
    # costs
    "who told nothing was free": Fault(
        "remedies", "return silent and not report.finished", "return False and not report.finished"
    ),
    "a lost one was free": Fault("remedies", "list_reports(left) or unheard", "list_reports(left)"),
    "an answer costs money": Fault("remedies", " and before.rework is None", ""),
    "what is unknown is nothing": Fault(
        "costs",
        "    cost = None if bill.untold else price_of(new, bill.model, prices)\n    blank",
        "    cost = price_of(new, bill.model, prices)\n    blank",
    ),
    "steps cost nothing": Fault("costs", "    if not name:\n        return steps\n", "    return steps\n"),
    "only the last attempt of a step costs": Fault(
        "costs", "if step.name == name), StepSpent(name))", "if False), StepSpent(name))"
    ),
    "the bill of a step is nobodys": Fault(
        "remedies", "step=at if before.spec.steps else", 'step="" if before.spec.steps else'
    ),
    "a task without steps has one": Fault("remedies", 'step=at if before.spec.steps else ""', "step=at"),
    "nobody knows which step was lost": Fault("remedies", "step or name_next(state.tasks[name])", "step"),
    "what is told is not what is spent": Fault("steps", "*([(last, left.report)] if left.report else ()))", ")"),
    "money ends nobody": Fault("vigil", "    if clocks.micros and", "    if False and"),
    "who may spend nothing may spend all": Fault("vigil", "    if clocks.micros and ", "    if "),
    "who tells no money is free": Fault("vigil", "cost_of(used, clocks.price)", "used.cost_micros"),
    "a conversation is ended by what it used before": Fault("vigil", "if report.tally.own is None", "if True"),
    "no price is known": Fault("agents", "tokens=agent.max_tokens, price=price", "tokens=agent.max_tokens"),
    "an agent may spend the whole grant": Fault("duties", "clocks=replace(job.clocks, micros=micros)", "clocks=job.clocks"),
    "why we ended it is not told": Fault("remedies", "report.error or ended or", "report.error or"),
    "what another owner ends was free": Fault("planner", "    book_taken,\n    watch", "    watch"),
    "what has not begun costs, too": Fault("remedies", "run and run.phase is Phase.RUNNING:", "run:"),
    "a resumed conversation is counted twice": Fault("costs", "if before is None or not told.cumulative:", "if True:"),
    "what counts each run alone is subtracted": Fault("costs", "before is None or not told.cumulative", "before is None"),
    "a counter that begins anew is lost": Fault("costs", "if min(sums) < 0:", "if False:"),
    "a conversation has no meter": Fault("costs", "return (*others, Meter(", "return (*others,) or (Meter("),
    "the first meter of a conversation counts for ever": Fault(
        "costs", "if one.conversation != bill.conversation)", "if True)"
    ),
    "money that nobody knows is taken for none": Fault("costs", "unpriced=old.unpriced + (cost is None)", "unpriced=0"),
    "money that nobody knows is guessed": Fault("prices", "        return None\n    fresh", "        return 0\n    fresh"),
    "what a program tells as free is known": Fault(
        "prices", "        return None\n    fresh", "        return used.cost_micros\n    fresh"
    ),
    "what a program does not know is free": Fault("prices", "    if used.cost_micros:", "    if used.cost_micros is not None:"),
    "what the program says is overruled": Fault("prices", "    if used.cost_micros:", "    if False:"),
    "cached tokens are paid twice": Fault("prices", "max(0, used.input_tokens - used.cached_tokens)", "used.input_tokens"),
    "less than a millionth is free": Fault("prices", "-(-total // MILLION)", "total // MILLION"),
    "any price will do": Fault("prices", "key=lambda one: (one.model == model, len(one.model))", "key=lambda one: 0"),
    "what runs is not counted": Fault("costs", " - _granted(grants, asks, by)", ""),
    "what was spent is not counted": Fault("costs", " - _spent(ledger, asks, by)", ""),
    "the loosest cap counts": Fault("costs", "return min(rests", "return max(rests"),
    "one cap is for all": Fault("costs", "if name(one) == name(asks))", "if True)"),
    "an account replaces another": Fault("costs", "if _key(one) == _key(blank)), blank)", "if False), blank)"),
    "the ledger grows for ever": Fault("costs", "})[-ACCOUNT_DAYS:]", "})"),
    "meters pile up": Fault("costs", "[-METERS:]", ""),
    # carried out
    "who must wait starts": Fault("checks", "lambda room: room.resting", "lambda room: ()"),
    "nobody looks when a provider can be asked": Fault("planner", ", warm_ms) if at", ", None) if at"),
    "slots are those of who was wished first": Fault(
        "quotas", "return pick.agent if pick else spec.agent", "return spec.agent"
    ),
    "a provider of a definition has no limit": Fault("quotas", "if pick and pick.provider:", "if False:"),
    "a running fallback counts as another": Fault("chains", "if waits else task.pick", "if waits else None"),
    "one agent takes all that is left": Fault("desk", " or find_share(self.room.config.caps)", ""),
    "a share is larger than the smallest cap": Fault("costs", "least = min((cap", "least = max((cap"),
    "a run waits for ever": Fault("planner", "warm_ms - now_ms <= config.wait_seconds * 1000", "True"),
    "a run does not wait": Fault("planner", "return warm_ms is not None and", "return False and"),
    "everybody may propose": Fault("proposing", "if most.tasks == 0:", "if False:"),
    "proposals have no number": Fault("proposing", "if task.proposed + taken >= most.tasks else", "if False else"),
    "one proposal too many": Fault("proposing", "taken >= most.tasks else", "taken > most.tasks else"),
    "each attempt proposes anew": Fault("proposing", "if task.proposed + taken", "if taken"),
    "proposals are not counted": Fault("evolve", "proposed=task.proposed + len(event.taken)", "proposed=0"),
    "proposals have no depth": Fault("proposing", "if task.depth >= most.depth:", "if False:"),
    "a proposal is as deep as its proposer": Fault("proposing", "depth=task.depth + 1", "depth=task.depth"),
    "a failed attempt proposes": Fault("proposing", "frozenset({Status.READY, Status.UNCHANGED})", "frozenset(Status)"),
    "an agent proposes commands": Fault("proposing", "if wish.run or any(step.run for step in wish.steps):", "if False:"),
    "an agent proposes work for others": Fault("proposing", "if {wish.agent, *wish.fallbacks} <= chain else", "if True else"),
    "a proposal takes the place of a task": Fault("proposing", "if one.id in state.tasks or", "if"),
    "a proposal is more urgent than its proposer": Fault("proposing", "min(wish.priority, spec.priority)", "wish.priority"),
    "proposals are heard by nobody": Fault("planner", "    hear_proposals,\n", ""),
    "tokens are no budget": Fault("remedies", "        tokens=candidate.budget_tokens,\n", ""),
    "nobody knows who holds more": Fault("chains", "context = price.context_tokens if price else 0", "context = 0"),
    "an agent is not told how many tokens it may use": Fault("agents", ", tokens=agent.max_tokens,", ","),
    "auto is somebody who cannot be used": Fault("agents", "one.runner in seen.fine and", "one.runner in seen.installed and"),
    "auto is decided before anybody has answered": Fault("agents", " or (AUTO in names and bool(seen.unasked))", ""),
    "who is not installed is asked": Fault("chains", " and not _is_missing(one.program, seen))", ")"),
    "nobody is left where nobody is installed": Fault("chains", "return able or tuple(one for _, one in chain)", "return able"),
    "auto brings back a definition as a bare program": Fault("agents", "if name not in named)", "if True)"),
    "caps are overlooked": Fault("checks", "lambda room: room.config.caps != Caps()", "lambda room: False"),
    "costs are never booked": Fault("planner", "    book_costs,\n", ""),
    "a provider that was asked stays cooled": Fault("evolve", "draft.cooling.pop(event.pick.vendor, None)", "pass"),
    "a grant is not kept to": Fault("duties", "if lease.budget_micros else job", "if False else job"),
    "another starts than the one who was chosen": Fault("duties", "chosen_spec(task), ", "task.spec, "),
}

FAULTS |= {name: Fault(*fault) for name, fault in failure_faults.FAULTS.items()}


@pytest.mark.parametrize("fault", thin_out(FAULTS))
def test_each_seeded_fault_is_noticed(fault: Fault, tmp_path: Path) -> None:
    notice(fault, tmp_path)
