"""execute(): actions to port calls, one row each. An action that fails leaves its trace and is asked for again."""

from __future__ import annotations

import functools
from dataclasses import replace

from orchd.core.numbering import hand_over
from orchd.core.prompting import write_prompt
from orchd.errors import OrchdError
from orchd.model.action import (
    Action,
    AdmitResult,
    AdmitRework,
    AskNumbers,
    DiscardWorkspace,
    FollowMain,
    ForgetIntent,
    ForgetSaves,
    HoldSession,
    KeepResults,
    LandSave,
    MergeSave,
    PlaceLine,
    PublishSave,
    ReleaseBase,
    ReleaseLives,
    RevokeRun,
    SalvageRun,
    SettleDrop,
    StartRun,
    StopRun,
    TakeLive,
    TellRun,
)
from orchd.model.config import Config
from orchd.model.prompt import Ask, Recalled
from orchd.model.run import RunOrder
from orchd.ports import Ports


def execute(action: Action, ports: Ports, config: Config) -> bool:
    """Do one action. Whether it went through; if not, the audience is told and the next look will ask again."""
    try:
        perform(action, ports, config)
    except Exception as error:  # noqa: BLE001 - the border of the loop: one failing action must not stop the others
        hint = f" ({error.hint})" if isinstance(error, OrchdError) and error.hint else ""
        ports.audience.trouble(f"{type(action).__name__}: {type(error).__name__}: {error}{hint}")
        return False
    return True


@functools.singledispatch
def perform(action: Action, ports: Ports, config: Config) -> None:
    """The port calls of one action."""
    raise OrchdError(f"no rule for {type(action).__name__}")


@perform.register
def _(action: StartRun, ports: Ports, config: Config) -> None:
    if action.keep:
        ports.refs.keep(action.keep, action.order.commit)
    order = action.order
    taken = [(wish, ports.numbers.take(wish, config)) for wish in order.numbers]
    if action.asks:
        numbers = tuple((wish.kind, number) for wish, number in taken)
        order = _tell_agents(order, action.asks, replace(ports.past.recall(action.asks[0]), numbers=numbers))
    ports.runs.start(hand_over(order, taken) if taken else order, config)


def _tell_agents(order: RunOrder, asks: tuple[Ask, ...], recalled: Recalled) -> RunOrder:
    """The order with a prompt for each of its agents. What is recalled for the first is all that there is of the past."""
    left = iter(asks)
    told = (
        replace(one, job=replace(one.job, prompt=write_prompt(next(left), recalled))) if one.job else one
        for one in order.commands
    )
    return replace(order, commands=tuple(told))


@perform.register
def _(action: StopRun, ports: Ports, config: Config) -> None:
    ports.runs.stop(action.run)


@perform.register
def _(action: TellRun, ports: Ports, config: Config) -> None:
    ports.runs.tell(action.run, action.name, action.text)


@perform.register
def _(action: SalvageRun, ports: Ports, config: Config) -> None:
    ports.runs.salvage(action.run)


@perform.register
def _(action: RevokeRun, ports: Ports, config: Config) -> None:
    ports.runs.revoke(action.run)


@perform.register
def _(action: AdmitResult, ports: Ports, config: Config) -> None:
    ports.airlock.admit(action.order, config)


@perform.register
def _(action: AdmitRework, ports: Ports, config: Config) -> None:
    ports.airlock.rework(action.order, action.rework, config)


@perform.register
def _(action: TakeLive, ports: Ports, config: Config) -> None:
    ports.lives.take(action.order, config)


@perform.register
def _(action: ReleaseLives, ports: Ports, config: Config) -> None:
    ports.lives.release(action.runs)


@perform.register
def _(action: DiscardWorkspace, ports: Ports, config: Config) -> None:
    ports.runs.discard(action.run)


@perform.register
def _(action: MergeSave, ports: Ports, config: Config) -> None:
    ports.saves.merge(action.save, action.titles)


@perform.register
def _(action: KeepResults, ports: Ports, config: Config) -> None:
    ports.results.keep(action.save, config)


@perform.register
def _(action: LandSave, ports: Ports, config: Config) -> None:
    ports.saves.land(action.save, action.titles, action.bid)


@perform.register
def _(action: PublishSave, ports: Ports, config: Config) -> None:
    ports.saves.publish(action.save)


@perform.register
def _(action: PlaceLine, ports: Ports, config: Config) -> None:
    ports.lines.place(action.session, action.tip)


@perform.register
def _(action: ForgetSaves, ports: Ports, config: Config) -> None:
    ports.saves.forget(action.saves)


@perform.register
def _(action: ReleaseBase, ports: Ports, config: Config) -> None:
    ports.refs.release(action.tasks)


@perform.register
def _(action: SettleDrop, ports: Ports, config: Config) -> None:
    ports.files.settle(action.drop, action.problems)


@perform.register
def _(action: ForgetIntent, ports: Ports, config: Config) -> None:
    ports.intents.forget(action.intent)


@perform.register
def _(action: HoldSession, ports: Ports, config: Config) -> None:
    ports.shared.hold(action.bid)


@perform.register
def _(action: AskNumbers, ports: Ports, config: Config) -> None:
    ports.numbers.ask(action.wishes, config)


@perform.register
def _(action: FollowMain, ports: Ports, config: Config) -> None:
    ports.shared.follow(action.main)
