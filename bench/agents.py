"""What orchd adds to a run of an agent: the same program by hand, with the same arguments, input and environment.

`python bench/agents.py [--rounds N] [PROGRAM ...]`. The real programs are those of the cache folder that `make test-agents`
fills, with its scripted model, in namespaces that have loopback only; `shell` is a task with a command and needs nothing.
Each round: a task is dropped, and lands; then its command line is run once more by hand in a fresh clone, with what stood on
its input. The differences are of one round each.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samples import Sample, serve, wait_until
from tables import Row, describe_machine, render_rows

SCRIPTS = Path(__file__).parents[1] / "tests" / "agents"
ROUNDS = 7
SHELL = "shell"
COMMAND = "echo hi > out.txt"
SECONDS_PER_ROUND = 240.0


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds: from the drop of a task file until main has its result; of its program in between; of the same by hand."""

    landed: float
    attempt: float
    hand: float


def main() -> int:
    """Measure the programs that were named, or all that can be run here."""
    real_programs = bring("real_programs")
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", help=f"any of: {', '.join(real_programs.REAL)}")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    asked = parser.parse_args()
    print(describe_machine(Path(tempfile.gettempdir())), flush=True)
    rows: list[Row] = []
    for program in asked.programs or real_programs.REAL:
        if reason := real_programs.why_not(program):
            print(f"{program}: {reason}", file=sys.stderr)
            continue
        print(f"measuring: {program}", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="orchd-bench-") as folder:
            place = real_programs.Place(Path(folder))
            place.clean({})
            order = {**real_programs.order_of(program, real_programs.CASES["ok"], place), "rounds": asked.rounds}
            made = real_programs.put_on(__file__, order, place, SECONDS_PER_ROUND * (asked.rounds + 1))
        rows += tell(program, [Round(**one) for one in made["rounds"]])
    print(f"\n{render_rows(rows)}", flush=True)
    return 0


def bring(name: str) -> Any:
    """A module of the tests of agents."""
    if str(SCRIPTS) not in sys.path:
        sys.path.insert(0, str(SCRIPTS))
    return importlib.import_module(name)


def tell(program: str, rounds: list[Round]) -> Iterator[Row]:
    """What orchd adds, and how long the program takes by itself."""
    yield Row(f"{program}: drop to landed, beyond the program", "ms", tuple(1000 * (one.landed - one.hand) for one in rounds))
    yield Row(f"{program}: start to exit, beyond the program", "ms", tuple(1000 * (one.attempt - one.hand) for one in rounds))
    yield Row(f"{program}: the program by hand", "ms", tuple(1000 * one.hand for one in rounds))


def stage(order: dict[str, Any]) -> dict[str, Any]:
    """Inside the namespaces: all rounds of one program. The first one, which makes caches warm, does not count."""
    model, stage_of = bring("scripted_model"), bring("stage")
    program, top = order["program"], Path(order["workspace"])
    own = stage_of.environment(order, model.ScriptedModel(model.Script(order["mode"], COMMAND)).address)
    person = {f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    sample = Sample(top, {**own, **person, "XDG_STATE_HOME": order["private"], "PYTHONPATH": order["source"]})
    named = stage_of.MODELS.get(program, "mock/mock-1")
    passed = [name for name in own if name not in ("PATH", "HOME", "PWD", "TMPDIR")]
    rules = "rules: [allow read, allow edit, allow shell]"
    head = "\n".join(filter(None, (f"runner: {program}", f"model: {named}" if named else "", rules)))
    files = {"config.yaml": f"env: {json.dumps(passed)}\n"}
    files |= {} if program == SHELL else {"agents/coder.md": f"---\ndescription: Writes\n{head}\n---\nBe brief.\n"}
    for name, text in files.items():
        (top / ".orch" / name).parent.mkdir(parents=True, exist_ok=True)
        (top / ".orch" / name).write_text(text, encoding="utf-8")
    with serve(sample):
        rounds = [play(sample, program, number, own) for number in range(order["rounds"] + 1)]
    return {"rounds": [{"landed": one.landed, "attempt": one.attempt, "hand": one.hand} for one in rounds[1:]]}


def play(sample: Sample, program: str, number: int, own: Mapping[str, str]) -> Round:
    """One round. What it made is taken away again, so that the next one has something to change."""
    name, before = f"say-{number}", sample.git("rev-parse", "main")
    keys = {"run": COMMAND} if program == SHELL else {"goal": "Write hi into out.txt", "agent": "coder"}
    text = "".join(f"{key}: {json.dumps(value)}\n" for key, value in {"title": "say hi", "claims": ["out.txt"], **keys}.items())
    aside = sample.top / ".orch" / ".new"
    aside.write_text(text, encoding="utf-8")
    (sample.top / ".orch/tasks").mkdir(exist_ok=True)
    begin = time.monotonic()
    aside.rename(sample.top / ".orch/tasks" / f"{name}.yaml")
    wait_until(lambda: sample.git("rev-parse", "main") != before, f"{name} to land")
    landed = time.monotonic() - begin
    run = sample.place.orch / "runs" / f"{name}.1.1"
    attempt = json.loads((run / "exit.json").read_bytes())["results"][0]["seconds"]
    hand = by_hand(sample, before.strip(), run, own)
    sample.git("rm", "-q", "out.txt")
    sample.git("commit", "-q", "-m", "again")
    return Round(landed, attempt, hand)


def by_hand(sample: Sample, base: str, run: Path, own: Mapping[str, str]) -> float:
    """The command line of a run in a clone of what it began with, from its start to its exit."""
    ordered = json.loads((run / "order.json").read_bytes())
    with tempfile.TemporaryDirectory(dir=own["TMPDIR"]) as folder:
        space = Path(folder) / "space"
        subprocess.run(("git", "clone", "-q", str(sample.top), str(space)), env=sample.environment, check=True)
        subprocess.run(("git", "checkout", "-q", base), cwd=space, env=sample.environment, check=True)
        control = space / ".git" / "orchd"
        control.mkdir()
        argv = [word.replace(ordered["workspace"], str(space)) for word in ordered["argv"][0]]
        launched: dict[str, Any] = next(iter(ordered.get("launched", ())), {})
        whole = {**own, **dict(launched.get("env", ())), "PWD": str(space), "ORCHD_CONTROL": str(control)}
        with Path(launched.get("stdin") or os.devnull).open("rb") as source, (Path(folder) / "said").open("wb") as said:
            begin = time.monotonic()
            done = subprocess.run(argv, cwd=space, env=whole, stdin=source, stdout=said, stderr=said, check=False)
            took = time.monotonic() - begin
        if done.returncode or not (space / "out.txt").exists():
            raise RuntimeError(f"{shlex.join(argv)[:200]} did nothing by hand: {(Path(folder) / 'said').read_text()[-400:]}")
    return took


if __name__ == "__main__":
    if sys.argv[1:] and sys.argv[1].endswith("order.json"):
        subprocess.run(("ip", "link", "set", "lo", "up"), check=True)
        print(json.dumps(stage(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))))
    else:
        sys.exit(main())
