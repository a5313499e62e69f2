"""The control folder: notes go in, requests come out, and no trick of a task leads out of its workspace or stops the daemon."""

from __future__ import annotations

import os
import resource
import shutil
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from runs_world import World, wait_for

from orchd.adapters import control_folder
from orchd.adapters.evidence import read_log
from orchd.adapters.supervisor import _forget_parts
from orchd.model.config import Config
from orchd.model.limits import ASK_BYTES, ASK_FILES
from orchd.model.run import Phase, RunSeen

RUN = "a.1.1"
BRIEF = "# a: what was asked\n"
LONG = "sleep 1000"


def begin(world: World, *lines: str) -> Path:
    """The control folder of a task that runs."""
    world.runs.start(replace(world.order(RUN, *(lines or (LONG,))), brief=BRIEF), Config(kill_grace_seconds=0.2))
    wait_for(lambda: RUN in world.runs.leftovers())
    return world.workspace(RUN) / ".git/orchd"


def look(world: World) -> RunSeen:
    return world.runs.look([RUN])[RUN]


def test_a_task_finds_its_brief_and_reads_what_it_is_told(world: World):
    line = 'cat "$ORCHD_CONTROL/brief.md"; until cat "$ORCHD_CONTROL/note.md" 2>/dev/null; do sleep 0.01; done'
    folder = begin(world, line)
    world.runs.tell(RUN, "note.md", "look out\n")
    world.end(RUN)
    assert b"".join(read_log(world.place, RUN)).decode() == BRIEF + "look out\n"
    assert sorted(path.name for path in folder.iterdir()) == ["brief.md", "note.md"]


@pytest.mark.parametrize("git", ["", "git add -A; git commit -qm mine; git branch b;"])
def test_nothing_of_the_folder_becomes_part_of_the_result(world: World, git: str):
    begin(world, f'echo x > new; echo y > "$ORCHD_CONTROL/what.ask"; {git} git add -f "$ORCHD_CONTROL"; true')
    world.runs.tell(RUN, "note.md", "look out\n")
    left = world.end(RUN)
    world.take(RUN)
    assert world.names(left.tip) == [".gitignore", "folder/deep.txt", "kept.txt", "new"]


def test_a_task_that_was_told_and_did_nothing_has_changed_nothing(world: World):
    begin(world, "true")
    assert (world.end(RUN).tip, world.end(RUN).extra) == ("", "")
    assert not (world.folder(RUN) / "result.pack").exists()


def test_gates_have_no_control_folder(world: World):
    world.run(RUN, 'echo "${ORCHD_CONTROL-none}"; ls .git', collect=False)
    said = b"".join(read_log(world.place, RUN)).decode().split()
    assert said[0] == "none" and "orchd" not in said


def test_a_request_is_read_line_by_line(world: World):
    folder = begin(world)
    (folder / "claim.ask").write_text(" src/** \n\nexists.txt\n")
    (folder / "claim.txt").write_text("not a request\n")
    assert look(world).asked == {"claim": ("src/**", "exists.txt")}


def test_of_a_run_that_has_ended_only_its_parts_are_read(world: World):
    ask = 'cd "$ORCHD_CONTROL"; echo "a: x" > parts.ask; echo "src/**" > claim.ask'
    begin(world, ask)
    world.end(RUN)
    assert look(world).asked == {"parts": ("a: x",)}
    assert look(world).asked == {"parts": ("a: x",)}, "at each look, as long as it is there"


