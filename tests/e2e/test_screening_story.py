"""A task whose own gate is red never comes into a save; its neighbours land in one go, and nothing is searched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stories import Repo

GATES = """
save: manual
parallel: 4
gates:
  - {name: quick, run: 'echo x >> "$HOME/quick"; test ! -e bad', phase: task}
  - {name: whole, run: 'echo x >> "$HOME/whole"; test ! -e bad'}
"""


def count(home: Path, gate: str) -> int:
    file = home / gate
    return len(file.read_text().splitlines()) if file.exists() else 0


def test_a_task_that_is_red_by_itself_never_comes_into_a_save_and_its_neighbours_land_in_one_go(repo: Repo) -> None:
    repo.write(".orch/config.yaml", GATES)
    home = repo.top.parent
    for name in ("bad", "one", "two", "three"):
        repo.task(name, f"echo {name} > {name}", claims=[name])
    said = repo.orchd("run", code=None)
    assert {name: repo.status(name) for name in ("bad", "one")} == {"bad": "failed", "one": "ready"}, said
    told: Any = repo.data("explain", "bad")
    assert "before it was merged" in told["what"] and "`orchd logs @" in str(told["next"]), told
    assert count(home, "quick") == 5, "each once, and the red one once more"
    assert count(home, "whole") == 0
    repo.orchd("save")
    assert len(repo.checkpoints()) == 1, "in one go"
    assert {"one", "two", "three"} <= repo.main_files() and "bad" not in repo.main_files()
    assert (count(home, "quick"), count(home, "whole")) == (6, 1), (
        "what lands is asked about as a whole, and nothing is searched"
    )
    rows: Any = repo.data("gates")
    assert {row["gate"]: (row["green"], row["red"]) for row in rows} == {"quick": (4, 1), "whole": (1, 0)}
