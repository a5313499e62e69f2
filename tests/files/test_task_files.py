"""Looking at task files: what counts, when it counts, and what a look costs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from file_world import GOOD, LONG_AGO, Clock

from orchd.adapters import plain_file, schema, task_files
from orchd.adapters.git_repo import open_repo
from orchd.adapters.place import Place
from orchd.adapters.task_files import CheckoutTaskFiles, CommittedTaskFiles, open_task_files
from orchd.model.limits import SETTLE_SECONDS
from orchd.model.work import Source

Write = Callable[..., Path]
Open = Callable[[], CheckoutTaskFiles]
CommitBare = Callable[[Mapping[str, str]], tuple[Place, str]]


def test_good_files_come_through_in_order_beside_bad_ones(open_files: Open, write: Write) -> None:
    write("inbox/a.yaml")
    write("tasks/b.yml")
    write("tasks/c.yaml", "title: 08\nrun: y\n")
    write("tasks/a.yaml", GOOD + "needs: [b]\n")
    seen = open_files().look("")
    assert [(file.path, file.source) for file in seen.good] == [
        (".orch/tasks/a.yaml", Source.FILE),
        (".orch/tasks/b.yml", Source.FILE),
        (".orch/inbox/a.yaml", Source.INBOX),
    ]
    assert [(problem.file, problem.code) for problem in seen.problems] == [(".orch/tasks/c.yaml", "E033")]
    (mention,) = seen.good[0].mentions
    assert (mention.task, mention.line, mention.column, mention.excerpt) == ("b", 3, 9, "needs: [b]")


def test_other_names_folders_and_dot_files_are_no_tasks(open_files: Open, write: Write, place: Place) -> None:
    for name in ("notes.md", ".a.yaml", "a.yaml~", "a.yaml.swp"):
        write(f"tasks/{name}", "nonsense: [")
    assert place.checkout is not None
    (place.checkout / ".orch/tasks/folder.yaml").mkdir()
    seen = open_files().look("")
    assert (seen.good, seen.problems, seen.unsettled) == ((), (), frozenset())


def test_a_name_that_is_not_even_text_is_a_problem_that_can_be_stored(open_files: Open, place: Place) -> None:
    assert place.checkout is not None
    for folder in ("tasks", "inbox"):
        path = os.fsencode(place.checkout / ".orch" / folder) + b"/\xff\n.yaml"
        Path(os.fsdecode(path)).write_text(GOOD)
        os.utime(path, (LONG_AGO, LONG_AGO))
    seen = open_files().look("")
    assert [problem.code for problem in seen.problems] == ["E005", "E005"]
    assert all(f"{problem.file} {problem.message}".isprintable() for problem in seen.problems)
    assert not seen.bad_drops


def test_a_repository_without_the_folders_has_no_tasks(open_files: Open, place: Place) -> None:
    assert place.checkout is not None
    for folder in ("tasks", "inbox", ""):
        (place.checkout / ".orch" / folder).rmdir()
    assert open_files().look("").good == ()


@pytest.mark.parametrize("part", [".orch", ".orch/tasks"])
def test_a_folder_that_is_a_symlink_is_not_followed(open_files: Open, write: Write, place: Place, part: str) -> None:
    write("tasks/a.yaml")
    assert place.checkout is not None
    folder = place.checkout / part
    folder.rename(place.checkout / "elsewhere")
    folder.symlink_to(place.checkout / "elsewhere")
    seen = open_files().look("")
    assert seen.good == ()
    assert seen.problems[0].code == "E001"


def test_a_fresh_file_is_left_alone_until_it_has_settled(open_files: Open, write: Write, clock: Clock) -> None:
    files = open_files()
    write("tasks/a.yaml", age=0.5)
    seen = files.look("")
    assert (seen.good, seen.unsettled) == ((), frozenset({"a"}))
    assert files.settle_in() == pytest.approx(SETTLE_SECONDS)
    clock.now += SETTLE_SECONDS + 0.001
    assert files.settle_in() == 0
    seen = files.look("")
    assert ([file.spec.id for file in seen.good], seen.unsettled) == (["a"], frozenset())
    assert files.settle_in() is None


def test_every_change_begins_to_settle_anew(open_files: Open, write: Write, clock: Clock) -> None:
    files = open_files()
    write("tasks/a.yaml", age=0.5)
    files.look("")
    clock.now += SETTLE_SECONDS * 0.9
    write("tasks/a.yaml", GOOD + "noop: allowed\n", age=0.4)
    files.look("")
    clock.now += SETTLE_SECONDS * 0.9
    assert files.look("").unsettled == frozenset({"a"})
    clock.now += SETTLE_SECONDS * 0.2
    assert files.look("").good[0].spec.noop


def test_a_file_of_the_future_settles_too(open_files: Open, write: Write, clock: Clock) -> None:
    files = open_files()
    write("tasks/a.yaml", age=-9999)
    assert files.look("").unsettled
    clock.now += 1
    assert files.look("").good


TORN = "title: Do it\nrun: rm -rf build"


def test_a_file_that_is_being_written_is_not_read_however_old_it_is(open_files: Open, write: Write, clock: Clock) -> None:
    files = open_files()
    path = write("tasks/a.yaml", TORN, age=9)
    with path.open("a") as writer:
        clock.now += 60
        seen = files.look("")
        assert (seen.good, seen.problems, seen.unsettled) == ((), (), frozenset({"a"}))
        assert files.settle_in() is not None
        writer.write("/tmp\n")
    os.utime(path, (LONG_AGO, LONG_AGO))
    assert files.look("").good[0].spec.run == "rm -rf build/tmp"


def test_without_the_lease_half_a_file_would_be_taken_for_a_task(
    open_files: Open, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain_file, "is_being_written", lambda _: False)
    with write("tasks/a.yaml", TORN, age=9).open("a"):
        assert open_files().look("").good[0].spec.run == "rm -rf build"


def test_a_file_that_changes_between_listing_and_reading_waits_for_the_next_look(
    open_files: Open, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = open_files()
    write("tasks/a.yaml", age=9)
    original = task_files.read_plain_file

    def replaced(folder: int, name: str) -> object:
        write("tasks/a.yaml", GOOD + "noop: allowed\n", age=8)
        return original(folder, name)

    with monkeypatch.context() as patch:
        patch.setattr(task_files, "read_plain_file", replaced)
        assert files.look("").unsettled == frozenset({"a"})
    assert files.look("").good[0].spec.noop


def test_a_file_that_vanishes_for_a_moment_is_not_gone(open_files: Open, write: Write, clock: Clock) -> None:
    files = open_files()
    path = write("tasks/a.yaml")
    files.look("")
    aside = path.rename(path.with_name("backup"))
    assert files.look("").unsettled == frozenset({"a"})
    aside.rename(path)
    assert [file.spec.id for file in files.look("").good] == ["a"]
    path.unlink()
    files.look("")
    clock.now += SETTLE_SECONDS
    seen = files.look("")
    assert (seen.good, seen.unsettled) == ((), frozenset())
    assert files.settle_in() is None


def test_an_unchanged_world_opens_nothing_and_gives_the_same_answer(
    open_files: Open, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = open_files()
    write("tasks/a.yaml")
    write("tasks/b.yaml", "title: [")
    first = files.look("")
    opened: list[str] = []
    original = task_files.read_plain_file
    monkeypatch.setattr(task_files, "read_plain_file", lambda folder, name: opened.append(name) or original(folder, name))
    assert files.look("") is first
    assert opened == []
    write("tasks/b.yaml")
    assert len(files.look("").good) == 2
    assert opened == ["b.yaml"]


def test_a_restart_does_not_parse_again(open_files: Open, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        write(f"tasks/{name}.yaml", GOOD + "after: [z]\ntimeout: 1h\n")
    write("tasks/c.yaml", "titel: x\n")
    first = open_files().look("")
    monkeypatch.setattr(schema, "load_yaml", lambda *_: pytest.fail("parsed again"))
    assert open_files().look("") == first


def test_the_default_timeout_follows_the_configuration_and_leaves_the_digest_alone(
    place: Place, write: Write, clock: Clock
) -> None:
    timeouts = [60.0]
    files = CheckoutTaskFiles(place, lambda: timeouts[0], clock.monotonic, lambda: LONG_AGO + 10.0)
    write("tasks/a.yaml")
    write("tasks/b.yaml", GOOD + "timeout: 5m\n")
    before = files.look("").good
    timeouts[0] = 90.0
    after = files.look("").good
    assert [file.spec.timeout_seconds for file in before + after] == [60.0, 300.0, 90.0, 300.0]
    assert [file.digest for file in before] == [file.digest for file in after]


def test_in_a_bare_repository_the_tasks_of_main_count(commit_bare: CommitBare) -> None:
    texts = {".orch/tasks/a.yaml": GOOD, ".orch/tasks/b.yaml": "title: 08\nrun: y\n", ".orch/tasks/c.yaml": "->/etc/passwd"}
    place, main = commit_bare(texts | {".orch/tasks/readme.md": "x", ".orch/tasks/d.yaml/e.yaml": GOOD})
    files = CommittedTaskFiles(place, open_repo(place), lambda: 60.0)
    seen = files.look(main)
    assert [(file.path, file.source, file.spec.timeout_seconds) for file in seen.good] == [
        (".orch/tasks/a.yaml", Source.COMMIT, 60.0)
    ]
    assert [(problem.file, problem.code) for problem in seen.problems] == [
        (".orch/tasks/b.yaml", "E033"),
        (".orch/tasks/c.yaml", "E001"),
    ]
    _, other = commit_bare(texts | {".orch/tasks/readme.md": "x", ".orch/tasks/d.yaml/e.yaml": GOOD, "code.py": "1"})
    assert files.look(other) is seen
    _, emptied = commit_bare({"code.py": "1"})
    assert files.look(emptied).good == ()
    assert files.settle_in() is None


def test_the_right_kind_of_task_files_is_opened(place: Place, clock: Clock, commit_bare: CommitBare) -> None:
    bare, _ = commit_bare({"x": "y"})
    repo = open_repo(bare)
    for where, kind in ((place, CheckoutTaskFiles), (bare, CommittedTaskFiles)):
        assert isinstance(open_task_files(where, repo, lambda: 1.0, clock.monotonic, clock.monotonic), kind)
