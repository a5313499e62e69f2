"""Gates with real processes: a flake is asked again and told, what was green is not run again, one culprit is found."""

from __future__ import annotations

from typing import Any

import pytest
from stories import Repo


def gates(repo: Repo) -> dict[str, Any]:
    rows: Any = repo.data("gates")
    return {row["gate"]: row for row in rows}


def ran(repo: Repo) -> int:
    """How often the gate of `counting` was run."""
    file = repo.top.parent / "ran"
    return len(file.read_text().splitlines()) if file.exists() else 0


COUNT = 'echo x >> "$HOME/ran"'


def test_a_gate_that_is_red_once_is_asked_again_on_the_same_tree_and_recorded_as_a_flake(repo: Repo) -> None:
    repo.write(".orch/config.yaml", 'gates: [{name: unit, run: "if mkdir \\"$HOME/seen\\"; then exit 3; fi"}]\n')
    repo.task("one", "echo 1 > one", claims=["one"])
    repo.orchd("run")
    assert repo.status("one") == "landed"
    row = gates(repo)["unit"]
    assert (row["green"], row["red"], row["flaky"]) == (1, 0, 1)
    assert "(flaky)" in repo.git("log", "-1", "--notes=orch/audit", "main")


def test_without_retries_the_first_word_counts(repo: Repo) -> None:
    repo.write(".orch/config.yaml", f"gates: [{{name: unit, run: '{COUNT}; exit 3', retries: 0}}]\n")
    repo.task("one", "echo 1 > one", claims=["one"])
    repo.orchd("run", code=1)
    assert repo.status("one") == "failed"
    assert ran(repo) == 2, "once on the task, once on main, to know whom to blame"


@pytest.mark.slow
def test_what_a_gate_does_not_read_does_not_make_it_run_again(repo: Repo) -> None:
    repo.write(".orch/config.yaml", f"gates: [{{name: unit, run: '{COUNT}', inputs: ['src/**']}}]\n")
    for number in range(4):
        repo.task(f"docs{number}", f"echo {number} > doc{number}.md", claims=[f"doc{number}.md"])
        repo.orchd("run")
    before, row = ran(repo), gates(repo)["unit"]
    assert row["green"] == before < 4, "by chance one in fifty is run all the same, never all"
    assert row["cached"] + row["green"] == 4
    repo.task("code", "echo c > src/c.txt", claims=["src/c.txt"])
    repo.orchd("run")
    assert ran(repo) == before + 1
    assert repo.git("notes", "--ref=orch/gates", "list"), "the results are notes that git shows"


def test_variables_of_a_gate_reach_it_and_only_it(repo: Repo) -> None:
    gate = '{{name: {0}, run: "test \\"$MODE\\" = \\"{1}\\"", env: {{{2}}}}}'
    one, two = gate.format("one", "strict", "MODE: strict"), gate.format("two", "", "")
    repo.write(".orch/config.yaml", f"gates: [{one}, {two}]\n")
    repo.task("one", "echo 1 > one", claims=["one"])
    repo.orchd("run")
    assert repo.status("one") == "landed"


def test_one_culprit_among_seven_is_found_and_all_others_land(repo: Repo) -> None:
    repo.write(".orch/config.yaml", 'parallel: 7\ngates: [{name: unit, run: "test ! -e bad"}]\n')
    for number in range(7):
        name = "bad" if number == 4 else f"good{number}"
        repo.task(f"task{number}", f"echo {number} > {name}", claims=[name])
    repo.orchd("run", code=1)
    statuses = {number: repo.status(f"task{number}") for number in range(7)}
    assert statuses == {number: "failed" if number == 4 else "landed" for number in range(7)}
    assert "bad" not in repo.main_files()
    assert "gate `unit` ended with 1" in " ".join(repo.data("explain", "task4")["why"])  # type: ignore[index]
