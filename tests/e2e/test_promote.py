"""Checkpoints go from environment to environment, each once, and nobody gets past the rules. Real processes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from stories import Repo, environment, make_repo, wait_until

CONFIG = """\
gates: [{{name: unit, run: "true"}}]
environments:
  - {{name: dev, deploy: "{deploy}", verify: "{verify}"}}
  - {{name: staging, soak: {soak}, deploy: "{deploy}"}}
  - {{name: prod, approvals: 1, deploy: "{deploy}"}}
"""
LOG = "echo $ORCHD_ENVIRONMENT $ORCHD_FREIGHT $ORCHD_IDEMPOTENCY_KEY $ORCHD_COMMIT $(cat src/one.txt) >> $HOME/deployed"


def configure(repo: Repo, deploy: str = LOG, verify: str = "true", soak: str = "0") -> None:
    repo.write(".orch/config.yaml", CONFIG.format(deploy=deploy, verify=verify, soak=soak))


def make_landed(folder: Path) -> Repo:
    repo = make_repo(folder)
    configure(repo)
    repo.git("add", "-A")
    repo.git("commit", "-qm", "configuration")
    repo.git("config", "user.name", "Person")
    repo.task("one", "echo 1 > src/one.txt", claims=["src/one.txt"])
    repo.task("two", "echo 2 > src/one.txt", claims=["src/one.txt"], needs=["one"])
    repo.orchd("run")
    return repo


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return make_landed(tmp_path_factory.mktemp("landed"))


@pytest.fixture
def landed(tmp_path: Path, template: Repo) -> Repo:
    shutil.copytree(template.top, tmp_path / "project", symlinks=True)
    return Repo(tmp_path / "project", environment(tmp_path))


def deployed(repo: Repo) -> list[list[str]]:
    log = Path(repo.env["HOME"], "deployed")
    return [line.split() for line in log.read_text().splitlines()] if log.exists() else []


def history(repo: Repo, environment: str) -> list[dict[str, object]]:
    """The newest first."""
    found = repo.data("environments", environment)
    assert isinstance(found, list)
    return found


def results(repo: Repo, environment: str) -> list[object]:
    """The oldest first."""
    return [record["result"] for record in reversed(history(repo, environment))]


def test_from_dev_over_staging_to_prod(landed: Repo) -> None:
    first, second = landed.checkpoints()
    landed.write("src/a.txt", "mine, not committed\n")
    head, status = landed.git("rev-parse", "HEAD"), landed.git("status", "--porcelain")
    said = landed.orchd("promote", second, "staging", code=1)
    assert f"{second} is not good in dev" in said
    assert f"first `orchd promote {second} dev`" in said
    row = landed.data("promote", second, "dev")
    assert (row["result"], row["checkpoint"]) == ("verified", second)  # type: ignore[index]
    assert landed.data("promote", second.removeprefix("checkpoint/"), "staging")["result"] == "deployed"  # type: ignore[index]
    assert "somebody else must approve" in landed.orchd("promote", second, "prod", code=1)
    landed.orchd("promote", second, "prod", "--approve")
    assert "0 did" in landed.orchd("promote", second, "prod", code=1), "nobody approves their own promotion"
    done = landed.data("promote", second, "prod", "--by", "Ben")
    assert (done["by"], done["from"], done["approvals"]) == ("Ben", "staging", ["Person"])  # type: ignore[index]
    commit = landed.git("rev-parse", f"{second}^{{commit}}")
    assert [(line[0], line[1], line[3], line[4]) for line in deployed(landed)] == [
        (name, second, commit, "2") for name in ("dev", "staging", "prod")
    ]
    assert len({line[2] for line in deployed(landed)}) == 3, "each deployment has a key of its own"
    assert (landed.git("rev-parse", "HEAD"), landed.git("status", "--porcelain")) == (head, status)
    marks = {row["name"]: row["promoted"] for row in landed.data("checkpoints")}  # type: ignore[union-attr]
    assert marks == {first: [], second: ["dev", "prod", "staging"]}
    rows = {row["environment"]: row["checkpoint"] for row in landed.data("environments")}  # type: ignore[union-attr]
    assert rows == dict.fromkeys(("dev", "staging", "prod"), second)
    assert landed.git("fsck", "--strict", "--no-dangling") == ""


@pytest.mark.slow
def test_the_same_freight_twice_is_one_deployment(landed: Repo) -> None:
    first, second = landed.checkpoints()
    for _ in range(3):
        landed.orchd("promote", second, "dev")
    assert len(deployed(landed)) == 1
    assert results(landed, "dev") == ["begun", "verifying", "verified"]
    landed.orchd("promote", first, "dev")
    landed.orchd("promote", second, "dev")
    keys = [line[2] for line in deployed(landed)]
    assert len(set(keys)) == 3, "coming again after something else is another deployment"


def test_a_retry_after_a_failure_has_the_same_key_and_the_log_is_kept(landed: Repo) -> None:
    [_, second] = landed.checkpoints()
    configure(landed, LOG + "; echo so much went wrong; test -e $HOME/repaired")
    said = landed.orchd("promote", second, "dev", code=1)
    assert "deploy ended with exit code 1" in said
    assert "so much went wrong" in landed.git("show", "refs/orch/env/dev:log")
    assert landed.data("environments")[0]["checkpoint"] == ""  # type: ignore[index]
    Path(landed.env["HOME"], "repaired").touch()
    landed.orchd("promote", second, "dev")
    one, two = deployed(landed)
    assert one == two


def test_a_red_verify_goes_no_further_and_time_limits_hold(landed: Repo) -> None:
    [_, second] = landed.checkpoints()
    configure(landed, verify="exit 7")
    assert "verify ended with exit code 7" in landed.orchd("promote", second, "dev", code=1)
    assert "is not good in dev" in landed.orchd("promote", second, "staging", code=1)
    text = (landed.top / ".orch/config.yaml").read_text()
    landed.write(".orch/config.yaml", text.replace("{name: dev,", "{name: dev, timeout: 0.2s,").replace("exit 7", "sleep 600"))
    assert "verify took longer than" in landed.orchd("promote", second, "dev", code=1)


def test_a_verify_command_that_comes_later_is_run_on_what_is_there(landed: Repo) -> None:
    [_, second] = landed.checkpoints()
    text = (landed.top / ".orch/config.yaml").read_text()
    landed.write(".orch/config.yaml", text.replace(', verify: "true"', ""))
    assert landed.data("promote", second, "dev")["result"] == "deployed"  # type: ignore[index]
    landed.write(".orch/config.yaml", text)
    assert "before that had a `verify` command" in landed.orchd("promote", second, "staging", code=1)
    assert landed.data("promote", second, "dev")["result"] == "verified"  # type: ignore[index]
    landed.orchd("promote", second, "staging")
    assert [line[0] for line in deployed(landed)] == ["dev", "staging"]


def test_soak_time(landed: Repo) -> None:
    [_, second] = landed.checkpoints()
    configure(landed, soak="2h")
    landed.orchd("promote", second, "dev")
    said = landed.orchd("promote", second, "staging", code=1)
    assert "has stood in dev for" in said and "of 2h 0m" in said
    configure(landed, soak="0.3s")
    wait_until(lambda: "deployed" in landed.orchd("promote", second, "staging", code=None), "the soak time")
    assert results(landed, "staging") == ["begun", "deployed"]


def test_roll_back_is_a_new_record_and_takes_the_freight_back(landed: Repo) -> None:
    first, second = landed.checkpoints()
    assert "nothing else was ever good in dev" in landed.orchd("rollback", "dev", code=1)
    landed.orchd("promote", first, "dev")
    landed.orchd("promote", second, "dev")
    before = landed.git("rev-parse", "refs/orch/env/dev")
    row = landed.data("rollback", "dev", "--by", "Ben")
    assert (row["checkpoint"], row["rollback"], row["by"]) == (first, True, "Ben")  # type: ignore[index]
    assert landed.git("merge-base", before, "refs/orch/env/dev") == before, "nothing is rewritten"
    assert [line[4] for line in deployed(landed)] == ["1", "2", "1"]
    assert "is not good in dev" in landed.orchd("promote", second, "staging", code=1)


def test_unverified_is_refused_unless_it_is_allowed(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    repo.task("one", "echo 1 > src/one.txt", claims=["src/one.txt"])
    repo.orchd("run")
    [name] = repo.checkpoints()
    assert "is unverified: no gate judged it" in repo.orchd("promote", name, "dev", code=1)
    assert repo.git("for-each-ref", "refs/orch/env/") == ""
    repo.write(".orch/config.yaml", "environments: [{name: dev, unverified: allowed}]\n")
    row = repo.data("promote", name, "dev")
    assert (row["result"], row["what"]) == ("deployed", "dev has no deploy command: it is only recorded")  # type: ignore[index]


@pytest.mark.slow
def test_what_is_not_in_the_proven_chain_is_refused(landed: Repo) -> None:
    [first, second] = landed.checkpoints()
    tree = landed.git("rev-parse", f"{first}^{{tree}}")
    stray = landed.git("commit-tree", "-p", f"{second}^{{commit}}", "-m", "stray", tree)
    landed.git("tag", "-f", "-a", "-m", "moved", second, stray)
    assert "main does not contain it" in landed.orchd("promote", second, "dev", code=1)
    landed.git("update-ref", "-d", "refs/notes/orch/audit")
    assert "its audit note is missing" in landed.orchd("promote", first, "dev", code=1)
    assert "there is no checkpoint" in landed.orchd("promote", "nothing", "dev", code=2)
    assert "there is no checkpoint" in landed.orchd("promote", "*", "dev", code=2)
    assert "there is no environment" in landed.orchd("promote", first, "nowhere", code=2)
    assert deployed(landed) == []


def test_a_promoted_commit_survives_everything_else(landed: Repo) -> None:
    first, second = landed.checkpoints()
    landed.orchd("promote", second, "dev")
    tag, commit = landed.git("rev-parse", second), landed.git("rev-parse", f"{second}^{{commit}}")
    content = landed.git("cat-file", "tag", tag)
    landed.git("checkout", "-q", "--detach", first)
    landed.git("update-ref", "-d", "refs/notes/orch/audit")
    for ref in landed.git("for-each-ref", "--format=%(refname)").splitlines():
        if ref != "refs/orch/env/dev":
            landed.git("update-ref", "-d", ref)
    landed.git("reflog", "expire", "--expire=now", "--all")
    landed.git("gc", "-q", "--prune=now")
    assert landed.git("cat-file", "-t", commit) == "commit"
    assert landed.git("cat-file", "blob", "refs/orch/env/dev:tag") == content


HELD = LOG + "; touch $HOME/begun; while ! test -e $HOME/go; do sleep 0.05; done"


def test_two_promoters_at_once_one_loses_and_says_so(landed: Repo) -> None:
    first, second = landed.checkpoints()
    configure(landed, HELD)
    running = landed.start("promote", second, "dev", "--by", "Winner")
    wait_until(lambda: Path(landed.env["HOME"], "begun").exists(), "the first promoter")
    for other in (first, second):
        said = landed.orchd("promote", other, "dev", "--by", "Loser", code=1)
        assert f"Winner promotes {second}" in said
    assert "Winner promotes" in landed.orchd("rollback", "dev", code=1)
    assert "Winner promotes" in json.dumps(landed.data("environments"))
    landed.orchd("promote", second, "dev", "--approve", "--by", "Cy")
    Path(landed.env["HOME"], "go").touch()
    assert running.wait(60) == 0
    assert results(landed, "dev") == ["begun", "approved", "verifying", "verified"]
    assert len(deployed(landed)) == 1


def test_many_promoters_at_the_same_moment_deploy_once(landed: Repo) -> None:
    [_, second] = landed.checkpoints()
    children = [landed.start("promote", second, "dev", "--by", f"P{number}") for number in range(4)]
    codes = sorted(child.wait(90) for child in children)
    assert codes[0] == 0
    assert set(codes) <= {0, 1}
    assert len(deployed(landed)) == 1
    assert results(landed, "dev") == ["begun", "verifying", "verified"]
    assert landed.said.count("was faster") + landed.said.count("since") >= codes.count(1)


def alive(repo: Repo) -> list[int]:
    """What runs on behalf of a deployment."""
    mark = f"HOME={repo.env['HOME']}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        try:
            parts = (folder / "environ").read_bytes().split(b"\0") if folder.name.isdigit() else []
        except OSError:
            continue
        if mark in parts and any(part.startswith(b"ORCHD_IDEMPOTENCY_KEY=") for part in parts):
            found.append(int(folder.name))
    return found


STUBBORN = LOG + "; sh -c 'trap : TERM; while ! test -e $HOME/go; do sleep 0.05; done'"


def test_killed_in_the_middle_it_is_taken_up_with_the_same_key_and_never_twice_at_once(landed: Repo) -> None:
    first, second = landed.checkpoints()
    configure(landed, STUBBORN)
    text = (landed.top / ".orch/config.yaml").read_text()
    landed.write(".orch/config.yaml", "kill_grace: 0.1s\n" + text)
    running = landed.start("promote", second, "dev")
    wait_until(lambda: deployed(landed), "the deployment")
    wait_until(lambda: len(alive(landed)) > 1, "its child")
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert alive(landed), "what it left running goes on, for nobody was there to end it"
    assert "but that process is gone" in landed.orchd("environments")
    assert f"`orchd promote {second} dev` takes it up again" in landed.orchd("promote", first, "dev", code=1)
    left = set(alive(landed))
    again = landed.start("promote", second, "dev")
    wait_until(lambda: len(deployed(landed)) == 2, "the second try")
    assert not left & set(alive(landed)), "what was left was ended before"
    Path(landed.env["HOME"], "go").touch()
    assert again.wait(60) == 0
    one, two = deployed(landed)
    assert one == two, "same key"
    assert "taken up again with the same key" in landed.said
    assert results(landed, "dev") == ["begun", "begun", "verifying", "verified"]
    assert alive(landed) == []


def test_killed_during_verify_it_does_not_deploy_again(landed: Repo) -> None:
    [_, second] = landed.checkpoints()
    configure(landed, verify="touch $HOME/verifying; test -e $HOME/go || exec sleep 600")
    running = landed.start("promote", second, "dev")
    wait_until(lambda: Path(landed.env["HOME"], "verifying").exists(), "verify")
    running.send_signal(signal.SIGKILL)
    running.wait()
    Path(landed.env["HOME"], "go").touch()
    landed.orchd("promote", second, "dev")
    assert len(deployed(landed)) == 1
    assert results(landed, "dev") == ["begun", "verifying", "verifying", "verified"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_told_to_stop_it_ends_everything_and_records_that(landed: Repo, number: int) -> None:
    [_, second] = landed.checkpoints()
    configure(landed, "touch $HOME/begun; sleep 600 & sleep 600")
    running = landed.start("promote", second, "dev")
    wait_until(lambda: Path(landed.env["HOME"], "begun").exists(), "the deployment")
    running.send_signal(number)
    assert running.wait(60) == 1
    assert alive(landed) == []
    assert history(landed, "dev")[0]["what"] == "stopped by a signal during deploy"


def test_a_deployment_of_another_machine_is_believed_to_go_on_until_somebody_says_that_it_is_gone(landed: Repo) -> None:
    [_, second] = landed.checkpoints()
    configure(landed, LOG + "; touch $HOME/begun; exec sleep 600")
    code = "import socket, sys; socket.gethostname = lambda: 'elsewhere'; from orchd.cli import main; main()"
    argv = [sys.executable, "-c", code, "promote", second, "dev"]
    running = subprocess.Popen(argv, cwd=landed.top, env=landed.env, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: Path(landed.env["HOME"], "begun").exists(), "the deployment")
    running.kill()
    running.wait()
    configure(landed)
    assert "on elsewhere" in landed.orchd("promote", second, "dev", code=1)
    landed.orchd("promote", second, "dev", "--gone")
    one, two = deployed(landed)
    assert one == two


def test_only_the_allowed_environment_and_only_the_freight_is_there(landed: Repo) -> None:
    [_, second] = landed.checkpoints()
    landed.env |= {"SECRET_OF_MINE": "x", "CI": "yes"}
    landed.write("src/untracked.txt", "x")
    configure(landed, "env > $HOME/env; pwd > $HOME/pwd; git status --porcelain > $HOME/status; ls src > $HOME/ls")
    text = (landed.top / ".orch/config.yaml").read_text()
    landed.write(".orch/config.yaml", "env: [CI]\n" + text)
    landed.orchd("promote", second, "dev")
    home = Path(landed.env["HOME"])
    seen = dict(line.partition("=")[::2] for line in (home / "env").read_text().splitlines())
    assert "SECRET_OF_MINE" not in seen
    assert (seen["CI"], seen["ORCHD_ENVIRONMENT"], seen["ORCHD_FREIGHT"]) == ("yes", "dev", second)
    assert (home / "status").read_text() == ""
    assert (home / "ls").read_text().split() == ["a.txt", "b.txt", "one.txt"]
    folder = (home / "pwd").read_text().strip()
    assert not Path(folder).is_relative_to(landed.top)
    assert not os.path.lexists(folder), "the checkout is gone afterwards"


CALLS = (("promoter", "append_record", 3), ("deployment", "build_workspace", 1), ("deployment", "remove_workspace", 2))
SELDOM = "remove_workspace"
"""Nothing is decided after it any more."""

POINTS = [
    pytest.param(module, name, nth, when, marks=pytest.mark.slow if name == SELDOM else ())
    for module, name, calls in CALLS
    for nth in range(1, calls + 1)
    for when in ("before", "after")
]
KILLED = """\
import os, sys
from orchd.adapters import {module} as module
whole, calls = module.{name}, []
def fatal(*given, **more):
    calls.append(1)
    if len(calls) == {nth} and {when!r} == "before":
        os.kill(os.getpid(), 9)
    done = whole(*given, **more)
    if len(calls) == {nth}:
        os.kill(os.getpid(), 9)
    return done
