"""The prompt of an agent: what is asked, where it may work, who works beside it, what went wrong before.

Rule: a pure function of what it is given, within a budget for each effort. What is left out is said, never passed over: the
goal, the claim and the acceptance are always whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from orchd.core.agents import find_agent
from orchd.core.briefing import tell_earlier
from orchd.core.chains import chosen_spec
from orchd.core.inert import inert
from orchd.core.numbering import tell_numbers
from orchd.core.parts import PARTS
from orchd.core.statuses import ACTIVE, may_lack
from orchd.core.steps import list_left
from orchd.core.telling import GATE_RUN
from orchd.model.agent import Effort
from orchd.model.claim import PathSpec
from orchd.model.dataclass import dataclass
from orchd.model.ids import RunId, task_run
from orchd.model.limits import PROMPT_BUDGETS, SUB_STEP_DEPTH, SUB_STEPS
from orchd.model.prompt import Ask, Finished, Need, Neighbour, Omitted, Recalled
from orchd.model.snapshot import Snapshot, State
from orchd.model.work import Setback, Step, Task

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Budget:
    """How much is told about the surroundings: entries of each list, paths of each entry, bytes of what a run printed."""

    entries: int
    paths: int
    output_bytes: int


BUDGETS = {Effort(name): Budget(*amounts) for name, amounts in PROMPT_BUDGETS.items()}

_DIVISION = f"""\
## If it is too large for you

Then say early what it can be divided into: 2 to {SUB_STEPS} lines `NAME: what to achieve` in `$ORCHD_CONTROL/{PARTS}.ask`, in
the order in which they are to be done (NAME of a-z, 0-9 and hyphens). Go on with all of it. Should you not come to the end,
each part is done for itself.
"""

_RULES = """\
## How it works here

- You are in a fresh workspace, a clone of the repository. Work only in it.
- What you change is committed for you when you end; you may commit as you go. Never push.
- You work alone until you are done: nobody answers questions. Where something is unclear, decide, and say so at the end.
- `$ORCHD_CONTROL/brief.md` says how to ask for more paths; notes for you come into the same folder.
- Saying that you are done proves nothing. What counts is the change, and what is checked below.
"""


def collect_asks(task: Task, state: State, snapshot: Snapshot) -> tuple[Ask, ...]:
    """What the prompts of the attempt that starts now are written from, one for each step that has a goal. What must be true
    of the whole is said of the last one."""
    whole, left = _collect_ask(task, state, snapshot), list_left(task)
    steps = tuple(step.name for step in task.spec.steps)
    last = next((step for step in reversed(left) if step.goal), None)
    asks = []
    for at, step in enumerate(left):
        mine = replace(whole, goal=step.goal, step=step.name if steps else "", steps=steps, whole=step.whole)
        mine = replace(mine, divisible=step.depth < SUB_STEP_DEPTH and not step.parts)
        mine = replace(mine, finished=(*_find_finished(task), *(Finished(one.name, _tell_step(one)) for one in left[:at])))
        if step is last:
            more = tuple(line for line in task.spec.acceptance if line not in step.acceptance)
            asks.append(replace(mine, acceptance=(*step.acceptance, *more)))
        elif step.goal:
            asks.append(replace(mine, acceptance=step.acceptance, evidence=(), noop=False))
    return tuple(asks)


def _find_finished(task: Task) -> Iterator[Finished]:
    """The steps with a checkpoint that is kept. What the ones before them made counts as made by the first."""
    told, base = {step.name: _tell_step(step) for step in task.spec.steps}, task.base
    for made in task.steps:
        yield Finished(made.name, told.get(made.name, ""), base, made.commit)
        base = made.commit


def _find_omitted(task: Task) -> Iterator[Omitted]:
    """The steps that were skipped, with the last thing that is remembered of each."""
    for step in task.spec.steps:
        if step.name in task.skipped:
            lines = [one.detail[0] for one in task.setbacks if one.step == step.name and one.detail]
            yield Omitted(step.name, _tell_step(step), lines[-1] if lines else "")


def _tell_step(step: Step) -> str:
    return (step.goal or step.run).strip().partition("\n")[0]


def _collect_ask(task: Task, state: State, snapshot: Snapshot) -> Ask:
    spec, agent = task.spec, find_agent(chosen_spec(task).agent, task.spec.labels, snapshot.agents)
    lease = state.leases[spec.id]
    session = state.sessions.get(spec.session)
    gates = (*snapshot.config.gates, *(session.spec.gates if session else ()))
    return Ask(
        spec.title,
        spec.goal,
        agent.instructions if agent else "",
        spec.acceptance,
        spec.effort,
        tuple(path for path in lease.paths if path not in lease.extended),
        spec.evidence,
        spec.noop,
        tuple(_find_neighbours(task, state)),
        tuple(_find_needs(task, state)),
        tuple((gate.name, gate.run) for gate in gates),
        task.setbacks,
        tuple(_find_run(task, setback) for setback in task.setbacks),
        omitted=tuple(_find_omitted(task)),
        earlier=task.earlier,
    )


def write_prompt(ask: Ask, recalled: Recalled) -> str:
    """The text for the program's input."""
    budget = BUDGETS[ask.effort or Effort.MEDIUM]
    parts = [part.rstrip("\n") for write in _PARTS if (part := write(ask, recalled, budget))]
    return "\n\n".join(parts) + "\n"


