"""Session files: what they say, where they are read from, and that nothing unclear makes a session freer."""

from __future__ import annotations

from pathlib import Path

import pytest
from git_world import World, commit, git

from orchd.adapters.session_files import GitSessionFiles
from orchd.adapters.session_schema import parse_session
from orchd.model.claim import PathSpec
from orchd.model.save import Gate
from orchd.model.session import Landing, SessionSpec, TaskDefaults

PATH = ".orch/sessions/web.yaml"
FULL = """\
landing: on-complete
parallel: 2
gates:
  - {name: slow, run: make slow, timeout: 5m}
defaults:
  timeout: 10m
  priority: 3
  claims: [src/web/, {resource: staging-db}]
  after: [setup]
  labels: [web]
  noop: allowed
"""


def open_files(world: World, *, ahead_seconds: float = 9.0) -> GitSessionFiles:
    """The reader, with a wall clock that is ahead of the files by so much."""
    return GitSessionFiles(world.place, world.open(), "main", lambda: newest(world) + ahead_seconds)


def newest(world: World) -> float:
    folder = world.top / ".orch/sessions"
    return max((file.stat().st_mtime for file in folder.iterdir()), default=0.0) if folder.is_dir() else 0.0


def put(world: World, text: str, name: str = "web.yaml") -> Path:
    path = world.top / ".orch/sessions" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_every_key_reaches_the_model() -> None:
    defaults = TaskDefaults(600.0, 3, (PathSpec("src/web/**"),), ("setup",), ("web",), noop=True, resources=("staging-db",))
    assert parse_session(PATH, "web", FULL.encode()) == SessionSpec(
        "web", Landing.ON_COMPLETE, "", 2, (Gate("slow", "make slow", 300.0),), defaults
    )
    assert parse_session(PATH, "web", b"") == SessionSpec("web")
    said = parse_session(PATH, "web", b"defaults: {priority: 0, after: []}\n")
    assert isinstance(said, SessionSpec)
    assert (said.defaults.priority, said.defaults.after, said.defaults.labels) == (0, (), None)


@pytest.mark.parametrize(
    ("text", "line", "column", "code"),
    [
        ("landing: sometimes\n", 1, 10, "E042"),
        ("landin: manual\n", 1, 1, "E031"),
        ("parallel: 0\n", 1, 11, "E038"),
        ("gates:\n  - {name: a, run: x}\n  - {name: a, run: y}\n", 3, 5, "E048"),
        ("defaults:\n  timeout: soon\n", 2, 12, "E041"),
        ("defaults:\n  claims: [.orch/tasks/x.yaml]\n", 2, 12, "E040"),
        ("base: '-x'\n", 1, 7, "E047"),
        ("- a\n", 1, 1, "E021"),
    ],
)
def test_mistakes_are_named_at_their_place(text: str, line: int, column: int, code: str) -> None:
    problems = parse_session(PATH, "web", text.encode())
    assert isinstance(problems, tuple)
    found = problems[0]
    assert (found.file, found.line, found.column, found.code) == (PATH, line, column, code), problems
    assert found.hint


def test_a_slip_in_the_defaults_is_guessed() -> None:
    (problem,) = parse_session(PATH, "web", b"defaults:\n  prioriti: 1\n")
    assert (problem.code, problem.line, problem.hint) == ("E031", 2, "did you mean `priority`?")


def test_a_name_that_is_no_slug_is_refused(world: World) -> None:
    put(world, "", "Web Site.yaml")
    _, (problem,) = open_files(world).look(world.main)
    assert (problem.code, "web-site" in problem.hint) == ("E005", True)


def test_main_has_the_word_and_the_checkout_over_it_only_while_it_shows_main(world: World) -> None:
    commit(world.top, {PATH: "landing: manual\n"})
    put(world, "landing: on-complete\n")
    files = open_files(world)
    assert files.look(world.main)[0].good[0].spec.landing is Landing.ON_COMPLETE
    (world.top / PATH).unlink()
    assert files.look(world.main)[0].good[0].spec.landing is Landing.MANUAL, "what main has cannot be out of sight"
    git(world.top, "checkout", "-q", "-f", "-b", "side")
    put(world, "landing: auto\n")
    assert files.look(world.main)[0].good[0].spec.landing is Landing.MANUAL, "another branch has no say"


def test_a_bare_repository_reads_main(bare_world: World) -> None:
    tip = bare_world.branch_tip({PATH: "landing: manual\n", ".orch/sessions/link.yaml": "x"})
    seen, problems = GitSessionFiles(bare_world.place, bare_world.open(), "main", float).look(tip)
    assert [(file.path, file.spec.landing) for file in seen.good] == [(PATH, Landing.MANUAL)]
    assert (seen.bad, len(problems)) == (frozenset({"link"}), 1)


def test_a_file_that_is_bad_or_being_written_is_neither_good_nor_gone(world: World) -> None:
    put(world, "landing: perhaps\n")
    seen, problems = open_files(world).look(world.main)
    assert (seen.good, seen.bad, problems[0].code) == ((), frozenset({"web"}), "E042")
    put(world, "landing: manual\n")
    fresh = open_files(world, ahead_seconds=0.01)
    assert fresh.look(world.main)[0].unsettled == frozenset({"web"})
    assert fresh.settle_in()
    with put(world, "landing: manual\n").open("a"):
        assert open_files(world).look(world.main)[0].unsettled == frozenset({"web"})
    settled = open_files(world)
    assert settled.look(world.main)[0].good
    assert settled.settle_in() is None


def test_links_are_not_followed(world: World) -> None:
    outside = world.top.parent / "outside"
    outside.mkdir()
    (outside / "web.yaml").write_text("landing: manual\n")
    (world.top / ".orch").mkdir()
    (world.top / ".orch/sessions").symlink_to(outside)
    seen, problems = open_files(world).look(world.main)
    assert (seen.good, [problem.code for problem in problems]) == ((), ["E001"])


def test_two_files_of_one_session_are_a_problem(world: World) -> None:
    put(world, "landing: manual\n")
    put(world, "landing: auto\n", "web.yml")
    seen, problems = open_files(world).look(world.main)
    assert [file.spec.landing for file in seen.good] == [Landing.MANUAL]
    assert [problem.code for problem in problems] == ["E071"]
    assert not seen.bad


@pytest.mark.parametrize("kind", ["branch", "tag", "commit"])
def test_a_base_is_a_branch_a_tag_or_a_commit(world: World, kind: str) -> None:
    first = world.main
    commit(world.top, {"later.txt": "x"})
    git(world.top, "branch", "v1-branch", first)
    git(world.top, "tag", "-a", "-m", "x", "v1", first)
    put(world, f"base: {({'branch': 'v1-branch', 'tag': 'v1', 'commit': first[:10]})[kind]}\n")
    seen, problems = open_files(world).look(world.main)
    assert ([file.base for file in seen.good], problems) == ([first], ())


def test_a_base_that_cannot_land_is_told_at_its_place(world: World) -> None:
    git(world.top, "checkout", "-q", "-b", "side")
    commit(world.top, {"side.txt": "x"})
    git(world.top, "checkout", "-q", "main")
    wrong = ("E070", 7)
    for text, found in (("base: nowhere\n", wrong), ("base: side\n", wrong), ("base: side\nlanding: manual\n", None)):
        put(world, text)
        _, problems = open_files(world).look(world.main)
        assert ([(p.code, p.column) for p in problems] or [None]) == [found], problems
