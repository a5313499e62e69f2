"""Kill -9 at every effect, then start again: the promises hold. See `driver.py`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SHARDS, QUICK = 16, 1
"""`make test` visits every sixteenth point, `make test-slow` the others."""


@pytest.mark.timeout(400)
@pytest.mark.parametrize("shard", [pytest.param(at, marks=[pytest.mark.slow] * (at >= QUICK)) for at in range(SHARDS)])
def test_killed_at_any_effect_and_started_again_every_promise_holds(tmp_path: Path, shard: int) -> None:
    driver = Path(__file__).parent / "driver.py"
    done = subprocess.run(
        [sys.executable, str(driver), str(tmp_path), str(shard), str(SHARDS)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split()[0]) >= 5, "the story has enough effects to be worth it"
