"""docs/lifecycle.md, made from the tables. `python tests/core/lifecycle_page.py` writes it anew; a test compares."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from orchd.core.landing import STEPS
from orchd.core.lifecycle import diagram

PAGE = Path(__file__).parents[2] / "docs" / "lifecycle.md"

TEXT = """# The life of a task and of a save

<!-- Written by `python tests/core/lifecycle_page.py` from the tables of `core/lifecycle.py` and `core/landing.py`. -->

## A task

Each arrow is an event of the log. Whatever the table does not allow stops the plan before anything is stored.
A task holds its claim from `running` to the end of `saving`.

```mermaid
{task}```

## A save

A save takes ready tasks to the branch. Before `landed` nothing is visible, and it is given up (`SaveAbandoned`) as soon as
the branch is no longer where the save began, or when the last proofs refuse a task (`SaveRefused`: the task is held, the others
are saved anew); after it everything follows from the landed commit.

```mermaid
{save}```
"""


def save_diagram() -> str:
    """The steps of a save in the order of their table."""
    lines = ["stateDiagram-v2", f"    [*] --> {next(iter(STEPS))}: SavePlanned"]
    lines += [f"    {old} --> {new}: Save{new.capitalize()}" for old, new in pairwise(STEPS)]
    lines += [f"    {step} --> [*]: SaveAbandoned" for step in STEPS if step != "landed"]
    lines += [f"    {step} --> [*]: SaveClosed" for step in ("gated", "landed")]
    return "\n".join(lines) + "\n"


def page() -> str:
    """The whole page."""
    return TEXT.format(task=diagram(), save=save_diagram())


if __name__ == "__main__":
    PAGE.write_text(page())
