"""Several clones of one remote: how long a take-over takes, and what a sign of life and a landing cost beside a plain push."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from orchd.adapters.git_repo import open_repo
from orchd.adapters.git_shared import GitShared
from orchd.adapters.shared_open import open_shared
from orchd.model.config import Config
from orchd.model.tenure import Bid, Tenure, TenureSeen
from samples import ORCHD, Sample, make_sample, wait_until
from tables import Row

TAKEOVER_SECONDS = 2.0
FILES = 10


class Silent:
    """An audience that nobody listens to."""

    def notice(self, text: str, word: str = "") -> None:
        """Not told."""


def measure_takeover(folder: Path, rounds: int, pushes: int) -> Iterator[Row]:
    """Two daemons on two clones; then one clone's pushes in this process."""
    times = tuple(_time_takeover(folder / f"round{at}") for at in range(rounds))
    what = f"kill -9 of the owner to the standby's first start, takeover: {TAKEOVER_SECONDS:.0f}s"
    yield Row(what, "s", times, most=2 * TAKEOVER_SECONDS)
    bare, (one, two) = _make_family(folder / "pushes")
    shared = open_shared(one.place, open_repo(one.place), "main", Config(remote="origin"), Silent(), lambda: None)  # type: ignore[arg-type]
    try:
        seen = _hold(shared, "")
        yield Row("sign of life: asked for to seen", "ms", tuple(_time(lambda: _renew(shared)) for _ in range(pushes)))
        yield Row("landing: asked for to seen", "ms", tuple(_time(_lander(shared, one)) for _ in range(pushes)))
    finally:
        shared.close()
    two.git("pull", "-q", "origin", "main")
    yield Row("`git push` of one commit", "ms", tuple(_time(_pusher(two)) for _ in range(pushes)))
    assert seen.ours
    assert two.git("rev-parse", "HEAD").strip() == _say(bare, "rev-parse", "main")


def _time(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


def _time_takeover(folder: Path) -> float:
    """Seconds from the kill of the owner's daemon to the start of the task in the other clone."""
    _, clones = _make_family(folder)
    log = folder / "log"
    clones[0].write_task("slow", f"date +%s.%N >> {log}; sleep 600", claims=["slow"])
    clones[0].git("add", "-A")
    clones[0].git("commit", "-qm", "a task")
    clones[0].git("push", "-q", "origin", "main")
    daemons = [_serve(clones[0])]
    try:
        wait_until(lambda: log.exists() and log.read_text(), "the owner to start it")
        daemons.append(_serve(clones[1]))
        wait_until((clones[1].place.orch / "sessions.json").exists, "the standby to look")
        time.sleep(TAKEOVER_SECONDS)
        killed = time.time()
        daemons[0].send_signal(signal.SIGKILL)
        wait_until(lambda: len(log.read_text().split()) == 2, "the standby to start it")
        return float(log.read_text().split()[1]) - killed
    finally:
        _end(daemons, folder)


def _end(daemons: list[subprocess.Popen[bytes]], folder: Path) -> None:
    """The daemons and what they left running: each supervisor and its command have the folder in their environment."""
    for daemon in daemons:
        daemon.kill()
        daemon.wait()
    mark = str(folder).encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue


def _serve(clone: Sample) -> subprocess.Popen[bytes]:
    return subprocess.Popen([ORCHD, "daemon", "-q"], cwd=clone.top, env=dict(clone.environment))


def _make_family(folder: Path) -> tuple[Path, tuple[Sample, Sample]]:
    """A bare repository and two clones of it."""
    seed = make_sample(folder / "seed", FILES)
    config = seed.top / ".orch" / "config.yaml"
    config.parent.mkdir(exist_ok=True)
    config.write_text(f"remote: origin\ntakeover: {TAKEOVER_SECONDS:.0f}s\n")
    seed.git("add", "-A")
    seed.git("commit", "-qm", "configure")
    bare = folder / "shared.git"
    seed.git("clone", "-q", "--bare", str(seed.top), str(bare))
    return bare, (_clone(seed, bare, folder / "one"), _clone(seed, bare, folder / "two"))


def _clone(seed: Sample, bare: Path, top: Path) -> Sample:
    seed.git("clone", "-q", str(bare), str(top))
    return replace(seed, top=top, environment={**seed.environment, "XDG_STATE_HOME": str(top.parent / f"{top.name}-state")})


def _say(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def _wait_for(shared: GitShared, done: Callable[[TenureSeen], bool]) -> TenureSeen:
    """Once the remote shows it and nothing is under way."""
    while True:
        seen = shared.look()
        tenure = seen.tenures.get("default")
        if seen.answered and not seen.busy and tenure is not None and done(tenure):
            return tenure
        time.sleep(0.0005)


def _hold(shared: GitShared, old: str) -> TenureSeen:
    while not shared.look().answered:
        time.sleep(0.001)
    shared.hold(Bid(old, Tenure("default", shared.look().me, 1)))
    return _wait_for(shared, lambda seen: seen.version != old)


def _renew(shared: GitShared) -> None:
    _hold(shared, shared.look().tenures["default"].version)


def _lander(shared: GitShared, clone: Sample) -> Callable[[], None]:
    base = shared.look().main
    made = clone.git("commit-tree", "-p", base, "-m", "a landing", f"{base}^{{tree}}").strip()
    seen = shared.look().tenures["default"]

    def land() -> None:
        shared.land(Bid(seen.version, seen.tenure), base, made, {})
        _wait_for(shared, lambda now: now.version != seen.version)
        assert shared.look().main == made

    return land


def _pusher(clone: Sample) -> Callable[[], object]:
    clone.git("commit", "-q", "--allow-empty", "-m", "by hand")
    return lambda: clone.git("push", "-q", "origin", "HEAD:main")
