"""A goal with a real program and the scripted model, through the whole of orchd: `python real_story.py ORDER`.

Runs inside network and process namespaces of its own. Prints what came of it: the files of main, the status of the task,
and which processes were left when orchd had ended.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from scripted_model import Script, ScriptedModel
from stage import MODELS, environment

PRICE = "{input: 1, output: 1, as_of: '2026-11-27'}"
RULES = "rules: [allow read, allow edit, allow shell]"
AGENT = f"---\ndescription: Writes code\nrunner: {{runner}}\n{{model}}{{limits}}{RULES}\n---\nBe brief.\n"
PLACES = ("PATH", "HOME", "PWD", "TMPDIR")


def main(order: dict[str, Any]) -> dict[str, Any]:
    server = ScriptedModel(Script(order["mode"], order["command"]))
    own = environment(order, server.address)
    top = Path(order["workspace"])
    model = MODELS.get(order["program"], "mock/mock-1")
    passed = [name for name in own if name not in PLACES]
    write(
        top / ".orch/agents/coder.md",
        AGENT.format(runner=order["program"], model=f"model: {model}\n" if model else "", limits=order.get("limits", "")),
    )
    write(top / ".orch/tasks/say-hi.yaml", "title: say hi\ngoal: Write hi into out.txt\nagent: coder\nclaims: [out.txt]\n")
    write(top / ".orch/config.yaml", f"env: {json.dumps(passed)}\nkill_grace: 2\nprices: {{'*': {PRICE}}}\n")
    whole = {**own, "PYTHONPATH": order["source"], "XDG_STATE_HOME": order["private"]}
    orchd = (sys.executable, "-m", "orchd")
    ran = subprocess.run((*orchd, "run"), cwd=top, env=whole, capture_output=True, text=True, check=False, timeout=200)
    told = subprocess.run((*orchd, "show", "say-hi", "--json"), cwd=top, env=whole, capture_output=True, text=True, check=False)
    files = subprocess.run(("git", "ls-tree", "-r", "--name-only", "main"), cwd=top, capture_output=True, text=True, check=True)
    shown = json.loads(told.stdout)["data"]
    left = sorted(
        comm for path in Path("/proc").glob("[0-9]*") if (comm := name_of(path)) not in ("python3", "python", "unshare")
    )
    return {"code": ran.returncode, "said": ran.stderr, "files": files.stdout.split(), "left": left, "task": shown}


def name_of(process: Path) -> str:
    try:
        return (process / "comm").read_text(encoding="utf-8").strip()
    except OSError:
        return "python3"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    subprocess.run(("ip", "link", "set", "lo", "up"), check=True)
    print(json.dumps(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))))
