"""Faults in what is known of steps; each must be noticed."""

from __future__ import annotations

FAULTS: dict[str, tuple[str, str, str]] = {
    "checkpoints are forgotten": ("attempts", "    steps = join_steps(task, made)\n", "    steps = task.steps\n"),
    "late work is a checkpoint": ("attempts", "made = () if reason is Reason.FENCED else", "made ="),
    "a step goes on from the present main": ("planner", "else task.base if find_begin(task) else", "else"),
    "a step begins at the base": ("duties", "find_begin(task) or task.base,", "task.base,"),
    "all steps are run again": ("duties", "for step in list_left(task))", "for step in spec.steps)"),
    "a step begins in the air": ("steps", "made if made and _place(task.spec, made[-1].name) == place - 1 else None", "made"),
    "a retry goes on by itself": ("evolve", "event.earlier, steps=event.steps", "event.earlier, steps=task.steps"),
    "all checkpoints are kept": ("steps", "[-STEP_CHECKPOINTS:]", ""),
    "an agent is told as a step": ("attempts", "in (RUN, AGENT)", "in (RUN,)"),
    "the airlock does not know the beginning": ("duties", "fence, begin, spec.evidence)", "fence, '', spec.evidence)"),
}
