"""The grammar of claim globs: segments of literal text with `*` and `?`, or a whole segment `**`.

Small on purpose: whatever is accepted here, the overlap of two globs can be decided. Nothing that a shell would expand
in another way (`[a-z]`, `{a,b}`, `!x`) is let in, so nobody claims less than they think.
"""

from __future__ import annotations

import re

from orchd.model.limits import PATH_BYTES

_FAULTS = (
    (re.compile(r"\A\Z"), "it is empty"),
    (re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]"), "it contains a control character"),
    (re.compile(r"\A/"), "it is absolute; paths start at the root of the repository"),
    (re.compile(r"\\"), "it contains a backslash; segments are separated by `/` and nothing is escaped"),
    (re.compile(r"\A!"), "`!` does not exclude anything; name what the task may change"),
    (re.compile(r"[\[\]{}]"), "`[`, `]`, `{` and `}` are not supported; write several globs"),
    (re.compile(r"//"), "it contains an empty segment (`//`)"),
    (re.compile(r"(\A|/)\.\.?(/|\Z)"), "it contains a `.` or `..` segment"),
    (re.compile(r"\*\*\*"), "it contains `***`; `**` stands for any number of segments"),
    (re.compile(r"[^/]\*\*|\*\*[^/]"), "`**` must be a segment of its own, like `src/**/test.py`"),
    (re.compile(r"(\A|/)\s|\s(/|\Z)"), "a segment begins or ends with a space"),
    (re.compile(r"(\A|/)\.git(/|\Z)", re.IGNORECASE), "`.git` belongs to git"),
)

_UNSPEAKABLE = re.compile(r"[*?\\\[\]{}!\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def glob_fault(glob: str) -> str | None:
    """Why `glob` cannot be claimed, as half a sentence; None when it can. A trailing slash is a fault-free folder."""
    for pattern, fault in _FAULTS:
        if pattern.search(glob):
            return fault
    if len(glob.encode()) > PATH_BYTES:
        return f"it is longer than {PATH_BYTES} bytes"
    return None


def name_exactly(path: str) -> str:
    """The glob for one path. What means something in a glob, or may not stand in one, becomes `?`: a little wider, never
    narrower."""
    return _UNSPEAKABLE.sub("?", path)


def complete_glob(glob: str) -> str:
    """The glob as it is stored: `src/` means everything below, `src/**`."""
    return glob + "**" if glob.endswith("/") else glob
