"""How far runs are, from the evidence that they left and from what is said in their control folders.

Rule: nothing about a run is known from memory. What is remembered is evidence that cannot change any more, or for how long
a heartbeat has stood still, which is measured anew after a restart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from orchd.adapters.control_folder import read_asked
from orchd.adapters.evidence import read_exit, read_returned, read_started, read_told, run_folder
from orchd.adapters.heartbeat import HeartbeatWatch
from orchd.adapters.live_evidence import read_live
from orchd.adapters.place import Place
from orchd.adapters.processes import Identity, is_alive
from orchd.adapters.proposals import read_proposals
from orchd.core.parts import PARTS
from orchd.model.ids import RunId
from orchd.model.run import Exit, Phase, RunSeen


class RunSight:
    """`watch` is told each supervisor that is seen alive; `beats` measures their silence."""

    def __init__(self, place: Place, watch: Callable[[Identity], None], beats: HeartbeatWatch) -> None:
        self._beats = beats
        self._place = place
        self._watch = watch
        self._ended: Mapping[RunId, RunSeen] = {}

    def look(self, runs: Iterable[RunId]) -> Mapping[RunId, RunSeen]:
        """Each of `runs`, with notes and requests of those that go on, and what those propose that have ended."""
        seen = {run: self._listen(run, self.see(run)) for run in runs}
        self._ended = {run: one for run, one in seen.items() if one.phase is Phase.ENDED}
        return seen

    def forget(self) -> None:
        """Run ids start again."""
        self._ended = {}

    def see(self, run: RunId) -> RunSeen:
        """One run, without notes and requests."""
        known = self._ended.get(run)
        if known and known.returned:
            return known
        left = known.exit if known else read_exit(self._place, run)
        if left:
            self._beats.forget(run_folder(self._place, run))
            return self._see_ended(run, left)
        who = read_started(self._place, run)
        if who is None:
            return RunSeen(Phase.ABSENT)
        if is_alive(who):
            self._watch(who)
            silent = self._beats.measure(run_folder(self._place, run))
            return RunSeen(Phase.RUNNING, live=read_live(self._place, run), silent_seconds=silent)
        # It may have left its evidence and ended between the two looks.
        left = read_exit(self._place, run)
        return self._see_ended(run, left) if left else RunSeen(Phase.LOST)

    def _see_ended(self, run: RunId, left: Exit) -> RunSeen:
        returned = read_returned(self._place, run)
        known = self._ended.get(run)
        live = None if returned else read_live(self._place, run)
        seen = RunSeen(Phase.ENDED, left, returned, live=live)
        return replace(seen, asked=known.asked, proposals=known.proposals) if known else seen

    def _listen(self, run: RunId, seen: RunSeen) -> RunSeen:
        if seen.phase is Phase.ENDED and run not in self._ended:
            lines = read_asked(self._place, run).lines.get(PARTS)
            proposals = read_proposals(self._place, run)
            return replace(seen, asked={PARTS: lines} if lines else {}, proposals=proposals)
        if seen.phase is not Phase.RUNNING:
            return seen
        asked = read_asked(self._place, run)
        return replace(seen, told=read_told(self._place, run), asked=asked.lines, misasked=asked.wrong)
