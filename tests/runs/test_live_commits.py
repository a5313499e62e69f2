"""What a running task commits is packed beside its evidence while it works; whatever it does to its HEAD, its run goes on."""

from __future__ import annotations

import pytest
from runs_world import World, wait_for
from test_process_trees import patch_supervisors

from orchd.adapters.live_commits import list_packs, read_tip
from orchd.model.run import Outcome, Phase, RunSeen

RUN = "a.1.1"
WAIT = 'until test -e "$ORCHD_WORKSPACE/../go"; do sleep 0.01; done'


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    patch_supervisors(monkeypatch, "import orchd.adapters.supervisor as s; s.LIVE_SECONDS = 0.02")


def look(world: World) -> RunSeen:
    return world.runs.look([RUN])[RUN]


def fresh(world: World) -> str:
    seen = look(world)
    return seen.live.fresh if seen.live else ""


def go_on(world: World) -> None:
    (world.place.workspaces / "go").touch()


def tip_in_workspace(world: World) -> str:
    return world.git("rev-parse", "HEAD", folder=world.workspace(RUN))


def unpack(world: World) -> None:
    [(_, _, name)] = list_packs(world.folder(RUN) / "live")
    world.git("unpack-objects", "-q", stdin=(world.folder(RUN) / "live" / name).read_bytes())


@pytest.mark.parametrize(
    "how",
    [
        "git commit -qam one",
        "git checkout -q -b other; git commit -qam one",
        "git checkout -q --detach; git commit -qam one",
        "git commit -qam one; git pack-refs --all; git gc -q",
    ],
)
def test_a_commit_is_packed_while_the_task_runs(world: World, how: str):
    world.start(RUN, f"echo new > kept.txt; {how}; {WAIT}")
    wait_for(lambda: fresh(world))
    assert look(world).phase is Phase.RUNNING
    assert fresh(world) == tip_in_workspace(world)
    unpack(world)
    assert world.show(fresh(world), "kept.txt") == "new"
    go_on(world)
    left = world.end(RUN)
    assert left.tip == fresh(world), left


def test_a_later_commit_takes_the_place_of_the_one_before(world: World):
    again = 'until test -e "$ORCHD_WORKSPACE/../again"; do sleep 0.01; done'
    world.start(RUN, f"echo 1 > n; git add n; git commit -qm 1; {again}; echo 2 > n; git commit -qam 2; {WAIT}")
    wait_for(lambda: fresh(world))
    first = fresh(world)
    (world.place.workspaces / "again").touch()
    wait_for(lambda: fresh(world) != first)
    unpack(world)
    assert world.show(fresh(world), "n") == "2" and world.show(first, "n") == "1"
    go_on(world)
    assert world.end(RUN).outcome is Outcome.EXITED


def test_who_commits_nothing_leaves_nothing(world: World):
    left = world.run(RUN, "echo new > kept.txt; sleep 0.2")
    assert left.tip and look(world).live is None
    assert not (world.folder(RUN) / "live").exists()


def test_gates_are_not_looked_at(world: World):
    world.run(RUN, "git commit -q --allow-empty -m x; sleep 0.2", collect=False)
    assert not (world.folder(RUN) / "live").exists()


@pytest.mark.parametrize(
    "trick",
    [
        "rm .git/HEAD; mkfifo .git/HEAD",
        "rm .git/HEAD; ln -s /dev/zero .git/HEAD",
        "echo 1111111111111111111111111111111111111111 > .git/refs/heads/task",
        "head -c 1000000 /dev/zero > .git/HEAD",
        "mv .git elsewhere",
        "mv .git elsewhere; ln -s elsewhere .git",
    ],
)
def test_no_trick_with_head_stops_a_run(world: World, trick: str):
    left = world.run(RUN, f"{trick}; sleep 0.2; exit 3")
    assert [result.code for result in left.results] == [3]
    assert look(world).live is None


def test_what_is_too_large_is_left_for_the_result(world: World, monkeypatch: pytest.MonkeyPatch):
    patch_supervisors(monkeypatch, "import orchd.adapters.live_commits as l; l.LIVE_PACK_BYTES = 1000")
    large = "head -c 3000000 /dev/urandom > large; git add large; git commit -qm large; sleep 0.3"
    left = world.run(RUN, large)
    assert left.tip and look(world).live is None


def test_a_ref_that_leads_out_of_the_repository_is_not_followed(world: World):
    (world.checkout / ".git/secret").write_text("1" * 40 + "\n")
    (world.checkout / ".git/HEAD").write_text("ref: refs/../secret\n")
    assert read_tip(world.checkout / ".git") == ""
