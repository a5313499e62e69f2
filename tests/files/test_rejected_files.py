"""What was moved away as bad is told of until somebody deals with it, and is never a task."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from file_world import GOOD, Clock

from orchd.adapters import rejected_files
from orchd.adapters.place import Place
from orchd.adapters.rejected_files import HINT
from orchd.adapters.task_files import CheckoutTaskFiles
from orchd.model.problem import Problem

Write = Callable[..., Path]
Open = Callable[[], CheckoutTaskFiles]
BAD = "title: 08\nrun: y\n"
TAKEN = Problem(".orch/inbox/a.yaml", 0, 0, "E060", "`.orch/tasks/a.yaml` gives the task `a` already", "rename one of them")


def reject(files: CheckoutTaskFiles) -> None:
    ((drop, problems),) = files.look("").bad_drops.items()
    files.settle(drop, problems)


def test_a_rejected_file_stays_a_problem_where_it_is_now(open_files: Open, write: Write) -> None:
    files = open_files()
    write("inbox/a.yaml", BAD)
    reject(files)
    for seen in (files.look(""), open_files().look("")):
        (problem,) = seen.problems
        assert (problem.file, problem.line, problem.column) == (".git/orch/inbox/rejected/a.yaml", 1, 8)
        assert problem.hint == f'{HINT} (YAML reads this as a whole number; quote it: "08")'
        assert (seen.good, dict(seen.bad_drops), seen.unsettled) == ((), {}, frozenset())


def test_the_answer_is_remembered_until_something_changes(
    open_files: Open, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = open_files()
    write("inbox/a.yaml", BAD)
    reject(files)
    first = files.look("")
    with monkeypatch.context() as patch:
        patch.setattr(rejected_files, "read_plain_file", lambda *_: pytest.fail("read again"))
        assert files.look("") is first


def test_it_is_no_problem_any_more_once_it_was_deleted_or_moved_back(open_files: Open, write: Write, place: Place) -> None:
    files = open_files()
    path = write("inbox/a.yaml", BAD)
    reject(files)
    rejected = place.orch / "inbox/rejected/a.yaml"
    rejected.write_text(GOOD)
    os.utime(rejected, (1, 1))
    rejected.rename(path)
    seen = files.look("")
    assert seen.problems == ()
    assert [file.path for file in seen.good] == [".orch/inbox/a.yaml"]
    rejected.write_text(BAD)
    assert files.look("").problems
    rejected.unlink()
    assert files.look("").problems == ()


def test_a_file_that_is_fine_by_itself_says_why_it_was_rejected_and_is_no_task(
    open_files: Open, write: Write, place: Place
) -> None:
    files = open_files()
    write("inbox/a.yaml")
    files.settle(files.look("").good[0].drop, (TAKEN,))
    seen = files.look("")
    (problem,) = seen.problems
    assert (problem.file, problem.code, problem.hint) == (".git/orch/inbox/rejected/a.yaml", "E049", HINT)
    assert TAKEN.message in problem.message
    assert seen.good == ()
    (place.orch / "inbox/rejected/a.yaml.problems.txt").unlink()
    (problem,) = open_files().look("").problems
    assert "see a.yaml.problems.txt" in problem.message


def test_numbered_names_count_and_explanations_and_other_files_do_not(open_files: Open, place: Place) -> None:
    folder = place.orch / "inbox/rejected"
    folder.mkdir(parents=True)
    for name in ("a.yaml", "a.yaml.2", "b.yml.10", "a.yaml.problems.txt", "notes.md", ".c.yaml"):
        (folder / name).write_text(BAD)
    (folder / "folder.yaml").mkdir()
    (folder / "z.yaml").symlink_to("/etc/passwd")
    assert [Path(problem.file).name for problem in open_files().look("").problems] == [
        "a.yaml",
        "a.yaml.2",
        "b.yml.10",
        "z.yaml",
    ]


def test_a_git_directory_elsewhere_is_shown_whole(place: Place, clock: Clock, tmp_path: Path) -> None:
    away = Place(tmp_path / "away.git", place.checkout, place.state_home)
    folder = away.orch / "inbox/rejected"
    folder.mkdir(parents=True)
    (folder / "a.yaml").write_text(BAD)
    files = CheckoutTaskFiles(away, lambda: 1.0, clock.monotonic, clock.monotonic)
    assert [problem.file for problem in files.look("").problems] == [str(folder / "a.yaml")]
