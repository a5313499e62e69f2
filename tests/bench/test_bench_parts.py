"""The measurements measure what they say: no test here depends on how fast this machine is."""

from __future__ import annotations

import ast
import itertools
import subprocess
import sys
from pathlib import Path

import pytest

from list_api import list_names
from looks import World, build_world, open_world, time_looks
from measure import PLAIN
from orchd.adapters.git_repo import open_repo
from orchd.adapters.schema import parse_config
from orchd.adapters.task_schema import ParsedTask, parse_task
from orchd.core.claims import overlaps
from orchd.model.config import Config
from orchd.model.work import Status
from real_branches import cut_branches
from real_tasks import CONFIG, OVERLAPPING, TASKS
from samples import make_sample
from tables import Row, render_rows, render_table, tell_quantile

BENCH = Path(__file__).parents[2] / "bench"
BURN = """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    while time.process_time() < 0.3:
        pass
    os._exit(0)
if not DETACHED:
    try:
        os.wait()
    except ChildProcessError:
        pass
"""
COUNT = """
import os, sys
from pathlib import Path
from counting import run_counted
try:
    cost = run_counted([sys.executable, "-c", sys.argv[1]], Path("/"), dict(os.environ))
except RuntimeError as error:
    print(error)
else:
    print(cost.cpu_seconds, cost.survivors)
"""


def count(program: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", COUNT, program], cwd=BENCH, capture_output=True, text=True, check=True)
    if "cannot be counted" in done.stdout:
        pytest.skip(done.stdout)
    return done.stdout.split()


@pytest.mark.parametrize("detached", [True, False])
def test_processor_time_of_processes_that_nobody_waits_for_is_counted(detached: bool) -> None:
    cpu, survivors = count(BURN.replace("DETACHED", str(detached)))
    assert float(cpu) > 0.29
    assert int(survivors) == detached


def test_without_the_inherited_clock_that_time_would_be_missed() -> None:
    program = BURN.replace("DETACHED", "False") + "\nprint(sum(os.times()[:4]))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 0.29


def test_a_command_that_fails_is_no_measurement() -> None:
    assert count("print('this was said'); raise SystemExit(3)")[-3:] == ["this", "was", "said"]


def test_a_row_says_whether_its_median_reached_the_target() -> None:
    table = render_rows([Row("a", "ms", (1, 2, 30), most=2), Row("b", "ms", (1, 3, 4), most=2), Row("c", "", (5,))])
    assert [line.split("|")[-2].strip() for line in table.splitlines()[2:]] == ["yes", "NO", ""]
    assert "1 .. 30" in table


def test_columns_of_a_table_are_as_wide_as_their_widest_cell() -> None:
    assert len({len(line) for line in render_table(("x", "y"), [("long cell", ""), ("", "z" * 20)]).splitlines()}) == 1


@pytest.mark.parametrize(("share", "wanted"), [(0.95, 19), (0.5, 10), (1.0, 20), (0.0, 1), (0.951, 20)])
def test_a_quantile_is_the_smallest_value_that_covers_the_share(share: float, wanted: int) -> None:
    values = [float(number) for number in range(20, 0, -1)]
    assert tell_quantile(values, share) == wanted


@pytest.mark.parametrize("world", World)
def test_a_world_that_was_built_is_at_rest(tmp_path: Path, world: World) -> None:
    sample = make_sample(tmp_path, 1)
    build_world(sample, world, 3)
    with open_world(sample) as ports:
        assert len(time_looks(ports, 2)) == 2
        found = {name: task.status for name, task in ports.store.load().state.tasks.items()}
    ends = {World.LANDED: [Status.LANDED] * 3, World.BLOCKED: [Status.FAILED, Status.WAITING, Status.WAITING]}
    assert [found[f"task-{number}"] for number in range(3)] == ends[world]


def test_a_look_that_finds_something_to_do_is_not_timed(tmp_path: Path) -> None:
    sample = make_sample(tmp_path, 1)
    build_world(sample, World.LANDED, 1)
    sample.git("update-ref", "refs/orch/keep/task-0", "main")
    with open_world(sample) as ports, pytest.raises(RuntimeError, match="not at rest"):
        time_looks(ports, 1)


def test_the_plain_script_lands_and_tags_each_task_and_removes_its_worktree(tmp_path: Path) -> None:
    sample = make_sample(tmp_path, 1)
    sample.run("sh", str(PLAIN), str(tmp_path / "trees"), "2")
    assert sample.count_landed() == 2
    assert len(sample.git("tag", "--list").splitlines()) == 2
    assert len(sample.git("worktree", "list").splitlines()) == 1


def test_there_are_twenty_real_tasks_and_all_files_are_good(tmp_path: Path) -> None:
    assert len(TASKS) == 20
    sample = make_sample(tmp_path, 1)
    for name, task in TASKS.items():
        sample.write_task(name, task.run, **task.keys)
        file = tmp_path / "project/.orch/tasks" / f"{name}.yaml"
        assert isinstance(parse_task(file.name, name, file.read_bytes()), ParsedTask)
    assert isinstance(parse_config("config.yaml", CONFIG.encode()), Config)


def test_real_tasks_overlap_only_where_it_is_meant() -> None:
    found = {
        frozenset((one, two))
        for one, two in itertools.combinations(TASKS, 2)
        if any(overlaps(first, second) for first in TASKS[one].claims for second in TASKS[two].claims)
    }
    ordered = {frozenset((name, need)) for name, task in TASKS.items() for need in task.needs}
    assert found - ordered == {frozenset(pair) for pair in OVERLAPPING}


def test_a_listing_names_what_is_public() -> None:
    source = "class A(B):\n  def m(self, x=1): ...\n  def _p(self): ...\nclass _C: ...\nasync def f(*a): ...\ndef _g(): ...\n"
    assert list(list_names(ast.parse(source))) == ["- class `A(B)`", "  - `m(self, x=1)`", "- `f(*a)`"]


def test_real_branches_are_what_people_made_on_one_commit_each_mergeable(tmp_path: Path) -> None:
    sample = make_sample(tmp_path, 4)
    base = sample.git("rev-parse", "HEAD").strip()
    for name in ("one", "two", "same", "none"):
        sample.git("checkout", "-q", "-b", name, base)
        file = sample.top / ("one.txt" if name == "same" else f"{name}.txt")
        file.write_text("again\n" if name == "same" else f"{name}\n")
        sample.git("add", "-A")
        sample.git("commit", "-qm", name)
        sample.git("checkout", "-q", "main")
        (sample.top / f"main-{name}.txt").write_text("main\n")
        sample.git("add", "-A")
        sample.git("commit", "-qm", f"main before {name}")
        sample.git("merge", "-q", "-s", "ours" if name == "same" else "ort", "-m", f"merge {name}", name)
    repo = open_repo(sample.place)
    made = cut_branches(repo, 3)
    assert [repo.parents_of(tip) for tip in made.tips] == [(made.base,)] * 3
    changed = [sample.git("diff", "--name-only", made.base, tip).split() for tip in made.tips]
    assert changed == [["one.txt"], ["two.txt"], ["none.txt"]]
    with pytest.raises(SystemExit, match="only 3"):
        cut_branches(repo, 4)
