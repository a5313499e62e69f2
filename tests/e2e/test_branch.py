"""Where tasks land."""

from __future__ import annotations

from stories import Repo


def test_the_branch_is_remembered_when_another_one_is_checked_out_later(repo: Repo) -> None:
    repo.git("branch", "-m", "main", "trunk")
    repo.task("one", "echo 1 > n1", claims=["n1"])
    repo.orchd("run")
    repo.git("checkout", "-qb", "feature")
    repo.task("two", "echo 2 > n2", claims=["n2"])
    repo.orchd("run")
    assert "n2" in repo.git("ls-tree", "--name-only", "trunk").split()
    assert "n2" not in repo.git("ls-tree", "--name-only", "feature").split()


def test_a_configured_branch_has_the_first_word(repo: Repo) -> None:
    repo.git("branch", "release")
    repo.write(".orch/config.yaml", "branch: release\n")
    repo.task("one", "echo 1 > n1", claims=["n1"])
    repo.orchd("run")
    assert "n1" in repo.git("ls-tree", "--name-only", "release").split()
    assert "n1" not in repo.main_files()


def test_a_branch_that_is_only_another_name_is_followed(repo: Repo) -> None:
    repo.git("branch", "-m", "main", "trunk")
    repo.git("symbolic-ref", "refs/heads/main", "refs/heads/trunk")
    repo.task("one", "echo 1 > n1", claims=["n1"])
    repo.orchd("run")
    assert "n1" in repo.git("ls-tree", "--name-only", "trunk").split()
    assert (repo.top / "n1").exists()


def test_gates_of_main_hold_while_another_branch_is_checked_out(repo: Repo) -> None:
    repo.git("branch", "old")
    repo.write(".orch/config.yaml", "gates:\n  - {name: never, run: 'false'}\n")
    repo.commit("a gate")
    repo.git("checkout", "-q", "old")
    repo.task("one", "echo 1 > n1", claims=["n1"])
    repo.orchd("run", code=1)
    assert repo.data("show", "one")["reason"] == "gate"
    assert "n1" not in repo.main_files()
