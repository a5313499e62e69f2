"""A result that conflicts with what landed waits for a person, who sees both sides and settles it; then it is gated."""

from __future__ import annotations

import pytest
from stories import Repo

GATED = "gates:\n  - {name: no-bad, run: '! grep -q BAD src/a.txt'}\n"
PATH = "src/a.txt"


@pytest.fixture(params=["checkout", "bare"])
def disputed(request: pytest.FixtureRequest, repo: Repo, bare: Repo) -> Repo:
    """A repository in which `late` is held: main changed the same line while it ran, and more besides."""
    if request.param == "checkout":
        return begin(repo, repo)
    clone = Repo(bare.top.parent / "clone", bare.env)
    bare.git("clone", "-q", str(bare.top), str(clone.top))
    return begin(clone, bare)


def begin(clone: Repo, served: Repo) -> Repo:
    """`clone` is where people commit; one does while the task runs."""
    person = "git -c user.name=P -c user.email=p@example.org"
    push = "" if clone is served else "; git push -q origin main"
    meanwhile = f'(cd {clone.top}; printf "four\\n" >> {PATH}; {person} commit -qam "Count to four"{push})'
    clone.write(".orch/config.yaml", GATED)
    settles = (
        f'echo "settles $ORCHD_EARLIER"; cat "$ORCHD_CONTROL"/*.md; git checkout -q $ORCHD_EARLIER extra; echo both >> {PATH}'
    )
    told = f'if [ -n "$ORCHD_EARLIER" ]; then {settles}; exit 0; fi'
    late = f'{told}; echo run >> {clone.top.parent}/count; printf "vier\\n" >> {PATH}; echo new > extra; {meanwhile}'
    clone.task("late", late, claims=["src/**", "extra"])
    clone.commit("work to do")
    if clone is not served:
        clone.git("push", "-q", "origin", "main")
    served.orchd("run", code=6)
    return served


def count_runs(repo: Repo) -> int:
    return (repo.top.parent / "count").read_text().count("run")


def text(repo: Repo, path: str = PATH) -> str:
    return repo.git("show", f"main:{path}")


def test_the_question_comes_first_and_shows_both_sides_and_both_goals(disputed: Repo) -> None:
    [need] = disputed.data("status")["needs_you"]
    assert (need["subject"], need["command"]) == ("late", "orchd answer late")
    shown = disputed.data("show", "late")
    assert (shown["reason"], shown["detail"], shown["onto"]) == ("conflict", [PATH], disputed.git("rev-parse", "main"))
    [one] = shown["disputes"]
    assert (one["path"], one["kind"]) == (PATH, "both changed the same lines")
    assert disputed.git("cat-file", "blob", one["ours"]).endswith("four") and disputed.git("cat-file", "blob", one["base"])
    assert disputed.git("cat-file", "blob", one["theirs"]).endswith("vier")
    assert {"ours  | four", "theirs| vier", "base  | (no lines)"} <= set(one["lines"])
    assert any(goal.endswith("Count to four") for goal in shown["goals"])
    asked = disputed.data("answer", "late")
    assert asked["disputes"] == shown["disputes"] and "orchd answer late --take theirs" in asked["answers"]


@pytest.mark.parametrize(("side", "last"), [("ours", "four"), ("theirs", "vier")])
def test_one_side_is_taken_where_they_conflict_and_the_rest_of_the_result_lands_too(
    disputed: Repo, side: str, last: str
) -> None:
    tip = disputed.data("show", "late")["tip"]
    disputed.orchd("answer", "late", "--take", side)
    disputed.orchd("run")
    shown = disputed.data("show", "late")
    assert (shown["status"], shown["attempt"], count_runs(disputed)) == ("landed", 2, 1)
    assert text(disputed) == f"one\ntwo\nthree\n{last}" and text(disputed, "extra") == "new"
    assert "gates on the tree that landed" in shown["proven"]
    settled = disputed.git("log", "-1", "--format=%B", shown["tip"])
    assert f"Orch-Settled: {side} {PATH}" in settled and f"Orch-Rework-Of: {tip}" in settled
    assert tip in disputed.git("rev-list", "main").split(), "what the task made stays in the history"
    disputed.orchd("verify")


