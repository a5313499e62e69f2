"""Text of agents, files and strangers, made unable to act on a terminal.

Rule: nothing that orchd did not write itself reaches a person's terminal without passing here.
"""

from __future__ import annotations

import re

_SEQUENCE = re.compile(
    r"""
    (?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?                    # CSI: colours, moving the cursor
    | (?:\x1b[]PX^_]|[\x90\x98\x9d-\x9f])                # OSC, DCS and other strings, up to their end
      [^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?
    | \x1b[ -/]*[0-~]?                                   # all other escapes
    """,
    re.VERBOSE,
)
_INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
_OVERWRITE = re.compile(r"\r+(?!\n)")


def inert(text: str) -> str:
    """One line in which every character that cannot be seen is spelled as its escape, like `\\x1b` or `\\n`."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def plain(line: bytes) -> str:
    """A line of a log without control sequences. Text that would overwrite what stands before it gets a line of its own."""
    text = _SEQUENCE.sub("", line.decode(errors="replace"))
    return _INVISIBLE.sub("", _OVERWRITE.sub("\n", text))
