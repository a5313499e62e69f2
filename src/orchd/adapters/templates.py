"""The files that `orchd init` writes: inside the installed package, or beside `src/` in a source tree."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

_SOURCE_TREE = Path(__file__).parents[3] / "templates"


def template(name: str) -> str:
    """The text of a template. Raises FileNotFoundError when orchd was installed without it."""
    packed = files("orchd") / "templates" / name
    if packed.is_file():
        return packed.read_text(encoding="utf-8")
    return (_SOURCE_TREE / name).read_text(encoding="utf-8")