def test_a_person_writes_the_file_and_it_lands_as_it_is(disputed: Repo) -> None:
    mine = disputed.top.parent / "mine.txt"
    mine.write_text("one\ntwo\nthree\nfour\nvier\n")
    disputed.orchd("answer", "late", "--file", str(mine))
    mine.write_text("changed afterwards\n")
    disputed.orchd("run")
    assert disputed.status("late") == "landed"
    assert text(disputed) == "one\ntwo\nthree\nfour\nvier" and text(disputed, "extra") == "new"


def test_the_task_settles_its_conflict_itself_and_its_new_result_takes_the_place_of_the_old(disputed: Repo) -> None:
    tip = disputed.data("show", "late")["tip"]
    disputed.orchd("answer", "late", "--task")
    disputed.orchd("run")
    shown = disputed.data("show", "late")
    assert (shown["status"], shown["attempt"]) == ("landed", 2) and shown["tip"] != tip
    assert text(disputed).endswith("four\nboth") and text(disputed, "extra") == "new"
    assert tip not in disputed.git("rev-list", "main").split()
    assert disputed.git("rev-parse", "refs/orch/attic/late/1") == tip, "the earlier result stays in the attic"
    log = disputed.orchd("logs", "late", "--attempt", "2")
    assert f"settles {tip}" in log and f"git merge {tip}" in log and f"- `{PATH}`" in log


def test_a_settled_result_is_gated_like_all_else(disputed: Repo) -> None:
    mine = disputed.top.parent / "mine.txt"
    mine.write_text("one\ntwo\nthree\nBAD\n")
    disputed.orchd("answer", "late", "--file", f"{PATH}={mine}")
    disputed.orchd("run", code=1)
    assert disputed.data("show", "late")["reason"] == "gate"
    assert text(disputed).endswith("four")


@pytest.mark.slow
def test_a_conflict_that_was_settled_before_is_asked_about_again_with_what_was_answered_then(repo: Repo) -> None:
    disputed = begin(repo, repo)
    mine = disputed.top.parent / "mine.txt"
    mine.write_text("one\ntwo\nthree\nfour and vier\n")
    disputed.orchd("answer", "late", "--file", str(mine))
    disputed.orchd("run")
    later = begin_again(disputed)
    [need] = later.data("status")["needs_you"]
    assert need["subject"] == "again" and "orchd answer again --take earlier" in need["what"]
    asked = later.data("answer", "again")
    [one] = asked["disputes"]
    assert (one["earlier"], "+four and vier" in one["proposed"]) == ("late.1.2", True)
    assert asked["answers"][0] == "orchd answer again --take earlier"
    assert later.data("show", "again")["disputes"] == asked["disputes"]
    later.orchd("run", code=6)
    assert later.status("again") == "held", "nobody has answered"
    later.orchd("answer", "again", "--take", "earlier")
    later.orchd("run")
    assert later.status("again") == "landed" and text(later) == "one\ntwo\nthree\nfour and vier"


def begin_again(repo: Repo) -> Repo:
    """The same conflict, in another task."""
    person = "git -c user.name=P -c user.email=p@example.org"
    meanwhile = f'(cd {repo.top}; printf "one\\ntwo\\nthree\\nfour\\n" > {PATH}; {person} commit -qam "Count to four")'
    repo.write(PATH, "one\ntwo\nthree\n")
    repo.task("again", f'printf "vier\\n" >> {PATH}; echo new > again; {meanwhile}', claims=["src/**", "again"])
    repo.commit("work to do")
    repo.orchd("run", code=6)
    return repo


@pytest.mark.slow
def test_what_is_settled_stays_inside_the_claim(repo: Repo) -> None:
    """Both may only append to the file; who takes one side changes what landed, and is asked about the claim."""
    for name in ("early", "late"):
        repo.task(name, f"echo {name} >> {PATH}", claims=[{"path": PATH, "mode": "append"}], priority=int(name == "early"))
    repo.orchd("run", code=6)
    repo.orchd("answer", "late", "--take", "theirs")
    repo.orchd("run", code=6)
    shown = repo.data("show", "late")
    assert (shown["reason"], shown["outside"]) == ("claim", [f"changed {PATH}"])
    repo.orchd("answer", "late", "--widen")
    repo.orchd("run")
    assert repo.status("late") == "landed" and text(repo).endswith("three\nlate")


