"""The real programs: installing them into a cache folder, and running them where nothing can leave the machine.

`python tests/agents/real_programs.py install` brings them by name from the package registries (about 1.1 GB);
`... record [PROGRAM ...]` writes what they print in every case to `tests/agents/recorded/`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cases import CASES, LINES, RECORDED, UNRECORDED, Case, conclude, judge, rules_of, trim, trim_lines

from orchd.adapters.agents.handshake import shake_hands
from orchd.adapters.agents.programs import PROGRAMS

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "orchd-agents"
# The versions that were recorded.
PACKAGES = {
    "claude": "@anthropic-ai/claude-code@2.1.332",
    "codex": "@openai/codex@0.171.0",
    "gemini": "@google/gemini-cli@0.61.0",
    "opencode": "opencode-ai@1.18.33",
    "kilo": "@kilocode/cli@7.7.7",
}
AIDER = "aider-chat==0.86.2"
REAL = (*PACKAGES, "aider", "shell")
BIN = (CACHE / "npm/node_modules/.bin", CACHE / "aider/bin")
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"
NAMESPACES = ("unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
GRACE_SECONDS = 20.0
# Cases of which is kept what a program wrote beside its stream.
DIARIES = ("ok", "resume")
NO_SEEDS: Mapping[str, str] = {}
# Attempts to reach the network, which is not there.
_OUTSIDE = re.compile(r"HTTPSConnectionPool|getaddrinfo|ENOTFOUND|EAI_AGAIN")


def install() -> None:
    npm = CACHE / "npm"
    npm.mkdir(parents=True, exist_ok=True)
    (npm / "package.json").write_text('{"private": true}', encoding="utf-8")
    subprocess.run(("npm", "install", "--no-audit", "--no-fund", "--loglevel=error", *PACKAGES.values()), cwd=npm, check=True)
    if not (CACHE / "aider/bin/aider").exists():
        subprocess.run((sys.executable, "-m", "venv", str(CACHE / "aider")), check=True)
        subprocess.run((str(CACHE / "aider/bin/pip"), "install", "--quiet", AIDER), check=True)


def path_of(program: str) -> Path | None:
    return next((folder / program for folder in BIN if (folder / program).exists()), None)


def why_not(program: str) -> str:
    """Why it cannot be run here; empty when it can."""
    if program != "shell" and not path_of(program):
        return f"{program} is not installed: `make test-agents` installs it"
    tried = subprocess.run((*NAMESPACES, "ip", "link", "set", "lo", "up"), capture_output=True, text=True, timeout=30)
    return "" if tried.returncode == 0 else f"no network namespace of its own: {tried.stderr.strip()}"


class Place:
    """A workspace, a private folder and a home for one program. Each run begins with a clean workspace."""

    def __init__(self, folder: Path) -> None:
        self.workspace, self.private, self.home = folder / "space", folder / "private", folder / "home"
        self.control = self.workspace / ".git/orchd"
        for one in (self.private, self.home):
            one.mkdir(parents=True, exist_ok=True)

    def clean(self, seeds: Mapping[str, str]) -> None:
        shutil.rmtree(self.workspace, ignore_errors=True)
        self.workspace.mkdir()
        for name, text in {"README.md": "A repository.\n", **seeds}.items():
            (self.workspace / name).parent.mkdir(parents=True, exist_ok=True)
            (self.workspace / name).write_text(text, encoding="utf-8")
        self.git("init", "-q", "-b", "main")
        self.control.mkdir()
        self.git("add", "-A")
        self.git("-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", "begin")

    def git(self, *words: str) -> str:
        return subprocess.run(("git", *words), cwd=self.workspace, check=True, capture_output=True, text=True).stdout

    def changed(self) -> list[str]:
        return self.git("status", "--porcelain").splitlines()

    def asked(self) -> list[str]:
        """What was written into the control folder."""
        return sorted(path.name for path in self.control.iterdir())


def perform(program: str, case: Case, place: Place, resume: str = "", seeds: Mapping[str, str] = NO_SEEDS) -> dict[str, Any]:
    """Run one case. `seeds` are files of the repository. The answer is that of the stage, with the stream and what changed."""
    place.clean(seeds)
    order = order_of(program, case, place, resume)
    answer = put_on("stage.py", order, place, case.seconds + 60)
    return {**answer, "stream": (place.private / "stream").read_bytes(), "changed": place.changed(), "asked": place.asked()}


def order_of(program: str, case: Case, place: Place, resume: str = "") -> dict[str, Any]:
    return {
        "program": program,
        "workspace": str(place.workspace),
        "private": str(place.private),
        "control": str(place.control),
        "home": str(place.home),
        "rules": [(str(rule.permit), str(rule.tool), rule.pattern) for rule in rules_of(program, case)],
        "mode": case.mode,
        "command": case.command,
        "prompt": LINES.get(case.mode, case.command) if program == "shell" else "Write hi into out.txt, please.",
        "resume": resume,
        "seconds": case.seconds,
        "kill": case.kill,
        "grace_seconds": GRACE_SECONDS,
        "codex": str(path_of("codex")),
        "path": ":".join((*map(str, BIN), str(Path(shutil.which("node") or "/usr/bin/node").parent), SYSTEM_PATH)),
    }


def put_on(script: str, order: Mapping[str, Any], place: Place, seconds: float) -> dict[str, Any]:
    """Run a script in namespaces of its own; it is given `order` in a file and prints its answer last."""
    source, file = str(Path(__file__).parents[2] / "src"), place.private / "order.json"
    file.write_text(json.dumps({**order, "source": source}), encoding="utf-8")
    stage = (*NAMESPACES, sys.executable, str(Path(__file__).parent / script), str(file))
    own = {"PYTHONPATH": source, "PATH": os.environ["PATH"]}
    ran = subprocess.run(stage, env=own, capture_output=True, text=True, timeout=seconds, check=False)
    assert ran.returncode == 0, ran.stderr
    answer: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return answer


def clock_of(case: Case, answer: Mapping[str, Any]) -> Any:
    """Our clock, when it was what ended the program."""
    return case.clock if answer["seconds"] >= case.seconds else None


def record(program: str) -> None:
    with tempfile.TemporaryDirectory(prefix="agents", dir=CACHE) as folder:
        place, kept, conversation = Place(Path(folder)), {}, ""
        for case in CASES.values():
            if case.noise or (program, case.name) in UNRECORDED:
                continue
            answer = perform(program, case, place, conversation if case.resumes else "")
            report = judge(program, answer["stream"], answer["code"], clock_of(case, answer))
            conversation = conversation or report.conversation
            said = conclude(program, report, answer["code"], changed=bool(answer["changed"]))
            print(f"{program:9} {case.name:13} {answer['code']:4} {answer['seconds']:6} {said} {report}", flush=True)
            lines = [_scrub(line, place) for line in answer["stream"].decode("utf-8", "replace").splitlines()]
            kept[case.name] = {
                "code": answer["code"],
                "changed": bool(answer["changed"]),
                "clock": str(clock_of(case, answer) or ""),
                "lines": trim_lines([trim(line) for line in lines if not _OUTSIDE.search(line)]),
            }
            if case.name in DIARIES and (diary := read_diary(program, place)):
                kept[case.name]["diary"] = diary
        own = {"PATH": ":".join(map(str, BIN)) + ":" + os.environ["PATH"], "HOME": folder}
        version = shake_hands(PROGRAMS[program].signs, own).version
        RECORDED.mkdir(exist_ok=True)
        text = json.dumps({"version": version, "cases": kept}, indent=1, ensure_ascii=False)
        (RECORDED / f"{program}.json").write_text(text + "\n", encoding="utf-8")


def read_diary(program: str, place: Place) -> list[str]:
    """The lines about its use that it wrote beside its stream, in all runs so far."""
    diary = PROGRAMS[program].signs.diary
    [file] = (place.home / diary.below).glob(diary.pattern.replace("{}", "*").replace("{:.8}", "*")) if diary else [None]
    lines = file.read_text(encoding="utf-8").splitlines() if file and diary else []
    return [trim(_scrub(line, place)) for line in lines if diary and diary.mark.decode() in line]


def _scrub(line: str, place: Place) -> str:
    """Without folders, addresses and ids of this machine."""
    for folder, name in ((place.workspace, "/space"), (place.private, "/private"), (place.home, "/home"), (CACHE, "/cache")):
        line = line.replace(str(folder), name)
    line = re.sub(r"/(?:tmp|root|var)/[\w./-]*", "/elsewhere", line)
    line = re.sub(r"127\.0\.0\.1:\d+", "model.example", line)
    return re.sub(r'("user_id": ?)"[^"]*"', r'\1"somebody"', line)


if __name__ == "__main__":
    if sys.argv[1] == "install":
        install()
    for name in (sys.argv[2:] or REAL) if sys.argv[1] == "record" else ():
        record(name)
