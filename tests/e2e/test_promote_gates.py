"""Gates that only a promotion runs, with real processes."""

from __future__ import annotations

from pathlib import Path

import pytest
from stories import Repo, make_repo

from orchd.adapters import promoter

CONFIG = """\
gates:
  - {{name: unit, run: "true"}}
  - {{name: load, run: "{load}", phase: promote, retries: 0}}
environments: [{{name: dev, deploy: "echo $ORCHD_COMMIT >> $HOME/deployed"}}, {{name: prod}}]
"""
COUNTED = "echo ${{ORCHD_ENVIRONMENT:-nowhere}} >> $HOME/gated; test -f src/one.txt"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = make_repo(tmp_path)
    configure(repo)
    repo.task("one", "echo 1 > src/one.txt", claims=["src/one.txt"])
    repo.orchd("run")
    return repo


def configure(repo: Repo, load: str = COUNTED.replace("{{", "{").replace("}}", "}")) -> None:
    repo.write(".orch/config.yaml", CONFIG.format(load=load))


def lines(repo: Repo, name: str) -> list[str]:
    log = Path(repo.env["HOME"], name)
    return log.read_text().splitlines() if log.exists() else []


def test_it_does_not_judge_what_lands_and_is_asked_once_for_all_environments(repo: Repo) -> None:
    [checkpoint] = repo.checkpoints()
    assert lines(repo, "gated") == [], "no save asked it"
    assert "load" not in repo.git("log", "-1", "--format=%B", "main")
    repo.orchd("promote", checkpoint, "dev")
    assert lines(repo, "gated") == ["nowhere"], "its answer counts for all environments, so it is not told of one"
    assert len(lines(repo, "deployed")) == 1
    repo.orchd("promote", checkpoint, "prod")
    assert lines(repo, "gated") == ["nowhere"], "what was green on this tree is known"
    counted = {row["gate"]: (row["green"], row["red"], row["cached"]) for row in repo.data("gates")}
    assert counted == {"unit": (1, 0, 0), "load": (1, 0, 1)}


def test_red_it_deploys_nothing_and_records_nothing(repo: Repo) -> None:
    [checkpoint] = repo.checkpoints()
    configure(repo, "exit 3")
    said = repo.orchd("promote", checkpoint, "dev", code=1)
    assert "gate `load`" in said
    assert lines(repo, "deployed") == []
    assert repo.data("environments", "dev") == []
    configure(repo)
    repo.orchd("promote", checkpoint, "dev")


def test_without_the_question_a_red_tree_is_deployed(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    from orchd import app
    from orchd.adapters.promotion_scene import Wish

    [checkpoint] = repo.checkpoints()
    configure(repo, "exit 3")
    monkeypatch.setenv("HOME", repo.env["HOME"])
    monkeypatch.setattr(promoter, "check_gates", lambda *_: ())
    promoted = app.promoter(app.find(repo.top), lambda _: None, lambda _: None).promote(Wish("dev", "anna", checkpoint))
    assert promoted.done
    assert len(lines(repo, "deployed")) == 1


def test_a_session_cannot_have_one(repo: Repo) -> None:
    repo.write(".orch/sessions/web.yaml", 'gates: [{name: load, run: "true", phase: promote}]\n')
    assert "could never run" in repo.orchd("check", code=None)
