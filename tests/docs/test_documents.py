"""The documents say what is true: their examples are run, their links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from stories import Repo, make_repo

ROOT = Path(__file__).parents[2]

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return make_repo(tmp_path)


def test_the_five_line_task_of_the_readme_is_good(repo: Repo) -> None:
    [task, goal, config] = blocks(ROOT / "README.md", "yaml")
    assert len(task.splitlines()) == 5
    repo.orchd("init", "--agents")
    repo.write(".orch/tasks/retry.yaml", goal)
    repo.write(".orch/tasks/format-http.yaml", task)
    repo.write(".orch/config.yaml", config)
    repo.task("http-client-tests", "true", noop="allowed")
    repo.orchd("check")


def test_the_commands_of_the_readme_run_as_written(repo: Repo) -> None:
    [_, session] = blocks(ROOT / "README.md", "console")
    repo.task("format-http", "echo x > x", claims=["x"])
    for line in session.splitlines():
        command = line.removeprefix("$ ").split("#")[0].split()
        if command[0] == "orchd":
            repo.orchd(*command[1:])
        else:
            assert "checkpoint: checkpoint/" in repo.git(*command[1:])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_and_commands_that_are_named_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for name in re.findall(r"`((?:adapters|core|engine|model|cli)/[a-z_/]+\.py)`", text):
        assert (ROOT / "src/orchd" / name).exists(), name
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for target in re.findall(r"(?:`|^)make ([a-z-]+)(?:`|$)", text, re.MULTILINE):
        assert target in targets, target


def test_every_module_says_what_it_is_for() -> None:
    for path in (ROOT / "src").rglob("*.py"):
        assert path.read_text(encoding="utf-8").startswith('"""'), path


def test_the_wheel_brings_templates_and_units(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)], cwd=ROOT, check=True)
    [wheel] = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "orchd/templates/config.yaml",
        "orchd/templates/example.yaml",
        "orchd/systemd/orchd@.service",
        "orchd/py.typed",
    } <= names


def test_the_lock_holds_every_dependency_and_names_no_registry() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    locked = {re.sub(r"[._]", "-", name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE)}
    for line in wanted:
        assert re.sub(r"[._]", "-", re.split(r"[<>=!]", line)[0]) in locked, line
    assert "://" not in lock


def test_the_commands_of_the_page_about_promotion_run_as_written(repo: Repo) -> None:
    page = ROOT / "docs/promote.md"
    [config], [session] = blocks(page, "yaml"), blocks(page, "console")
    repo.write("Makefile", "test:\n")
    for name in ("deploy.sh", "smoke.sh"):
        repo.write(name, "#!/bin/sh\necho $0 $1\n").chmod(0o755)
    repo.write(".orch/config.yaml", config)
    repo.commit()
    for name in ("one", "two"):
        repo.task(name, f"echo {name} > {name}", claims=[name])
        repo.orchd("run")
    first, second = repo.checkpoints()
    said = {}
    for checkpoint in (first, second):
        repo.write(".orch/config.yaml", config)
        assert "of 2h 0m" in [repo.orchd("promote", checkpoint, "dev"), repo.orchd("promote", checkpoint, "staging", code=1)][1]
        repo.write(".orch/config.yaml", config.replace("soak: 2h, ", "").replace("soak: 1d, ", ""))
        for line in session.splitlines():
            words = line.removeprefix("$ ").split("#")[0].replace("CHECKPOINT", checkpoint).split()
            if words[1] != "rollback" and (words[-1] != "prod" or words[1] != "promote"):
                said[words[1]] = repo.orchd(*words[1:])
        repo.orchd("promote", checkpoint, "prod", "--by", "Somebody Else")
    assert f"prod\t{second}" in repo.orchd("environments")
    repo.orchd("rollback", "prod")
    assert f"prod\t{first}" in repo.orchd("environments")
    assert second in said["checkpoints"]
