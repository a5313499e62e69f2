"""`orchd demo`: the whole way of a task on a small sample project, in a temporary folder, in less than a minute."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from orchd.cli.closing import close_run
from orchd.cli.flags import Command, read_flags
from orchd.cli.output import print_lines
from orchd.errors import OrchdError
from orchd.model.ids import GATE_MARK
from orchd.model.message import AttemptStarted, Event
from orchd.model.snapshot import State
from orchd.model.work import Status

PROJECT: Mapping[str, str] = {
    "README.md": "# Shop\n\nA very small shop.\n",
    "shop/__init__.py": "",
    "shop/prices.py": "def gross(net, rate=0.19):\n    return round(net * (1 + rate), 2)\n",
    "shop/cart.py": "from shop.prices import gross\n\n\ndef total(items):\n    return sum(gross(price) for price in items)\n",
    "shop/greeting.py": 'GREETING = "Hello"\n',
    "tests/__init__.py": "",
    "tests/test_cart.py": "import unittest\n\nfrom shop.cart import total\n\n\nclass Total(unittest.TestCase):\n"
    "    def test_sum(self):\n        self.assertEqual(total([10, 20]), 35.7)\n",
    ".orch/config.yaml": "parallel: 4\ngates:\n  - {name: unit, run: python3 -B -m unittest -q}\n",
}

TASKS: Mapping[str, str] = {
    "add-docstrings": """\
title: Say what the price function does
claims: [shop/prices.py]
run: |
  sleep 1
  sed -i '1a\\    \\"\\"\\"The price with tax.\\"\\"\\"' shop/prices.py
""",
    "write-changelog": """\
title: Begin a changelog
claims: [CHANGELOG.md]
run: sleep 1; printf '# Changelog\\n\\n- prices are documented\\n' > CHANGELOG.md
""",
    "list-functions": """\
title: List all functions in docs/api.md
needs: [add-docstrings]
claims: [docs/**]
run: mkdir -p docs && grep -rn '^def ' shop > docs/api.md
""",
    "greet-politely": """\
title: A more polite greeting
claims: [shop/greeting.py]
run: sleep 2; echo 'GREETING = "Good day"' > shop/greeting.py
""",
    "round-differently": """\
title: Round down (its unit test will fail)
claims: [shop/cart.py]
run: |
  sleep 1
  sed -i 's/return sum/return int(sum/; s/items)$/items))/' shop/cart.py
""",
    "tidy-everything": """\
title: Strays outside its claim
claims: [docs/**]
needs: [list-functions]
run: mkdir -p docs && touch docs/tidy.md && rm README.md
""",
}
EDITED_BY_PERSON = "greet-politely"
PERSON = {
    "GIT_AUTHOR_NAME": "Demo",
    "GIT_AUTHOR_EMAIL": "demo@localhost",
    "GIT_COMMITTER_NAME": "Demo",
    "GIT_COMMITTER_EMAIL": "demo@localhost",
}


@click.command(cls=Command)
def demo() -> int:
    """Show all of it on a small sample project in a temporary folder."""
    from orchd import app
    from orchd.cli.audience import open_narrator

    flags = read_flags()
    folder = Path(tempfile.mkdtemp(prefix="orchd-demo-"))
    _make_project(folder)
    print_lines([f"A sample project with {len(TASKS)} tasks: {folder}", ""])

    def act_as_person(events: Sequence[Event], state: State) -> None:
        if any(isinstance(event, AttemptStarted) and event.task == EDITED_BY_PERSON for event in events):
            _edit_same_line(folder)

    narrator = open_narrator(quiet=flags.quiet, color=flags.color, listener=act_as_person)
    with narrator.live():
        served = app.serve(app.find(folder), narrator, until_idle=True)
    print_lines(["", *_summarise(folder, served.state), "", f"In one line: {close_run(served)[0]}."])
    return 0 if _is_as_promised(served.state) else OrchdError.exit_code


def _make_project(folder: Path) -> None:
    _git(folder, "init", "-q", "-b", "main")
    for path, text in ({**PROJECT} | {f".orch/tasks/{name}.yaml": text for name, text in TASKS.items()}).items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    _git(folder, "add", "-A")
    _git(folder, "commit", "-qm", "A very small shop")


def _edit_same_line(folder: Path) -> None:
    """What a person does meanwhile: change the line that the task is about to change, and commit it to main."""
    (folder / "shop/greeting.py").write_text('GREETING = "Hi there"\n', encoding="utf-8")
    _git(folder, "commit", "-qam", "A person changes the greeting while the task runs")


def _git(folder: Path, *arguments: str) -> str:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")} | PERSON
    done = subprocess.run(["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def _summarise(folder: Path, state: State) -> list[str]:
    lines = ["What happened"]
    for name, task in sorted(state.tasks.items()):
        said = ", ".join(item for item in task.detail if not item.startswith(GATE_MARK))
        why = ": ".join(str(part) for part in (task.reason, said) if part)
        lines.append(f"  {task.status:9} {name:18} {task.checkpoint or why}")
    lines += ["", "Main, newest first (git log --first-parent --oneline)"]
    lines += [f"  {line}" for line in _git(folder, "log", "--first-parent", "--format=%h %s%d", "main").splitlines()]
    return [*lines, "", *_tell_where_to_look(folder)]


def _tell_where_to_look(folder: Path) -> list[str]:
    from orchd import app

    orchd, leavings = _name_orchd(), app.find(folder).workspaces.parent
    return [
        "Where to look",
        f"  cd {shlex.quote(str(folder))}",
        f"  {orchd} status                       # what waits for you comes first",
        f"  {orchd} explain {EDITED_BY_PERSON}       # why it waits, and what you can do",
        f"  {orchd} answer tidy-everything       # what it changed outside its claim, and how to answer",
        f"  {orchd} explain round-differently    # which gate was red, and where its log is",
        "  git log --first-parent --notes=orch/audit main",
        f"  rm -rf {shlex.quote(str(folder))} {shlex.quote(str(leavings))}   # removes the sample and all that belongs to it",
    ]


def _name_orchd() -> str:
    """How to call this very program from a shell that may not have it on its path."""
    if shutil.which("orchd"):
        return "orchd"
    program = Path(sys.argv[0]).absolute()
    named = program.name == "orchd" and os.access(program, os.X_OK)
    return shlex.quote(str(program)) if named else f"{shlex.quote(sys.executable)} -m orchd"


def _is_as_promised(state: State) -> bool:
    """Three landed, one failed its gate, one that strayed outside its claim and one conflict wait."""
    wanted = {
        "add-docstrings": Status.LANDED,
        "write-changelog": Status.LANDED,
        "list-functions": Status.LANDED,
        "greet-politely": Status.HELD,
        "round-differently": Status.FAILED,
        "tidy-everything": Status.HELD,
    }
    return {name: task.status for name, task in state.tasks.items()} == wanted
