"""Parts: what a step that is too large is divided into, as its task declares or as its agent proposed.

Rule: what an agent proposes is a stranger's text. A proposal counts whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from orchd.core.inert import inert
from orchd.model.ids import is_slug
from orchd.model.limits import SUB_STEPS
from orchd.model.recovery import Part
from orchd.model.work import Step, TaskSpec

PARTS = "parts"
"""The name of the request in a control folder."""


def read_parts(lines: Iterable[str]) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    """What `NAME: GOAL` lines propose, and what is wrong with them: then they propose nothing."""
    said = [line.partition(":") for line in lines]
    parts = tuple(Part(name.strip(), inert(goal.strip())) for name, _, goal in said)
    faults = tuple(_find_faults(parts))
    return (() if faults else parts), faults


def _find_faults(parts: tuple[Part, ...]) -> Iterator[str]:
    if parts and not 1 < len(parts) <= SUB_STEPS:
        yield f"2 to {SUB_STEPS} parts are a plan, and not {len(parts)}"
    for part in parts:
        if not (is_slug(part.name) and part.goal):
            yield f"`{inert(part.name)}: {part.goal}` is not `NAME: what to achieve` with a name of a-z, 0-9 and hyphens"
    if len({part.name for part in parts}) < len(parts):
        yield "two of its parts have one name"


def find_parts(step: Step, asked: Mapping[str, tuple[str, ...]]) -> tuple[Part, ...]:
    """What a step can be divided into: as its task declares, else as its agent asked."""
    return step.parts or read_parts(asked.get(PARTS, ()))[0]


def divide(spec: TaskSpec, step: Step, parts: tuple[Part, ...]) -> TaskSpec:
    """What is asked of a task when `step` (all of it, where it has none) is divided. The last part answers for the whole."""
    beneath = f"{step.name}." if spec.steps else ""
    steps = [
        Step(f"{beneath}{part.name}", goal=part.goal, optional=step.optional, depth=step.depth + 1, whole=step.goal)
        for part in parts
    ]
    steps[-1] = replace(steps[-1], acceptance=step.acceptance)
    at = next((at for at, one in enumerate(spec.steps) if one.name == step.name), 0)
    return replace(spec, steps=(*spec.steps[:at], *steps, *spec.steps[at + 1 :]))
