"""Random histories of three environments, and laws that are checked on the bare records by another way of thinking.

Usable without pytest: the mutants run it in a child.
"""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

import orchd
from orchd.core.promotion import (
    Already,
    Case,
    Go,
    Refusal,
    decide_approval,
    decide_promotion,
    decide_rollback,
    elapsed_ms,
    find_approvers,
    is_ours,
    replay,
    settle,
)
from orchd.model.environment import Environment
from orchd.model.promotion import GOING_ON, GOOD, NOTHING, Chain, Freight, Moment, Process, Record, Step

DEV = Environment("dev", deploy="d", unverified=True)
STAGING = Environment("staging", 100.0, 0, "d", "v")
PROD = Environment("prod", 300.0, 2, "d", "v")
ROW = (DEV, STAGING, PROD)
FREIGHTS = tuple(Freight(f"checkpoint/{name}", name * 40, name * 40) for name in "abc")
UNGATED = FREIGHTS[2]
PEOPLE = ("Ann", "ann", "Ben", "Cy")
HERE, AWAY = Process("h", "boot", 1, 1), Process("h", "boot", 2, 2)


@dataclass
class World:
    """Environments with their chains; `true_ms` is the time that really passes, `skew_ms` what the wall clock is wrong by."""

    dice: random.Random
    chains: dict[str, Chain] = field(default_factory=lambda: {one.name: NOTHING for one in ROW})
    true_of: dict[tuple[str, int], int] = field(default_factory=dict)
    true_ms: int = 1_000_000
    skew_ms: int = 0
    boot: int = 0
    booted_ms: int = 0
    trusted: bool = True
    commits: int = 0

    def now(self) -> Moment:
        return Moment(self.true_ms + self.skew_ms, f"boot{self.boot}", self.true_ms - self.booted_ms)

    def case(self, at: int, freight: Freight, by: str, *, alive: bool = False) -> Case:
        before = ROW[at - 1] if at else None
        chain, ahead = self.chains[ROW[at].name], self.chains[before.name] if before else NOTHING
        return Case(freight, by, self.now(), ROW[at], chain, before, ahead, (), freight is UNGATED, alive)

    def write(self, at: int, record: Record) -> None:
        name = ROW[at].name
        self.commits += 1
        self.true_of[name, len(self.chains[name].records)] = self.true_ms
        self.chains[name] = Chain((*self.chains[name].records, record), f"{self.commits:040x}")


def walk(dice: random.Random, steps: int) -> World:
    world = World(dice)
    moves = (promote, promote, promote, promote, approve, approve, roll_back, pass_time, jump, reboot)
    for _ in range(steps):
        dice.choice(moves)(world)
    return world


def pass_time(world: World) -> None:
    world.true_ms += world.dice.choice((1_000, 50_000, 120_000, 400_000))


def jump(world: World) -> None:
    if world.dice.random() < 0.2:
        world.skew_ms += world.dice.choice((-10_000_000, 10_000_000))
        world.trusted = False


def reboot(world: World) -> None:
    if world.trusted and world.dice.random() < 0.2:
        world.boot, world.booted_ms = world.boot + 1, world.true_ms


def approve(world: World) -> None:
    at, by = world.dice.choice((1, 2, 2, 2)), world.dice.choice(PEOPLE)
    freight = choose(world, at)
    decided = decide_approval(world.case(at, freight, by))
    if isinstance(decided, Record):
        world.write(at, decided)


def promote(world: World) -> None:
    at, by = world.dice.choice((0, 1, 1, 2, 2, 2, 2)), world.dice.choice(PEOPLE)
    freight = choose(world, at)
    done = deployments(world, at)
    check_no_second(world, at, freight)
    decided = decide_promotion(world.case(at, freight, by), HERE)
    if isinstance(decided, Already):
        assert done[-1] is decided.record, "what is there is the last"
    there = bool(done) and done[-1].freight == freight and done[-1].step in GOOD
    assert isinstance(decided, Already) == there, "one deployment of the same freight"
    if isinstance(decided, Go):
        check_allowed(world, at, freight, by)
        carry_out(world, at, decided)


def choose(world: World, at: int) -> Freight:
    """Mostly what could go on."""
    current = replay(world.chains[ROW[at - 1].name].records).current if at else None
    return current.freight if current and world.dice.random() < 0.8 else world.dice.choice(FREIGHTS)


def roll_back(world: World) -> None:
    at = world.dice.choice((0, 1, 2, 2, 2))
    check_no_second(world, at, FREIGHTS[0])
    decided = decide_rollback(world.case(at, FREIGHTS[0], "Ann"), HERE)
    if isinstance(decided, Go):
        check_went_back(world, at, decided.record.freight)
        carry_out(world, at, decided)


