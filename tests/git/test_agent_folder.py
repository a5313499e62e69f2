"""Where definitions of agents are read from: main, and over it the checkout where it shows main."""

from __future__ import annotations

import pytest
from git_world import World, commit, git

from orchd.adapters.agent_files import GitAgentFiles
from orchd.model.limits import LOOK_SECONDS

GOOD = "---\ndescription: d\nrunner: claude\n---\n"


def open_files(world: World, now: float = 2e10) -> GitAgentFiles:
    return GitAgentFiles(world.place, world.open(), "main", lambda: now)


def test_mains_definitions_hold_and_the_checkouts_go_before(world: World) -> None:
    main = commit(world.top, {".orch/agents/one.md": GOOD, ".orch/agents/two.md": GOOD}, "agents")
    (world.top / ".orch/agents/one.md").write_text(GOOD.replace("description: d", "description: mine"))
    (world.top / ".orch/agents/two.md").unlink()
    (world.top / ".orch/agents/notes.txt").write_text("no agent")
    seen, problems = open_files(world).look(main, ask=False)
    assert [(one.name, one.description) for one in seen.good] == [("one", "mine"), ("two", "d")]
    assert problems == ()
    git(world.top, "checkout", "-q", "-b", "other")
    assert [one.description for one in open_files(world).look(main, ask=False)[0].good] == ["d", "d"]


def test_a_bad_one_is_told_and_one_that_is_being_written_is_waited_for(world: World) -> None:
    main = commit(world.top, {".orch/agents/bad.md": "nothing"}, "agents")
    fresh = world.top / ".orch/agents/fresh.md"
    fresh.write_text(GOOD)
    files = open_files(world, fresh.stat().st_mtime + 0.001)  # a float is not exactly what the file system keeps
    (seen, problems) = files.look(main, ask=False)
    assert [one.code for one in problems] == ["E084"] or "bad" in seen.unsettled
    assert "fresh" in seen.unsettled
    assert files.settle_in()
    seen, problems = open_files(world).look(main, ask=False)
    assert ([one.name for one in seen.good], seen.bad, [one.code for one in problems]) == (["fresh"], {"bad"}, ["E084"])


def test_only_programs_in_the_path_are_installed_and_they_are_searched_once_in_two_seconds(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = world.top.parent / "tools"
    tools.mkdir()
    times, main = iter((2e10, 2e10 + 1, 2e10 + LOOK_SECONDS)), git(world.top, "rev-parse", "main")
    files = GitAgentFiles(world.place, world.open(), "main", lambda: next(times))
    monkeypatch.setenv("PATH", str(tools))
    assert files.look(main, ask=False)[0].installed == ()
    (tools / "claude").write_text("#!/bin/sh\n")
    (tools / "claude").chmod(0o755)
    assert files.look(main, ask=False)[0].installed == ()
    assert files.look(main, ask=False)[0].installed == ("claude",)
