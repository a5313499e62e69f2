"""Fixtures of the command line: a real repository and the real command, in processes of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_shell import Shell, make_served_shell, make_shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A repository that orchd has never served."""
    return make_shell(tmp_path)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A repository that orchd has served. Shared: tests only read it."""
    return make_served_shell(tmp_path_factory.mktemp("served"))


@pytest.fixture
def fresh(tmp_path: Path) -> Shell:
    """Like `served`, for tests that change it."""
    return make_served_shell(tmp_path)