def test_what_one_agent_proposed_is_forgotten_before_the_next_one_and_no_link_is_followed(world: World, tmp_path: Path):
    folder = begin(world)
    (folder / "parts.ask").write_text("a: x\n")
    _forget_parts(world.workspace(RUN))
    assert not (folder / "parts.ask").exists()
    _forget_parts(world.workspace(RUN))
    shutil.move(folder, tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/parts.ask").write_text("precious\n")
    _forget_parts(world.workspace(RUN))
    assert (tmp_path / "elsewhere/parts.ask").read_text() == "precious\n"
    folder.unlink()
    shutil.move(tmp_path / "elsewhere", folder)


def test_a_request_that_is_still_being_written_is_left_for_the_next_look(world: World):
    folder = begin(world)
    with (folder / "claim.ask").open("w") as out:
        out.write("src/")
        out.flush()
        assert (look(world).asked, look(world).misasked) == ({}, {})
        out.write("**")
    assert look(world).asked == {"claim": ("src/**",)}


def make_link(path: Path, secret: Path) -> None:
    path.symlink_to(secret)


def make_second_name(path: Path, secret: Path) -> None:
    path.hardlink_to(secret)


def make_pipe(path: Path, secret: Path) -> None:
    os.mkfifo(path)


def make_folder(path: Path, secret: Path) -> None:
    path.mkdir()


def make_long(path: Path, secret: Path) -> None:
    path.write_bytes(b"x" * (ASK_BYTES + 1))


def make_binary(path: Path, secret: Path) -> None:
    path.write_bytes(b"\xff\xfe")


TRICKS = (make_link, make_second_name, make_pipe, make_folder, make_long, make_binary)


@pytest.mark.parametrize("make", TRICKS)
def test_what_is_no_plain_request_is_named_and_not_read(world: World, tmp_path: Path, make):
    secret = tmp_path / "secret"
    secret.write_text("secret\n")
    folder = begin(world)
    make(folder / "claim.ask", secret)
    (folder / "other.ask").write_text("fine\n")
    seen = look(world)
    assert seen.asked == {"other": ("fine",)}
    assert seen.misasked.keys() == {"claim"}


def test_odd_names_are_named_and_too_many_requests_are_not_read(world: World):
    folder = begin(world)
    (folder / "Odd name.ask").write_text("x\n")
    assert look(world).misasked.keys() == {"Odd name.ask"}
    for number in range(3 * ASK_FILES):
        (folder / f"n{number}.ask").write_text("x\n")
    assert len(look(world).asked) <= ASK_FILES


@pytest.mark.parametrize("part", ["", ".git", ".git/orchd"])
def test_no_link_on_the_way_is_followed(world: World, tmp_path: Path, part: str):
    begin(world)
    elsewhere = tmp_path / "elsewhere"
    replaced = world.workspace(RUN) / part
    shutil.move(replaced, elsewhere)
    replaced.symlink_to(elsewhere)
    [outside] = elsewhere.rglob("brief.md")
    (outside.parent / "claim.ask").write_text("x\n")
    world.runs.tell(RUN, "note.md", "look out\n")
    assert not list(elsewhere.rglob("note.md"))
    assert look(world).asked == {}
    assert look(world).told == {"note.md": "look out\n"}
    replaced.unlink()
    shutil.move(elsewhere, replaced)


def test_a_note_replaces_a_link_in_its_place_and_leaves_its_target_alone(world: World, tmp_path: Path):
    folder = begin(world)
    for name in ("note.md", ".note.md"):
        (tmp_path / name).write_text("precious\n")
        (folder / name).symlink_to(tmp_path / name)
    world.runs.tell(RUN, "note.md", "look out\n")
    assert (folder / "note.md").read_text() == "look out\n" and not (folder / "note.md").is_symlink()
    assert {(tmp_path / name).read_text() for name in ("note.md", ".note.md")} == {"precious\n"}


@pytest.mark.parametrize("name", ["note.md", ".note.md"])
def test_a_folder_in_the_place_of_a_note_only_means_that_it_is_not_read(world: World, name: str):
    folder = begin(world)
    (folder / name / "inner").mkdir(parents=True)
    world.runs.tell(RUN, "note.md", "look out\n")
    assert look(world).told == {"note.md": "look out\n"}


def test_a_removed_folder_is_not_made_again(world: World):
    folder = begin(world)
    shutil.rmtree(folder)
    world.runs.tell(RUN, "note.md", "look out\n")
    assert not folder.exists()
    assert look(world).phase is Phase.RUNNING and look(world).asked == {}


def test_what_our_own_machine_refuses_is_not_told_yet(world: World):
    folder = begin(world)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            world.runs.tell(RUN, "note.md", "look out\n")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert look(world).told == {} and not (folder / "note.md").exists()


def test_if_links_were_followed_a_note_would_leave_the_workspace(world: World, tmp_path: Path, monkeypatch):
    folder = begin(world)
    elsewhere = tmp_path / "elsewhere"
    shutil.move(folder, elsewhere)
    folder.symlink_to(elsewhere)

    @contextmanager
    def follow(top: Path, parts: tuple[str, ...]):
        handle = os.open(top.joinpath(*parts), os.O_RDONLY | os.O_DIRECTORY)
        yield handle
        os.close(handle)

    monkeypatch.setattr(control_folder, "hold_folder", follow)
    world.runs.tell(RUN, "note.md", "look out\n")
    assert (elsewhere / "note.md").exists()
