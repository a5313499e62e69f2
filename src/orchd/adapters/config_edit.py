"""Writing one key of `.orch/config.yaml` for a person: all else of the file stays as it is, byte for byte.

Rule: nothing is written that cannot be read back as what was meant.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from orchd.adapters.durable import write_durably
from orchd.adapters.schema import parse_config
from orchd.adapters.settings import CONFIG_PATH
from orchd.errors import UsageError
from orchd.model.config import Config
from orchd.model.merge import Recipe

_SECTION = re.compile(r"^conflicts:", re.MULTILINE)
_INSIDE = r"(?:[ \t]+.*\n|[ \t]*#.*\n|\n)*?"
_AUTOMATIC = re.compile(rf"^(conflicts:[ \t]*(?:#.*)?\n{_INSIDE}[ \t]+automatic:[ \t]*)\[[^\]\n]*\]", re.MULTILINE)
"""Up to the list of `automatic`, when both are written in the plain way."""


def write_automatic(checkout: Path, recipes: Sequence[Recipe], why: Sequence[str]) -> str:
    """Set `conflicts.automatic`; `why` becomes comments where the key is new. The new line. Raises UsageError when the file
    is bad, or is written in a way that a person must change."""
    path = checkout / CONFIG_PATH
    before = path.read_text(encoding="utf-8")
    known = parse_config(CONFIG_PATH, before.encode())
    if not isinstance(known, Config):
        raise UsageError(f"{CONFIG_PATH} has mistakes", "`orchd check` shows them")
    words = f"[{', '.join(recipes)}]"
    if _SECTION.search(before) is None:
        notes = "".join(f"# {line}\n" for line in why)
        after = f"{before.rstrip()}\n\n{notes}conflicts:\n  automatic: {words}\n"
    else:
        after = _AUTOMATIC.sub(lambda found: found[1] + words, before, count=1)
    read = parse_config(CONFIG_PATH, after.encode())
    if not isinstance(read, Config) or read.resolving.recipes != tuple(recipes):
        raise UsageError(f"`conflicts:` of {CONFIG_PATH} cannot be changed here", f"write `automatic: {words}` there yourself")
    if after != before:
        write_durably(path, after.encode())
    return f"automatic: {words}"
