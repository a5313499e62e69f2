"""`orchd agents` and `orchd doctor`: what is there, what is missing, and what to do about it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import select
import signal
import subprocess
import time
from pathlib import Path

import pytest
from stories import Repo, make_repo, wait_until

from orchd.adapters.agents import handshake
from orchd.adapters.agents.handshake import shake_hands
from orchd.adapters.agents.program import Signs
from orchd.adapters.handshakes import HandshakeBook, ask_programs, keep_handshakes, read_handshakes
from orchd.adapters.processes import identify, is_alive, send_signal
from orchd.core.checkup import examine, is_bad
from orchd.model.agent import Handshake
from orchd.model.checkup import Symptoms, Verdict
from orchd.model.limits import PROBE_SECONDS

WELL = Symptoms((3, 12, 1), (2, 45), free_bytes=2**40, least_bytes=2**29, isolation="user namespace")
CLAUDE = """#!/bin/sh
case "$1" in
--version) echo "9.8.7 (Claude Code)" ;;
--help) echo "--output-format --permission-mode --allowedTools, --disallowedTools --tools --setting-sources --add-dir" ;;
esac
"""


def program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    (folder / name).chmod(0o755)


def verdict_of(seen: Symptoms, check: str) -> tuple[Verdict, str]:
    [found] = [finding for finding in examine(seen) if finding.check == check]
    assert (found.hint == "") == (found.verdict is Verdict.GOOD)
    return found.verdict, found.hint


def test_a_good_machine_is_good() -> None:
    assert {finding.verdict for finding in examine(WELL)} == {Verdict.GOOD}


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"git": ()}, "git"),
        ({"git": (2, 30)}, "git"),
        ({"python": (3, 10)}, "python"),
        ({"free_bytes": 2**20}, "disk"),
        ({"unwritable": ("/repo/.git",)}, "permissions"),
        ({"kernel": "pidfd"}, "kernel"),
        ({"fault": "config.yaml cannot be used\nline 1"}, "configuration"),
    ],
)
def test_what_keeps_orchd_from_working_is_bad_and_comes_with_a_hint(changes: dict[str, object], check: str) -> None:
    seen = dataclasses.replace(WELL, **changes)
    assert verdict_of(seen, check)[0] is Verdict.BAD
    assert is_bad(examine(seen))


def test_a_program_without_a_sign_is_told_what_to_do() -> None:
    seen = dataclasses.replace(WELL, programs=(Handshake("codex", "/x", "1.2"),))
    assert verdict_of(seen, "agent codex") == (Verdict.POOR, "sign in with codex once, or set its key where orchd is started")
    assert not is_bad(examine(seen))


def test_a_program_without_a_flag_that_is_needed_is_refused_by_name(tmp_path: Path) -> None:
    program(tmp_path, "claude", CLAUDE.replace("--setting-sources ", "--setting-sources-of-old "))
    found = {one.program: one for one in ask_programs({"PATH": f"{tmp_path}:/usr/bin:/bin"})}
    assert found["claude"].missing == ("--setting-sources",)
    assert found["claude"].problem == "claude 9.8.7 lacks --setting-sources"
    assert "not installed" in found["kilo"].problem
    assert found["shell"].problem == ""


def test_a_program_that_says_nothing_is_told(tmp_path: Path) -> None:
    program(tmp_path, "codex", "#!/bin/sh\nexit 1\n")
    [found] = [one for one in ask_programs({"PATH": f"{tmp_path}:/usr/bin:/bin"}) if one.program == "codex"]
    assert found.problem == "`codex --version` did not tell a version"


LEAVES = """#!/bin/sh
rm -f {left}
setsid sh -c 'echo $$ > {left}; exec sleep 177' &
until [ -s {left} ]; do :; done
echo 9.9.9 --allow
"""
SIGNS = Signs("leaver", usage=("--help",), flags=("--allow",))


def test_what_a_program_leaves_behind_does_not_hold_up_the_handshake_and_is_ended(tmp_path: Path) -> None:
    left = tmp_path / "left"
    program(tmp_path, "leaver", LEAVES.format(left=left))
    began = time.monotonic()
    found = shake_hands(SIGNS, {"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert (found.version, found.problem) == ("9.9.9", "")
    assert time.monotonic() - began < PROBE_SECONDS, "its end counts, not that of the stream"
    child = identify(int(left.read_text()))
    wait_until(lambda: child is None or not is_alive(child), "the end of what it left behind")


def test_without_that_the_child_would_hold_the_stream(tmp_path: Path) -> None:
    left = tmp_path / "left"
    program(tmp_path, "leaver", LEAVES.format(left=left))
    with subprocess.Popen((tmp_path / "leaver",), stdout=subprocess.PIPE, start_new_session=True) as asked:
        assert asked.stdout is not None
        asked.wait()
        assert asked.stdout.readline() == b"9.9.9 --allow\n"
        assert select.select([asked.stdout], [], [], 0) == ([], [], []), "no end"
        with contextlib.suppress(ProcessLookupError):
            os.killpg(asked.pid, signal.SIGKILL)
        child = identify(int(left.read_text()))
        assert child is not None
        assert is_alive(child), "the group of the program has it not"
        send_signal(child, signal.SIGKILL)


@pytest.mark.parametrize(
    ("text", "version"),
    [("exec yes 9.9.9", "9.9.9"), ("head -c 2000000 /dev/zero; echo 9.9.9", ""), ("exec sleep 177", "")],
    ids=["without end", "too late", "silent"],
)
def test_an_answer_is_read_up_to_a_size_and_a_time(
    text: str, version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handshake, "PROBE_SECONDS", 0.2 if "sleep" in text else PROBE_SECONDS)
    program(tmp_path, "leaver", f"#!/bin/sh\n{text}\n")
    assert shake_hands(SIGNS, {"PATH": f"{tmp_path}:/usr/bin:/bin"}).version == version


def test_handshakes_are_kept_and_a_damaged_file_is_none(tmp_path: Path) -> None:
    shaken = ask_programs({"PATH": str(tmp_path)})
    assert read_handshakes(tmp_path) == ()
    keep_handshakes(tmp_path, shaken)
    assert read_handshakes(tmp_path) == shaken
    for damage in ("[1]", "{", '{"a": 1}', '[{"colour": 7}]'):
        (tmp_path / "agents.json").write_text(damage, encoding="utf-8")
        assert read_handshakes(tmp_path) == ()


def test_the_book_asks_whom_it_does_not_know_once_and_again_when_they_have_changed(tmp_path: Path) -> None:
    tools, cache, now = tmp_path / "bin", tmp_path / "cache", [time.time()]
    program(tools, "claude", CLAUDE)
    program(tools, "codex", "#!/bin/sh\nexit 1\n")
    there = {name: str(tools / name) for name in ("claude", "codex")}

    def open_book() -> HandshakeBook:
        return HandshakeBook(cache, lambda: {"PATH": f"{tools}:/usr/bin:/bin"}, lambda: now[0])

    def hear(book: HandshakeBook, *, ask: bool = True) -> tuple[dict[str, str], set[str]]:
        """The versions when all have answered, and who was unknown before."""
        first = set(book.look(there, ask=ask)[1])
        wait_until(lambda: not book.look(there, ask=False)[1], "all answers")
        return {name: one.version for name, one in book.look(there, ask=False)[0].items()}, first

    assert hear(open_book(), ask=False) == ({}, set()), "nobody is asked in vain"
    book = open_book()
    assert hear(book) == ({"claude": "9.8.7", "codex": ""}, {"claude", "codex"})
    assert hear(book)[1] == set(), "once"
    program(tools, "codex", "#!/bin/sh\necho 9.8.7 --json --config --disable --ignore-user-config --ignore-rules --cd\n")
    assert hear(open_book()) == ({"claude": "9.8.7", "codex": "9.8.7"}, {"codex"}), "who could not be used is asked again"
    program(tools, "claude", CLAUDE.replace("9.8.7", "9.8.8"))
    book = open_book()
    assert hear(book)[1] == set(), "what it said before holds meanwhile"
    wait_until(lambda: book.look(there, ask=True)[0]["claude"].version == "9.8.8", "the new version")
    now[0] += 8 * 86400
    book = open_book()
    book.look(there, ask=True)
    wait_until(lambda: not book.look(there, ask=False)[1], "all answers")
    assert open_book().look(there, ask=False)[0]["claude"].version == "9.8.8"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    program(tmp_path / "bin", "claude", CLAUDE)
    made = make_repo(tmp_path)
    made.env.update(PATH=f"{tmp_path / 'bin'}:/usr/bin:/bin", ANTHROPIC_API_KEY="sk-secret-1")
    return made


def test_agents_shows_the_handshakes(repo: Repo) -> None:
    rows = {row["program"]: row for row in json.loads(repo.orchd("agents", "--json"))["data"]}
    assert (rows["claude"]["usable"], rows["claude"]["version"], rows["claude"]["login"]) == (
        True,
        "9.8.7",
        "ANTHROPIC_API_KEY",
    )
    assert rows["aider"]["usable"] is False
    assert [one.version for one in read_handshakes(repo.top / ".git/orch/cache") if one.program == "claude"] == ["9.8.7"]


def test_doctor_tells_the_key_that_is_there_by_its_name_and_never_its_value(repo: Repo) -> None:
    told = repo.orchd("doctor")
    assert "9.8.7, signs in with ANTHROPIC_API_KEY" in told
    del repo.env["ANTHROPIC_API_KEY"]
    again = repo.orchd("doctor")
    assert "nothing was found that it would sign in with" in again
    assert "sk-secret" not in told + again


def test_doctor_ends_badly_when_the_configuration_cannot_be_used(repo: Repo) -> None:
    repo.write(".orch/config.yaml", "paralel: 3\n")
    assert "cannot be used" in repo.orchd("doctor", code=1)
