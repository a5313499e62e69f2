"""Records of environments between clones of one remote: the chain there counts, one of two promoters wins, none is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from git_world import World, commit, git

from orchd.adapters.asked_remote import AskedRemote
from orchd.adapters.courier import Outcome, Update
from orchd.adapters.environments import read_chain
from orchd.adapters.place import find_place
from orchd.adapters.promoter import Promoter, Talk
from orchd.adapters.promotion_scene import Wish
from orchd.adapters.shared_environments import follow_environments
from orchd.errors import OrchdError
from orchd.model.ids import environment_ref

NAME, DEV = "checkpoint/2026-01-31-001", environment_ref("dev")
Push = Callable[[AskedRemote, Update], tuple[Outcome, str]]


@pytest.fixture
def clones(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two of one bare repository; what they deploy is a line in `deployed`."""
    monkeypatch.setattr("orchd.adapters.promotion_scene.find_faults", lambda *_: ())
    deploy = f"echo $ORCHD_IDEMPOTENCY_KEY >> {tmp_path}/deployed"
    text = f'remote: origin\nenvironments: [{{name: dev, unverified: allowed, deploy: "{deploy}"}}]\n'
    commit(world.top, {".orch/config.yaml": text})
    git(world.top, "tag", "-a", "-m", "by hand", NAME, "main")
    git(tmp_path, "clone", "-q", "--bare", str(world.top), "shared.git")
    for name in ("ann", "ben"):
        git(tmp_path, "clone", "-q", "shared.git", name)
    return [tmp_path / "ann", tmp_path / "ben"]


def promoter(clone: Path) -> Promoter:
    return Promoter(find_place(clone), "", Talk(print, len))


def people(clone: Path) -> list[tuple[str, str]]:
    return [(one.by, str(one.step)) for one in read_chain(find_place(clone), "dev").records]


def deployed(clones: list[Path]) -> int:
    file = clones[0].parent / "deployed"
    return len(file.read_text().splitlines()) if file.exists() else 0


def meddle(monkeypatch: pytest.MonkeyPatch, first: Callable[[Push, AskedRemote, Update], tuple[Outcome, str]]) -> None:
    """Something else becomes of the first push."""
    whole, calls = AskedRemote.push, list[int]()

    def push(asked: AskedRemote, update: Update) -> tuple[Outcome, str]:
        calls.append(1)
        return first(whole, asked, update) if len(calls) == 1 else whole(asked, update)

    monkeypatch.setattr(AskedRemote, "push", push)


def test_what_one_clone_promoted_the_other_one_sees_and_does_not_do_again(clones: list[Path]) -> None:
    ann, ben = clones
    assert promoter(ann).promote(Wish("dev", "Ann", NAME)).done
    assert people(ann) == [("Ann", "begun"), ("Ann", "deployed")] and not people(ben)
    follow_environments(find_place(ben), "")
    assert people(ben) == people(ann)
    again = promoter(ben).promote(Wish("dev", "Ben", NAME))
    assert again.done and "there already" in again.what and deployed(clones) == 1


def test_of_two_clones_that_promote_at_once_one_loses_and_says_so(clones: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    ann, ben = clones

    def be_faster(push: Push, asked: AskedRemote, update: Update) -> tuple[Outcome, str]:
        assert promoter(ben).approve(Wish("dev", "Ben", NAME)).done
        assert promoter(ben).promote(Wish("dev", "Ben", NAME)).done
        return push(asked, update)

    meddle(monkeypatch, be_faster)
    late = promoter(ann).promote(Wish("dev", "Ann", NAME))
    assert "there already; nothing was deployed" in late.what and late.record and late.record.by == "Ben"
    assert deployed(clones) == 1 and people(ann) == people(ben)


def test_without_the_lease_both_would_deploy(clones: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    ann, ben = clones

    def overwrite(_: Push, asked: AskedRemote, update: Update) -> tuple[Outcome, str]:
        assert promoter(ben).promote(Wish("dev", "Ben", NAME)).done
        git(ann, "push", "-q", "-f", "origin", f"{update.new}:{update.ref}")
        return Outcome.WON, ""

    meddle(monkeypatch, overwrite)
    assert promoter(ann).promote(Wish("dev", "Ann", NAME)).done
    assert deployed(clones) == 2 and {who for who, _ in people(ann)} == {"Ann"}, "the winner's record is gone"


@pytest.mark.parametrize("arrives", [True, False])
def test_what_became_of_a_push_that_broke_off_is_asked(
    clones: list[Path], monkeypatch: pytest.MonkeyPatch, arrives: bool
) -> None:
    def break_off(push: Push, asked: AskedRemote, update: Update) -> tuple[Outcome, str]:
        if arrives:
            push(asked, update)
        return Outcome.UNKNOWN, ""

    meddle(monkeypatch, break_off)
    assert promoter(clones[0]).promote(Wish("dev", "Ann", NAME)).done
    assert people(clones[0]) == [("Ann", "begun"), ("Ann", "deployed")] and deployed(clones) == 1
    assert git(clones[0], "ls-remote", "origin", DEV).split()[0] == git(clones[0], "rev-parse", DEV)


def test_records_of_before_are_handed_over_and_none_is_thrown_away(clones: list[Path]) -> None:
    ann, ben = clones
    assert promoter(ben).approve(Wish("dev", "Ben", NAME)).done
    tip = git(ben, "rev-parse", DEV)
    git(clones[0].parent / "shared.git", "update-ref", "-d", DEV)
    assert promoter(ann).approve(Wish("dev", "Ann", NAME)).done, "the remote knew of none"
    with pytest.raises(OrchdError, match="has other records here"):
        promoter(ben).approve(Wish("dev", "Cem", NAME))
    assert git(ben, "rev-parse", DEV) == tip
    git(clones[0].parent / "shared.git", "update-ref", "-d", DEV)
    follow_environments(find_place(ben), "")
    assert git(ben, "ls-remote", "origin", DEV).split()[0] == tip


def test_without_an_answer_nothing_is_begun(clones: list[Path]) -> None:
    (clones[0].parent / "shared.git").rename(clones[0].parent / "away.git")
    with pytest.raises(OrchdError, match="cannot reach `origin`"):
        promoter(clones[0]).promote(Wish("dev", "Ann", NAME))
    assert not people(clones[0]) and not deployed(clones)
