from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from stories import Repo, make_repo

from orchd import app
from orchd.adapters.place import Place


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    made = make_repo(tmp_path)
    for key, value in made.env.items():
        monkeypatch.setenv(key, value)
    return made


@pytest.fixture
def place(repo: Repo) -> Place:
    return app.find(repo.top)


@pytest.fixture
def spawn(repo: Repo) -> object:
    children: list[subprocess.Popen[bytes]] = []

    def start(script: str) -> subprocess.Popen[bytes]:
        children.append(subprocess.Popen([sys.executable, "-c", script], env=repo.env, cwd=repo.top, stdout=subprocess.PIPE))
        return children[-1]

    yield start
    for child in children:
        child.kill()
        child.communicate()
