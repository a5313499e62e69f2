"""`orchd claim`: a person keeps paths, and gives them back; a running task asks for more from inside its workspace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_shell import Shell

from orchd.adapters.schema import parse_reservation
from orchd.model.claim import Mode, PathSpec, Reservation


@pytest.fixture
def folder(shell: Shell) -> Path:
    return shell.repo / ".orch" / "claims"


def test_a_claim_is_written_as_a_file_that_can_be_read_and_released(shell: Shell, folder: Path) -> None:
    why = 'by hand: "quoted" \\ and # odd, 10 % \U0001f600'
    data = json.loads(shell.ok("claim", "src/auth/", "--for", "2h", "--why", why, "--by", "anna", "--json"))["data"]
    assert data["file"] == ".orch/claims/src-auth.yaml"
    assert (data["action"], data["claims"], data["served"]) == ("kept", ["write src/auth/**"], False)
    read = parse_reservation(data["file"], (folder / "src-auth.yaml").read_bytes(), 0)
    assert isinstance(read, Reservation)
    assert (read.paths, read.by, read.why) == ((PathSpec("src/auth/**"),), "anna", why)
    assert read.until_ms > 0
    assert shell.ok("check") == ""
    shell.ok("claim", "--release", "src-auth")
    assert list(folder.iterdir()) == []


def test_the_forms_of_a_claim(shell: Shell, folder: Path) -> None:
    shell.ok("claim", "a*", "b", "--mode", "read", "--resource", "db", "--name", "x", "--until", "2999-01-01T00:00:00Z")
    read = parse_reservation("x", (folder / "x.yaml").read_bytes(), 0)
    paths = (PathSpec("a*", Mode.READ), PathSpec("b", Mode.READ))
    assert isinstance(read, Reservation)
    assert (read.paths, read.resources, read.until_ms) == (paths, ("db",), 32472144000000)


def test_who_looks_sees_a_claim_at_once_though_nobody_serves(shell: Shell, folder: Path) -> None:
    shell.write_task("mine", "echo x > a.txt", "claims: [a.txt]\n")
    shell.ok("claim", "*.txt", "--by", "anna")
    assert "anna" in shell.ok("claims")
    shell.write_task("free", "echo x > b", "claims: [b]\n")
    shell.orchd("run")
    assert "which anna keeps" in shell.ok("explain", "mine")
    (folder / "txt.yaml").unlink()
    (folder / "other.yaml").write_text("claims: [a*]\nby: ben\n", encoding="utf-8")
    assert "which ben keeps" in shell.ok("explain", "mine")
    shell.git("add", ".orch")
    shell.git("commit", "-qm", "claims")
    shell.git("clone", "-q", "--mirror", ".", "moved.git")
    assert "which ben keeps" in shell.ok("explain", "mine", "--repo", "moved.git")
    (folder / "other.yaml").unlink()
    assert "keeps" not in shell.ok("explain", "mine")


def test_no_claim_is_overwritten(shell: Shell, folder: Path) -> None:
    for _ in range(2):
        shell.ok("claim", "src/**")
    assert {path.name for path in folder.iterdir()} == {"src.yaml", "src-2.yaml"}
    done = shell.orchd("claim", "other", "--name", "src")
    assert done.returncode == 2
    assert "--release src" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "nothing is claimed"),
        (("a", "--until", "2020-01-01T00:00:00Z"), "over already"),
        (("../x",), "cannot be claimed"),
        (("a", "--for", "ever"), "2h"),
        (("a", "--until", "tomorrow"), "2026-11-27T18:00:00Z"),
        (("a", "--for", "2h", "--until", "2999-01-01T00:00:00Z"), "together"),
        (("a", "--why", "a\nb"), "one printable line"),
        (("a", "--name", "No Name"), "a-z"),
        (("--release", "nobody"), "no claim file"),
        (("a", "--task", "nobody"), "nobody"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_makes_no_sense_is_refused_with_a_hint(shell: Shell, arguments: tuple[str, ...], said: str) -> None:
    done = shell.orchd("claim", *arguments)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert not (shell.repo / ".orch" / "claims").exists() or not list((shell.repo / ".orch" / "claims").iterdir())


def test_a_symlink_in_the_place_of_the_folder_is_not_followed(shell: Shell, folder: Path, tmp_path: Path) -> None:
    folder.parent.mkdir(exist_ok=True)
    folder.symlink_to(tmp_path)
    done = shell.orchd("claim", "a")
    assert done.returncode == 2
    assert "symlink" in done.stderr
    assert not (tmp_path / "a.yaml").exists()


def test_inside_a_task_the_request_is_put_into_the_control_folder_and_the_answer_is_the_exit_code(
    shell: Shell, tmp_path: Path
) -> None:
    control = tmp_path / "control"
    control.mkdir()
    env = {"ORCHD_TASK": "t", "ORCHD_CONTROL": str(control)}
    shell.ok("claim", "src/b", **env)
    shell.ok("claim", "src/c", "--mode", "append", **env)
    assert (control / "claim.ask").read_text() == "write src/b\nappend src/c\n"
    (control / "claim.md").write_text("You may change now:\n\n- write: `src/b`\n\nrefused: append `src/c`: it is kept\n")
    assert shell.orchd("claim", "src/b", "--wait", **env).returncode == 0
    done = shell.orchd("claim", "src/c", "--mode", "append", "--wait", "--json", **env)
    assert done.returncode == 1
    assert json.loads(done.stdout)["data"]["why"] == "it is kept"
