"""The budgets of the house, as a check: `python tests/shape.py src` exits 1 when one of them is broken.

Functions: median <= 8 lines, 90 % <= 20, 95 % <= 35, none > 70. Files <= 400 lines. Classes <= 12 methods. Lines are
counted without docstrings (functions) and without blank and comment lines (files).
"""

from __future__ import annotations

import ast
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path


def main(folder: str) -> int:
    sizes, faults = [], []
    for path in sorted(Path(folder).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        lines = sum(1 for line in text.splitlines() if line.strip() and not line.strip().startswith("#"))
        faults += [f"{path}: {lines} lines"] if lines > 400 else []
        sizes += [size for _, size in functions(tree)]
        faults += [f"{path}: {name} has {size} lines" for name, size in functions(tree) if size > 70]
        faults += [f"{path}: {name} has {count} methods" for name, count in classes(tree) if count > 12]
    sizes.sort()
    shares = {20: sum(size <= 20 for size in sizes) / len(sizes), 35: sum(size <= 35 for size in sizes) / len(sizes)}
    faults += [f"median function has {statistics.median(sizes)} lines"] if statistics.median(sizes) > 8 else []
    faults += ["fewer than 90 % of functions have <= 20 lines"] if shares[20] < 0.90 else []
    faults += ["fewer than 95 % of functions have <= 35 lines"] if shares[35] < 0.95 else []
    print(f"{len(sizes)} functions, median {statistics.median(sizes):.0f} lines, longest {sizes[-1]}", *faults, sep="\n")
    return 1 if faults else 0


def functions(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            doc = (first.end_lineno or 0) - first.lineno + 1 if ast.get_docstring(node) else 0
            yield node.name, (node.end_lineno or 0) - node.lineno + 1 - doc


def classes(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield node.name, sum(isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) for item in node.body)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
