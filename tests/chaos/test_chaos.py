"""Every byte that an agent left in its workspace, and all that it committed, is found after any kill and any clean-up."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos import Chaos


def rage(folder: Path, seed: int, *, agents: int, deeds: int, rounds: int) -> Chaos:
    made = Chaos(folder, seed)
    for number in range(agents):
        made.hire(f"agent{number}", wild=number % 3 != 0, deeds=deeds)
    made.storm(rounds)
    made.finish()
    return made


@pytest.mark.parametrize("seed", range(2))
def test_nothing_is_lost_in_a_short_storm(tmp_path: Path, seed: int) -> None:
    assert rage(tmp_path, seed, agents=4, deeds=15, rounds=3).find_lost() == {}


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(100, 112))
def test_nothing_is_lost_in_a_long_storm(tmp_path: Path, seed: int) -> None:
    assert rage(tmp_path, seed, agents=9, deeds=40, rounds=15).find_lost() == {}


GUARDS = {
    "workspaces-go-too-early": "import orchd.core.duties as d; d.is_reachable = lambda seen: True",
    "the-attic-keeps-nothing": (
        "import orchd.adapters.airlock as a, orchd.adapters.git_lives as l"
        "; a.keep_in_attic = l.keep_in_attic = lambda *_: 'refs/none'"
    ),
}
LOSES = {
    "workspaces-go-too-early": "echo precious > src/p; rm -rf .git",
    "the-attic-keeps-nothing": "echo precious > src/p; exit 3",
}


@pytest.mark.parametrize("guard", GUARDS)
def test_without_its_guard_a_byte_is_lost(tmp_path: Path, guard: str) -> None:
    """The twin: the same search finds that it is gone."""
    for spoilt, is_lost in (("", False), (GUARDS[guard], True)):
        made = Chaos(tmp_path / str(is_lost), 0, spoilt)
        made.repo.task("careless", LOSES[guard], claims=["src/**"])
        made.finish()
        oid = made.repo.git("hash-object", str(write(tmp_path / "precious")))
        assert (oid not in made.list_kept()) is is_lost


def write(path: Path) -> Path:
    path.write_text("precious\n")
    return path
