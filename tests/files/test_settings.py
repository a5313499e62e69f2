"""The configuration: the last good one holds, and a doubtful one is never taken for "no gates"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from file_world import Clock

from orchd.adapters.git_repo import open_repo
from orchd.adapters.place import Place
from orchd.adapters.settings import CheckoutSettings, CommittedSettings, open_settings
from orchd.errors import ConfigError
from orchd.model.config import Config
from orchd.model.limits import LOOK_SECONDS, SETTLE_SECONDS
from orchd.model.save import Gate

Write = Callable[..., Path]
GATED = "gates:\n- {name: tests, run: make test, timeout: 5m}\n"
WITH_GATE = Config(gates=(Gate("tests", "make test", 300.0),))


@pytest.fixture
def settings(place: Place, clock: Clock) -> CheckoutSettings:
    return CheckoutSettings(place, clock.monotonic)


def test_without_a_file_all_defaults_hold(settings: CheckoutSettings) -> None:
    assert settings.look("") == (Config(), ())


def test_a_change_counts_once_it_has_settled(settings: CheckoutSettings, write: Write, clock: Clock) -> None:
    write("config.yaml", "parallel: 2\n", age=9)
    assert settings.look("")[0].parallel == 2
    write("config.yaml", "parallel: 3\n", age=8)
    assert settings.look("")[0].parallel == 2
    clock.now += SETTLE_SECONDS
    assert settings.look("")[0].parallel == 3


def test_a_bad_change_leaves_the_last_good_configuration_and_is_told(
    settings: CheckoutSettings, write: Write, clock: Clock
) -> None:
    write("config.yaml", GATED, age=9)
    settings.look("")
    write("config.yaml", GATED + "paralel: 3\n", age=8)
    settings.look("")
    clock.now += SETTLE_SECONDS
    config, problems = settings.look("")
    assert config == WITH_GATE
    assert [(problem.file, problem.code, problem.line) for problem in problems] == [(".orch/config.yaml", "E031", 3)]
    write("config.yaml", GATED, age=7)
    settings.look("")
    clock.now += SETTLE_SECONDS
    assert settings.look("") == (WITH_GATE, ())


@pytest.mark.parametrize("text", ["gates: [", "paralel: 3\n"])
def test_a_bad_file_at_the_start_is_an_error_not_a_default(settings: CheckoutSettings, write: Write, text: str) -> None:
    write("config.yaml", text)
    for _ in range(2):
        with pytest.raises(ConfigError, match=r"\.orch/config\.yaml:1:"):
            settings.look("")


def test_a_symlink_is_an_error_not_a_default(settings: CheckoutSettings, write: Write, place: Place) -> None:
    path = write("elsewhere.yaml", GATED)
    path.with_name("config.yaml").symlink_to(path)
    with pytest.raises(ConfigError, match="symlink"):
        settings.look("")


def test_gates_do_not_go_away_while_an_editor_replaces_the_file(settings: CheckoutSettings, write: Write, clock: Clock) -> None:
    path = write("config.yaml", GATED)
    assert settings.look("") == (WITH_GATE, ())
    path.unlink()
    clock.now += SETTLE_SECONDS * 2
    assert settings.look("") == (WITH_GATE, ())
    write("config.yaml", GATED)
    assert settings.look("") == (WITH_GATE, ())


def test_a_file_that_is_being_written_is_not_read(settings: CheckoutSettings, write: Write, clock: Clock) -> None:
    path = write("config.yaml", GATED)
    settings.look("")
    with path.open("w"):
        settings.look("")
        clock.now += 60
        assert settings.look("") == (WITH_GATE, ())


def test_a_file_that_is_being_written_at_the_start_is_an_error(settings: CheckoutSettings, write: Write) -> None:
    with write("config.yaml", "").open("w"), pytest.raises(ConfigError, match="being written"):
        settings.look("")


def test_in_a_bare_repository_main_has_the_word(commit_bare: Callable[[Mapping[str, str]], tuple[Place, str]]) -> None:
    place, bad = commit_bare({".orch/config.yaml": "gates: ["})
    _, none = commit_bare({"x": "y"})
    _, good = commit_bare({".orch/config.yaml": GATED})
    _, link = commit_bare({".orch/config.yaml": "->x"})
    settings = open_settings(place, open_repo(place), lambda: 0.0, "main")
    assert isinstance(settings, CommittedSettings)
    with pytest.raises(ConfigError):
        settings.look(bad)
    assert settings.look(none) == (Config(), ())
    assert settings.look(good) == (WITH_GATE, ())
    config, problems = settings.look(bad)
    assert (config, problems[0].code) == (WITH_GATE, "E010")
    config, problems = settings.look(link)
    assert (config, problems[0].code) == (WITH_GATE, "E001")


def test_a_bad_first_look_stays_an_error(commit_bare: Callable[[Mapping[str, str]], tuple[Place, str]]) -> None:
    place, bad = commit_bare({".orch/config.yaml": "gates: ["})
    settings = CommittedSettings(open_repo(place))
    for _ in range(2):
        with pytest.raises(ConfigError):
            settings.look(bad)


def test_on_another_branch_the_gates_of_main_hold(tmp_path: Path, commit_bare, clock: Clock) -> None:
    """A checkout of an old branch has no gates, or others; what lands on main is judged by main's own."""
    bare, gated = commit_bare({".orch/config.yaml": GATED})
    checkout = tmp_path / "away"
    (checkout / ".git").mkdir(parents=True)
    head = checkout / ".git/HEAD"
    settings = open_settings(Place(bare.git_dir, checkout, bare.state_home), open_repo(bare), clock.monotonic, "main")
    head.write_text("ref: refs/heads/old\n")
    assert settings.look(gated) == (WITH_GATE, ())
    (checkout / ".orch").mkdir()
    (checkout / ".orch/config.yaml").write_text("parallel: 2\n")
    assert settings.look(gated) == (WITH_GATE, ())
    head.write_text("ref: refs/heads/main\n")
    assert settings.look(gated)[0].parallel == 2, "on main the checkout has the word"
    (checkout / ".orch/config.yaml").unlink()
    assert settings.look(gated) == (WITH_GATE, ()), "a file that only the checkout lacks is not gone"


def test_a_configuration_that_vanishes_holds_until_the_next_start(
    settings: CheckoutSettings, write: Write, clock: Clock
) -> None:
    file = write("config.yaml", GATED)
    assert settings.look("") == (WITH_GATE, ())
    file.unlink()
    settings.look("")
    clock.now += LOOK_SECONDS + 1
    config, problems = settings.look("")
    assert config == WITH_GATE
    assert "vanished" in problems[0].message
