"""Faults in what is known of steps; each must be noticed."""

from __future__ import annotations

FAULTS: dict[str, tuple[str, str, str]] = {
    "checkpoints are forgotten": ("attempts", "    steps = join_steps(task, made)\n", "    steps = task.steps\n"),
    "late work is a checkpoint": ("attempts", "made = () if reason is Reason.FENCED else", "made ="),
    "a step goes on from the present main": ("planner", "else task.base if find_begin(task) else", "else"),
    "a step begins at the base": ("duties", "find_begin(task) or task.base,", "task.base,"),
    "all steps are run again": ("steps", "+ 1 if task.steps else 0 :]", "* 0 if task.steps else 0 :]"),
    "a step begins in the air": ("steps", "made if made and _place(task.spec, made[-1].name) == place - 1 else None", "made"),
    "a retry goes on by itself": ("evolve", "event.earlier, steps=event.steps", "event.earlier, steps=task.steps"),
    "all checkpoints are kept": ("steps", "[-STEP_CHECKPOINTS:]", ""),
    "an agent is told as a step": ("attempts", "in (RUN, AGENT)", "in (RUN,)"),
    "the airlock does not know the beginning": ("duties", "fence, begin, spec.evidence)", "fence, '', spec.evidence)"),
    "a failed command is tried again by an agent": ("remedies", "            if step.goal:\n", "            if True:\n"),
    "attempts of another step count": (
        "remedies",
        "(*(one for one in task.tried if one.step == named), tried)",
        "(*task.tried, tried)",
    ),
    "what was tried is kept for ever": ("evolve", "if one.step == event.tried.step), event.tried)", "), event.tried)"),
    "each step may spend all": ("duties", "lease.budget_micros // goals", "lease.budget_micros"),
    "the steps of an agent get what one of them may spend": ("chains", "agent.budget_micros * goals", "agent.budget_micros"),
    "only the last agent is paid": ("remedies", "(*(result.report for result in left.results), left.report)", "(left.report,)"),
    "an agent is not told what is done": ("prompting", "finished=(*_find_finished(task), ", "finished=("),
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
}
