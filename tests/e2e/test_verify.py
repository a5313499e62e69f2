"""`orchd verify` proves what landed from git objects alone, and sees every way of tampering that we could think of."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from stories import Repo, make_repo

from orchd import app
from orchd.adapters.losses import prove_branch


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """Three tasks in at least two checkpoints, with a person's commit between them."""
    repo = make_repo(tmp_path_factory.mktemp("landed"))
    repo.write(".orch/config.yaml", "gates:\n  - {name: exists, run: test -d src}\n")
    repo.task("one", "echo 1 > src/one.txt", claims=["src/one.txt"])
    repo.task("two", "echo 2 > src/two.txt", claims=["src/two.txt"])
    repo.orchd("run")
    repo.commit("a person's own\n\nwith \x01 in it", **{"person.txt": "mine\n"})
    repo.task("three", "echo 3 > src/three.txt", claims=["src/three.txt"], needs=["one"])
    repo.orchd("run")
    return repo


@pytest.fixture
def repo(landed: Repo, tmp_path: Path) -> Repo:
    shutil.copytree(landed.top, tmp_path / "project", symlinks=True)
    return Repo(tmp_path / "project", landed.env)


def test_a_sound_chain_is_proven_also_in_a_clone_without_the_state(repo: Repo, tmp_path: Path) -> None:
    assert repo.data("verify") == []
    said = repo.orchd("verify", code=None)
    assert "0 break(s)" in said
    assert "1 other commit(s)" in said
    assert "unverified" not in said
    clone = Repo(tmp_path / "clone", repo.env)
    repo.git("clone", "-q", "--mirror", str(repo.top), str(clone.top))
    clone.git("update-ref", "-d", "refs/orch/state")
    assert clone.data("verify") == []


def test_a_plain_clone_proves_all_but_the_notes_and_runs_nothing_that_has_landed(repo: Repo, tmp_path: Path) -> None:
    clone = Repo(tmp_path / "clone", repo.env)
    repo.git("clone", "-q", str(repo.top), str(clone.top))
    said = clone.orchd("verify", code=None)
    assert "0 break(s)" in said and "audit note or tag of 2 checkpoint(s)" in said
    before = clone.git("rev-parse", "main")
    clone.task("four", "echo 4 > src/four.txt", claims=["src/four.txt"], needs=["one"])
    told = clone.orchd("run", code=None)
    landed = {name: clone.data("show", name)["checkpoint"] for name in ("one", "two")}
    assert landed == {name: repo.data("show", name)["checkpoint"] for name in landed} and "landed with" in told
    assert told.endswith("\n1 landed\n"), "what had landed before is not counted"
    assert clone.git("log", "--first-parent", "--format=%s", f"{before}..main") == "Land four: do four"
    said = clone.orchd("verify", code=None)
    assert "0 break(s)" in said and "audit note or tag of 2 checkpoint(s)" in said, "only its own needs one"
    clone.git("notes", "--ref=orch/audit", "remove", "main")
    clone.git("fetch", "-q", "origin", "+refs/notes/orch/*:refs/orch/remote/notes/*")
    said = clone.orchd("verify", code=1)
    assert "1 break(s)" in said and "its audit note is missing" in said
    clone.git("update-ref", "refs/notes/orch/audit", "refs/notes/orch/audit~1")
    said = clone.orchd("verify", code=None)
    assert "0 break(s)" in said and "not seen" not in said
    clone.task("two", "echo 22 > src/two.txt", claims=["src/two.txt"])
    clone.commit("once more")
    clone.orchd("run")
    assert clone.git("show", "main:src/two.txt") == "22", "a changed file is asked for anew"
    repo.task("five", "echo 5 >> src/five.txt", claims=["src/five.txt"])
    repo.commit("five")
    repo.orchd("run")
    clone.git("pull", "-q", "--no-rebase", "--no-edit")
    assert clone.orchd("run", code=None).endswith("nothing to do\n"), "what came by a pull has landed, too"


def test_a_shallow_clone_is_proven_as_far_as_it_goes_and_runs_nothing(repo: Repo, tmp_path: Path) -> None:
    clone = Repo(tmp_path / "clone", repo.env)
    repo.git("clone", "-q", "--depth=2", f"file://{repo.top}", str(clone.top))
    said = clone.orchd("verify", code=None)
    assert "0 break(s)" in said and "1 checkpoint(s) reach beyond its end" in said
    assert "git fetch --unshallow" in clone.orchd("run", code=78)
    clone.git("fetch", "-q", "--unshallow")
    assert clone.data("plan") == [], "all of it has landed"


def test_a_lost_state_lets_nothing_run_twice(repo: Repo) -> None:
    before = repo.git("rev-parse", "main")
    repo.git("update-ref", "-d", "refs/orch/state")
    repo.orchd("run")
    assert repo.git("rev-parse", "main") == before


