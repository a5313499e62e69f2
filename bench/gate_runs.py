"""How many gates run where nothing new is asked, in real repositories with real gates: `python bench/gate_runs.py`.

The gate counts its own runs in a file. It is asked again about a tree that it was green on: by the save after a task was judged
by itself, by a second save of the same thing, by a replay after kill -9, by a restore that goes to main. One stored result in
fifty is not believed and its gate is run all the same, by chance; so a few samples show a run.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from samples import ORCHD, Sample, make_sample, wait_until
from tables import Row, render_rows

SAMPLES = 5
PAUSE_SECONDS = 0.012
"""The kill comes so much later in each sample: from before the supervisor has seen the end of the gate to after the landing."""
CONFIG = "gates:\n  - {name: unit, run: 'echo x >> \"$HOME/ran\"'%s}\n"


def main() -> int:
    """Count and print; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--samples", type=int, default=SAMPLES)
    rows = list(count_all(parser.parse_args().samples))
    print(render_rows(rows))
    return int(any(sorted(row.values)[len(row.values) // 2] > (row.most or 0) for row in rows))


def count_all(samples: int) -> Iterator[Row]:
    """The gate runs of each way to ask again."""
    for what, again in WAYS.items():
        runs = []
        for number in range(samples):
            with tempfile.TemporaryDirectory(prefix="orchd-bench-") as folder:
                runs.append(float(again(make_sample(Path(folder), 3), number)))
        yield Row(f"gate runs of {what}", "runs", tuple(runs), 0.0)


def count(sample: Sample) -> int:
    """How often the gate has run."""
    file = sample.top.parent / "ran"
    return len(file.read_text(encoding="utf-8").splitlines()) if file.exists() else 0


def judge_alone(sample: Sample, number: int) -> int:
    """A task is judged by itself, then saved onto the main that it was begun on."""
    configure(sample, ", phase: task")
    sample.write_trivial_tasks(1)
    sample.run(ORCHD, "run")
    return count(sample) - 1


def save_again(sample: Sample, number: int) -> int:
    """A task is saved to the line of its session, then the line to main."""
    configure(sample, "")
    folder = sample.top / ".orch" / "sessions"
    folder.mkdir()
    (folder / "web.yaml").write_text("landing: manual\n", encoding="utf-8")
    sample.write_task("task-1", "echo 1 > file-1", claims=["file-1"], session="web")
    sample.run(ORCHD, "run")
    before = count(sample)
    sample.run(ORCHD, "save", "web")
    return _check(sample, 1, count(sample) - before)


def replay(sample: Sample, number: int) -> int:
    """Killed a while after the gate has run; then another process goes on."""
    configure(sample, "")
    sample.write_trivial_tasks(1)
    with subprocess.Popen([ORCHD, "run"], cwd=sample.top, env=sample.environment, stdout=-3, stderr=-3) as first:
        wait_until(lambda: count(sample), "the gate to run")
        time.sleep(PAUSE_SECONDS * number)
        with contextlib.suppress(ProcessLookupError):
            first.kill()
    sample.run(ORCHD, "run")
    return _check(sample, 1, count(sample) - 1)


def restore(sample: Sample, number: int) -> int:
    """Two saves; then the tree of the first one comes back to main."""
    configure(sample, "")
    for task in (1, 2):
        sample.write_task(f"task-{task}", f"echo {task} > file-{task}", claims=[f"file-{task}"])
        sample.run(ORCHD, "run")
    before = count(sample)
    sample.run(ORCHD, "restore", sample.git("tag", "--list", "checkpoint/*").split()[0], "--make-main")
    sample.run(ORCHD, "run")
    return _check(sample, 1, count(sample) - before)


def configure(sample: Sample, more: str) -> None:
    """One gate that counts its own runs."""
    folder = sample.top / ".orch"
    folder.mkdir(exist_ok=True)
    (folder / "config.yaml").write_text(CONFIG % more, encoding="utf-8")


def _check(sample: Sample, landed: int, runs: int) -> int:
    """The runs; a sample in which something else landed is none."""
    if sample.count_landed() != landed:
        raise RuntimeError(f"{sample.count_landed()} of {landed} files are on main")
    return runs


WAYS: Mapping[str, Callable[[Sample, int], int]] = {
    "a save after its task was judged by itself": judge_alone,
    "a second save of the same thing": save_again,
    "a replay after kill -9": replay,
    "`restore --make-main`": restore,
}

if __name__ == "__main__":
    raise SystemExit(main())
