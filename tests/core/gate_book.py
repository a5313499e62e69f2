"""What gates said in a walk, and the store of it: the memory twin of the port `GateResults`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from orchd.model.run import Exit
from orchd.model.save import Gate, GateResult, Save, Verdict
from orchd.model.snapshot import GatesSeen


class Broken(AssertionError):
    """A stored result that nobody ever got."""


@dataclass
class GateBook:
    """`passed` are the gates that were green on a tree, ever; `stored` those that are believed."""

    passed: set[tuple[str, str]] = field(default_factory=set)
    stored: dict[tuple[str, str], float] = field(default_factory=dict)

    def hear(self, tree: str, ended: Exit) -> None:
        """A run of gates ended."""
        self.passed |= {(tree, result.name) for result in ended.results if result.code == 0}

    def is_green(self, tree: str, gates: Iterable[Gate]) -> bool:
        """Whether each gate was green on this very tree."""
        return all((tree, gate.name) in self.passed for gate in gates)

    def look(self, save: Save) -> GatesSeen:
        """As the port promises."""
        if not save.gates or not save.chain:
            return GatesSeen()
        trees = enumerate((save.base_tree, *(link.tree for link in save.chain)))
        known = {index: tuple(self._find(tree, save.gates)) for index, tree in trees}
        return GatesSeen(known, all(self._is_kept(*said) for verdict in save.verdicts for said in fresh(save, verdict)))

    def _find(self, tree: str, gates: Iterable[Gate]) -> Iterable[GateResult]:
        for gate in gates:
            if (tree, gate.name) in self.stored:
                yield GateResult(gate.name, green=True, code=0, seconds=self.stored[tree, gate.name])

    def _is_kept(self, tree: str, result: GateResult) -> bool:
        return ((tree, result.gate) in self.stored) == result.green

    def keep(self, save: Save) -> None:
        """As the port promises."""
        for verdict in save.verdicts:
            for tree, result in fresh(save, verdict):
                if result.green:
                    self.stored[tree, result.gate] = result.seconds
                else:
                    self.stored.pop((tree, result.gate), None)

    def check_verdict(self, save: Save, verdict: Verdict) -> None:
        """What a verdict says was green was so on that tree."""
        tree = tree_at(save, verdict.index)
        for result in verdict.results:
            if result.green and (tree, result.gate) not in self.passed:
                raise Broken(f"green out of nothing: {result} on {tree}")


def fresh(save: Save, verdict: Verdict) -> Iterable[tuple[str, GateResult]]:
    """The results of a verdict that change what is stored."""
    tree = tree_at(save, verdict.index)
    return [(tree, result) for result in verdict.results if not result.cached and (result.green or result.disputed)]


def tree_at(save: Save, index: int) -> str:
    return save.chain[index - 1].tree if index else save.base_tree
