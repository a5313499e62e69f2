"""The table in docs/agents.md, made from the recorded streams. `python tests/agents/agents_page.py` writes it anew."""

from __future__ import annotations

from pathlib import Path

from cases import CASES, UNRECORDED, conclude, judge, read_recorded, recorded_cases, restore

from orchd.adapters.agents.programs import PROGRAMS

PAGE = Path(__file__).parents[2] / "docs" / "agents.md"
BEGIN, END = "<!-- conformance: begin -->\n", "<!-- conformance: end -->\n"


def conclusions(program: str) -> dict[str, str]:
    found = {}
    for case, recorded in recorded_cases(program):
        clock = case.clock if recorded["clock"] else None
        report = judge(program, restore(recorded["lines"]), recorded["code"], clock)
        found[case.name] = conclude(program, report, recorded["code"], changed=recorded["changed"])
    return found


def table() -> str:
    programs = {name: conclusions(name) for name in PROGRAMS}
    heads = [name + (f" {version}" if (version := read_recorded(name)["version"]) else "") for name in programs]
    rows = ["| case | " + " | ".join(heads) + " |", "|---" * (len(programs) + 1) + "|"]
    for case in CASES:
        cells = [said.get(case) or f"({UNRECORDED.get((name, case), 'not recorded')})" for name, said in programs.items()]
        rows.append(f"| {case} | " + " | ".join(cells) + " |")
    return "\n".join(rows) + "\n"


def page() -> str:
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    return before + BEGIN + table() + END + rest.split(END)[1]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
