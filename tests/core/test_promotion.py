"""Promotion: no history lets freight through that the rules keep back, and none of the rules can be left out."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import promotion_walk
import pytest
from hypothesis import given
from hypothesis import strategies as st
from promotion_faults import FAULTS
from test_chain_proof import EXAMPLE, PLANS, merged_back, shallow, sound
from test_mutants import SPOILT, copy_package

from orchd.core.chain_proof import prove_history
from orchd.core.promotion import find_faults

HERE = Path(__file__).parent
LIMIT_SECONDS = 60


@given(st.randoms(use_true_random=False), st.integers(1, 60))
def test_no_history_lets_through_what_the_rules_keep_back(dice: random.Random, steps: int) -> None:
    promotion_walk.walk(dice, steps)


@pytest.mark.parametrize("scene", promotion_walk.SCENES, ids=lambda scene: scene.__name__)
def test_scenes(scene) -> None:
    scene()


@given(PLANS)
def test_every_checkpoint_of_a_sound_history_may_go(plan: list[list[bool]]) -> None:
    history = sound(plan)
    for name in history.tags:
        assert find_faults(history, prove_history(history), name) == ()


def test_only_what_the_freight_stands_on_counts() -> None:
    spoilt = replace(EXAMPLE, commits={**EXAMPLE.commits, "landed1": replace(EXAMPLE.commits["landed1"], tree="another")})
    proof = prove_history(spoilt)
    assert find_faults(spoilt, proof, "checkpoint/0") == ()
    for later in ("checkpoint/1", "checkpoint/2"):
        assert "its tree is not the one" in " ".join(find_faults(spoilt, proof, later))


def test_what_a_person_merged_back_may_go_and_stands_on_what_it_holds() -> None:
    back = merged_back()
    assert find_faults(back, prove_history(back), "checkpoint/2") == ()
    spoilt = replace(back, commits={**back.commits, "landed1": replace(back.commits["landed1"], tree="another")})
    assert find_faults(spoilt, prove_history(spoilt), "checkpoint/2") and not find_faults(
        spoilt, prove_history(spoilt), "checkpoint/0"
    )
    ended = shallow(EXAMPLE, 2)
    assert "git fetch --unshallow" in find_faults(ended, prove_history(ended), "checkpoint/2")[0]


def test_a_tag_that_was_moved_or_is_gone_is_no_freight() -> None:
    moved = replace(EXAMPLE, tags={**EXAMPLE.tags, "checkpoint/0": replace(EXAMPLE.tags["checkpoint/0"], commit="landed1")})
    assert find_faults(moved, prove_history(moved), "checkpoint/0") == ("its tag points at another commit",)
    away = replace(EXAMPLE, commits={oid: one for oid, one in EXAMPLE.commits.items() if oid != "landed2"})
    assert find_faults(away, prove_history(away), "checkpoint/2") == ("main does not contain it (any more)",)
    assert find_faults(EXAMPLE, prove_history(EXAMPLE), "checkpoint/9") == ("there is no such tag",)


def run_walks(sources: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": f"{sources}{os.pathsep}{HERE}", "PYTHONDONTWRITEBYTECODE": "1"}
    argv = [sys.executable, str(HERE / "promotion_walk.py"), str(sources)]
    return subprocess.run(argv, env=env, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)


def test_without_a_fault_the_walks_are_content() -> None:
    done = run_walks(promotion_source().parents[2])
    assert done.returncode == 0, done.stderr


def promotion_source() -> Path:
    from orchd.core import promotion

    return Path(promotion.__file__)


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_noticed(name: str, tmp_path: Path) -> None:
    old, new = FAULTS[name]
    module = copy_package(tmp_path) / "core" / "promotion.py"
    text = module.read_text()
    assert text.count(old) == 1, "the fault does not fit the module any more"
    module.write_text(text.replace(old, new))
    done = run_walks(tmp_path)
    assert done.returncode == 1, f"nobody noticed:\n{done.stdout}{done.stderr}"
    assert not done.stderr.splitlines()[-1].startswith(SPOILT), done.stderr
