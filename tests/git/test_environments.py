"""Records of environments in git: only one of several writers wins, and each guard is needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from git_world import DATE_MS, World, git

from orchd.adapters import promoter
from orchd.adapters.environment_lock import hold_environment
from orchd.adapters.environment_records import append_record
from orchd.adapters.environments import find_freight, read_chain, read_chains, read_end
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.promoter import Promoted, Promoter, Talk
from orchd.adapters.promotion_scene import Wish, own_process
from orchd.adapters.ref_store import RefStore
from orchd.core.promotion import replay
from orchd.errors import OrchdError
from orchd.model.ids import environment_ref
from orchd.model.promotion import NOTHING, Freight, Moment, Process, Record, Step

NAME = "checkpoint/2026-01-31-001"
OTHER = Process("elsewhere", "boot", 7, 7)


@pytest.fixture
def freight(world: World) -> Freight:
    git(world.top, "tag", "-a", "-m", "by hand", NAME, "main")
    found = find_freight(world.place, NAME)
    assert found is not None
    return found


def record(freight: Freight, step: Step = Step.BEGUN, by: str = "Ann", **changes: object) -> Record:
    return Record(freight, step, by, Moment(DATE_MS), "key", **changes)  # type: ignore[arg-type]


def test_what_was_written_is_read_back(world: World, freight: Freight) -> None:
    repo = world.open()
    first = record(freight, approvals=("Zoë", "Ben\u2028"), process=own_process())
    tip = append_record(repo, "prod", "", first)
    last = record(freight, Step.FAILED, detail="it said:\n\n\0\1 and more")
    tip = append_record(repo, "prod", tip, last, "what it printed\n")
    chain = read_chain(world.place, "prod")
    assert chain == read_chains(world.place)["prod"]
    assert chain.records == (first, last)
    assert (chain.tip, read_end(world.place, tip)) == (tip, "what it printed\n")
    assert read_chain(world.place, "dev") == NOTHING
    assert git(world.top, "fsck", "--strict", "--no-dangling") == ""


def test_a_light_tag_is_no_freight(world: World) -> None:
    git(world.top, "tag", NAME, "main")
    assert find_freight(world.place, NAME) is None


def test_a_record_that_cannot_be_read_is_an_error_and_not_an_empty_history(world: World, freight: Freight) -> None:
    repo = world.open()
    tip = append_record(repo, "prod", "", record(freight))
    spoilt = repo.write_commit(repo.tree_of(tip), [tip], "prod: something else\n\nnot a record\n", DATE_MS)
    repo.refs.force(environment_ref("prod"), spoilt)
    with pytest.raises(OrchdError, match="damaged"):
        read_chain(world.place, "prod")


def test_of_two_writers_after_the_same_record_one_wins(world: World, freight: Freight) -> None:
    repo = world.open()
    for tip in ("", append_record(repo, "dev", "", record(freight))):
        name = "dev" if tip else "prod"
        assert append_record(repo, name, tip, record(freight, by="Winner"))
        assert append_record(repo, name, tip, record(freight, by="Loser")) == ""
        assert read_chain(world.place, name).records[-1].by == "Winner"


def test_the_lock_names_who_has_it_and_is_free_afterwards(world: World) -> None:
    with hold_environment(world.place, "prod", "Ann promotes") as first:
        assert first is None
        with hold_environment(world.place, "prod", "Ben promotes") as second:
            assert second == "Ann promotes"
        with hold_environment(world.place, "dev", "Ben promotes") as elsewhere:
            assert elsewhere is None
    with hold_environment(world.place, "prod", "Ben promotes") as again:
        assert again is None


def allow_anything(world: World) -> Promoter:
    """No deploy command and no rule but those about who is first."""
    (world.top / ".orch").mkdir(exist_ok=True)
    (world.top / ".orch/config.yaml").write_text("environments: [{name: dev, unverified: allowed}]\n")
    return Promoter(world.place, "", Talk(print, len))


@pytest.fixture
def proven(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchd.adapters.promotion_scene.find_faults", lambda *_: ())


def interrupt(monkeypatch: pytest.MonkeyPatch, meddle: Callable[[GitRepo], object]) -> None:
    """Just before the first record is written somebody else writes."""
    whole, calls = append_record, list[int]()

    def meddled(repo: GitRepo, environment: str, tip: str, one: Record, log: str = "", shared: object = None) -> str:
        calls.append(1)
        if len(calls) == 1:
            meddle(repo)
        return whole(repo, environment, tip, one, log)

    monkeypatch.setattr(promoter, "append_record", meddled)


@pytest.mark.usefixtures("proven")
def test_another_machine_that_is_faster_wins_though_it_has_no_lock_here(
    world: World, freight: Freight, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = allow_anything(world)
    interrupt(monkeypatch, lambda repo: append_record(repo, "dev", "", record(freight, by="Far", process=OTHER)))
    lost = asked.promote(Wish("dev", "Ann", NAME))
    assert not lost.done
    assert lost.what.startswith(f"Far promotes {NAME} since") and "on elsewhere" in lost.what
    assert [one.by for one in read_chain(world.place, "dev").records] == ["Far"]


@pytest.mark.usefixtures("proven")
def test_without_compare_and_swap_both_would_deploy(world: World, freight: Freight, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = allow_anything(world)
    overwrite = lambda refs, name, old, new, log="": not git(world.top, "update-ref", name, new)  # noqa: E731
    monkeypatch.setattr(RefStore, "move", overwrite)
    interrupt(monkeypatch, lambda repo: append_record(repo, "dev", "", record(freight, by="Far", process=OTHER)))
    assert asked.promote(Wish("dev", "Ann", NAME)).done
    assert [one.by for one in read_chain(world.place, "dev").records] == ["Ann", "Ann"], "the winner's record is gone"


@pytest.mark.usefixtures("proven")
def test_an_approval_in_between_is_no_reason_to_lose(world: World, freight: Freight, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = allow_anything(world)
    interrupt(monkeypatch, lambda repo: append_record(repo, "dev", "", record(freight, Step.APPROVED, by="Ben")))
    done = asked.promote(Wish("dev", "Ann", NAME))
    assert (done.done, done.record and done.record.approvals) == (True, ("Ben",))
    steps = [one.step for one in read_chain(world.place, "dev").records]
    assert steps == [Step.APPROVED, Step.BEGUN, Step.DEPLOYED]


@pytest.mark.usefixtures("proven")
def test_who_was_taken_for_gone_does_not_write_an_end_over_the_next_one(
    world: World, freight: Freight, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = allow_anything(world)

    def deploy(*_: object) -> Promoted:
        chain = read_chain(world.place, "dev")
        append_record(world.open(), "dev", chain.tip, record(freight, by="Far", process=OTHER))
        return original(*_)

    original = asked._end  # type: ignore[attr-defined]
    monkeypatch.setattr(asked, "_end", deploy)
    with pytest.raises(OrchdError, match="somebody else has written"):
        asked.promote(Wish("dev", "Ann", NAME))
    left = replay(read_chain(world.place, "dev").records).open
    assert left is not None and left.by == "Far"


@pytest.mark.usefixtures("proven")
def test_without_the_lock_a_promoter_that_cannot_see_the_other_process_is_beside_it(
    world: World, freight: Freight, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in two containers with one repository: each sees the other's process id as nobody."""
    hidden = Process(own_process().host, own_process().boot, 2**22 + 1, 1)
    asked = allow_anything(world)
    append_record(world.open(), "dev", "", record(freight, by="Far", process=hidden))
    with hold_environment(world.place, "dev", "Far promotes"):
        lost = asked.promote(Wish("dev", "Ann", NAME))
    assert (lost.done, lost.what) == (False, "Far promotes was faster")
    assert asked.promote(Wish("dev", "Ann", NAME)).done, "only the lock stood in the way"


def test_the_folder_of_locks_is_the_machines_own(world: World) -> None:
    with hold_environment(world.place, "prod", "Ann"):
        assert Path(world.place.git_dir, "orch/environments/prod.lock").exists()
