"""What becomes of the report of an agent while its stream is read, in the same words for all programs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from typing import TypeAlias

from orchd.adapters.agents.events import Event, parse, text
from orchd.adapters.agents.program import Signs
from orchd.model.agent import Report, Tally, Usage
from orchd.model.dataclass import dataclass
from orchd.model.limits import AGENT_DENIALS, AGENT_WORDS_CHARS, OPEN_ANSWERS

Reader: TypeAlias = Callable[[Event, Report], Report]

_TOKENS = ("input_tokens", "cached_tokens", "output_tokens")
_STATUS = re.compile(
    r"(?:\bstatus(?:[ _]?code)?\W{1,4}|\bAPI Error:\s+|\bHTTP(?:/[\d.]+)?\s+|\"code\":\s*|\()([45]\d\d)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Stream:
    """What is the same for all programs that print events with a `type`. `readers` say what each type means, one without a
    reader means nothing; `conversation` is where events name theirs. `asides` are lines for people that tell of an error,
    and how (empty: by their first group), `codes` are exit codes that tell of one, with its HTTP status."""

    signs: Signs
    readers: Mapping[str, Reader]
    conversation: str
    asides: tuple[tuple[re.Pattern[bytes], str], ...] = ()
    codes: Mapping[int, tuple[int, str]] = field(default_factory=dict)

    def read(self, line: bytes, report: Report) -> Report:
        """See the protocol."""
        event = parse(line)
        for pattern, meaning in () if event else self.asides:
            if found := pattern.search(line):
                return fail(report, meaning or found[1].decode("utf-8", "replace"))
        known = replace(report, conversation=report.conversation or text(event, self.conversation))
        reader = self.readers.get(text(event, "type"))
        return reader(event, known) if reader else known

    def close(self, report: Report, code: int) -> Report:
        """Some end with exit code 0 when they were refused or interrupted: it counts what they said."""
        status, why = self.codes.get(code, (0, ""))
        return close(replace(report, status=report.status or status, error=report.error or why), code)


def count(report: Report, answer: str, used: Usage) -> Report:
    """With what one answer used. It may be told again, with more: then the last word about it counts."""
    others = tuple(one for one in report.tally.answers if one[0] != answer)
    before = next((told for name, told in report.tally.answers if name == answer), Usage())
    sums = {name: getattr(report.usage, name) + getattr(used, name) - getattr(before, name) for name in _TOKENS}
    tally = replace(report.tally, answers=(*others, (answer, used))[-OPEN_ANSWERS:])
    return replace(report, usage=replace(report.usage, **sums), tally=tally)


def settle(report: Report, told: Usage) -> Report:
    """With a sum in the place of all that single answers told."""
    return replace(report, usage=told, tally=Tally(settled=told))


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
