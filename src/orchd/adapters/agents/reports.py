"""What becomes of the report of an agent while its stream is read, in the same words for all programs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from orchd.adapters.agents.events import Event, text
from orchd.model.agent import Report
from orchd.model.limits import AGENT_DENIALS, AGENT_WORDS_CHARS

Reader: TypeAlias = Callable[[Event, Report], Report]

_STATUS = re.compile(
    r"(?:\bstatus(?:[ _]?code)?\W{1,4}|\bAPI Error:\s+|\bHTTP(?:/[\d.]+)?\s+|\"code\":\s*|\()([45]\d\d)\b", re.IGNORECASE
)


def read_by(readers: Mapping[str, Reader], event: Event, report: Report) -> Report:
    """The report after an event, as the reader of its `type` says; without one it means nothing."""
    reader = readers.get(text(event, "type"))
    return reader(event, report) if reader else report


def find_status(words: str) -> int:
    """The HTTP status that a message of an error names; 0 when it names none."""
    found = _STATUS.search(words)
    return int(found[1]) if found else 0


def fail(report: Report, error: str, status: int = 0) -> Report:
    """With the last error of the stream. Without a status the one in its words is taken, or the former is kept."""
    return replace(report, finished=False, error=_end(error), status=status or find_status(error) or report.status)


def call(report: Report, tool: str, detail: str = "") -> Report:
    """With one more call of a tool."""
    line = " ".join(f"{tool} {detail}".split())
    return replace(report, finished=False, tools=report.tools + 1, last_tool=line[:AGENT_WORDS_CHARS])


def deny(report: Report, tool: str) -> Report:
    """With a call that was refused."""
    return replace(report, denied=(*report.denied, tool)[:AGENT_DENIALS]) if tool else report


def say(report: Report, words: str) -> Report:
    """With what the agent said last."""
    return replace(report, words=_end(words)) if words.strip() else report


UNSTARTED: Mapping[int, str] = {126: "it could not be started", 127: "it could not be started: it is not installed"}
"""What exit codes say of a program that said nothing."""


def end_badly(report: Report, code: int) -> Report:
    """At the end of a program that did not say that it was done."""
    how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
    silent = f"it {how} and did not say that it was done"
    return replace(report, finished=False, error=report.error or UNSTARTED.get(code, silent))


def go_on(report: Report) -> Report:
    """After an answer: what went wrong before did not end it."""
    return replace(report, error="", status=0)


def finish(report: Report) -> Report:
    """It says that its turn is over, and well."""
    return replace(report, finished=True, error="", status=0)


def close(report: Report, code: int) -> Report:
    """At the end of a program that says so in its stream when it is done."""
    return report if report.finished and code == 0 else end_badly(report, code)


def _end(words: str) -> str:
    return words.strip()[-AGENT_WORDS_CHARS:]