def test_on_the_line_of_a_session_ours_is_what_the_line_has(repo: Repo) -> None:
    repo.write(".orch/sessions/apart.yaml", "landing: manual\n")
    repo.task("late", f"echo late >> {PATH}; echo x > late", claims=[{"path": PATH, "mode": "append"}, "late"], session="apart")
    repo.task("early", f"echo early >> {PATH}", claims=[{"path": PATH, "mode": "append"}], session="apart", priority=1)
    repo.orchd("run", code=6)
    asked = repo.data("answer", "late")
    line = "session/apart/integration"
    assert (asked["onto"], asked["goals"]) == (repo.git("rev-parse", line), [repo.git("log", "-1", "--format=%h %s", line)])
    repo.orchd("answer", "late", "--take", "ours")
    repo.orchd("run", code=None)
    assert repo.status("late") == "integrated"
    assert repo.git("show", f"{line}:{PATH}").endswith("three\nearly") and repo.git("show", f"{line}:late") == "x"


def test_answers_that_leave_something_open_are_refused_with_a_reason(disputed: Repo) -> None:
    mine = disputed.top.parent / "mine.txt"
    mine.write_text("<<<<<<< ours\nfour\n=======\nvier\n>>>>>>> theirs\n")
    assert "still has conflict markers" in disputed.orchd("answer", "late", "--file", str(mine), code=2)
    assert "is not in conflict" in disputed.orchd("answer", "late", "--file", f"extra={mine}", code=2)
    assert "cannot be read" in disputed.orchd("answer", "late", "--file", f"{PATH}=missing", code=2)
    assert "asked is how its conflict is settled" in disputed.orchd("answer", "late", "--drop", code=2)
    assert "these answer different questions" in disputed.orchd("answer", "late", "--drop", "--take", "ours", code=2)


def adjacent(repo: Repo, config: str) -> None:
    """A task and a person change lines that touch."""
    repo.write(".orch/config.yaml", config)
    person = "git -c user.name=P -c user.email=p@example.org"
    meanwhile = f'(cd {repo.top}; sed -i s/one/ONE/ {PATH}; {person} commit -qam "Shout"; printf x > {repo.top.parent}/done)'
    repo.task("late", f"sed -i s/two/TWO/ {PATH}; test -e {repo.top.parent}/done || {meanwhile}", claims=["src/**"])
    repo.commit("work to do")


SETTLES = "conflicts: {automatic: [adjacent]}\n"


def test_lines_that_touch_are_settled_where_somebody_allowed_it_and_a_gate_judges_it(repo: Repo) -> None:
    adjacent(repo, GATED + SETTLES)
    repo.orchd("run")
    assert repo.status("late") == "landed" and text(repo) == "ONE\nTWO\nthree"
    told = repo.git("log", "-1", "--format=%B%N", "--notes=orch/audit", "main")
    assert f"Orch-Resolved: late adjacent {PATH}" in told and f"resolved: late adjacent {PATH}" in told
    assert f"Orch-Resolved: adjacent {PATH}" in repo.git("log", "-1", "--format=%B", "main^2")
    repo.orchd("verify")


@pytest.mark.parametrize("config", [GATED, SETTLES])
def test_without_a_word_in_the_configuration_or_without_a_gate_it_is_a_question(repo: Repo, config: str) -> None:
    adjacent(repo, config)
    repo.orchd("run", code=6)
    assert repo.data("show", "late")["reason"] == "conflict"


def test_a_red_gate_keeps_a_settled_conflict_from_main(repo: Repo) -> None:
    gate = "gates:\n  - {name: one-voice, run: '! { grep -q ONE src/a.txt && grep -q TWO src/a.txt; }'}\n"
    adjacent(repo, gate + SETTLES)
    repo.orchd("run", code=1)
    assert repo.data("show", "late")["reason"] == "gate" and text(repo) == "ONE\ntwo\nthree"


def test_a_mistake_in_the_configuration_is_shown_where_it_is(repo: Repo) -> None:
    repo.write(".orch/config.yaml", "conflicts:\n  automatic: [adjacent, whitspace]\n")
    told = repo.orchd("check", code=1)
    assert ".orch/config.yaml:2:25" in told and "whitspace" in told
