"""The agent programs that orchd knows. A new one is a module and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from orchd.adapters.agents import claude, shell
from orchd.adapters.agents.program import Program

_ALL: tuple[Program, ...] = (claude.PROGRAM, shell.PROGRAM)

PROGRAMS: Mapping[str, Program] = {program.name: program for program in _ALL}
