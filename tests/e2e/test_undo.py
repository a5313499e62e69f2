"""What landed is taken back, comes back, and an old tree becomes main again; nothing else changes."""

from __future__ import annotations

from typing import Any

import pytest
from stories import Repo


def land(repo: Repo, name: str, run: str, *claims: str) -> str:
    """The checkpoint of a task."""
    repo.task(name, run, claims=list(claims))
    repo.orchd("run")
    assert repo.status(name) == "landed"
    return repo.checkpoints()[-1]


def ask(repo: Repo, *command: str) -> str:
    """The task of a request, once it has landed."""
    row: Any = repo.data(*command)
    repo.orchd("run")
    assert repo.status(row["task"]) == "landed", repo.data("explain", row["task"])
    return str(row["task"])


def tree(repo: Repo, commit: str) -> str:
    return repo.git("rev-parse", f"{commit}^{{tree}}")


def test_the_last_landing_is_undone_and_undoing_that_brings_it_back(repo: Repo) -> None:
    repo.write(".orch/config.yaml", "gates: [{name: unit, run: test -e README.md}]\n")
    repo.git("add", "-A")
    repo.git("commit", "-qm", "gates")
    before = tree(repo, "main")
    land(repo, "one", "echo 1 > one && rm src/b.txt && echo more >> src/a.txt", "one", "src/**")
    after = tree(repo, "main")
    assert "3" in repo.orchd("undo", "--dry-run")
    assert tree(repo, "main") == after
    ask(repo, "undo")
    assert tree(repo, "main") == before
    assert (repo.top / "src/b.txt").exists(), "the clean checkout has moved, too"
    ask(repo, "undo")
    assert tree(repo, "main") == after
    assert len(repo.checkpoints()) == 3
    repo.orchd("verify")
    assert repo.git("status", "--porcelain", "--", "src", "one", "README.md") == ""


@pytest.mark.slow
def test_undoing_an_older_landing_keeps_what_came_later(repo: Repo) -> None:
    first = land(repo, "one", "echo 1 > one", "one")
    land(repo, "two", "echo 2 > two", "two")
    ask(repo, "undo", first)
    assert repo.main_files() >= {"two", "README.md"}
    assert "one" not in repo.main_files()


def test_an_undo_that_meets_later_work_is_a_question_and_loses_nothing(repo: Repo) -> None:
    first = land(repo, "one", "echo 1 > one", "one")
    land(repo, "two", "echo 2 > one", "one")
    main = repo.git("rev-parse", "main")
    row: Any = repo.data("undo", first)
    repo.orchd("run", code=6)
    assert repo.status(row["task"]) == "held"
    assert "one" in " ".join(repo.data("explain", row["task"])["why"])  # type: ignore[index]
    assert repo.git("rev-parse", "main") == main


def test_an_old_tree_becomes_main_again_as_a_new_commit(repo: Repo) -> None:
    first = land(repo, "one", "echo 1 > one", "one")
    land(repo, "two", "echo 2 > two && rm src/a.txt", "two", "src/**")
    land(repo, "three", "echo 3 > one", "one")
    main = repo.git("rev-parse", "main")
    ask(repo, "restore", first, "--make-main")
    assert tree(repo, "main") == tree(repo, first)
    assert repo.git("merge-base", "--is-ancestor", main, "main") == ""
    repo.orchd("verify")
    again = repo.orchd("restore", first, "--make-main", code=2)
    assert "nothing would change" in again


@pytest.mark.slow
def test_a_red_undo_lands_nothing_and_is_not_tried_again_as_a_command(repo: Repo) -> None:
    land(repo, "one", "echo 1 > one", "one")
    repo.write(".orch/config.yaml", "gates: [{name: needs-one, run: test -e one, retries: 0}]\n")
    row: Any = repo.data("undo")
    repo.orchd("run", code=1)
    task = row["task"]
    assert repo.status(task) == "failed"
    assert "one" in repo.main_files()
    assert "was asked for once" in repo.orchd("retry", task, code=2)


def test_in_a_repository_without_checkpoints_there_is_nothing_to_undo(repo: Repo) -> None:
    assert "nothing has landed yet" in repo.orchd("undo", code=2)
