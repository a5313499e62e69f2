"""Names that do not exist, and what was probably meant."""

from __future__ import annotations

from collections.abc import Collection

from orchd.core.inert import inert
from orchd.errors import UsageError


def unknown(kind: str, word: str, known: Collection[str], listing: str) -> UsageError:
    """The error for `word`; `listing` says what lists those that exist."""
    import difflib

    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    hint = f"did you mean `{close[0]}`?" if close else listing
    return UsageError(f"there is no {kind} `{inert(word)}`", hint)
