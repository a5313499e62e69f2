"""What the sentences about tasks need to know besides the state: looked up once for each command."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from orchd import app
from orchd.adapters.branch import contains, find_missing, name_main
from orchd.adapters.effective import read_agents
from orchd.adapters.state_reader import read_tasks
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

    health = look_at_health(place, scene.branch, scene.config.remote, checkpoints, scene.now_ms)
    return replace(scene, alarms=list_alarms(health))


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
    main = name_main(place, scene.branch, scene.config.remote)
    return replace(scene, checkpoint=checkpoint, contained=contains(place, main, task.commit))


def look_at_main(place: Place, state: State, *others: Task) -> State:
    """`state` with what the branch has lost by now of the work that waiting tasks need, and of that of `others`: the state
    itself knows what the last look of a daemon saw."""
    known = {**_read_archived(place, state), **state.tasks}
    needed = (known[name] for name in _list_needed(state) if name in known)
    landed = {task.spec.id: task.commit for task in (*needed, *others) if task.status is Status.LANDED and task.commit}
    if not landed:
        return state
    main = name_main(place, app.branch(place, state), app.config(place).remote)
    missing = find_missing(place, main, frozenset(landed.values()))
    gone = frozenset(name for name, commit in landed.items() if commit in missing)
    return replace(state, gone=(state.gone - landed.keys()) | gone)


def _list_needed(state: State) -> frozenset[TaskId]:
    waiting = (task for task in state.tasks.values() if task.status is Status.WAITING)
    return frozenset(name for task in waiting for name in task.spec.needs)


def _read_archived(place: Place, state: State) -> Mapping[TaskId, Task]:
    """The tasks that waiting ones need and that the hot state does not hold."""
    missing = _list_needed(state) - state.tasks.keys()
    return read_tasks(place, missing) if missing else {}
