"""Rules of single functions of the core, each checked on one given input against the dumb oracle.

The hypothesis tests and the quick pass of the mutants call the same rules; they only differ in where inputs come from.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import oracle
from world import demand

from orchd.core import claims, gating, graph, saving
from orchd.model.claim import PathSpec
from orchd.model.config import Config
from orchd.model.run import CommandResult, Exit, Outcome
from orchd.model.save import Gate, GateResult, Merged, Save, SaveItem, SaveStep, Verdict
from orchd.model.snapshot import FileSeen, Snapshot, State
from orchd.model.work import Source, Status, Task, TaskSpec

GATES = (Gate("unit", "make unit"), Gate("lint", "make lint"))


def check_overlap(first: str, second: str, paths: Sequence[str]) -> None:
    """Sound: whenever one file (under any of its names) is in both globs, they overlap. Symmetric."""
    mine, theirs = ({n for p in paths if oracle.path_matches(g, p) for n in oracle.file_names(p)} for g in (first, second))
    said = claims.overlaps(first, second)
    demand("globs that share a file overlap", said or mine.isdisjoint(theirs), first, second, sorted(mine & theirs)[:3])
    demand("overlap has no direction", said == claims.overlaps(second, first), first, second)


def check_apart(first: str, second: str) -> None:
    """Precise on plain names: globs that share no path of the small universe do not overlap."""
    demand(
        "globs that share nothing do not overlap", oracle.meets(first, second) == claims.overlaps(first, second), first, second
    )


def check_covers(glob: str, path: str) -> None:
    """A glob names exactly the paths that the backtracking matcher says."""
    same = claims.covers(PathSpec(glob), path) == oracle.path_matches(glob, path)
    demand("a claim covers exactly what its glob names", same, glob, path)


def check_clash(ours: tuple[PathSpec, ...], theirs: tuple[PathSpec, ...]) -> None:
    """Claims exclude each other when they meet, but for two reads and two appends."""
    clash = claims.find_clash(ours, theirs)
    demand("a clash is found when there is one", (clash is not None) == oracle.clashes(ours, theirs), ours, theirs)
    if clash:
        demand("a clash names a pair of the two", clash[0] in ours and clash[1] in theirs, clash)
        demand("a clash is one", oracle.clashes(clash[:1], clash[1:]), clash)


def seen_file(spec: TaskSpec, path: str = "", digest: str = "1", drop: str = "") -> FileSeen:
    """A well-formed file."""
    return FileSeen(path or f"tasks/{spec.id}.yaml", spec, digest, Source.INBOX if drop else Source.FILE, drop)


def waiting(spec: TaskSpec, order: int = 1, status: Status = Status.WAITING, seen_ms: int = 0) -> Task:
    """A task as the state holds it."""
    return Task(spec, status, "1", Source.FILE, order, seen_ms)


def check_cycles(edges: Mapping[str, Sequence[str]]) -> None:
    """Circles are found when they exist, each is a real one, and without their tasks none is left."""
    cycles = graph.find_cycles(edges)
    demand("a circle is found when there is one", bool(cycles) == oracle.has_cycle(edges), edges, cycles)
    for cycle in cycles:
        following = [*cycle[1:], cycle[0]]
        demand("a circle goes along the edges", all(b in edges[a] for a, b in zip(cycle, following, strict=True)), edges, cycle)
    named = {task for cycle in cycles for task in cycle}
    left = {task: [n for n in needs if n not in named] for task, needs in edges.items() if task not in named}
    demand("every circle is found", not oracle.has_cycle(left), edges, cycles)


def check_graph(needs: Mapping[str, Sequence[str]], known: frozenset[str]) -> None:
    """What is good can be ordered and lacks nothing; what is bad is in a circle, lacks something, or needs a bad one."""
    files = {task: seen_file(TaskSpec(task, "t", "r", needs=tuple(others))) for task, others in needs.items()}
    problems = graph.find_graph_problems(files, {task: TaskSpec(task, "t", "r") for task in known})
    good = {task: needs[task] for task in needs if task not in problems}
    demand("what is accepted has no circle", not oracle.has_cycle(good), needs, problems)
    for task, others in good.items():
        demand("what is accepted lacks nothing", all(other in good or other in known for other in others), task, needs)
    circles = {task for cycle in graph.find_cycles(needs) for task in cycle}
    for task, problem in problems.items():
        lacks = any(other not in known and other not in good for other in needs[task])
        demand("what is refused has a fault", task in circles or lacks, task, needs)
        demand("a circle and a lack have their own codes", problem.code == ("E062" if task in circles else "E061"), problem)


def a_save(size: int, gates: tuple[Gate, ...] = GATES) -> Save:
    """A merged save of `size` items on `base`."""
    items = tuple(SaveItem(f"t{at}", 1, 1, f"tip{at}") for at in range(size))
    chain = tuple(Merged(item, f"head{at}", f"tree{at}") for at, item in enumerate(items))
    return Save("save1", "default", "base", items, gates, 1, 0, step=SaveStep.MERGED, base_tree="tree", chain=chain)


def check_gathering(age_ms: int, ready: int, others: Sequence[Status]) -> None:
    """A save waits for more only while somebody runs, only for a short time, and not when it is full."""
    plain = TaskSpec("x", "X", "make")
    open_tasks = [Task(plain, Status.READY, "1", Source.FILE, at, 0, ended_ms=1000 + at) for at in range(ready)]
    open_tasks += [Task(plain, status, "1", Source.FILE, at, 0) for at, status in enumerate(others, ready)]
    state = State(tasks={f"t{at}": task for at, task in enumerate(open_tasks)})
    runs = any(status.value in oracle.ACTIVE for status in others)
    waits = runs and 0 <= age_ms < 250 and 0 < ready < 64
    seen = Snapshot(1000 + age_ms, state, Config(), "base")
    until = saving.gathers_until(state, seen)
    demand("a save gathers", until == (1250 if waits else None), until, age_ms, ready, others)
    demand("one save at a time", saving.gathers_until(replace(state, save=a_save(1)), seen) is None)


def judge_probe(save: Save, probe: int, *, red: bool) -> Save:
    """The save once its gates have judged a probe; a red gate is asked twice."""
    size = len(save.chain)
    demand("a probe is a part of the chain", probe <= size and (probe > 0 or gating.bounds(save)[1] == 1), probe)
    demand("no tree is gated twice", probe not in {v.index for v in save.verdicts}, probe)
    results = tuple(CommandResult(gate.name, int(red), 1.0) for gate in save.gates[: 1 if red else None])
    last = gating.hear(save, probe, Exit(Outcome.EXITED, results))
    verdict = gating.judge(save, probe, {}, last)
    if verdict is None:
        demand("only what is red is asked again", red, probe)
        save = replace(save, tries=(*save.tries, last))
        verdict = gating.judge(save, probe, {}, last)
    assert verdict is not None
    return replace(save, verdicts=(*save.verdicts, verdict))


def check_search(bad: frozenset[int], size: int, width: int = 1, *, one_by_one: bool = False) -> None:
    """Whatever set of items is bad: the longest green prefix lands, the first bad one is blamed, and the search is short."""
    save, rounds = replace(a_save(size), width=width, one_by_one=one_by_one), 0
    while probes := gating.next_probes(save):
        demand("not more at the same time than asked for", len(set(probes)) == len(probes) <= width, probes)
        rounds += 1
        for probe in reversed(probes):
            if probe in gating.next_probes(save):
                save = judge_probe(save, probe, red=any(at < probe for at in bad))
    green = oracle.longest_green(set(bad), size)
    demand("the longest green prefix lands", gating.landable(save) == green, bad, size, save.verdicts)
    demand("the first bad item is blamed", [gone.item.task for gone in gating.blame(save)] == [f"t{green}"][: size - green])
    base_run = any(verdict.index == 0 for verdict in save.verdicts)
    longest = math.ceil(size / width) if one_by_one else 1 + math.ceil(1.85 * math.log2(max(size, 1)))
    demand("the search is short", rounds <= longest + base_run + (width > 1), rounds, size)
    demand("the base is asked before the first is blamed", base_run == (0 in bad), save.verdicts)
    told = any("main itself is red" in line for gone in gating.blame(save) for line in gone.detail)
    demand("a green main is not accused", not told, save)


def count_search(bad: frozenset[int], width: int) -> tuple[int, int]:
    """Runs and rounds until all good ones of 16 tasks have landed, save after save."""
    tasks, runs, rounds = list(range(16)), 0, 0
    while tasks:
        save = replace(a_save(len(tasks), GATES[:1]), width=width)
        while probes := gating.next_probes(save):
            runs, rounds = runs + sum(probe > 0 for probe in probes), rounds + any(probes)
            for probe in probes:
                word = GateResult("unit", bad.isdisjoint(tasks[:probe]), 0, 1.0)
                save = replace(save, verdicts=(*save.verdicts, Verdict(probe, word.green, (word,))))
        tasks = tasks[gating.landable(save) + 1 :]
    return runs, rounds


def check_cost_of_search() -> None:
    """The targets of the design, on average over all places; and a second tree at a time makes people wait less."""
    for culprits, most in ((0, 1.0), (1, 6.5), (2, 10.5)):
        cases = list(map(frozenset, combinations(range(16), culprits)))
        means = [
            [sum(some) / len(cases) for some in zip(*(count_search(bad, w) for bad in cases), strict=True)] for w in (1, 2)
        ]
        demand("few runs", all(runs <= most for runs, _ in means), culprits, means)
        demand("and two at a time need fewer rounds", means[1][1] <= means[0][1] - 0.3 * culprits, culprits, means)
