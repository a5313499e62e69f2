"""observe(): one look at the world through the ports, as a frozen snapshot. It changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from orchd.core.gating import with_chain
from orchd.core.numbering import wants_numbers, wishes_of
from orchd.core.radar import live_tips
from orchd.core.watched import watched_runs
from orchd.model.agent import AUTO
from orchd.model.dataclass import dataclass
from orchd.model.ids import TaskId
from orchd.model.number import NumberWish
from orchd.model.snapshot import FilesSeen, GatesSeen, Snapshot, State
from orchd.model.work import Status
from orchd.ports import Ports


@dataclass(frozen=True, slots=True)
class Wish:
    """What the process that runs the loop was told: `draining` starts nothing new, `only` starts nothing else;
    `until_idle`: it ends when nothing is left to do."""

    draining: bool = False
    only: frozenset[TaskId] | None = None
    until_idle: bool = False


def observe(ports: Ports, state: State, wish: Wish) -> Snapshot:
    """Everything that the planner may know about this moment."""
    shared = ports.shared.look()
    main = shared.main if shared and shared.main else ports.refs.main()
    config, wrong = ports.settings.look(main)
    runs = ports.runs.look(watched_runs(state))
    reservations = ports.reservations.look(main)
    wrong += reservations.problems
    sessions, muddled = ports.sessions.look(main)
    files = ports.files.look(main)
    agents, garbled = ports.agents.look(main, ask=_wants_anybody(state, files))
    wrong += muddled + garbled
    save = ports.saves.look(state.save, main) if state.save else None
    return Snapshot(
        now_ms=ports.clock.now_ms(),
        state=state,
        config=config,
        main=main,
        files=replace(files, problems=files.problems + wrong) if wrong else files,
        reservations=reservations.good,
        intents=ports.intents.look(),
        runs=runs,
        save=save,
        gates=ports.results.look(with_chain(state.save, save.chain), config) if state.save and save else GatesSeen(),
        leftovers=ports.runs.leftovers(),
        journals=ports.saves.journals(),
        kept=ports.refs.kept(),
        lives=ports.lives.held(),
        meetings=ports.radar.look(main, tuple(live_tips(state, runs).values())),
        busy_ports=ports.machine.busy_ports() if _wants_ports(state, files) else frozenset(),
        draining=wish.draining,
        only=wish.only,
        shared=shared,
        machine=ports.machine.look(config),
        sessions=sessions,
        lines=ports.lines.look(state.sessions),
        agents=agents,
        until_idle=wish.until_idle,
        gone=state.gone if shared and not shared.main else ports.refs.gone(main, state),
        past=ports.refs.past(main, list_news(state, files)),
        screenings={task: ports.results.look(screening, config) for task, screening in state.screenings.items()},
        numbered=ports.numbers.look(_list_wishes(state), config),
    )


def _list_wishes(state: State) -> tuple[NumberWish, ...]:
    return tuple(wish for task in state.tasks.values() if wants_numbers(task) for wish in wishes_of(task))


def _wants_anybody(state: State, files: FilesSeen) -> bool:
    """Whether a task leaves it to us who does it."""
    waiting = (task.spec for task in state.tasks.values() if task.status is Status.WAITING)
    specs = (*waiting, *(file.spec for file in files.good))
    return any((spec.agent == AUTO or AUTO in spec.fallbacks) and spec.is_for_agent for spec in specs)


def list_news(state: State, files: FilesSeen) -> Mapping[TaskId, str]:
    """The files that say what the state does not know: it may have landed elsewhere, and come by a clone or a pull."""
    known = state.tasks
    return {
        file.spec.id: file.path
        for file in files.good
        if not file.drop and (file.spec.id not in known or known[file.spec.id].digest != file.digest)
    }


def _wants_ports(state: State, files: FilesSeen) -> bool:
    """Whether anybody might be given a port now; the table of all sockets is long on a busy machine."""
    waiting = (task.spec for task in state.tasks.values() if task.status is Status.WAITING)
    return any(spec.ports for spec in waiting) or any(file.spec.ports for file in files.good)
