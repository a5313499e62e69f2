"""Gates that only a promotion runs: on the tree of the freight, in a checkout of its own, before anything begins.

Rule: the same judgement and the same stored results as in a save; what was green on this tree is not run again.
"""

from __future__ import annotations

import time
from dataclasses import replace

from orchd.adapters.deployment import Deployment
from orchd.adapters.environments import TALLIES, parse_tallies
from orchd.adapters.gate_results import GitGateResults
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.records import dump_record
from orchd.core.gating import count_verdict, describe_red, judge, open_gates
from orchd.model.config import Config
from orchd.model.ids import DEFAULT_SESSION, TALLIES_REF
from orchd.model.promotion import Record
from orchd.model.save import Gate, GatePhase, GateResult, Merged, Save, SaveItem, Try, Verdict

INDEX = 1
"""The tree of the freight stands where that of the only link of a save would."""


def check_gates(repo: GitRepo, config: Config, deployment: Deployment, record: Record) -> tuple[str, ...]:
    """Ask all gates of promotions about the freight of `record`; one line for each that is red, none: all are green. Raises
    OrchdError when the checkout cannot be made."""
    gates = tuple(gate for gate in config.gates if gate.phase is GatePhase.PROMOTE)
    if not gates:
        return ()
    results, commit = GitGateResults(repo), record.freight.commit
    item = SaveItem(record.freight.checkpoint, 1, 1, commit)
    link = Merged(item, commit, repo.tree_of(commit))
    save = Save(record.key, DEFAULT_SESSION, commit, (item,), gates, 0, record.at.wall_ms, base_tree=link.tree, chain=(link,))
    known = results.look(save, config).known
    verdict = judge(save, INDEX, known)
    while verdict is None:
        tried = _try_gates(open_gates(save, INDEX, known), deployment, record)
        verdict = judge(save, INDEX, known, tried)
        save = replace(save, tries=(*save.tries, tried))
    results.keep(replace(save, verdicts=(verdict,)), config)
    _count(repo, verdict)
    return describe_red(verdict.results)


def _count(repo: GitRepo, verdict: Verdict) -> None:
    """Into a record of its own: no daemon need run, and the state is the daemon's."""
    while True:
        tip = repo.refs.read(TALLIES_REF)
        before = parse_tallies(repo.read(tip)) if tip else {}
        made = repo.write_blob(dump_record(TALLIES, {"gates": count_verdict(before, verdict)}))
        if repo.refs.move(TALLIES_REF, tip, made):
            return


def _try_gates(gates: tuple[Gate, ...], deployment: Deployment, record: Record) -> Try:
    """One run of these gates, one after the other, up to the first that is red."""
    said = list[GateResult]()
    with deployment.checkout(record):
        for gate in gates:
            begun = time.monotonic()
            ended = deployment.judge(gate.run, gate.timeout_seconds, dict(gate.env))
            green = ended.code == 0 and not ended.timed_out
            said.append(GateResult(gate.name, green, ended.code, time.monotonic() - begun, ended.timed_out))
            if not green:
                break
    return Try(INDEX, tuple(said))
