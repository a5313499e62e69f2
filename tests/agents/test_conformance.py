"""What orchd concludes from what the real programs printed, in every case that they were put through."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from agents_page import PAGE, conclusions, page
from cases import CASES, OPEN, RECORDED, UNRECORDED, judge, read_recorded, recorded_cases, restore, with_noise

from orchd.adapters.agents.handshake import shake_hands
from orchd.adapters.agents.program import Folders
from orchd.adapters.agents.programs import PROGRAMS
from orchd.model.agent import Job, Permit, Report, Rule, Tool

every_program = pytest.mark.parametrize("program", PROGRAMS)
# Everything that may be concluded in a case, whatever the program.
ALLOWED = {
    "ok": {"finished; gates decide"},
    "nothing done": {"nothing done"},
    "denied": {"permission (Bash refused)", "permission (run_shell_command refused)", "permission (bash refused)"}
    | {"permission (edit refused)", "nothing done"},
    "400": {"config"},
    "401": {"auth"},
    "429": {"rate-limit"},
    "500": {"unavailable", "timeout"},
    "hang": {"timeout"},
    "killed": {"model-failure", "unknown"},
    "huge output": {"finished; gates decide", "nothing done", "unknown"},
    "noise": {"finished; gates decide"},
    "resume": {"finished; gates decide"},
}


def whole(program: str, case: str) -> tuple[Report, dict[str, object]]:
    [recorded] = [kept for one, kept in recorded_cases(program) if one.name == case]
    return judge(program, restore(recorded["lines"]), recorded["code"]), dict(recorded)


@every_program
def test_every_case_is_concluded_rightly(program: str) -> None:
    found = conclusions(program)
    assert {case: said for case, said in found.items() if said not in ALLOWED[case]} == {}
    assert {case for case in CASES if case not in found} == {case for name, case in UNRECORDED if name == program}


def test_the_table_in_the_documents_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python tests/agents/agents_page.py"


@every_program
def test_cutting_the_stream_anywhere_never_makes_it_finished(program: str) -> None:
    """The program dies, with a good exit code, after any of its lines."""
    if program == "shell":
        pytest.skip("a command has only its exit code")
    lines = read_recorded(program)["cases"]["ok"]["lines"]
    done = [judge(program, restore(lines[:count]), 0).finished for count in range(len(lines) + 1)]
    assert done[-1]
    assert not any(done[: done.index(True)])
    # What comes after the word that it is done is only what programs say in parting.
    assert len(lines) - done.index(True) <= 3


@every_program
def test_an_exit_code_speaks_against_but_never_for(program: str) -> None:
    for case, recorded in recorded_cases(program):
        report = judge(program, restore(recorded["lines"]), 1)
        assert not report.finished, case.name


@every_program
def test_noise_changes_nothing_but_words(program: str) -> None:
    lines = read_recorded(program)["cases"]["ok"]["lines"]
    plain, noisy = (judge(program, restore(one), 0) for one in (lines, with_noise(lines)))
    same = ("finished", "conversation", "model", "tools", "denied", "usage", "status", "error")
    assert {name: getattr(plain, name) for name in same} == {name: getattr(noisy, name) for name in same}


@every_program
def test_tokens_are_told_and_cumulative_ones_are_said_to_be(program: str) -> None:
    if program == "shell":
        pytest.skip("it has none")
    first = whole(program, "ok")[0].usage
    assert first.input_tokens >= 1000
    assert first.output_tokens >= 50
    if (program, "resume") not in UNRECORDED:
        again = whole(program, "resume")[0].usage
        assert again.input_tokens == first.input_tokens * (2 if again.cumulative else 1)


@every_program
def test_resuming_goes_on_with_the_same_conversation(program: str) -> None:
    if (program, "resume") in UNRECORDED:
        pytest.skip(UNRECORDED[program, "resume"])
    first, again = whole(program, "ok")[0], whole(program, "resume")[0]
    assert first.conversation
    assert first.conversation == again.conversation


@every_program
def test_a_forbidden_tool_did_nothing(program: str) -> None:
    if (program, "denied") in UNRECORDED:
        pytest.skip(UNRECORDED[program, "denied"])
    assert whole(program, "denied")[1]["changed"] is False


def test_huge_outputs_are_huge() -> None:
    assert len(restore(read_recorded("claude")["cases"]["huge output"]["lines"])) > 100
    assert max(len(restore(kept["lines"])) for kept in read_recorded("gemini")["cases"].values()) > 2_000_000


def test_the_recorded_streams_hold_nothing_of_the_machine_that_made_them() -> None:
    for path in RECORDED.glob("*.json"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"/root/|/tmp/|/work/|127\.0\.0\.1|\.cache", text), path
        assert path.stat().st_size < 100_000
        json.loads(text)


ALONE = """
import sys
sys.path.insert(0, sys.argv[1])
import orchd.adapters.agents.programs
print(*sorted({name.split(".")[0] for name in sys.modules} - sys.stdlib_module_names - {"__main__"}))
print(*(name for name in sys.modules if name.startswith("orchd.") and not name.startswith(("orchd.model", "orchd.adapters"))))
"""


def test_a_supervisor_can_import_all_adapters_with_the_standard_library_alone() -> None:
    source = str(Path(__file__).parents[2] / "src")
    asked = (sys.executable, "-I", "-S", "-c", ALONE, source)
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split() == ["orchd"]


PARROT = """#!/bin/sh
case "$1" in --version) echo "parrot 1.2.3";; --help) echo "  --allow TOOLS";;
*) read prompt; echo '{"tool":"edit"}'; echo noise; echo "{\\"say\\":\\"$2: $prompt\\"}"; echo '{"done":true}';; esac
"""


def test_the_adapter_in_the_documents_works(tmp_path: Path) -> None:
    [code] = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    parrot = names["Parrot"]()
    (tmp_path / "parrot").write_text(PARROT)
    (tmp_path / "parrot").chmod(0o755)
    own = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    shaken = shake_hands(parrot.signs, own)
    assert (shaken.version, shaken.missing, shaken.login, shaken.problem) == ("1.2.3", (), "", "")
    launch = parrot.launch(Job("parrot", "hello\n", rules=OPEN), Folders("/w", "/p"))
    ran = subprocess.run(launch.argv, input=launch.stdin.encode(), env=own, capture_output=True, check=True)
    report = Report()
    for line in ran.stdout.splitlines():
        report = parrot.read(line, report)
    report = parrot.close(report, 0)
    assert (report.finished, report.tools, report.words) == (True, 1, "read,edit,shell: hello")
    assert parrot.objection(Job("parrot", "", rules=(*OPEN, Rule(Permit.DENY, Tool.EDIT, "docs/**"))))
