"""Proposals of a run: task files in its control folder, read as those of a stranger once it has ended."""

from __future__ import annotations

from dataclasses import replace

from runs_world import World

from orchd.model.config import Config
from orchd.model.limits import PROPOSAL_FILES
from orchd.model.run import Proposal

RUN = "a.1.1"
TASK = "title: more\\ngoal: g\\n"
BEGIN = 'cd "$ORCHD_CONTROL"; mkdir proposals; cd proposals; '


def left_by(world: World, line: str) -> dict[str, Proposal]:
    """What a run that does this has proposed when it has ended."""
    world.runs.start(replace(world.order(RUN, line), brief="brief\n"), Config(kill_grace_seconds=0.2))
    world.end(RUN)
    return {one.id: one for one in world.runs.look([RUN])[RUN].proposals}


def test_a_task_file_is_a_proposal_and_another_file_is_told(world: World):
    line = f"printf '{TASK}' > good.yaml; printf 'titel: x\\n' > bad.yaml; printf x > no-task.md; printf '{TASK}' > Big.yaml"
    found = left_by(world, BEGIN + line)
    assert found.keys() == {"good", "bad", "Big"}
    spec = found["good"].spec
    assert spec is not None
    assert (spec.id, spec.title, spec.goal) == ("good", "more", "g")
    assert (found["bad"].spec, found["bad"].why.partition(":")[0]) == (None, "line 1")
    assert found["Big"].spec is None


def test_no_link_leads_out_and_no_pipe_holds_us_up(world: World):
    (world.checkout / "secret.yaml").write_text("title: secret\ngoal: g\n")
    line = f"ln -s {world.checkout}/secret.yaml a.yaml; mkfifo b.yaml; mkdir c.yaml; ln {world.checkout}/secret.yaml d.yaml"
    assert {one.spec for one in left_by(world, BEGIN + line).values()} == {None}


def test_a_linked_folder_is_none(world: World):
    (world.checkout / "there").mkdir()
    (world.checkout / "there/secret.yaml").write_text("title: secret\ngoal: g\n")
    assert left_by(world, f'ln -s {world.checkout}/there "$ORCHD_CONTROL/proposals"') == {}


def test_very_many_are_no_more_than_a_few(world: World):
    line = f"for n in $(seq 300); do printf '{TASK}' > t$n.yaml; done"
    assert len(left_by(world, BEGIN + line)) == PROPOSAL_FILES