module.{name} = fatal
from orchd.cli import main
main()
"""
ONCE = (
    "mkdir -p $HOME/keys; test -e $HOME/keys/$ORCHD_IDEMPOTENCY_KEY || (" + LOG + "; touch $HOME/keys/$ORCHD_IDEMPOTENCY_KEY)"
)


@pytest.mark.parametrize(("module", "name", "nth", "when"), POINTS)
def test_killed_at_any_step_the_next_try_ends_it_and_the_freight_is_deployed_once(
    landed: Repo, module: str, name: str, nth: int, when: str
) -> None:
    [_, second] = landed.checkpoints()
    configure(landed, ONCE)
    code = KILLED.format(module=module, name=name, nth=nth, when=when)
    argv = [sys.executable, "-c", code, "promote", second, "dev"]
    done = subprocess.run(argv, cwd=landed.top, env=landed.env, capture_output=True, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr
    landed.orchd("promote", second, "dev")
    assert len(deployed(landed)) == 1
    records = history(landed, "dev")
    assert records[0]["result"] == "verified"
    assert len({record["key"] for record in records}) == 1
    assert landed.git("fsck", "--strict", "--no-dangling") == ""
    folder = Path(landed.env["XDG_STATE_HOME"], "orchd")
    assert [path for path in folder.glob("*/deployments/*") if path.name != "dev"] == [], "nothing is left over"
    assert list(folder.glob("*/deployments/dev/*")) == []
