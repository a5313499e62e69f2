"""What the sentences about tasks need to know besides the state: looked up once for each command."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from orchd import app
from orchd.adapters.branch import contains
from orchd.adapters.effective import read_agents
from orchd.core.reservations import standing
from orchd.core.statuses import is_disputed
from orchd.core.telling import Scene
from orchd.model.ids import TaskId
from orchd.model.snapshot import State
from orchd.model.work import Status, Task

if TYPE_CHECKING:
    from orchd.adapters.place import Place
    from orchd.model.save import Checkpoint


LOOKED_AT = 5
"""Held conflicts that `orchd status` merges again, at about 20 ms each, to see whether they were settled before."""


def look_around(place: Place, state: State, *, served: bool) -> Scene:
    """What goes for all tasks. `served`: whether an orchd works here."""
    now_ms = time.time_ns() // 1_000_000
    kept = standing(app.reservations(place), now_ms)
    known, files = _read_archived(place, state), app.file_names(place)
    branch, config, agents = app.branch(place, state), app.config(place), read_agents(place)
    return Scene(branch, served, known, files, kept=kept, config=config, now_ms=now_ms, agents=agents)


def look_for_alarms(place: Place, scene: Scene, checkpoints: Sequence[Checkpoint]) -> Scene:
    """With what is wrong around the tasks. `checkpoints`: the oldest first."""
    from orchd.adapters.health import look_at_health
    from orchd.core.alarms import list_alarms

    last = checkpoints[-1] if checkpoints and not scene.config.remote else None
    return replace(scene, alarms=list_alarms(look_at_health(place, scene.branch, last, scene.now_ms)))


def look_for_precedents(place: Place, scene: Scene, state: State) -> Scene:
    """With the tasks whose conflict was settled before, the first few that wait for an answer."""
    asked = [task for task in state.tasks.values() if is_disputed(task)][:LOOKED_AT]
    found = {task.spec.id: app.disagreement(place, task) for task in asked}
    return replace(scene, settled=frozenset(name for name, one in found.items() if one is not None and one.proposes))


def look_closely(place: Place, state: State, task: Task) -> Scene:
    """What goes for `task`."""
    scene = look_around(place, state, served=app.server(place) is not None)
    if task.status is not Status.LANDED:
        return scene
    checkpoint = next((one for one in app.checkpoints(place) if one.name == task.checkpoint), None)
    return replace(scene, checkpoint=checkpoint, contained=contains(place, scene.branch, task.commit))


def _read_archived(place: Place, state: State) -> Mapping[TaskId, Task]:
    """The tasks that waiting ones need and that the hot state does not hold."""
    waiting = [task for task in state.tasks.values() if task.status is Status.WAITING]
    missing = {name for task in waiting for name in task.spec.needs} - state.tasks.keys()
    found = {name: app.read_task(place, name) for name in missing}
    return {name: task for name, task in found.items() if task is not None}
