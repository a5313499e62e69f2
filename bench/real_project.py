"""Twenty real tasks on a real project: the source of Django from PyPI, with ruff and pyupgrade, four at a time.

usage: python bench/real_project.py [--keep DIR]

Everything is fetched with pip and made in a temporary folder, or in DIR, where a second run finds the downloads again.
Prints a table, what it cost, and the promises that were checked; exits 1 when one of them does not hold.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from counting import Cost, run_counted
from orchd import app
from orchd.core.telling import tell_task
from orchd.model.snapshot import State
from orchd.model.work import Task
from real_checks import CHECKS
from real_tasks import CONFIG, TASKS
from samples import ORCHD, Sample, make_environment
from tables import describe_machine, render_table

DJANGO = "django>=5.2,<5.3"
TOOLS = ("ruff", "pyupgrade")
NEEDS_PERSON = 6
"""What `orchd run` returns when tasks failed, as three of these must."""

HEADS = ("task", "status", "seconds", "files", "what happened")


def main() -> int:
    """Fetch, run, tell, check."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--keep", type=Path, metavar="DIR", help="work in DIR and leave everything there")
    with _open_folder(parser.parse_args().keep) as folder:
        sample = make_project(folder)
        print(describe_machine(folder), f"{_count_files(sample)} files", *_versions(sample), sep=", ", flush=True)
        cost = run_counted([ORCHD, "run"], sample.top, sample.environment, accept=(0, NEEDS_PERSON))
        state = app.read_all(sample.place)
        print(f"\n{render_table(HEADS, _list_tasks(sample, state))}\n\n{_tell_cost(sample, cost)}\n")
        return 1 if _count_faults(sample, state, cost) else 0


def make_project(folder: Path) -> Sample:
    """The project under git with twenty task files, and the tools on its PATH."""
    tools, source = _make_tools(folder / "tools"), _download(folder / "download")
    top = folder / "project"
    shutil.rmtree(top, ignore_errors=True)
    shutil.rmtree(folder / "state", ignore_errors=True)
    with tarfile.open(source) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    next((folder / "unpacked").iterdir()).rename(top)
    environment = make_environment(folder)
    sample = Sample(top, environment | {"PATH": f"{tools}:{environment['PATH']}"})
    shutil.copy(Path(__file__).with_name("list_api.py"), top / "extras" / "list_api.py")
    (top / ".gitignore").write_text("__pycache__/\n", encoding="utf-8")
    for name, task in TASKS.items():
        sample.write_task(name, task.run, **task.keys)
    (top / ".orch" / "config.yaml").write_text(CONFIG, encoding="utf-8")
    sample.git("init", "-q", "-b", "main")
    sample.git("add", "-A")
    sample.git("commit", "-q", "-m", "Django as it was published, with twenty tasks")
    return sample


def _make_tools(folder: Path) -> Path:
    """A virtual environment with the tools; its folder of commands."""
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *TOOLS], check=True, stderr=subprocess.DEVNULL)
        (folder / "ready").touch()
    return folder / "bin"


def _download(folder: Path) -> Path:
    """The source distribution, through pip."""
    if not list(folder.glob("*.tar.gz")):
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        what = ["--no-deps", "--no-binary", ":all:", "--dest", str(folder), DJANGO]
        subprocess.run([*pip, *what], check=True, stderr=subprocess.DEVNULL)
    return next(folder.glob("*.tar.gz"))


def _list_tasks(sample: Sample, state: State) -> list[tuple[str, ...]]:
    decisions = {decision.task: decision for decision in app.decisions(sample.place, state)}
    ordered = sorted(state.tasks.values(), key=lambda task: (task.started_ms or sys.maxsize, task.order))
    return [
        (
            task.spec.id,
            str(task.status),
            f"{(task.ended_ms - task.started_ms) / 1000:.1f}" if task.ended_ms else "",
            str(_count_changes(sample, task)),
            tell_task(task, state, decisions.get(task.spec.id)).what,
        )
        for task in ordered
    ]


def _count_changes(sample: Sample, task: Task) -> int:
    return len(sample.git("diff", "--name-only", task.base, task.tip).splitlines()) if task.tip else 0


def _tell_cost(sample: Sample, cost: Cost) -> str:
    gates = sum(any(event["type"] == "GateRan" for event in one.events) for one in app.operations(sample.place, 10_000))
    others = cost.others_seconds / cost.wall_seconds
    return (
        f"{cost.wall_seconds:.1f} s on the wall, {cost.cpu_seconds:.1f} s of processors with all tools and gates"
        f" (others used {others:.1f} cores meanwhile), {len(app.checkpoints(sample.place))} checkpoints, {gates} gate runs"
    )


def _count_faults(sample: Sample, state: State, cost: Cost) -> int:
    faults = 0
    for promise, check in CHECKS.items():
        found = list(check(sample, state, cost))
        faults += len(found)
        print(f"{'FAULT' if found else 'ok':5}  {promise}", *found, sep="\n         ", flush=True)
    return faults


def _count_files(sample: Sample) -> int:
    return len(sample.git("ls-files").splitlines())


def _versions(sample: Sample) -> Iterator[str]:
    yield sample.top.joinpath("PKG-INFO").read_text(encoding="utf-8").split("Version: ", 2)[2].split()[0].join(("Django ", ""))
    for line in sample.run("python", "-m", "pip", "freeze").splitlines():
        if line.startswith(TOOLS):
            yield line.replace("==", " ")


@contextlib.contextmanager
def _open_folder(named: Path | None) -> Iterator[Path]:
    if named is not None:
        named.mkdir(parents=True, exist_ok=True)
        yield named.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="orchd-real-") as folder:
        yield Path(folder)


if __name__ == "__main__":
    sys.exit(main())
