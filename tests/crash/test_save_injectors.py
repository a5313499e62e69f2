"""Four ways in which a save can be disturbed at any moment, and orchds that are broken on purpose: each is found out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

INJECTORS = {"kill": 40, "refs": 20, "push": 30, "both": 30}
"""Each, and how many points a save has for it at least."""

FOUND_BY = {
    "main-is-moved-without-looking": "push",
    "only-who-landed-knows-it": "kill",
    "the-tag-is-not-looked-for": "refs",
    "stale-locks-stay": "refs",
    "the-gated-tree-lands-on-another-base": "push",
}
"""Variants of the save that break one of its rules, and an injector that shows it."""


def drive(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    driver = Path(__file__).parent / "save_driver.py"
    return subprocess.run([sys.executable, str(driver), str(folder), *arguments], capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("injector", INJECTORS)
def test_a_save_that_is_disturbed_at_any_point_keeps_every_promise(tmp_path: Path, injector: str) -> None:
    done = drive(tmp_path, injector)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split()[0]) >= INJECTORS[injector], "the save has enough points to be worth it"


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("variant", FOUND_BY)
def test_a_save_that_is_broken_on_purpose_is_found_out(tmp_path: Path, variant: str) -> None:
    done = drive(tmp_path, FOUND_BY[variant], variant)
    assert done.returncode == 3, f"nobody noticed:\n{done.stdout}{done.stderr}"
