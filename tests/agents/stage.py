"""One run of a real program with the scripted model: `python stage.py ORDER`, inside a network namespace of its own.

The order (JSON) names the program, the job, the mode of the model and the folders. What the program prints goes to
`stream` below the private folder, what came of it to standard output. Nothing leaves the namespace: it has loopback only.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from scripted_model import Script, ScriptedModel

from orchd.adapters.agents.program import Folders, Launch
from orchd.adapters.agents.programs import PROGRAMS
from orchd.model.agent import Effort, Job, Permit, Rule, Tool

MODELS = {"claude": "", "gemini": "gemini-2.5-flash", "codex": "mock-1", "aider": "openai/mock-1"}
SEEN_SECONDS = 60.0


def main(order: dict[str, Any]) -> dict[str, Any]:
    name = order["program"]
    folders = Folders(order["workspace"], order["private"], order.get("control", ""))
    rules = tuple(Rule(Permit(one[0]), Tool(one[1]), one[2]) for one in order["rules"])
    model = MODELS.get(name, "mock/mock-1")
    job = Job(name, order["prompt"], model, Effort.LOW, rules, resume=order.get("resume", ""))
    launch = PROGRAMS[name].launch(job, folders)
    server = ScriptedModel(Script(order["mode"], order["command"]))
    code, seconds = run(launch, folders, {**environment(order, server.address), **dict(launch.env)}, order)
    tools = sorted({name for body in server.seen for name in _tool_names(body)})
    return {"code": code, "seconds": round(seconds, 2), "tools": tools, "seen": server.seen}


def run(launch: Launch, folders: Folders, own: dict[str, str], order: dict[str, Any]) -> tuple[int, float]:
    for path, text in launch.files:
        Path(path).write_text(text, encoding="utf-8")
    if launch.ignored:
        exclude = Path(folders.workspace, ".git/info/exclude")
        exclude.parent.mkdir(exist_ok=True)
        exclude.write_text("\n".join(launch.ignored) + "\n", encoding="utf-8")
    begin = time.monotonic()
    stream = Path(folders.private, "stream")
    with stream.open("wb") as output:
        # A pipe, as a supervisor gives: programs write differently to a file.
        cat = subprocess.Popen(("cat",), stdin=subprocess.PIPE, stdout=output)
        started = subprocess.Popen(
            launch.argv, cwd=folders.workspace, env=own, stdin=subprocess.PIPE, stdout=cat.stdin, stderr=subprocess.STDOUT
        )
        assert cat.stdin
        assert started.stdin
        cat.stdin.close()
        try:
            started.stdin.write(launch.stdin.encode())
            started.stdin.close()
        except BrokenPipeError:
            pass
        code = _wait(started, order)
        _end_all()
        cat.wait()
    return code, time.monotonic() - begin


def _wait(started: subprocess.Popen[bytes], order: dict[str, Any]) -> int:
    """To the end, to the end of the clock (TERM, then KILL), or, when it is to be killed, until its tool runs."""
    until = time.monotonic() + order["seconds"]
    witness = Path(order["workspace"], "began")
    while started.poll() is None and time.monotonic() < until and not (order["kill"] and witness.exists()):
        time.sleep(0.05)
    if started.poll() is None:
        started.send_signal(signal.SIGKILL if order["kill"] else signal.SIGTERM)
    try:
        return started.wait(order["grace_seconds"])
    except subprocess.TimeoutExpired:
        started.kill()
        return started.wait()


def _end_all() -> None:
    """Everything else in this process namespace but ourselves and `cat`."""
    for path in Path("/proc").iterdir():
        if path.name.isdecimal() and int(path.name) not in (1, os.getpid()):
            try:
                if (path / "comm").read_text(encoding="utf-8").strip() != "cat":
                    os.kill(int(path.name), signal.SIGKILL)
            except OSError:
                continue


def _tool_names(body: dict[str, Any]) -> list[str]:
    tools = body.get("tools") or []
    flat = [inner for tool in tools for inner in (tool.get("functionDeclarations") or [tool])]
    return [one.get("name") or one.get("function", {}).get("name") or one.get("type") or "" for one in flat]


def environment(order: dict[str, Any], address: str) -> dict[str, str]:
    home = Path(order["home"])
    files: dict[str, str] = {}
    provider = {
        "mock": {
            "npm": "@ai-sdk/openai-compatible",
            "options": {"baseURL": f"{address}/v1", "apiKey": "scripted"},
            "models": {"mock-1": {"cost": {"input": 2, "output": 8}, "limit": {"context": 100000, "output": 10000}}},
        }
    }
    files[".config/opencode/opencode.json"] = files[".config/kilo/kilo.json"] = json.dumps({"provider": provider})
    files[".gemini/settings.json"] = json.dumps({"security": {"auth": {"selectedType": "gemini-api-key"}}})
    retries = "request_max_retries=1,stream_max_retries=1"
    ours = f'{{name="scripted",base_url="{address}/v1",env_key="OPENAI_API_KEY",wire_api="responses",{retries}}}'
    settings = f"-c model_provider=scripted -c 'model_providers.scripted={ours}'"
    files["bin/codex"] = f'#!/bin/sh\nexec {order["codex"]} {settings} "$@"\n'
    for name, text in files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text, encoding="utf-8")
    (home / "bin/codex").chmod(0o755)
    return {
        "HOME": str(home),
        "PATH": f"{home}/bin:{order['path']}",
        "PWD": order["workspace"],
        "ORCHD_CONTROL": order.get("control", ""),
        "LANG": "C.UTF-8",
        "TMPDIR": order["private"],
        "ANTHROPIC_BASE_URL": address,
        "ANTHROPIC_API_KEY": "scripted",
        "CLAUDE_CODE_MAX_RETRIES": "1",
        "OPENAI_API_KEY": "scripted",
        "OPENAI_API_BASE": f"{address}/v1",
        "GOOGLE_GEMINI_BASE_URL": address,
        "GEMINI_API_KEY": "scripted",
    }


if __name__ == "__main__":
    subprocess.run(("ip", "link", "set", "lo", "up"), check=True)
    print(json.dumps(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))))
