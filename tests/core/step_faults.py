"""Faults in what is known of steps; each must be noticed."""

from __future__ import annotations

FAULTS: dict[str, tuple[str, str, str]] = {
    "checkpoints are forgotten": ("attempts", "    steps = join_steps(task, made)\n", "    steps = task.steps\n"),
    "late work is a checkpoint": ("attempts", "made = () if reason is Reason.FENCED else", "made ="),
    "a step goes on from the present main": ("planner", "else task.base if find_begin(task) else", "else"),
    "a step begins at the base": ("duties", "find_begin(task) or task.base,", "task.base,"),
    "all steps are run again": ("steps", "+ 1 if task.steps else 0 :]", "* 0 if task.steps else 0 :]"),
    "a step begins in the air": ("steps", "made if made and _place(task.spec, made[-1].name) == place - 1 else None", "made"),
    "a retry goes on by itself": ("aftermath", "event.earlier, steps=event.steps", "event.earlier, steps=task.steps"),
    "all checkpoints are kept": ("steps", "[-STEP_CHECKPOINTS:]", ""),
    "an agent is told as a step": ("attempts", "in (RUN, AGENT)", "in (RUN,)"),
    "the airlock does not know the beginning": ("duties", "fence, begin, spec.evidence)", "fence, '', spec.evidence)"),
    "a failed command is tried again by an agent": ("remedies", "            if step.goal:\n", "            if True:\n"),
    "attempts of another step count": (
        "remedies",
        "(*(one for one in task.tried if one.step == named), tried)",
        "(*task.tried, tried)",
    ),
    "what was tried is kept for ever": ("aftermath", "if one.step == event.tried.step), event.tried)", "), event.tried)"),
    "each step may spend all": ("duties", "lease.budget_micros // goals", "lease.budget_micros"),
    "the steps of an agent get what one of them may spend": ("chains", "agent.budget_micros * goals", "agent.budget_micros"),
    "only the last agent is paid": ("remedies", "(*(result.report for result in left.results), left.report)", "(left.report,)"),
    "an agent is not told what is done": ("prompting", "finished=(*_find_finished(task), ", "finished=(*(), "),
    "what must be true in the end is asked of each step": (
        "prompting",
        "acceptance=step.acceptance, evidence=(), noop=False",
        "acceptance=step.acceptance",
    ),
    "a fallback has the instructions of the first": (
        "prompting",
        "find_agent(chosen_spec(task).agent, ",
        "find_agent(task.spec.agent, ",
    ),
    "every failed command is skipped": ("remedies", "elif step.optional and task.reason", "elif task.reason"),
    "no step is optional to an agent": ("remedies", "cooling, optional=step.optional)", "cooling)"),
    "a red gate is the fault of the last command": (
        "remedies",
        "COMMANDS = frozenset({Reason.EXIT, ",
        "COMMANDS = frozenset({Reason.GATE, Reason.EXIT, ",
    ),
    "what was skipped is run again": ("steps", "if step.name not in task.skipped) or", ") or"),
    "nothing is left to run": ("steps", " or (REST,)", ""),
    "a retry forgets that a step is missing": ("aftermath", "skipped=keep_skipped(task, event.steps)", "skipped=()"),
    "a retry skips what it is to do": ("steps", "if _place(task.spec, name) < last)", ")"),
    "a landing does not say what it is without": ("saving", "fence, task.skipped, task.spent)", "fence, spent=task.spent)"),
    "who needs what is optional waits for ever": ("statuses", "return task.spec.optional and", "return False and"),
    "who needs what failed starts": ("statuses", "return task.spec.optional and", "return"),
    "a task that is optional need not end": ("statuses", " and task.status is Status.FAILED", ""),
    "an agent is told of work that is not there": ("prompting", "if needed is not None and may_lack(needed):", "if False:"),
}
