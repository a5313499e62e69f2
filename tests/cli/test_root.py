"""The command line as such: names, options, errors, exit codes, and how little it costs to start."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import click
import pytest
from cli_manual import MANUAL, walk_commands
from cli_shell import MAIN, MODULES, make_shell

import orchd
from orchd import errors
from orchd.adapters import git_run
from orchd.cli import flags
from orchd.cli.root import root

HEAVY = {"pydantic", "pydantic_core", "ruamel", "pygit2", "rich", "apscheduler", "watchdog", "filelock"}
CLIENTS = (
    ("status",),
    ("ps",),
    ("claims",),
    ("checkpoints",),
    ("gates",),
    ("costs",),
    ("op", "log"),
    ("show", "nothing"),
    ("explain", "nothing"),
    ("logs", "nothing"),
    ("retry", "nothing"),
    ("completion", "bash"),
    ("--help",),
)


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    """Shared: nothing here changes the repository."""
    return make_shell(tmp_path_factory.mktemp("root"))


def test_every_command_has_the_common_options():
    for path, command in walk_commands(root, "orchd"):
        names = {name for option in command.params if isinstance(option, click.Option) for name in option.opts}
        assert {"--json", "--repo", "-q", "-v", "--no-color"} <= names, path


def test_every_command_answers_h_with_its_sentence(shell):
    for path, command in walk_commands(root, "orchd"):
        context = click.Context(command, info_name=path, help_option_names=root.context_settings["help_option_names"])
        assert command.help and command.help.split(".")[0] in " ".join(command.get_help(context).split())
    assert "Usage: orchd op log" in shell.ok("op", "log", "-h")


def test_a_process_of_orchd_searches_for_circles_rarely(shell):
    code = "import gc, atexit; from orchd.cli import main; atexit.register(lambda: print(gc.get_threshold()[0])); main()"
    assert shell.orchd("--version", code=code).stdout.splitlines()[-1] == "200000"


def test_the_version_is_printed(shell):
    assert shell.ok("--version") == f"orchd {orchd.__version__}\n"


def test_without_a_command_the_help_is_printed(shell):
    assert shell.ok() == shell.ok("--help")


@pytest.mark.parametrize(
    ("arguments", "message", "help_text"),
    [
        (("stauts",), "there is no command `stauts`", "did you mean `status`?"),
        (("op", "lgo"), "there is no command `lgo`", "did you mean `log`?"),
        (("qqqqqq",), "there is no command `qqqqqq`", "`orchd -h` lists them"),
        (("\x1b[31m",), "there is no command `\\x1b[31m`", "`orchd -h` lists them"),
        (("ps", "--jsn"), "No such option '--jsn'", "`orchd ps -h` shows how it is used"),
        (("show",), "Missing argument 'TASK'", "`orchd show -h`"),
        (("op",), "Missing command", "`orchd op -h`"),
        (("answer", "a", "--take", "ours", "--take=theirs"), "--take is there more than once", "`orchd answer -h`"),
        (("op", "log", "-n", "0"), "Invalid value for '-n'", "`orchd op log -h`"),
    ],
)
def test_mistakes_in_the_command_line_end_with_2_and_say_what_was_meant(shell, arguments, message, help_text):
    done = shell.orchd(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    error, help_line = done.stderr.splitlines()
    assert error.startswith(f"orchd: error: {message}")
    assert help_line.startswith("help: ")
    assert help_text in help_line


def test_outside_of_a_repository_the_configuration_is_bad(shell, tmp_path):
    done = shell.orchd("status", "--repo", str(tmp_path))
    assert done.returncode == 78
    assert "is not in a git repository" in done.stderr
    assert "help: run `git init`" in done.stderr


def test_every_exit_code_that_an_error_carries_is_in_the_manual():
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", MANUAL.read_text(encoding="utf-8"), re.MULTILINE)}
    carried = {one.exit_code for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.OrchdError)}
    assert carried <= listed
    assert listed == {0, 1, 2, 3, 4, 5, 6, 75, 78, 130}


def test_verbose_means_the_same_variable_on_both_floors():
    assert flags.VERBOSE_VARIABLE == git_run.VERBOSE_VARIABLE


@pytest.mark.parametrize("arguments", CLIENTS, ids=" ".join)
def test_client_commands_import_nothing_heavy(shell, arguments):
    done = shell.orchd(*arguments, code=MODULES)
    loaded = set(re.search(r"^MODULES (.*)$", done.stderr, re.MULTILINE)[1].split())
    assert "click" in loaded
    assert not loaded & HEAVY


def test_a_reader_that_leaves_early_is_no_error(shell):
    ours, theirs = os.pipe()
    os.close(ours)
    argv = [sys.executable, "-c", MAIN, "--help"]
    done = subprocess.run(argv, cwd=shell.repo, env=shell.env, stdout=theirs, stderr=subprocess.PIPE, text=True)
    os.close(theirs)
    assert (done.returncode, done.stderr) == (0, "")


def test_completion_scripts_ask_the_command_itself(shell):
    assert "_ORCHD_COMPLETE" in shell.ok("completion", "bash")
    words = shell.orchd(_ORCHD_COMPLETE="bash_complete", COMP_WORDS="orchd check", COMP_CWORD="1").stdout
    assert {"plain,check", "plain,checkpoints"} <= set(words.split())


def test_the_import_guard_notices_a_heavy_import(shell):
    done = shell.orchd("--version", code="import pygit2\n" + MODULES)
    assert "pygit2" in re.search(r"^MODULES (.*)$", done.stderr, re.MULTILINE)[1].split()