def test_what_another_clone_has_landed_is_proven_by_the_notes_that_were_fetched(repo: Repo) -> None:
    repo.git("update-ref", "refs/orch/remote/notes/audit", "refs/notes/orch/audit")
    assert repo.data("verify") == [], "a note that is there twice"
    repo.git("update-ref", "-d", "refs/notes/orch/audit")
    repo.git("notes", "add", "-m", "a person's own", "main")
    assert repo.data("verify") == []


def test_nothing_landed_is_nothing_broken(tmp_path: Path) -> None:
    assert make_repo(tmp_path).data("verify") == []


def _amend(repo: Repo) -> None:
    repo.write("src/one.txt", "smuggled in\n")
    repo.git("commit", "-qa", "--amend", "--no-edit")


def _untag(repo: Repo) -> None:
    repo.git("tag", "-d", repo.checkpoints()[0])


def _move_tag(repo: Repo) -> None:
    repo.git("tag", "-f", "-a", "-m", "moved", repo.checkpoints()[-1], "HEAD~1")


def _forget_note(repo: Repo) -> None:
    repo.git("notes", "--ref=orch/audit", "remove", "HEAD")


def _swap_note(repo: Repo) -> None:
    repo.git("notes", "--ref=orch/audit", "add", "-f", "-m", "save: 000000000000", "HEAD")


def _forge(repo: Repo) -> None:
    """A commit that only says that it is a checkpoint."""
    repo.write("src/one.txt", "not landed\n")
    repo.git("commit", "-qam", repo.git("log", "-1", "--format=%B"))


def _replay(repo: Repo) -> None:
    """The same landing once more, with the same words."""
    tree, message = repo.git("rev-parse", "HEAD^{tree}"), repo.git("log", "-1", "--format=%B")
    again = repo.git("commit-tree", tree, "-p", "HEAD", "-p", "HEAD^2", "-m", message)
    repo.git("reset", "-q", "--hard", again)


def _graft(repo: Repo) -> None:
    """A chain with the gated tree, but other tips behind it."""
    head = repo.git("rev-parse", "HEAD")
    chain = repo.git("commit-tree", f"{head}^{{tree}}", "-p", "HEAD^1", "-p", "HEAD^1", "-m", "chain")
    message = repo.git("log", "-1", "--format=%B")
    repo.git("reset", "-q", "--hard", repo.git("commit-tree", f"{head}^{{tree}}", "-p", "HEAD^1", "-p", chain, "-m", message))


