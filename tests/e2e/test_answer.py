"""A result that strayed outside its claim waits for a person, whose answer is followed without running the command again."""

from __future__ import annotations

import pytest
from stories import Repo

GATED = "gates:\n  - {name: no-bad, run: '! test -e bad'}\n"
STRAY = (
    "echo run >> {count}; echo in > src/in.txt; echo out > docs-out.txt; echo B > src/b.txt; rm README.md; echo x > 'a[1].txt'"
)
OUTSIDE = ["deleted README.md", "added a[1].txt", "added docs-out.txt"]


@pytest.fixture(params=["checkout", "bare"])
def strayed(request: pytest.FixtureRequest, repo: Repo, bare: Repo) -> Repo:
    """A repository in which `stray` is held."""
    if request.param == "checkout":
        repo.write(".orch/config.yaml", GATED)
        write_stray(repo)
        repo.commit("a gate")
        return run_until_held(repo)
    clone = Repo(bare.top.parent / "clone", bare.env)
    bare.git("clone", "-q", str(bare.top), str(clone.top))
    clone.write(".orch/config.yaml", GATED)
    write_stray(clone)
    clone.commit("work to do")
    clone.git("push", "-q", "origin", "main")
    return run_until_held(bare)


def write_stray(repo: Repo) -> None:
    repo.task("stray", STRAY.format(count=repo.top.parent / "count"), claims=["src/**"])


def run_until_held(repo: Repo) -> Repo:
    repo.orchd("run", code=6)
    return repo


def count_runs(repo: Repo) -> int:
    return (repo.top.parent / "count").read_text().count("run")


def test_what_strays_is_held_with_the_exact_list_and_the_command_that_answers(strayed: Repo) -> None:
    shown = strayed.data("show", "stray")
    assert (shown["status"], shown["reason"], shown["outside"]) == ("held", "claim", OUTSIDE)
    assert strayed.git("rev-parse", shown["ref"]) == shown["tip"]
    [need] = strayed.data("status")["needs_you"]
    assert need["command"] == "orchd answer stray"
    asked = strayed.data("answer", "stray")
    assert (asked["outside"], asked["tip"]) == (OUTSIDE, shown["tip"])
    assert "orchd answer stray --drop" in asked["answers"]
    assert strayed.data("claims") == [], "it holds nothing while it waits"


def test_a_widened_claim_lands_the_very_result_without_another_run(strayed: Repo) -> None:
    tip = strayed.data("show", "stray")["tip"]
    strayed.orchd("answer", "stray", "--widen")
    strayed.orchd("run")
    shown = strayed.data("show", "stray")
    assert (shown["status"], shown["attempt"], shown["tip"], count_runs(strayed)) == ("landed", 2, tip, 1)
    assert {"write docs-out.txt", "write src/**", "write a?1?.txt"} <= set(shown["claims"])
    assert {"src/in.txt", "docs-out.txt", "a[1].txt"} <= strayed.main_files() and "README.md" not in strayed.main_files()
    assert "gates on the tree that landed" in shown["proven"]


def test_dropped_paths_are_as_before_and_the_rest_lands_without_another_run(strayed: Repo) -> None:
    tip = strayed.data("show", "stray")["tip"]
    strayed.orchd("answer", "stray", "--drop")
    strayed.orchd("run")
    shown = strayed.data("show", "stray")
    assert (shown["status"], count_runs(strayed)) == ("landed", 1)
    assert strayed.git("show", "main:src/b.txt") == "B" and strayed.git("show", "main:README.md") == "# project"
    assert "src/in.txt" in strayed.main_files() and not {"docs-out.txt", "a[1].txt"} & strayed.main_files()
    assert strayed.git("rev-parse", "refs/orch/attic/stray/1") == tip, "the original stays"
    assert strayed.git("merge-base", "--is-ancestor", tip, "main", check=False) == ""
    assert tip not in strayed.git("rev-list", "main").split(), "what was dropped is not in the history that landed"


def test_some_paths_are_let_in_and_the_rest_is_put_back(strayed: Repo) -> None:
    told = strayed.orchd("answer", "stray", "--widen", "docs*", code=2)
    assert "2 path(s) would still be outside the claim: README.md, a[1].txt" in told
    strayed.orchd("answer", "stray", "--widen", "docs*", "--drop")
    strayed.orchd("run")
    assert strayed.status("stray") == "landed"
    assert {"README.md", "docs-out.txt"} <= strayed.main_files() and "a[1].txt" not in strayed.main_files()


def test_when_nothing_is_left_it_ends_as_nothing_changed(repo: Repo) -> None:
    repo.task("stray", "echo x > out", claims=["src/**"])
    repo.orchd("run", code=6)
    tip = repo.data("show", "stray")["tip"]
    repo.orchd("answer", "stray", "--drop")
    repo.orchd("run")
    shown = repo.data("show", "stray")
    assert (shown["status"], shown["tip"]) == ("unchanged", tip)
    assert repo.checkpoints() == []


@pytest.mark.slow
def test_an_answer_waits_for_its_claim_like_any_task_and_says_for_whom(repo: Repo) -> None:
    repo.task("stray", "echo x > out", claims=["src/**"])
    repo.orchd("run", code=6)
    repo.task("holder", "echo y > out", claims=["out"], priority=5)
    repo.write(".orch/config.yaml", "parallel: 1\n")
    repo.orchd("run", "stray", code=6)
    assert repo.status("holder") == "waiting", "it is known, so that both are decided at one look"
    repo.orchd("answer", "stray", "--widen")
    repo.orchd("run", code=6)
    assert repo.status("holder") == "landed"
    shown = repo.data("show", "stray")
    assert (shown["status"], shown["reason"]) == ("held", "conflict"), "what others landed meanwhile is merged, not overwritten"


def test_a_red_gate_stops_an_answered_result_too(repo: Repo) -> None:
    repo.write(".orch/config.yaml", GATED)
    repo.task("stray", "echo x > bad", claims=["src/**"])
    repo.commit("a gate")
    repo.orchd("run", code=6)
    repo.orchd("answer", "stray", "--widen")
    repo.orchd("run", code=1)
    assert repo.data("show", "stray")["reason"] == "gate"
    assert "bad" not in repo.main_files()


@pytest.mark.slow
def test_an_answer_needs_no_file_and_a_cancel_takes_it_back(repo: Repo) -> None:
    file = repo.task("stray", "echo x > out", claims=["src/**"])
    repo.orchd("run", code=6)
    file.unlink()
    repo.orchd("answer", "stray", "--widen")
    repo.orchd("cancel", "stray")
    repo.orchd("run")
    assert repo.status("stray") == "cancelled"
    told = repo.orchd("answer", "stray", "--widen", code=2)
    assert "stray is cancelled: nothing is asked about it" in told
    assert repo.git("show", f"{repo.data('show', 'stray')['ref']}:out") == "x"


def test_answers_that_make_no_sense_are_refused_with_a_reason(repo: Repo) -> None:
    repo.task("stray", "echo x > out", claims=["src/**"])
    repo.task("good", "echo x > good", claims=["good"])
    repo.orchd("run", code=6)
    assert "nothing is asked about it" in repo.orchd("answer", "good", "--drop", code=2)
    assert "GLOBs only go with --widen" in repo.orchd("answer", "stray", "out", code=2)
    assert "cannot be claimed" in repo.orchd("answer", "stray", "--widen", "/out", code=2)
    assert "needs GLOBs" in repo.orchd("answer", "stray", "--widen", "--drop", code=2)
    assert repo.data("answer", "good")["question"] == ""
