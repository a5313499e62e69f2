"""Problems as text: what is wrong, where, the line itself with a mark under it, and what to do.

Rule: the excerpt and the names in a message come from a stranger's file; everything printed here is inert.
"""

from __future__ import annotations

from orchd.core.inert import inert
from orchd.core.tables import count_cells
from orchd.model.problem import Problem

_LINE_WIDTH = 160


def render_problem(problem: Problem) -> str:
    """Several lines without a newline at the end, for a terminal or a text file."""
    lines = [f"orchd: error[{problem.code}]: {inert(problem.message)}", f" --> {_place(problem)}"]
    if problem.excerpt and problem.line:
        lines += _quote(problem)
    if problem.hint:
        lines.append(f"help: {inert(problem.hint)}")
    return "\n".join(lines)


def _place(problem: Problem) -> str:
    position = f":{problem.line}:{problem.column}" if problem.line else ""
    return inert(problem.file) + position


def _quote(problem: Problem) -> list[str]:
    """The source line and the mark. Both are cut at the same width; a mark beyond the cut is left out."""
    number = str(problem.line)
    margin = " " * len(number)
    before = inert(problem.excerpt[: problem.column - 1])
    marked = inert(problem.excerpt[problem.column - 1 : problem.column - 1 + problem.width])
    lines = [f"{margin} |", f"{number} | {inert(problem.excerpt)[:_LINE_WIDTH]}"]
    if len(before) < _LINE_WIDTH:
        mark = "^" * max(1, count_cells(marked[: _LINE_WIDTH - len(before)]))
        lines.append(f"{margin} | {' ' * count_cells(before)}{mark}")
    return lines
