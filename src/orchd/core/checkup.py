"""What the symptoms of a machine and a repository mean for orchd, each with what to do."""

from __future__ import annotations

from collections.abc import Iterator

from orchd.core.tables import tell_bytes
from orchd.model.agent import Handshake
from orchd.model.checkup import Finding, Symptoms, Verdict
from orchd.model.limits import LEAST_GIT, LEAST_PYTHON

SHELL = "shell"


def examine(seen: Symptoms) -> tuple[Finding, ...]:
    """The findings, in the order of a check-up: the ground first, agents last."""
    return (*_examine_ground(seen), *_examine_repository(seen), *_examine_programs(seen))


def is_bad(findings: tuple[Finding, ...]) -> bool:
    """Whether something keeps orchd from working."""
    return any(finding.verdict is Verdict.BAD for finding in findings)


def _examine_ground(seen: Symptoms) -> Iterator[Finding]:
    yield _compare("python", seen.python, LEAST_PYTHON)
    yield _compare("git", seen.git, LEAST_GIT)
    if seen.kernel:
        yield Finding("kernel", Verdict.BAD, f"it has no {seen.kernel}", "runs are watched by it: Linux 5.4 or newer has it")
    if seen.isolation.startswith("none"):
        hint = "run orchd as a user of its own, or in a container, for agents that you do not trust"
        yield Finding("isolation", Verdict.POOR, seen.isolation, hint)
    else:
        yield Finding("isolation", Verdict.GOOD, seen.isolation)


def _compare(check: str, found: tuple[int, ...], least: tuple[int, ...]) -> Finding:
    told, wanted = (".".join(map(str, version)) for version in (found, least))
    if not found:
        return Finding(check, Verdict.BAD, f"{check} was not found", f"install {check} {wanted} or newer")
    if found < least:
        return Finding(check, Verdict.BAD, f"{told}: too old", f"install {check} {wanted} or newer")
    return Finding(check, Verdict.GOOD, told)


def _examine_repository(seen: Symptoms) -> Iterator[Finding]:
    if seen.fault:
        hint = "repair it; `orchd check` shows where it is wrong"
        yield Finding("configuration", Verdict.BAD, seen.fault.splitlines()[0], hint)
    else:
        yield Finding("configuration", Verdict.GOOD, "can be used")
    for folder in seen.unwritable:
        yield Finding("permissions", Verdict.BAD, f"{folder} cannot be written", "give your user the right to write there")
    for folder in seen.foreign:
        yield Finding(
            "permissions", Verdict.POOR, f"{folder} belongs to another user", "serve it as the user whom it belongs to"
        )
    if not seen.unwritable and not seen.foreign:
        yield Finding("permissions", Verdict.GOOD, "all folders are ours")
    yield _examine_disk(seen)


def _examine_disk(seen: Symptoms) -> Finding:
    if seen.free_bytes is None:
        return Finding("disk", Verdict.POOR, "what is free cannot be told", "nothing stops orchd when it is full")
    told = f"{tell_bytes(seen.free_bytes)} free"
    if seen.free_bytes < seen.least_bytes:
        hint = "make room, or lower `limits.free_disk` in the configuration"
        return Finding("disk", Verdict.BAD, f"{told}: nothing starts below {tell_bytes(seen.least_bytes)}", hint)
    return Finding("disk", Verdict.GOOD, told)


def _examine_programs(seen: Symptoms) -> Iterator[Finding]:
    for shaken in seen.programs:
        verdict, what, hint = _tell_program(shaken)
        yield Finding(f"agent {shaken.program}", verdict, what, hint)


def _tell_program(shaken: Handshake) -> tuple[Verdict, str, str]:
    name, version = shaken.program, shaken.version
    if shaken.problem:
        hint = "install another version of it" if shaken.missing else f"install it, or use another program than {name}"
        return Verdict.POOR, shaken.problem, hint
    if name == SHELL:
        return Verdict.GOOD, "always there, needs no account", ""
    if shaken.login:
        return Verdict.GOOD, f"{version}, signs in with {shaken.login}", ""
    hint = f"sign in with {name} once, or set its key where orchd is started"
    return Verdict.POOR, f"{version}, but nothing was found that it would sign in with", hint
