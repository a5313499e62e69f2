"""The log of an agent for people: calls, words, refusals and errors in the place of its stream.

Rule: what is no event of the program is shown as it is, so nothing that somebody might look for is hidden.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orchd.adapters.agents.events import Lines
from orchd.adapters.agents.program import Program
from orchd.adapters.agents.programs import PROGRAMS
from orchd.adapters.evidence import read_program
from orchd.adapters.place import Place
from orchd.model.agent import Report
from orchd.model.ids import RunId


def tell_log(place: Place, run: RunId, lines: Iterator[bytes]) -> Iterator[bytes]:
    """The log of a run as a person reads it: that of a command as it is."""
    program = PROGRAMS.get(read_program(place, run))
    return lines if program is None else tell_stream(program, lines)


def tell_stream(program: Program, lines: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a stream as a person reads them. Very long lines come in pieces, as `read_log` gives them."""
    report, whole = Report(), Lines()
    for piece in lines:
        for line in whole.feed(piece):
            before, report = report, program.read(line, report)
            yield from _tell_step(line, before, report)
    rest = whole.rest()
    if rest and not rest.startswith(b"{"):
        yield rest


def _tell_step(line: bytes, before: Report, after: Report) -> Iterator[bytes]:
    if not line.lstrip().startswith(b"{"):
        yield line + b"\n"
        return
    if after.tools > before.tools:
        yield f"> {after.last_tool}\n".encode(errors="replace")
    if after.words and after.words != before.words:
        yield f"{after.words.rstrip()}\n".encode(errors="replace")
    if len(after.denied) > len(before.denied):
        yield f"! refused: {after.denied[-1]}\n".encode(errors="replace")
    if after.error and after.error != before.error:
        yield f"! {after.error}\n".encode(errors="replace")
