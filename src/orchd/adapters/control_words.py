"""The control folder from the task's side: asking for more, and reading the answer. Clients import this, so it stays light."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from orchd.adapters.durable import write_durably
from orchd.core.briefing import ANSWERS, answer_to
from orchd.core.extensions import ASK
from orchd.errors import UsageError
from orchd.model.claim import PathSpec


def add_request(folder: str, words: Sequence[str]) -> None:
    """Put the words below those that are asked for already. Raises UsageError where there is no control folder."""
    path = Path(folder) / f"{ASK}.ask"
    try:
        before = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        write_durably(path, "".join(f"{line}\n" for line in dict.fromkeys([*before, *words])).encode())
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}", "is this a task of orchd that still runs?") from error


def read_answer(folder: str, paths: Sequence[PathSpec]) -> tuple[str, str]:
    """`granted`, `refused` with the reason, or `asked` when there is no answer yet."""
    path = Path(folder) / ANSWERS
    return answer_to(paths, path.read_text(encoding="utf-8") if path.exists() else "")
