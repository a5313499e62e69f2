"""Results of gates as notes on trees (port `GateResults`): what was green once on some input is not run on it again.

A note in `refs/notes/orch/gates` hangs on the tree that a gate reads: the whole one, or the part of it that its `inputs` name.
A line is one result under a key of the gate, its command and its environment. Rule: only what ended with exit code 0 is
believed later; a line that says otherwise takes an earlier one back.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
from collections.abc import Iterator, Mapping, Sequence

from orchd.adapters.codec import decode, dumps, encode
from orchd.adapters.git_objects import FOLDER
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_trees import EMPTY_TREE, read_tree
from orchd.adapters.notes import add_notes, read_note
from orchd.adapters.runs import passed_environment
from orchd.core.claims import covers, overlaps
from orchd.core.screening import OWN
from orchd.errors import OrchdError
from orchd.model.claim import PathSpec
from orchd.model.config import Config
from orchd.model.dataclass import dataclass
from orchd.model.ids import GATE_NOTES_REF, Oid, SaveId, gate_run
from orchd.model.limits import ANSWERS_KEPT, RESULT_DAYS
from orchd.model.save import Gate, GateResult, Save, Verdict
from orchd.model.snapshot import GatesSeen

VOLATILE = frozenset({"TERM", "TMPDIR"})
"""Variables that differ from login to login and decide nothing."""

DAY_MS = 24 * 3600 * 1000


class GitGateResults:
    """`GateResults` in git. Remembers its last answer about each save for as long as nothing changed."""

    def __init__(self, repo: GitRepo) -> None:
        self._repo = repo
        self._inputs: dict[tuple[Oid, tuple[str, ...]], Oid] = {}
        self._answers: dict[SaveId, tuple[object, GatesSeen]] = {}

    def look(self, save: Save, config: Config) -> GatesSeen:
        """See the port."""
        if not save.gates or not save.chain:
            return GatesSeen()
        setting = fingerprint(config)
        asked = (save.id, save.chain, save.verdicts, setting, self._repo.refs.read(GATE_NOTES_REF))
        before, answer = self._answers.pop(save.id, (None, GatesSeen()))
        if asked != before:
            known = {index: tuple(self._find(save, tree, setting)) for index, tree in self._trees(save).items()}
            notes = self._word(save, setting)
            kept = all(text in read_note(self._repo, GATE_NOTES_REF, tree) for tree, text in notes.items())
            answer = GatesSeen(known, kept)
        self._answers[save.id] = asked, answer
        if len(self._answers) > ANSWERS_KEPT:
            del self._answers[next(iter(self._answers))]
        return answer

    def keep(self, save: Save, config: Config) -> None:
        """See the port."""
        add_notes(self._repo, self._word(save, fingerprint(config)), save.date_ms, GATE_NOTES_REF)

    def _trees(self, save: Save) -> dict[int, Oid]:
        """By index; of a task by itself only its own, which the core has no name for."""
        alone = {OWN: self._repo.tree_of(save.chain[0].head)} if not save.base_tree else {}
        return alone or dict(enumerate((save.base_tree, *(link.tree for link in save.chain))))

    def _find(self, save: Save, tree: Oid, setting: str) -> Iterator[GateResult]:
        for gate in save.gates:
            note = read_note(self._repo, GATE_NOTES_REF, self._input(tree, gate))
            found = _read_result(note, name_key(gate, setting))
            if found and found.green and abs(save.date_ms - found.at) <= RESULT_DAYS * DAY_MS:
                yield GateResult(gate.name, green=True, code=0, seconds=found.seconds)

    def _word(self, save: Save, setting: str) -> dict[Oid, str]:
        """The lines of all verdicts, by the tree that they belong to."""
        lines, trees = dict[Oid, list[str]](), self._trees(save)
        for verdict in save.verdicts:
            tree = trees[verdict.index]
            for gate, result in zip(save.gates, verdict.results, strict=False):
                if not result.cached and (result.green or result.disputed):
                    lines.setdefault(self._input(tree, gate), []).append(_word_result(save, verdict, gate, result, setting))
        return {tree: "\n".join(dict.fromkeys(texts)) + "\n" for tree, texts in lines.items()}

    def _input(self, tree: Oid, gate: Gate) -> Oid:
        """The whole tree where the globs name no file: what reads nothing, for a typing error perhaps, is green for ever."""
        if not gate.inputs:
            return tree
        asked = (tree, gate.inputs)
        if asked not in self._inputs:
            part = narrow_tree(self._repo, tree, gate.inputs)
            self._inputs[asked] = tree if part == EMPTY_TREE else part
        return self._inputs[asked]


def fingerprint(config: Config) -> str:
    """What a gate finds besides the tree: the kind of machine, and the variables that it is given."""
    given = {name: value for name, value in passed_environment(config).items() if name not in VOLATILE}
    return _digest(platform.system(), platform.machine(), *(f"{name}={value}" for name, value in sorted(given.items())))


def name_key(gate: Gate, setting: str) -> str:
    """The same for the same gate, command and environment."""
    return _digest(gate.name, gate.run, *(f"{name}={value}" for name, value in gate.env), setting)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def narrow_tree(repo: GitRepo, tree: Oid, globs: Sequence[str], folder: str = "") -> Oid:
    """The tree with only the files that the globs name, kept as an object so that a note can hang on it."""
    kept: dict[str, Oid] = {}
    drop: dict[str, None] = {}
    for name, entry in read_tree(repo, tree).items():
        path = f"{folder}{name}"
        if entry.mode == FOLDER:
            named = any(overlaps(f"{path}/**", glob) for glob in globs)
            below = narrow_tree(repo, entry.oid, globs, f"{path}/") if named else EMPTY_TREE
            if below == EMPTY_TREE:
                drop[name] = None
            elif below != entry.oid:
                kept[name] = below
        elif not any(covers(PathSpec(glob), path) for glob in globs):
            drop[name] = None
    return _rebuild(repo, tree, kept, drop)


def _rebuild(repo: GitRepo, tree: Oid, changed: Mapping[str, Oid], dropped: Mapping[str, None]) -> Oid:
    if not changed and not dropped:
        return tree
    builder = repo.library.TreeBuilder(tree)
    for name in dropped:
        builder.remove(name)
    for name, oid in changed.items():
        builder.insert(name, oid, FOLDER)
    return repo.unsynced.write(builder.write)


@dataclass(frozen=True, slots=True)
class Line:
    """A result as a note has it. `at` is in milliseconds, `run` has the log."""

    key: str
    gate: str
    green: bool
    seconds: float
    at: int
    run: str
    flaky: bool = False


def _word_result(save: Save, verdict: Verdict, gate: Gate, result: GateResult, setting: str) -> str:
    run = gate_run(save.id, verdict.index, verdict.attempt)
    line = Line(name_key(gate, setting), gate.name, result.green, result.seconds, save.date_ms, run, result.flaky)
    return dumps(encode(line)).decode().rstrip()


def _read_result(note: str, key: str) -> Line | None:
    """The youngest line with this key (they come from several clones, in any order); None when there is none. Lines that say
    something else are passed over."""
    lines = [line for text in note.splitlines() if key in text and (line := _parse_line(text)) and line.key == key]
    return max(reversed(lines), key=lambda line: line.at, default=None)


def _parse_line(text: str) -> Line | None:
    with contextlib.suppress(ValueError, OrchdError):
        line = decode(Line, json.loads(text))
        return line if (type(line.green), type(line.at)) == (bool, int) else None
    return None
