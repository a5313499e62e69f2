"""`orchd check` looks at once: no settling, nothing moved."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from file_world import GOOD

from orchd.adapters.file_check import check_files
from orchd.adapters.place import Place
from orchd.adapters.task_files import CheckoutTaskFiles
from orchd.model.work import Source

CommitBare = Callable[[Mapping[str, str]], tuple[Place, str]]
Write = Callable[..., Path]


def test_without_paths_all_tasks_and_the_configuration_are_checked(place: Place, write: Write) -> None:
    write("config.yaml", "paralel: 3\n")
    write("tasks/a.yaml", age=0)
    write("tasks/b.yml", "title: 08\nrun: y\n", age=0)
    write("tasks/.c.yaml", "[")
    good, problems = check_files(place)
    assert [file.path for file in good] == [".orch/tasks/a.yaml"]
    assert [(problem.file, problem.code) for problem in problems] == [
        (".orch/config.yaml", "E031"),
        (".orch/tasks/b.yml", "E033"),
    ]


def test_without_paths_the_inbox_and_what_was_rejected_from_it_are_checked_too(place: Place, write: Write) -> None:
    write("inbox/a.yaml", "titel: x\nrun: y\n", age=0)
    write("inbox/b.yaml", age=0)
    rejected = place.orch / "inbox/rejected"
    rejected.mkdir(parents=True)
    (rejected / "c.yaml").write_text("title: 08\nrun: y\n")
    good, problems = check_files(place)
    assert [(file.path, file.source) for file in good] == [(".orch/inbox/b.yaml", Source.INBOX)]
    assert {problem.file for problem in problems} == {".orch/inbox/a.yaml", ".git/orch/inbox/rejected/c.yaml"}


def test_claim_files_of_people_are_checked_too(place: Place, write: Write) -> None:
    assert place.checkout is not None
    (place.checkout / ".orch" / "claims").mkdir()
    path = write("claims/a.yaml", "claims: [a]\nfro: 2h\n", age=0)
    write("claims/b.yaml", "claims: [a]\nfor: 2h\n", age=0)
    for paths in ((), (path,)):
        good, problems = check_files(place, paths)
        assert good == ()
        assert [(problem.file, problem.code) for problem in problems] == [(".orch/claims/a.yaml", "E031")]


@pytest.mark.parametrize("part", [".orch", ".orch/tasks", ".orch/inbox"])
def test_a_folder_that_run_does_not_follow_is_a_problem_for_check_too(
    place: Place, write: Write, open_files: Callable[[], CheckoutTaskFiles], part: str
) -> None:
    write("tasks/a.yaml")
    assert place.checkout is not None
    folder = place.checkout / part
    folder.rename(place.checkout / "elsewhere")
    folder.symlink_to(place.checkout / "elsewhere")
    _, problems = check_files(place)
    assert [(problem.file, problem.code) for problem in problems] == [(part, "E001")]
    assert "symlink" in problems[0].message
    assert "folder" in problems[0].hint
    assert open_files().look("").problems
    if part != ".orch/inbox":
        assert check_files(place, [place.checkout / ".orch/tasks/a.yaml"])[1]


def test_a_file_in_place_of_the_folder_is_a_problem(place: Place) -> None:
    assert place.checkout is not None
    shutil.rmtree(place.checkout / ".orch")
    (place.checkout / ".orch").write_text("")
    _, problems = check_files(place)
    assert [(problem.file, problem.code) for problem in problems] == [(".orch", "E001")]


def test_a_branch_that_does_not_exist_is_a_problem_at_its_key(place: Place, write: Write, commit_bare: CommitBare) -> None:
    bare, main = commit_bare({"a": "b"})
    subprocess.run(["git", "-C", str(bare.git_dir), "update-ref", "refs/heads/trunk", main], check=True)
    where = Place(bare.git_dir, place.checkout, place.state_home)
    write("config.yaml", "parallel: 2\nbranch: nope\n")
    (problem,) = check_files(where)[1]
    assert (problem.file, problem.line, problem.column, problem.code) == (".orch/config.yaml", 2, 1, "E050")
    assert "`nope`" in problem.message
    write("config.yaml", "branch: trunk\n")
    assert check_files(where)[1] == ()


@pytest.mark.parametrize("spelling", ["src/../.orch/tasks/c.yaml", "{top}/src/../.orch/./tasks/c.yaml"])
def test_the_path_is_shown_from_the_root_of_the_repository(
    place: Place, write: Write, monkeypatch: pytest.MonkeyPatch, spelling: str
) -> None:
    write("tasks/c.yaml", "title: 08\nrun: y\n")
    assert place.checkout is not None
    (place.checkout / "src").mkdir()
    monkeypatch.chdir(place.checkout)
    _, problems = check_files(place, [Path(spelling.format(top=place.checkout))])
    assert [problem.file for problem in problems] == [".orch/tasks/c.yaml"]
    monkeypatch.chdir("src")
    assert [problem.file for problem in check_files(place, [Path("../.orch/tasks/c.yaml")])[1]] == [".orch/tasks/c.yaml"]


def test_dots_behind_a_symlink_mean_what_they_mean_to_the_system(place: Place, write: Write, tmp_path: Path) -> None:
    """`link/../.orch` is beside what the link points to, not beside the link."""
    write("tasks/c.yaml")
    assert place.checkout is not None
    (tmp_path / "other/inner").mkdir(parents=True)
    (place.checkout / "link").symlink_to(tmp_path / "other/inner")
    _, problems = check_files(place, [place.checkout / "link/../.orch/tasks/c.yaml"])
    assert [problem.file for problem in problems] == [str(tmp_path / "other/.orch/tasks/c.yaml")]


def test_a_task_without_a_timeout_has_that_of_the_configuration(place: Place, write: Write) -> None:
    write("config.yaml", "timeout: 5m\n")
    path = write("tasks/a.yaml")
    for paths in ((), (path,)):
        (file,) = check_files(place, paths)[0]
        assert file.spec.timeout_seconds == 300


def test_only_the_named_files_are_checked(place: Place, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write("tasks/bad.yaml", "[")
    inside = write("tasks/a.yaml")
    outside = tmp_path / "z.yaml"
    outside.write_text("title: x\n")
    monkeypatch.chdir(inside.parent)
    good, problems = check_files(place, [Path("a.yaml"), outside, Path("none.yaml")])
    assert [file.path for file in good] == [".orch/tasks/a.yaml"]
    assert [(problem.file, problem.code) for problem in problems] == [
        (str(outside), "E030"),
        (".orch/tasks/none.yaml", "E001"),
    ]


def test_a_good_configuration_and_no_files_are_no_problem(place: Place, write: Write) -> None:
    assert check_files(place) == ((), ())
    path = write("config.yaml", "parallel: 3\n")
    assert check_files(place, [path]) == ((), ())
    assert check_files(Place(place.git_dir, None, place.state_home)) == ((), ())


def test_a_symlink_is_told_of_not_followed(place: Place, write: Write) -> None:
    path = write("tasks/a.txt", GOOD)
    path.with_suffix(".yaml").symlink_to(path)
    _, problems = check_files(place)
    assert [(problem.file, problem.code) for problem in problems] == [(".orch/tasks/a.yaml", "E001")]


def test_rules_that_no_run_of_its_program_can_hold_are_a_problem_of_an_agent(place: Place, write: Write) -> None:
    assert place.checkout is not None
    (place.checkout / ".orch/agents").mkdir()
    rules = "rules: [allow read, allow edit, 'allow shell(git *)']"
    write("agents/f.md", f"---\ndescription: d\nrunner: codex\n{rules}\n---\n")
    write("agents/g.md", f"---\ndescription: d\nrunner: opencode\n{rules}\n---\n")
    [problem] = check_files(place)[1]
    assert (problem.file, problem.code, problem.line, problem.column) == (".orch/agents/f.md", "E092", 4, 1)
    assert "`allow shell git *`" in problem.message and "runner:" in problem.hint


def test_an_agent_that_nobody_knows_is_a_problem_where_it_is_named(place: Place, write: Write) -> None:
    assert place.checkout is not None
    subprocess.run(("git", "init", "-q", "-b", "main"), cwd=place.checkout, check=True)
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run(("git", *who, "commit", "-q", "--allow-empty", "-m", "first"), cwd=place.checkout, check=True)
    (place.checkout / ".orch/agents").mkdir()
    write("agents/coder.md", "---\ndescription: d\nrunner: claude\n---\n")
    write("agents/bad.md", "---\ndescription: d\nrunner: cloude\n---\n")
    write("tasks/a.yaml", "title: a\ngoal: g\nagent: [coder, claude, auto]\n")
    write("tasks/b.yaml", "title: b\ngoal: g\nagent: codr\n")
    write("tasks/c.yaml", "title: c\ngoal: g\nagent:\n  - coder\n  - bad\n")
    good, problems = check_files(place)
    assert [file.spec.id for file in good] == ["a"]
    found = {problem.file.rpartition("/")[2]: problem for problem in problems}
    assert [(found[name].code, found[name].line, found[name].column) for name in ("b.yaml", "c.yaml")] == [
        ("E088", 3, 8),
        ("E089", 5, 5),
    ]
    assert "coder" in found["b.yaml"].hint and found["b.yaml"].excerpt == "agent: codr"
    assert (found["bad.md"].line, found["bad.md"].column) == (3, 9)
