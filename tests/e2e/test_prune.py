"""The timeline of checkpoints: what one holds, what keeps its tag, and what is left when the tag goes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from stories import Repo, make_repo

from orchd import app
from orchd.adapters import timeline
from orchd.errors import GitError

OLD = "checkpoint/2020-01-01-{number:03}"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """Three checkpoints, and many tags of long ago on the second, whose commit main contains."""
    repo = make_repo(tmp_path)
    for name in ("one", "two", "three"):
        repo.task(name, f"echo {name} > src/{name}.txt", claims=[f"src/{name}.txt"])
        repo.orchd("run")
    second = repo.git("rev-parse", repo.checkpoints()[1])
    env = {"GIT_COMMITTER_DATE": "2020-01-01T12:00:00Z"}
    for name in (OLD.format(number=number) for number in range(1, 30)):
        subprocess.run(
            ["git", "tag", "-a", "-m", f"old\n\nOrch-Checkpoint: {name}", name, f"{second}^{{commit}}"],
            cwd=repo.top,
            env={**repo.env, **env},
            check=True,
        )
    return repo


def test_only_what_nothing_keeps_goes_and_all_of_it_is_told_before(repo: Repo) -> None:
    first, kept_for_good = OLD.format(number=1), OLD.format(number=5)
    repo.orchd("pin", kept_for_good)
    away = OLD.format(number=7)
    repo.git("tag", "-d", away)
    repo.git(
        "tag",
        "-a",
        "-m",
        f"apart\n\nOrch-Checkpoint: {away}",
        away,
        repo.git("commit-tree", "-m", "nowhere else", "main^{tree}"),
    )
    before = repo.checkpoints()
    rows = repo.data("prune", "--dry-run")
    assert repo.checkpoints() == before
    gone = {row["name"] for row in rows if not row["kept"]}  # type: ignore[union-attr,index]
    assert gone
    assert not gone & {first, kept_for_good}
    repo.orchd("prune")
    assert set(repo.checkpoints()) == set(before) - gone
    assert {kept_for_good, away} <= set(repo.checkpoints())
    repo.orchd("unpin", kept_for_good)
    repo.orchd("prune")
    assert kept_for_good not in repo.checkpoints() or kept_for_good == first


def test_the_chain_is_still_proven_when_a_tag_is_gone_on_purpose_and_only_then(repo: Repo) -> None:
    for old in (name for name in repo.checkpoints() if "2020" in name):
        repo.git("tag", "-d", old)
    place, second = app.find(repo.top), repo.checkpoints()[1]
    [found] = [one for one in app.checkpoints(place) if one.name == second]
    tags = timeline.read_tags(place)
    with pytest.raises(GitError, match="cannot lock ref"):
        timeline.prune(place, [found], {second: tags[repo.checkpoints()[0]]}, 1)
    assert second in repo.checkpoints(), "it is not what was judged"
    timeline.prune(place, [found], tags, 1)
    assert second not in repo.checkpoints()
    assert "0 break(s)" in repo.orchd("verify", code=None)
    repo.git("tag", "-d", repo.checkpoints()[1])
    assert "its tag is missing" in repo.orchd("verify", code=1)


def test_one_checkpoint_tells_what_landed_by_whom_and_what_going_back_would_change(repo: Repo) -> None:
    name = repo.git("for-each-ref", "--format=%(refname:lstrip=2)", "--sort=-refname", "refs/tags/checkpoint").splitlines()[1]
    told = repo.data("checkpoints", name)
    assert [work["task"] for work in told["work"]] == ["two"]  # type: ignore[index]
    assert told["work"][0]["agent"] == "shell"  # type: ignore[index]
    assert told["restores"] == 1, "what `three` added"  # type: ignore[index]
    assert told["gates"] == "unverified"  # type: ignore[index]
