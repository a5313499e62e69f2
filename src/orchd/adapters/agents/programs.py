"""The agent programs that orchd knows. A new one is a module and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from orchd.adapters.agents import aider, claude, codex, gemini, kilo, opencode, shell
from orchd.adapters.agents.program import Program

_ALL: tuple[Program, ...] = (
    claude.PROGRAM,
    codex.PROGRAM,
    gemini.PROGRAM,
    opencode.PROGRAM,
    kilo.PROGRAM,
    aider.PROGRAM,
    shell.PROGRAM,
)

PROGRAMS: Mapping[str, Program] = {program.signs.program: program for program in _ALL}
"""By name, in the order in which `auto` prefers them when nothing else decides."""
