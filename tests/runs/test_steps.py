"""The steps of a run: what was made until the end of each is committed, and stays when the rest is lost."""

from __future__ import annotations

from dataclasses import replace

import pytest
from runs_world import World, wait_for

from orchd.adapters.run_files import STEPS
from orchd.model.config import Config
from orchd.model.run import Exit, Outcome


def steps_of(world: World, tip: str) -> list[str]:
    """Which commit is the end of a step, the oldest first."""
    found = world.git("log", "--reverse", "--format=%B%x00", f"{world.head}..{tip}").split("\0")[:-1]
    return [body.partition("Orch-Step: ")[2].strip() for body in found]


def made(left: Exit) -> list[str]:
    return [step.name for step in left.steps]


def test_each_step_is_a_commit_and_the_next_one_finds_its_files_as_they_were(world: World):
    left = world.run(
        "a.1.1", "echo x > f; rm folder/deep.txt; echo i > g.ignored", "git status --short; cat f g.ignored; echo y > g"
    )
    assert [result.code for result in left.results] == [0, 0]
    world.take("a.1.1")
    assert made(left) == ["c0"]
    assert world.names(left.steps[0].commit) == [".gitignore", "f", "kept.txt"]
    assert world.names(left.tip) == [".gitignore", "f", "g", "kept.txt"]
    assert steps_of(world, left.tip) == ["c0", ""]
    log = (world.folder("a.1.1") / "out.log").read_text().splitlines()
    assert log[1:] == ["x", "i"], "and git has nothing to say of them"


def test_the_checkpoint_of_a_step_that_changed_nothing_is_the_one_before(world: World):
    left = world.run("a.1.1", "true", "echo x > f", "true", "exit 3")
    world.take("a.1.1")
    assert made(left) == ["c0", "c1", "c2"]
    assert [step.commit for step in left.steps] == [world.head, left.tip, left.tip]


def test_commits_of_the_task_are_part_of_its_checkpoints(world: World):
    left = world.run("a.1.1", "echo x > f; git add f; git commit -qm mine; echo y > g", "exit 1")
    world.take("a.1.1")
    assert steps_of(world, left.tip) == ["", "c0"]
    assert left.steps[0].commit == left.tip


def test_a_run_begins_at_a_checkpoint_and_brings_only_what_is_new(world: World):
    first = world.run("a.1.1", "echo x > f", "exit 1")
    world.take("a.1.1")
    second = world.run("a.1.2", "cat f > g", commit=first.steps[0].commit)
    world.take("a.1.2")
    assert world.show(second.tip, "g") == "x"
    assert world.git("rev-parse", f"{second.tip}^") == first.steps[0].commit


def test_a_lost_run_keeps_its_checkpoints(world: World):
    world.start("a.1.1", "echo x > f", "echo y > g; sleep 1000")
    wait_for(lambda: (world.workspace("a.1.1") / "g").exists())
    world.lose("a.1.1")
    world.runs.salvage("a.1.1")
    left = world.end("a.1.1")
    world.take("a.1.1")
    assert (left.outcome, made(left)) == (Outcome.LOST, ["c0"])
    assert world.names(left.steps[0].commit) == [".gitignore", "f", "folder/deep.txt", "kept.txt"]
    assert world.show(left.tip, "g") == "y"


ELSEWHERE = "git checkout -q --orphan other; git commit -qm apart"


@pytest.mark.parametrize("line", [ELSEWHERE, "mv .git .away; mkdir .git", "echo 'ref: refs/heads/ghost' > .git/HEAD"])
def test_without_a_checkpoint_the_task_goes_on_and_nothing_is_lost(world: World, line: str):
    left = world.run("a.1.1", f"echo x > f; {line}", "echo y > g")
    assert made(left) == []
    assert [result.code for result in left.results] == [0, 0]
    assert "c0 has no checkpoint" in (world.folder("a.1.1") / "out.log").read_text()
    kept = (world.workspace("a.1.1") / "g").exists() and left.detail
    assert kept or "g" in (world.take("a.1.1"), world.names(left.tip))[1]


def test_gates_are_no_steps(world: World):
    left = world.run("a.1.1", "echo x > f", "true", collect=False)
    assert (made(left), (world.folder("a.1.1") / STEPS).exists()) == ([], False)


def test_a_hook_that_the_task_left_does_not_run_at_the_end_of_a_step(world: World):
    hook = "echo '#!/bin/sh\ntouch hooked' > .git/hooks/post-index-change; chmod +x .git/hooks/*"
    left = world.run("a.1.1", f"mkdir -p .git/hooks; {hook}; echo x > f", "true")
    assert made(left) == ["c0"]
    assert not (world.workspace("a.1.1") / "hooked").exists()


def test_steps_have_their_name_in_the_environment(world: World):
    order = world.order("a.1.1", "echo $ORCHD_STEP > f", "echo $ORCHD_STEP > g")
    commands = tuple(replace(one, env=(("ORCHD_STEP", one.name),)) for one in order.commands)
    world.runs.start(replace(order, commands=commands), Config())
    left = world.end("a.1.1")
    world.take("a.1.1")
    assert (world.show(left.tip, "f"), world.show(left.tip, "g")) == ("c0", "c1")
