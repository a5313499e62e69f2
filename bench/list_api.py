"""Writes the public classes and functions of a package as Markdown: `python list_api.py PACKAGE FILE`.

It becomes part of the project in `real_project.py`, whose tasks run it. It reads source, and imports nothing of it.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path


def main(package: str, target: str) -> None:
    """Write the listing of all modules below the folder `package`."""
    lines = [f"# {package}", ""]
    for module in sorted(Path(package).rglob("*.py")):
        found = list(list_names(ast.parse(module.read_text(encoding="utf-8"))))
        lines += [f"## {module}", "", *found, ""] if found else []
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    Path(target).write_text("\n".join(lines), encoding="utf-8")


def list_names(tree: ast.Module) -> Iterator[str]:
    """A line for each public class and function, with the methods of a class below it."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield f"- class `{node.name}({', '.join(map(ast.unparse, node.bases))})`"
            yield from (f"  {line}" for line in map(_describe, node.body) if line)
        elif line := _describe(node):
            yield line


def _describe(node: ast.stmt) -> str:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
        return f"- `{node.name}({ast.unparse(node.args)})`"
    return ""


if __name__ == "__main__":
    main(*sys.argv[1:3])