TAMPERED: dict[str, tuple[Callable[[Repo], None], str]] = {
    "an amended checkpoint": (_amend, "its tree is not the one"),
    "a deleted tag": (_untag, "its tag is missing"),
    "a moved tag": (_move_tag, "points elsewhere or says something else"),
    "a removed note": (_forget_note, "its audit note is missing"),
    "a note about something else": (_swap_note, "speaks of something else"),
    "a forged checkpoint": (_forge, "its parents are not the base"),
    "a landing that is repeated": (_replay, "had landed before"),
    "other work behind the gated tree": (_graft, "the merges behind it are not those of its tasks"),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_tampering_is_seen(repo: Repo, name: str) -> None:
    tamper, words = TAMPERED[name]
    tamper(repo)
    said = repo.orchd("verify", code=1)
    assert words in said


def test_somebody_elses_tag_is_no_checkpoint_and_one_that_was_made_light_is_broken_once(repo: Repo) -> None:
    place = app.find(repo.top)
    known = app.checkpoints(place)
    repo.git("tag", "checkpoint/foo", "main")
    repo.git("tag", "checkpoint/blob", "main:src/one.txt")
    repo.git("tag", "-a", "-m", "mine", "checkpoint/2026-01-01-009", repo.git("commit-tree", "main^{tree}", "-m", "apart"))
    assert prove_branch(place, "main", "").breaks == () and app.checkpoints(place) == known
    assert "there is no checkpoint `foo`" in repo.orchd("restore", "foo", code=2)
    last = known[-1]
    repo.git("tag", "-f", last.name, last.commit)
    [found] = prove_branch(place, "main", "").breaks
    assert (found.checkpoint, found.what.split(",")[0]) == (last.name, "its tag is missing")
    assert [one.commit for one in app.checkpoints(place)] == [one.commit for one in known]
    repo.git("reset", "-q", "--hard", f"{last.commit}~1")
    [found] = prove_branch(place, "main", "").breaks
    assert (found.checkpoint, found.what) == (last.name, "main does not contain it (any more)")
    repo.orchd("waive", last.name)
    assert prove_branch(place, "main", "").breaks == ()


def test_what_main_lost_is_told_until_a_person_settles_it(repo: Repo) -> None:
    lost = repo.checkpoints()[-1]
    repo.git("reset", "-q", "--hard", f"{lost}~1")
    repo.task("four", "echo 4 > src/four.txt", claims=["src/four.txt"])
    repo.orchd("run")
    assert "main does not contain it (any more)" in repo.orchd("verify", code=1), "something else has landed"
    [need] = repo.data("status")["needs_you"]  # type: ignore[index]
    assert need["command"] == f"git merge {lost}"
    repo.orchd("retry", "three")
    assert "back" not in repo.orchd("run", code=None)
    [settled] = repo.data("verify")  # type: ignore[misc]
    again = repo.checkpoints()[-1]
    assert f"superseded by {again} (asked for again: three by " in settled["what"] and not settled["broken"]
    assert repo.data("status")["needs_you"] == []  # type: ignore[index]
    repo.git("reset", "-q", "--hard", "HEAD~1")
    assert "2 break(s)" in repo.orchd("verify", code=1), "what took its place is lost, too"
    repo.orchd("retry", "three")  # as `explain` says, though no daemon has looked yet
    repo.orchd("waive", lost, again, "--by", "Ann")
    assert all(not one["broken"] and "waived by Ann at" in one["what"] for one in repo.data("verify"))  # type: ignore[attr-defined]
    assert repo.data("status")["needs_you"] == []  # type: ignore[index]
    assert "main contains" in repo.orchd("waive", repo.checkpoints()[0], code=2)


def test_a_copy_of_a_checkpoint_is_a_break_until_a_person_says_that_it_is_known(repo: Repo) -> None:
    last = repo.checkpoints()[-1]
    repo.git("reset", "-q", "--hard", f"{last}~1")
    repo.git("commit", "-q", "--allow-empty", "-m", "mine")
    repo.git("cherry-pick", "-m1", last)
    copy = repo.git("rev-parse", "HEAD")
    repo.git("merge", "-q", "--no-edit", last)
    repo.task("five", "echo 5 > src/five.txt", claims=["src/five.txt"])
    repo.orchd("run")
    (repo.top / ".orch/config.yaml").write_text("environments: [{name: dev, unverified: allowed}]\n")
    fifth = repo.checkpoints()[-1]
    assert copy in repo.orchd("verify", code=1)
    assert "is not orchd that committed it" in repo.orchd("promote", fifth, "dev", code=1)
    assert "is not a copy" in repo.orchd("waive", repo.git("rev-parse", f"{last}^{{}}"), code=2)
    repo.orchd("waive", copy[:9], "--by", "Ann")
    [known] = repo.data("verify")  # type: ignore[misc]
    assert not known["broken"] and "waived by Ann at" in known["what"]
    repo.orchd("promote", fifth, "dev")


def test_with_a_remote_the_main_there_is_proven_as_it_was_last_seen(repo: Repo) -> None:
    place, last = app.find(repo.top), repo.checkpoints()[-1]

    def breaks(remote: str) -> list[str]:
        return [one.checkpoint for one in prove_branch(place, "main", remote).breaks]

    assert breaks("origin") == [], "it was never seen"
    repo.git("update-ref", "refs/orch/remote/main", f"{last}^{{commit}}~1")
    assert breaks("origin") == [last] and breaks("") == [], "without a remote the own branch counts, and misses it"
    repo.git("update-ref", "refs/remotes/origin/main", "main")
    assert breaks("origin") == [], "a person fetched what is ahead of it"
    apart = repo.git("commit-tree", "main^{tree}", "-p", f"{last}^{{commit}}~1", "-m", "by somebody else")
    repo.git("update-ref", "refs/orch/remote/main", apart)
    assert breaks("origin") == [], "and where the two went apart nobody can say yet that it is lost"
    repo.git("update-ref", "-d", "refs/remotes/origin/main")
    assert breaks("origin") == [last]
    repo.git("update-ref", "refs/orch/remote/main", "main")
    repo.git("update-ref", "refs/heads/main", apart)
    assert breaks("origin") == [] and breaks("") == [last], "an own branch that is behind is no alarm"


@pytest.mark.parametrize("commits", [1, 3])
def test_what_was_reset_away_and_merged_back_is_sound(repo: Repo, commits: int) -> None:
    back = repo.git("rev-list", "--first-parent", "main").split()[commits]
    tag = repo.checkpoints()[-1]
    repo.git("reset", "-q", "--hard", back)
    repo.commit("meanwhile", other="1")
    repo.git("merge", "-q", "--no-edit", tag)
    repo.orchd("verify")


def test_signatures_are_checked_against_who_may_sign(repo: Repo, tmp_path: Path) -> None:
    keys = {who: tmp_path / who for who in ("ours", "theirs")}
    for key in keys.values():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    signers = tmp_path / "allowed"
    signers.write_text(f"orchd@localhost {keys['ours'].with_suffix('.pub').read_text()}")
    repo.git("config", "orchd.allowedSigners", str(signers))
    assert "no allowed signer has signed it" in repo.orchd("verify", code=1), "nothing was signed yet"
    repo.git("config", "orchd.signingKey", str(keys["ours"]))
    repo.task("signed", "echo 4 > src/four.txt", claims=["src/four.txt"])
    repo.orchd("run")
    assert repo.data("verify") == []
    repo.git("config", "orchd.signingKey", str(keys["theirs"]))
    repo.task("forged", "echo 5 > src/five.txt", claims=["src/five.txt"])
    repo.orchd("run")
    assert "no allowed signer has signed it" in repo.orchd("verify", code=1)
    signers.unlink()
    assert "which is not there" in repo.orchd("verify", code=78)
