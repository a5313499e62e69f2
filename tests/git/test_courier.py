"""The courier: pushes that move all or nothing, flags that are read, a remote that hangs; and the fence of a landing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from git_world import commit, git
from shared_world import GitFamily, wait_for

from orchd.adapters.clone_name import name_clone
from orchd.adapters.courier import Outcome, Update, judge_push
from orchd.adapters.git_repo import open_repo
from orchd.adapters.git_shared import GitShared
from orchd.adapters.tenure_record import UNREADABLE, TenureRecords
from orchd.model.tenure import Bid, Follow, SharedSeen, Tenure

REF, OTHER = "refs/orch/tenure/default", "refs/heads/main"


@pytest.fixture
def family(tmp_path: Path) -> Iterator[GitFamily]:
    made = GitFamily(tmp_path)
    yield made
    made.close()


def settled(shared: GitShared) -> SharedSeen:
    return wait_for(lambda: (seen := shared.look()).answered and not seen.busy and seen)


def hold(shared: GitShared, epoch: int = 1) -> str:
    """Take or renew the session, whoever has it; its version."""
    before = settled(shared).tenures.get("default")

    def bid() -> str:
        seen = settled(shared)
        now = seen.tenures.get("default")
        if now is not None and now.ours and (before is None or now.version != before.version):
            return now.version
        shared.hold(Bid(now.version if now else "", Tenure("default", seen.me, epoch)))
        return ""

    return wait_for(bid)


@pytest.mark.parametrize(
    ("output", "code", "outcome"),
    [
        (f"To x\n*\ta:{REF}\t[new reference]\n \tb:{OTHER}\t1..2\nDone\n", 0, Outcome.WON),
        (f"To x\n=\ta:{REF}\t[up to date]\n \tb:{OTHER}\t1..2\nDone\n", 0, Outcome.LOST),
        (f"To x\n \tb:{OTHER}\t1..2\nDone\n", 0, Outcome.LOST),
        (f"To x\n!\ta:{REF}\t[rejected] (stale info)\n!\tb:{OTHER}\t[rejected] (atomic push failed)\n", 1, Outcome.LOST),
        (f"To x\n!\tb:{OTHER}\t[remote rejected] (pre-receive hook declined)\n", 1, Outcome.REFUSED),
        ("", 128, Outcome.UNKNOWN),
    ],
)
def test_a_push_has_won_only_if_it_moved_every_ref(output: str, code: int, outcome: Outcome) -> None:
    assert judge_push(output, code, [Update(REF, "", "a"), Update(OTHER, "1", "2")])[0] is outcome


def test_every_tenure_is_a_new_commit_even_of_the_same_content_at_the_same_moment(family: GitFamily) -> None:
    records = TenureRecords(open_repo(family.place("one")))
    tenure = Tenure("default", "me", 1)
    versions = {records.write(tenure, 5) for _ in range(3)}
    assert len(versions) == 3
    assert {records.read("default", version) for version in versions} == {tenure}


def test_without_a_nonce_git_takes_the_second_push_for_up_to_date_and_asks_no_lease(family: GitFamily) -> None:
    """The harm that the nonce prevents."""
    top = family.top("one")
    made = git(top, "commit-tree", "-m", "the same", "HEAD^{tree}")
    git(top, "push", "-q", "--force-with-lease=refs/orch/x:", "origin", f"{made}:refs/orch/x")
    again = git(top, "push", "--porcelain", "--force-with-lease=refs/orch/x:", "origin", f"{made}:refs/orch/x")
    assert "=\t" in again


def test_a_tenure_that_cannot_be_read_belongs_to_nobody_we_know(family: GitFamily) -> None:
    git(family.top("two"), "push", "-q", "origin", f"HEAD:{REF}")
    one = family.open("one")
    seen = wait_for(lambda: settled(one).tenures.get("default"))
    assert (seen.tenure.owner, seen.ours) == (UNREADABLE, False)
    hold(one)
    assert settled(one).tenures["default"].ours


def landing(family: GitFamily, name: str) -> tuple[str, str]:
    """Base and a commit to land, in a clone."""
    top = family.top(name)
    base = git(top, "rev-parse", "origin/main")
    return base, git(top, "commit-tree", "-p", base, "-m", f"land by {name}", "HEAD^{tree}")


def test_an_owner_that_was_replaced_cannot_land(family: GitFamily) -> None:
    one, two = family.open("one"), family.open("two")
    hold(one)
    stale = settled(one).tenures["default"]
    family.cut("one")
    hold(two, epoch=2)
    family.heal("one")
    base, made = landing(family, "one")
    one.land(Bid(stale.version, stale.tenure), base, made, {})
    settled(one)
    assert git(family.bare, "rev-parse", "main") == base
    one._courier.send([Update("refs/heads/main", base, made)])
    settled(one)
    assert git(family.bare, "rev-parse", "main") == made, "without the tenure in the push it would have landed"


def test_a_landing_moves_main_tenure_and_all_else_or_nothing(family: GitFamily) -> None:
    one = family.open("one")
    hold(one)
    owned = settled(one).tenures["default"]
    base, made = landing(family, "one")
    tag = "refs/tags/checkpoint/2026-01-01-001"
    git(family.bare, "update-ref", tag, base)
    one.land(Bid(owned.version, owned.tenure), base, made, {tag: made})
    settled(one)
    assert (git(family.bare, "rev-parse", "main"), git(family.bare, "rev-parse", tag)) == (base, base)
    git(family.bare, "update-ref", "-d", tag)
    wait_for(lambda: settled(one) and not one.remote_at(tag))
    one.land(Bid(owned.version, owned.tenure), base, made, {tag: made})
    wait_for(lambda: settled(one).main == made)
    assert git(family.bare, "rev-parse", tag) == made
    assert settled(one).tenures["default"].version != owned.version


def test_a_remote_that_hangs_makes_nobody_wait_and_is_ended_with_us(family: GitFamily, tmp_path: Path) -> None:
    top = family.top("one")
    script = tmp_path / "hang"
    script.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 1000\n")
    script.chmod(0o755)
    git(top, "config", "protocol.ext.allow", "always")
    git(top, "remote", "set-url", "origin", f"ext::{script}")
    one = family.open("one")
    pid = wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip())
    begun = time.monotonic()
    for _ in range(5):
        seen = one.look()
        one.hold(Bid("", Tenure("default", "me", 1)))
    assert time.monotonic() - begun < 2
    assert (seen.answered, seen.busy) == (False, True)
    one.close()
    wait_for(lambda: not Path(f"/proc/{pid}/cwd").exists())


def test_a_refusal_of_the_remote_is_told_and_not_asked_for_at_full_speed(family: GitFamily) -> None:
    hook = family.bare / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\ngrep -q refs/heads/main && exit 1\nexit 0\n")
    hook.chmod(0o755)
    one = family.open("one")
    hold(one)
    owned = settled(one).tenures["default"]
    base, made = landing(family, "one")
    one.land(Bid(owned.version, owned.tenure), base, made, {})
    wait_for(lambda: any("refuses a push" in text for text in family.ears["one"].heard))
    assert settled(one).rests
    hold(one)
    assert settled(one).tenures["default"].ours, "signs of life go on"
    assert git(family.bare, "rev-parse", "main") == base


def test_our_branch_follows_and_never_over_a_persons_work(family: GitFamily) -> None:
    one = family.open("one")
    top, other = family.top("one"), family.top("two")
    commit(other, {"a.txt": "two\n"})
    git(other, "push", "-q", "origin", "main")
    wanted = git(other, "rev-parse", "main")
    (top / "a.txt").write_text("mine\n")
    wait_for(lambda: settled(one).follow is Follow.HELD)
    one.follow(wanted)
    assert (top / "a.txt").read_text() == "mine\n"
    git(top, "checkout", "-q", "a.txt")
    wait_for(lambda: settled(one).follow is Follow.BEHIND)
    one.follow(wanted)
    assert (git(top, "rev-parse", "main"), (top / "a.txt").read_text()) == (wanted, "two\n")
    mine = commit(top, {"b.txt": "mine\n"})
    wait_for(lambda: settled(one).follow is Follow.APART)
    one.follow(wanted)
    assert git(top, "rev-parse", "main") == mine
    told = family.ears["one"].heard
    assert ["a checkout is in the way" in told[0], "has commits that the remote lacks" in told[1]] == [True, True]


def test_a_copy_of_a_clone_is_another_clone(family: GitFamily, tmp_path: Path) -> None:
    name = name_clone(family.place("one"))
    assert name_clone(family.place("one")) == name
    git(tmp_path, "clone", "-q", str(family.top("one")), str(tmp_path / "copy"))
    (family.place("copy").orch).mkdir(exist_ok=True)
    (family.place("copy").orch / "clone.json").write_bytes((family.place("one").orch / "clone.json").read_bytes())
    assert name_clone(family.place("copy")).rpartition("-")[2] != name.rpartition("-")[2]
