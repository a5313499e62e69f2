"""The clocks of a running agent: how long it is silent, how long nothing moves, and whether it goes in circles.

Pure, because it is the same inside a supervisor and in tests. Times are seconds on any clock that only goes forward.
"""

from __future__ import annotations

from dataclasses import replace

from orchd.core.prices import cost_of
from orchd.model.agent import Clocks, Report, Usage, Watch
from orchd.model.dataclass import dataclass

NOTHING_USED = Usage()


@dataclass(frozen=True, slots=True)
class Vigil:
    """`heard` is when it last printed something, `moved` when it last called a tool that it had not just called in the same
    way, or when its tools were last seen at work. `call` is its last call, made `same` times in a row; `tools` counts all.
    `used` is what it says that it has used, while it works."""

    heard: float
    moved: float
    tools: int = 0
    call: str = ""
    same: int = 0
    used: Usage = NOTHING_USED


def begin_vigil(now: float) -> Vigil:
    """At the start of a program."""
    return Vigil(now, now)


def hear(vigil: Vigil, report: Report, now: float) -> Vigil:
    """After one more line of its output."""
    heard = replace(note_use(vigil, report), heard=now)
    if report.tools <= vigil.tools:
        return heard
    if report.last_tool == vigil.call:
        return replace(heard, tools=report.tools, same=vigil.same + 1)
    return replace(heard, tools=report.tools, call=report.last_tool, same=1, moved=now)


def note_use(vigil: Vigil, report: Report) -> Vigil:
    """What it has used, as it says somewhere. Who has finished is not ended any more."""
    used = report.usage if report.tally.own is None else report.tally.own
    return replace(vigil, used=NOTHING_USED if report.finished else used)


def note_work(vigil: Vigil, now: float) -> Vigil:
    """What it started is at work: a long test says nothing until it has ended."""
    return replace(vigil, heard=now, moved=now)


def find_expired(vigil: Vigil, clocks: Clocks, now: float) -> Watch | None:
    """Which clock has run out; None: it may go on."""
    if spent := _find_spent(vigil.used, clocks):
        return spent
    if vigil.same >= clocks.repeats:
        return Watch.REPETITION
    if now - vigil.heard >= clocks.silence_seconds:
        return Watch.SILENCE
    return Watch.PROGRESS if now - vigil.moved >= clocks.progress_seconds else None


def _find_spent(used: Usage, clocks: Clocks) -> Watch | None:
    """Which of the amounts that it was allowed is used up."""
    if clocks.micros and (cost_of(used, clocks.price) or 0) >= clocks.micros:
        return Watch.MONEY
    return Watch.TOKENS if clocks.tokens and used.input_tokens + used.output_tokens >= clocks.tokens else None