def _find_neighbours(task: Task, state: State) -> Iterator[Neighbour]:
    for other in state.tasks.values():
        if other.status in ACTIVE and other.spec.id != task.spec.id:
            yield Neighbour(other.spec.id, other.spec.title, other.spec.claims)


def _find_needs(task: Task, state: State) -> Iterator[Need]:
    for name in task.spec.needs:
        needed = state.tasks.get(name)
        if needed is not None and may_lack(needed):
            yield Need(name, needed.spec.title)
        elif needed is not None and needed.tip:
            yield Need(name, needed.spec.title, needed.base, needed.tip)


def _find_run(task: Task, setback: Setback) -> RunId:
    """Of a red gate its own run, else that of the attempt."""
    gate = next((line for line in setback.detail if GATE_RUN.fullmatch(line)), "")
    return gate or task_run(task.spec.id, task.generation, setback.attempt)


def _tell_instructions(ask: Ask, recalled: Recalled, budget: Budget) -> str:
    return f"{ask.instructions}\n" if ask.instructions else ""


def _tell_goal(ask: Ask, recalled: Recalled, budget: Budget) -> str:
    part = f"Step {ask.steps.index(ask.step) + 1} of {len(ask.steps)}, `{ask.step}`: " if ask.step else ""
    whole = "".join(f"    {line}\n" for line in ask.whole.strip().splitlines())
    told = f"\nThat is a part of this, which is too large for one:\n\n{whole}" if whole else ""
    only = "\n\nDo this step only; the others have prompts of their own.\n" if part else "\n"
    return f"# {inert(ask.title)}\n\n{part}{ask.goal.strip()}{only}{told}"


def _tell_finished(ask: Ask, recalled: Recalled, budget: Budget) -> str:
    made = (*recalled.made, *(() for _ in ask.finished))

    def tell(pair: tuple[Finished, tuple[str, ...]]) -> str:
        one, paths = pair
        seen = f"git show {one.tip[:12]}" if one.tip else f"git log --grep 'Orch-Step: {one.name}'"
        listed = ", ".join(_cut(paths, budget.paths, lambda path: f"`{inert(path)}`", "more paths"))
        return f"{one.name}: {inert(one.what)} (`{seen}`)" + (f": {listed}" if listed else "")

    pairs = tuple(zip(ask.finished, made, strict=False))
    return _section("Steps that are done, already there", [tell(pair) for pair in pairs])


def _tell_omitted(ask: Ask, recalled: Recalled, budget: Budget) -> str:
    lines = [f"{one.name}: {inert(one.what)}" + (f" ({inert(one.why)})" if one.why else "") for one in ask.omitted]
    return _section("Steps that failed and were skipped: what they were to do is not there, do without it", lines)


def _tell_acceptance(ask: Ask, recalled: Recalled, budget: Budget) -> str:
    lines = [*ask.acceptance, *(f"`{path}` exists" for path in ask.evidence)]
    lines += ["if nothing is to be changed, change nothing and say so"] if ask.noop else []
    return _section("What must be true in the end", lines)


def _tell_claim(ask: Ask, recalled: Recalled, budget: Budget) -> str:
    lines = [f"{path.mode}: `{inert(path.glob)}`" for path in ask.paths]
    return _section("What you may change", lines) + "\nA change anywhere else is not accepted.\n"


def _tell_numbers(ask: Ask, recalled: Recalled, budget: Budget) -> str:
    return tell_numbers(recalled.numbers)


