"""Handshakes of agent programs and findings of a check-up as rows."""

from __future__ import annotations

from collections.abc import Iterable

from orchd.cli.fields import Row
from orchd.model.agent import Handshake
from orchd.model.checkup import Finding


def view_handshakes(shaken: Iterable[Handshake]) -> tuple[Row, ...]:
    """One row for each program."""
    return tuple(
        {
            "program": one.program,
            "usable": not one.problem,
            "version": one.version,
            "login": one.login,
            "efforts": tuple(map(str, one.efforts)),
            "models": one.models,
            "missing": one.missing,
            "path": one.path,
            "problem": one.problem,
        }
        for one in shaken
    )


def view_findings(findings: Iterable[Finding]) -> tuple[Row, ...]:
    """One row for each finding."""
    return tuple({"check": one.check, "result": str(one.verdict), "what": one.what, "hint": one.hint} for one in findings)
