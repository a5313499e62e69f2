"""Task files that a run has left in its control folder as proposals. Read once it has ended, as files of a stranger: no step
of the way follows a link, and nothing in them is believed that a task file may not say.
"""

from __future__ import annotations

import itertools
import os
from pathlib import PurePosixPath

from orchd.adapters.evidence import workspace_of
from orchd.adapters.place import Place
from orchd.adapters.plain_file import PlainFile, Refusal, hold_folder, read_plain_file
from orchd.adapters.workspace import CONTROL_FOLDER
from orchd.model.ids import RunId
from orchd.model.limits import CONTROL_ENTRIES, PROPOSAL_FILES
from orchd.model.run import Proposal

FOLDER = "proposals"
SUFFIX = ".yaml"


def read_proposals(place: Place, run: RunId) -> tuple[Proposal, ...]:
    """The proposals of a run that has ended, by name; of very many only the first. Empty: there are none."""
    workspace = workspace_of(place, run)
    if not (workspace / ".git" / CONTROL_FOLDER / FOLDER).is_dir():
        return ()
    with hold_folder(workspace.parent, (workspace.name, ".git", CONTROL_FOLDER, FOLDER)) as folder:
        if not isinstance(folder, int):
            return ()
        with os.scandir(folder) as entries:
            names = [entry.name for entry in itertools.islice(entries, CONTROL_ENTRIES)]
        return tuple(_read(folder, name) for name in sorted(names) if name.endswith(SUFFIX))[:PROPOSAL_FILES]


def _read(folder: int, name: str) -> Proposal:
    from orchd.adapters.task_schema import parse_task

    task, shown = PurePosixPath(name).stem, name.encode(errors="replace").decode()
    read = read_plain_file(folder, name)
    if not isinstance(read, PlainFile):
        return Proposal(shown, why=read.text if isinstance(read, Refusal) else "it cannot be read")
    parsed = parse_task(f"{FOLDER}/{shown}", task, read.content)
    if isinstance(parsed, tuple):
        first = parsed[0]
        return Proposal(shown.removesuffix(SUFFIX), why=f"line {first.line}: {first.message}")
    return Proposal(task, parsed.spec, parsed.digest)
