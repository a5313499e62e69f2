"""The real programs with the scripted model, without keys and without the internet: `make test-agents`."""

from __future__ import annotations

from pathlib import Path

import pytest
from agents_page import conclusions
from cases import CASES, UNRECORDED, conclude, judge
from real_programs import BIN, REAL, Place, clock_of, perform, why_not

from orchd.adapters.agents.programs import PROGRAMS

pytestmark = [pytest.mark.real_agents, pytest.mark.timeout(400), pytest.mark.filterwarnings("default")]
DELEGATES = {"Task", "Agent", "task", "invoke_agent", "codebase_investigator", "spawn_agent", "agent"}
RUNS = [(program, case) for program in REAL for case in CASES if not CASES[case].noise and (program, case) not in UNRECORDED]


@pytest.mark.parametrize(("program", "name"), RUNS)
def test_it_ends_as_it_was_recorded(program: str, name: str, tmp_path: Path) -> None:
    if reason := why_not(program):
        pytest.skip(reason)
    case, place, conversation = CASES[name], Place(tmp_path), ""
    if case.resumes:
        first = perform(program, CASES["ok"], place)
        conversation = judge(program, first["stream"], first["code"]).conversation
    answer = perform(program, case, place, conversation)
    report = judge(program, answer["stream"], answer["code"], clock_of(case, answer))
    said = conclude(program, report, answer["code"], changed=bool(answer["changed"]))
    assert said == conclusions(program)[name], report
    # Nothing of its own lies in the workspace.
    assert {line[3:] for line in answer["changed"]} <= {"out.txt", "again.txt", "began"}
    assert not (case.forbidden and answer["changed"])
    assert not DELEGATES & set(answer["tools"])


@pytest.mark.parametrize("program", REAL)
def test_the_handshake_finds_every_flag(program: str, tmp_path: Path) -> None:
    if reason := why_not(program):
        pytest.skip(reason)
    path = ":".join((*map(str, BIN), "/usr/local/bin:/usr/bin:/bin"))
    found = PROGRAMS[program].probe({"PATH": path, "HOME": str(tmp_path)})
    assert (found.problem, found.missing) == ("", ())