def carry_out(world: World, at: int, go: Go) -> None:
    """To its end, or until a crash."""
    environment, dice = ROW[at], world.dice
    check_key(world, at, go)
    world.write(at, go.record)
    world.true_ms += 1_000
    if dice.random() < 0.1:
        return
    if environment.verify and not go.skip_deploy and dice.random() < 0.8:
        world.write(at, replace(go.record, step=Step.VERIFYING, at=world.now()))
        world.true_ms += 1_000
        if dice.random() < 0.2:
            return
    assert is_ours(world.chains[environment.name], go.record)
    assert not is_ours(world.chains[environment.name], replace(go.record, process=AWAY))
    world.write(at, settle(go.record, environment, world.now(), "red" if dice.random() < 0.25 else ""))


def deployments(world: World, at: int) -> list[Record]:
    return [one for one in world.chains[ROW[at].name].records if one.step is not Step.APPROVED]


def check_no_second(world: World, at: int, freight: Freight) -> None:
    """While a process deploys, nobody else does, whatever it is."""
    done = deployments(world, at)
    going = bool(done) and done[-1].step in GOING_ON
    for decide in (decide_promotion, decide_rollback):
        decided = decide(world.case(at, freight, "Cy", alive=True), HERE)
        assert not going or isinstance(decided, Refusal)


def check_key(world: World, at: int, go: Go) -> None:
    """The tries of one deployment follow each other and have one key; no other deployment has it."""
    done, name = deployments(world, at), ROW[at].name
    others = [one for other, chain in world.chains.items() for one in chain.records if other != name]
    assert go.record.key and go.record.key not in {one.key for one in others}
    same = bool(done) and done[-1].step not in GOOD and done[-1].freight == go.record.freight
    same = same and done[-1].rollback == go.record.rollback
    assert same == (go.record.key in {one.key for one in done})
    assert go.resumed == (same and done[-1].step in GOING_ON)
    assert go.skip_deploy == (same and done[-1].step is Step.VERIFYING) == (go.record.step is Step.VERIFYING)
    left = bool(done) and done[-1].step in GOING_ON
    assert not left or same or go.record.rollback, "what was left half-way is taken up, or gone back over"


def check_allowed(world: World, at: int, freight: Freight, by: str) -> None:
    """By looking through all records backwards instead of replaying them."""
    assert freight is not UNGATED or ROW[at].unverified
    if at == 0:
        return
    since = find_good(world, at - 1, freight)
    assert since is not None, "it was good in the environment before, and is not rolled back there"
    name = ROW[at - 1].name
    records = world.chains[name].records
    later = [one for one in range(since + 1, len(records)) if records[one].step is not Step.APPROVED]
    end = world.true_of[name, later[0]] if later else world.true_ms
    stood = end - world.true_of[name, since]
    if world.trusted or records[since].at.boot == world.now().boot:
        assert stood >= ROW[at].soak_seconds * 1000, "time that really passed"
    own = world.chains[ROW[at].name].records
    ends = [n for n, one in enumerate(own) if one.freight == freight and one.step in GOOD]
    fresh = own[ends[-1] + 1 :] if ends else own
    people = {one.by.lower() for one in fresh if one.step is Step.APPROVED and one.freight == freight} - {by.lower()}
    assert len(people) >= ROW[at].approvals, "others approved it since it was last deployed there"


def find_good(world: World, at: int, freight: Freight) -> int | None:
    """Where the last record of the freight is, when that is good and no roll back went over it."""
    records = world.chains[ROW[at].name].records
    own = [n for n, one in enumerate(records) if one.freight == freight and one.step is not Step.APPROVED]
    if not own or records[own[-1]].step not in GOOD:
        return None
    if ROW[at].verify and records[own[-1]].step is not Step.VERIFIED:
        return None
    for n in range(own[-1] + 1, len(records)):
        back = records[n]
        if back.rollback and back.step in GOOD:
            landed = [m for m in range(n) if records[m].freight == back.freight and records[m].step in GOOD]
            if landed and landed[-1] < own[-1]:
                return None
    return own[-1]


def check_went_back(world: World, at: int, target: Freight) -> None:
    done = deployments(world, at)
    good = [one.freight for one in done if one.step in GOOD]
    assert target in good, "only to what was good there"
    assert done[-1].step not in GOOD or target != done[-1].freight, "a roll back goes somewhere else"


def check_scenes() -> None:
    """What walks rarely meet."""
    for scene in SCENES:
        scene()


def _good(freight: Freight, at_ms: int, boot: str = "x", *, rollback: bool = False) -> Record:
    return Record(freight, Step.VERIFIED, "Ann", Moment(at_ms, boot, at_ms), "k", rollback)