def _tell_gates(ask: Ask, recalled: Recalled, budget: Budget) -> str:
    lines = [f"{name}: `{inert(run.strip())}`" for name, run in ask.gates]
    return _section("What is run on your result, merged with what others land", lines)


def _tell_neighbours(ask: Ask, recalled: Recalled, budget: Budget) -> str:
    def tell(one: Neighbour) -> str:
        return f"{one.task}, {inert(one.title)}: {_list_globs(one.paths, budget)}"

    return _section("Who works beside you", _cut(ask.neighbours, budget.entries, tell, "more tasks run"))


def _tell_needs(ask: Ask, recalled: Recalled, budget: Budget) -> str:
    changed = (*recalled.changed, *(() for _ in ask.needs))

    def tell(pair: tuple[Need, tuple[str, ...]]) -> str:
        need, paths = pair
        if not need.tip:
            return f"{need.task}, {inert(need.title)}: it failed and is not there; do without it"
        listed = ", ".join(_cut(paths, budget.paths, lambda path: f"`{inert(path)}`", "more paths"))
        return f"{need.task}, {inert(need.title)} (`git show {need.tip[:12]}`)" + (f": {listed}" if listed else "")

    pairs = tuple(zip(ask.needs, changed, strict=False))
    return _section("What you build on, already there", _cut(pairs, budget.entries, tell, "more tasks"))


def _tell_conflict(ask: Ask, recalled: Recalled, budget: Budget) -> str:
    return tell_earlier(ask.earlier) if ask.earlier else ""


def _tell_setbacks(ask: Ask, recalled: Recalled, budget: Budget) -> str:
    printed = (*recalled.printed, *("" for _ in ask.setbacks))
    pairs = list(zip(ask.setbacks, printed, strict=False))[-budget.entries :]
    left = len(ask.setbacks) - len(pairs)
    told = "\n".join(_tell_setback(setback, output, budget) for setback, output in pairs)
    more = f"({left} earlier attempts are left out.)\n\n" if left else ""
    return f"## What went wrong before\n\nDo not repeat it.\n\n{more}{told}" if pairs else ""


def _tell_setback(setback: Setback, output: str, budget: Budget) -> str:
    why = f" at step {setback.step}" if setback.step else ""
    why += f" ({setback.reason})" if setback.reason else ""
    detail = "".join(f"- {inert(line)}\n" for line in setback.detail if not GATE_RUN.fullmatch(line))
    end = _cut_output(output, budget.output_bytes)
    quoted = "".join(f"    {line}\n" for line in end.splitlines())
    return f"Attempt {setback.attempt}{why}:\n\n{detail}" + (f"\nThe end of what was printed:\n\n{quoted}" if quoted else "")


def _tell_division(ask: Ask, recalled: Recalled, budget: Budget) -> str:
    return _DIVISION if ask.divisible else ""


def _tell_rules(ask: Ask, recalled: Recalled, budget: Budget) -> str:
    return _RULES


def _cut_output(output: str, most: int) -> str:
    whole = output.strip("\n").encode()
    if len(whole) <= most:
        return whole.decode(errors="replace")
    kept = whole[-most:].decode(errors="ignore").partition("\n")[2]
    return f"[{len(whole) - len(kept.encode())} bytes left out]\n{kept}"


def _list_globs(paths: Sequence[PathSpec], budget: Budget) -> str:
    return ", ".join(_cut(paths, budget.paths, lambda path: f"{path.mode} `{inert(path.glob)}`", "more"))


def _cut(items: Sequence[T], most: int, tell: Callable[[T], str], rest: str) -> list[str]:
    """Each in words, at most so many; of the others how many there are."""
    more = len(items) - most
    return [*map(tell, items[:most]), *([f"and {more} {rest}"] if more > 0 else [])]


def _section(title: str, lines: Iterable[str]) -> str:
    told = "".join(f"- {line}\n" for line in lines)
    return f"## {title}\n\n{told}" if told else ""


_PARTS = (
    _tell_instructions,
    _tell_goal,
    _tell_acceptance,
    _tell_finished,
    _tell_omitted,
    _tell_conflict,
    _tell_claim,
    _tell_numbers,
    _tell_gates,
    _tell_needs,
    _tell_neighbours,
    _tell_setbacks,
    _tell_division,
    _tell_rules,
)
"""The parts of a prompt, in their order; an empty one is left out."""
