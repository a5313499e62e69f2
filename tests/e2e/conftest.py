from __future__ import annotations

from pathlib import Path

import pytest
from stories import Repo, make_repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return make_repo(tmp_path)


@pytest.fixture
def bare(tmp_path: Path) -> Repo:
    return make_repo(tmp_path, bare=True)
