"""The reconciler: the one thread that writes. Each turn is look, decide, write down, act.

Rule: nothing carries over between turns but what is stored. A lost race drops the plan; a failed action is asked for
again at the next look; a crash anywhere is simply continued by the next turn, in this process or another.
"""

from __future__ import annotations

from dataclasses import replace

from orchd.core.evolve import evolve
from orchd.core.planner import is_idle, is_worth_waiting, plan
from orchd.core.statuses import ACTIVE
from orchd.engine.bell import Bell
from orchd.engine.execute import execute
from orchd.engine.observe import Wish, observe
from orchd.errors import Busy, OrchdError
from orchd.model.dataclass import dataclass
from orchd.model.ids import TaskId
from orchd.model.limits import LOOK_SECONDS, STUCK_LOOKS
from orchd.model.message import LeaderTook
from orchd.model.snapshot import State
from orchd.ports import Ports, Stored


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn came to. `again`: something happened, so look at once; `idle`: nothing is left to do by ourselves;
    `stuck`: there was something to do, and all of it failed; `wake_ms`: when to look again though nothing happens."""

    state: State
    again: bool
    idle: bool
    stuck: bool = False
    wake_ms: int | None = None


class Reconciler:
    """The loop over one repository. `bell` wakes it; `drain` may be called from a signal handler."""

    def __init__(self, ports: Ports, bell: Bell, only: frozenset[TaskId] | None = None) -> None:
        self._ports = ports
        self._wish = Wish(only=only)
        self._bell = bell
        self._epoch = 0
        self._drain_until: float | None = None
        self._last: Turn | None = None

    def drain(self) -> None:
        """Start nothing new; end when what runs has ended, or after the configured limit."""
        self._wish = replace(self._wish, draining=True)
        self._bell.ring()

    def lead(self) -> None:
        """Take over the repository: raise the epoch. Raises Busy when somebody else keeps taking it."""
        for _ in range(3):
            stored = self._ports.store.load()
            if not stored.version:
                self._ports.runs.begin_anew()
            event = LeaderTook(self._ports.leadership.owner, stored.state.epoch + 1, self._ports.refs.branch)
            state = evolve(stored.state, [event])
            if self._ports.store.commit(stored, state, [event], self._ports.clock.now_ms()):
                self._epoch = state.epoch
                return
        raise Busy("another orchd writes the state of this repository", "is one running on another clone of it?")

    def turn(self) -> Turn:
        """One look and all that follows from it."""
        self._ports.leadership.check()
        stored = self._ports.store.load()
        self._check_epoch(stored)
        snapshot = observe(self._ports, stored.state, self._wish)
        planned = plan(snapshot)
        if planned.events:
            if self._ports.store.commit(stored, planned.state, planned.events, snapshot.now_ms) is None:
                return Turn(stored.state, again=True, idle=False)
            self._ports.audience.told(planned.events, planned.state)
        done = [execute(action, self._ports, snapshot.config) for action in planned.actions]
        again = bool(planned.events) or any(done)
        asks = snapshot.shared is not None and snapshot.shared.busy
        agents = snapshot.agents
        unsettled = snapshot.files.unsettled or snapshot.sessions.unsettled or agents.unsettled or agents.unasked
        waits = is_worth_waiting(planned.warm_ms, snapshot.config, snapshot.now_ms)
        idle = not (again or asks or waits or planned.actions or unsettled) and is_idle(planned.state, snapshot.config)
        return Turn(planned.state, again, idle, bool(done) and not any(done), planned.wake_ms)

    def run(self, *, until_idle: bool) -> State:
        """Turn until stopped, or until nothing is left to do; the state at the end. Wakes, the timer and files pace it.

        Raises OrchdError with `until_idle` when every action has failed for STUCK_LOOKS looks.
        """
        stuck = 0
        self._wish = replace(self._wish, until_idle=until_idle)
        while True:
            turn = self._try_turn(stuck)
            stuck = stuck + 1 if turn.stuck else 0
            if until_idle and stuck >= STUCK_LOOKS:
                raise OrchdError("nothing goes on any more: every action fails", "the messages above say why; nothing is lost")
            if self._is_over(turn) or (until_idle and turn.idle):
                return turn.state
            if not turn.again:
                self._bell.wait(self._pause_seconds(turn))

    def _try_turn(self, stuck: int) -> Turn:
        """A turn that survives what passes: a ref that is just being moved, a git that was killed, a full disk. At the
        first turn, and after STUCK_LOOKS in a row, the error is told as it is."""
        try:
            self._last = self.turn()
        except Busy:
            raise
        except Exception as error:
            if self._last is None or stuck >= STUCK_LOOKS:
                raise
            self._ports.audience.trouble(f"look: {type(error).__name__}: {error}")
            return replace(self._last, again=False, idle=False, stuck=True, wake_ms=None)
        return self._last

    def _check_epoch(self, stored: Stored) -> None:
        if not stored.version:
            raise Busy("somebody deleted refs/orch/state", "start orchd again: what main says has landed counts as landed")
        if stored.state.epoch != self._epoch:
            raise Busy(f"{stored.state.owner} took over this repository (epoch {stored.state.epoch})", "see `orchd op log`")

    def _is_over(self, turn: Turn) -> bool:
        """Whether draining has come to its end."""
        if not self._wish.draining:
            return False
        clock = self._ports.clock
        if self._drain_until is None:
            main = self._ports.refs.main()
            self._drain_until = clock.monotonic() + self._ports.settings.look(main)[0].drain_seconds
        drained = not turn.again and all(task.status not in ACTIVE for task in turn.state.tasks.values())
        return (drained and (turn.idle or turn.state.save is None)) or clock.monotonic() >= self._drain_until

    def _pause_seconds(self, turn: Turn) -> float:
        wake = None if turn.wake_ms is None else (turn.wake_ms - self._ports.clock.now_ms()) / 1000
        ports = self._ports
        settling = (ports.files, ports.reservations, ports.sessions, ports.agents)
        pauses = (*(port.settle_in() for port in settling), wake)
        return min((LOOK_SECONDS, *(seconds for seconds in pauses if seconds is not None)))
