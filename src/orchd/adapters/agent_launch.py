"""The command of an agent, worked out before its supervisor starts: argv, environment, input, files of its own.

Rule: an agent is never started freer than its definition says; what a program cannot be held to is refused. The programs
are imported only where one is asked for: light clients import this.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from orchd.adapters.keys import list_keys
from orchd.model.agent import AUTO, Job
from orchd.model.dataclass import dataclass
from orchd.model.work import SHELL

if TYPE_CHECKING:
    from orchd.adapters.agents.program import Launch

STDIN = "stdin"
"""In the folder of a run: all that its agent is told. Of the agent of a later command: with the place of that."""

PRIVATE = "private"
"""In the folder of a run: what its program needs outside of the workspace."""


@dataclass(frozen=True, slots=True)
class Launched:
    """What a supervisor needs besides the command line: `env` is added for the agent only, `stdin` is a file, `ignored` are
    patterns of what the program leaves in the workspace, `keys` the variables that only the agent gets: their names. `refusal`:
    why it must not be started (empty: it may)."""

    env: tuple[tuple[str, str], ...] = ()
    stdin: str = ""
    ignored: tuple[str, ...] = ()
    refusal: str = ""
    keys: tuple[str, ...] = ()


NOTHING_LAUNCHED = Launched()


@dataclass(frozen=True, slots=True)
class Lodging:
    """Where an agent works: its workspace, the control folder in it (empty: there will be none), the folder of its run, which
    exists, and the place of its command in the run."""

    workspace: str
    control: str
    folder: Path
    at: int = 0

    def own(self, name: str) -> Path:
        """The file or folder `name` for this command."""
        return self.folder / (f"{name}.{self.at}" if self.at else name)


def prepare_launch(job: Job, place: Lodging) -> tuple[tuple[str, ...], Launched]:
    """The command line, and the rest, with the files written."""
    refusal = find_refusal(job)
    if refusal:
        return (), Launched(refusal=refusal)
    from orchd.adapters.agents.program import Folders
    from orchd.adapters.agents.programs import PROGRAMS

    private, stdin = place.own(PRIVATE), place.own(STDIN)
    private.mkdir(mode=0o700, exist_ok=True)
    launch = PROGRAMS[job.program].launch(job, Folders(place.workspace, str(private), place.control))
    for path, text in (*_own_files(launch, private), (str(stdin), launch.stdin)):
        _write_private(Path(path), text)
    return launch.argv, Launched(launch.env, str(stdin), launch.ignored, keys=list_keys(job, os.environ))


def find_refusal(job: Job) -> str:
    """Why a job cannot be done as it is asked; empty when it can."""
    from orchd.adapters.agents.programs import PROGRAMS

    program = PROGRAMS.get(job.program)
    if program is None:
        known = ", ".join(name for name in PROGRAMS if name != SHELL)
        what = "no agent is installed" if job.program == AUTO else f"there is no agent `{job.program}` any more"
        return f"{what}: orchd knows {known}, and the definitions in .orch/agents"
    return program.objection(job)


def _own_files(launch: Launch, private: Path) -> tuple[tuple[str, str], ...]:
    """Raises ValueError for a file outside of the folder of the run: that is a defect of an adapter."""
    for path, _ in launch.files:
        if not Path(path).is_relative_to(private):
            raise ValueError(f"{path} is not below {private}")
    return launch.files


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
