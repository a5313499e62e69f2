"""Alarms and the progress of a save: what is told, and that it is told only while it holds."""

from __future__ import annotations

from dataclasses import replace

import pytest
import rules

from orchd.core.alarms import Health, Trouble, list_alarms
from orchd.core.progress import tell_excluded, tell_step
from orchd.core.telling import Scene, list_needs
from orchd.model.limits import ROOM_BYTES
from orchd.model.save import Excluded, Hold, Save, SaveStep, Target, Verdict
from orchd.model.snapshot import State
from orchd.model.work import Reason


def test_alarms_come_first_and_only_while_they_hold() -> None:
    health = Health(
        {"/a": ROOM_BYTES - 1, "/b": ROOM_BYTES},
        "trunk",
        ("checkpoint/x-000", "checkpoint/x-001"),
        (Trouble("no \x1b room", 5),),
    )
    told = list_alarms(health)
    assert [(one.subject, one.command) for one in told] == [
        ("disk", "df -h"),
        ("trunk", "git merge checkpoint/x-001"),
        ("daemon", "orchd doctor"),
    ]
    assert "\x1b" not in "".join(one.what for one in told)
    assert list_needs(State(), Scene(alarms=told)) == told
    assert not list_alarms(Health({"/a": ROOM_BYTES}))


STEPS: dict[str, Save] = {
    "merging 3": rules.a_save(3),
    "gating 3 of 3": rules.a_save(3),
    "gating 1 of 3; green up to 0, red at 3": replace(rules.a_save(3), verdicts=(Verdict(3, False, ()),)),
    "gating 1 and 2 of 3; green up to 0, red at 3": replace(rules.a_save(3), verdicts=(Verdict(3, False, ()),), width=2),
    "gated": rules.a_save(3, ()),
    "landing 2 of 3": replace(rules.a_save(3), step=SaveStep.GATED, lands=2),
    "landing 2 of 3, held: checkout-dirty": replace(rules.a_save(3), step=SaveStep.GATED, lands=2, hold=Hold.DIRTY),
    "integrating 2 of 3": replace(rules.a_save(3), step=SaveStep.GATED, lands=2, target=Target.LINE),
    "publishing 2 of 3": replace(rules.a_save(3), step=SaveStep.LANDED, lands=2),
}


@pytest.mark.parametrize("words", STEPS)
def test_each_step_of_a_save_is_told(words: str) -> None:
    save = replace(STEPS[words], step=SaveStep.PLANNED) if words.startswith("merging") else STEPS[words]
    assert tell_step(save) == words


def test_what_a_save_leaves_out_is_told_with_its_reason() -> None:
    save = rules.a_save(2)
    gone = (Excluded(save.items[0], Reason.CONFLICT, ("a\x1b", "b")), Excluded(save.items[1], Reason.GATE, ()))
    assert tell_excluded(replace(save, excluded=gone)) == ("t0: conflict (a\\x1b, b)", "t1: gate")