def scene_roll_back_twice_goes_further_back() -> None:
    a, b, c = FREIGHTS
    records = (_good(a, 1), _good(b, 2), _good(c, 3))
    case = Case(a, "Ann", Moment(9), DEV, Chain(records, "t"))
    first = decide_rollback(case, HERE)
    assert isinstance(first, Go) and first.record.freight == b and first.record.rollback
    again = decide_rollback(replace(case, chain=Chain((*records, _good(b, 4, rollback=True)), "u")), HERE)
    assert isinstance(again, Go) and again.record.freight == a
    ended = decide_rollback(replace(case, chain=Chain((*records, _good(a, 4, rollback=True)), "u")), HERE)
    assert isinstance(ended, Refusal)


def scene_what_is_not_in_the_chain_goes_nowhere() -> None:
    case = Case(FREIGHTS[0], "Ann", Moment(9), DEV, NOTHING, faults=("broken",))
    assert isinstance(decide_promotion(case, HERE), Refusal) and isinstance(decide_approval(case), Refusal)
    assert isinstance(decide_promotion(replace(case, faults=()), HERE), Go)


def scene_what_no_gate_judged_goes_where_that_is_allowed() -> None:
    case = Case(UNGATED, "Ann", Moment(9), DEV, NOTHING, ungated=True)
    assert isinstance(decide_promotion(case, HERE), Go)
    assert isinstance(decide_promotion(replace(case, environment=replace(DEV, unverified=False)), HERE), Refusal)


def scene_a_roll_back_after_a_failure_goes_to_what_was_there() -> None:
    a, b = FREIGHTS[:2]
    failed = Record(UNGATED, Step.FAILED, "Ann", Moment(5, "x", 5), "k")
    decided = decide_rollback(Case(a, "Ann", Moment(9), DEV, Chain((_good(a, 1), _good(b, 2), failed), "t")), HERE)
    assert isinstance(decided, Go) and decided.record.freight == b


def scene_a_verify_command_that_came_later_counts() -> None:
    there = Chain((replace(_good(FREIGHTS[0], 1), step=Step.DEPLOYED),), "t")
    case = Case(FREIGHTS[0], "Ann", Moment(9), Environment("prod"), NOTHING, Environment("dev"), there)
    assert isinstance(decide_promotion(case, HERE), Go)
    verified = Environment("dev", verify="v")
    assert isinstance(decide_promotion(replace(case, before=verified), HERE), Refusal)
    [deployed] = there.records
    again = Case(FREIGHTS[0], "Ben", Moment(9), verified, there)
    decided = decide_promotion(again, HERE)
    assert isinstance(decided, Go), "it is verified where it is"
    assert (decided.skip_deploy, decided.record.step, decided.record.key) == (True, Step.VERIFYING, deployed.key)
    ended = Chain((deployed, decided.record, settle(decided.record, verified, Moment(10), "")), "u")
    assert isinstance(decide_promotion(replace(again, chain=ended), HERE), Already)
    assert isinstance(decide_promotion(replace(case, before=verified, before_chain=ended), HERE), Go)


def scene_clocks() -> None:
    assert elapsed_ms(Moment(5_000, "x", 100), Moment(1, "x", 350)) == 250, "one boot: nobody can set that clock"
    assert elapsed_ms(Moment(5_000, "x", 100), Moment(6_000, "y", 5)) == 1_000
    assert elapsed_ms(Moment(5_000), Moment(4_000)) == 0
    assert elapsed_ms(Moment(5_000), Moment(7_000)) == 2_000


def scene_people() -> None:
    a, b = FREIGHTS[:2]
    records = tuple(Record(one, Step.APPROVED, by, Moment(1)) for one, by in ((a, "Ann"), (a, " ANN "), (b, "Ben"), (a, "Cy")))
    assert find_approvers(records, a) == ("Ann", "Cy")
    assert find_approvers((*records, _good(b, 2)), a) == ("Ann", "Cy")
    assert find_approvers((*records, _good(a, 2)), a) == (), "spent by a deployment that ended well"
    assert find_approvers((*records, replace(_good(a, 2), step=Step.FAILED)), a) == ("Ann", "Cy")
    again = Case(a, "ann", Moment(2), PROD, Chain(records, "t"))
    assert isinstance(decide_approval(again), Refusal)
    assert isinstance(decide_approval(replace(again, by="Dora")), Record)


def scene_a_half_finished_deployment_ends_the_stint_before() -> None:
    a, b = FREIGHTS[:2]
    begun = Record(b, Step.BEGUN, "Ann", Moment(5, "x", 5), "k")
    [stint] = replay((_good(a, 1), begun)).stints
    assert stint.until == begun.at


SCENES = tuple(value for name, value in sorted(globals().items()) if name.startswith("scene_"))
WALKS, STEPS = 300, 120


if __name__ == "__main__":
    if not Path(orchd.__file__).is_relative_to(sys.argv[1]):
        sys.exit("this is not the copy")
    check_scenes()
    for seed in range(WALKS):
        walk(random.Random(seed), STEPS)
