"""A real repository and the real command, in processes of their own."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

MAIN = "from orchd.cli import main; main()"
MODULES = """
import sys
from orchd.cli.root import run_cli
code = run_cli(sys.argv[1:])
print("MODULES", *sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
sys.exit(code)
"""


class Shell:
    """Runs `orchd` and `git` in one repository, with an environment that owes nothing to this machine."""

    def __init__(self, folder: Path) -> None:
        self.repo = folder / "repo"
        self.repo.mkdir()
        person = {"NAME": "A Person", "EMAIL": "person@example.org"}
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "XDG_STATE_HOME": str(folder / "state"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "LC_ALL": "C.UTF-8",
            **{f"GIT_{who}_{key}": value for who in ("AUTHOR", "COMMITTER") for key, value in person.items()},
        }

    def git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.repo, env=self.env, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def orchd(self, *arguments: str, code: str = MAIN, **env: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-c", code, *arguments]
        return subprocess.run(argv, cwd=self.repo, env=self.env | env, capture_output=True, text=True, timeout=60)

    def ok(self, *arguments: str, **env: str) -> str:
        """Standard output of a command that must succeed."""
        done = self.orchd(*arguments, **env)
        assert done.returncode == 0, f"orchd {arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def on_terminal(self, *arguments: str, **env: str) -> str:
        """What a terminal receives on standard output."""
        ours, theirs = pty.openpty()
        argv = [sys.executable, "-c", MAIN, *arguments]
        with subprocess.Popen(argv, cwd=self.repo, env={"TERM": "xterm"} | self.env | env, stdout=theirs) as process:
            os.close(theirs)
            shown = read_all(ours)
            process.wait(60)
        os.close(ours)
        return shown.replace("\r\n", "\n")

    def write_task(self, name: str, run: str, more: str = "") -> None:
        folder = self.repo / ".orch" / "tasks"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.yaml").write_text(f"title: Title of {name}\nrun: {run}\n{more}", encoding="utf-8")


def read_all(handle: int) -> str:
    """Until the other side is closed, which Linux reports as an error on a terminal."""
    parts = []
    while True:
        try:
            part = os.read(handle, 65536)
        except OSError:
            part = b""
        if not part:
            return b"".join(parts).decode()
        parts.append(part)


def make_shell(folder: Path) -> Shell:
    """A repository with one commit on main."""
    made = Shell(folder)
    made.git("init", "-q", "-b", "main")
    (made.repo / "a.txt").write_text("one\n", encoding="utf-8")
    made.git("add", "a.txt")
    made.git("commit", "-q", "-m", "first")
    return made


def make_served_shell(folder: Path) -> Shell:
    """One task landed, one failed by its exit code, one strayed outside its claim."""
    made = make_shell(folder)
    made.write_task("good", "echo two > good.txt")
    made.write_task("bad", "printf 'so far\\033[31m so good\\n'; exit 3", "claims: [b/**]\n")
    made.write_task("stray", "echo x > elsewhere.txt", "claims: [c/**]\n")
    done = made.orchd("run")
    assert (done.returncode, done.stdout) == (6, ""), done.stderr
    assert "1 landed, 1 failed, 1 waiting for you" in done.stderr
    return made
