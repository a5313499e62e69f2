"""What people read is true, complete and harmless for every state that a task can be in."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import pytest
from cli_samples import BASE, CHECKPOINT, NOW_MS, make_save, make_state, make_task

from orchd.adapters import checkout
from orchd.core.phrases import CAUSES, CHANGES, HOLD_STEPS, HOLDS, REASONS, SAVE_STEPS, UNSERVED
from orchd.core.telling import (
    Scene,
    list_needs,
    tell_claimed,
    tell_gates,
    tell_proven,
    tell_task,
)
from orchd.model.claim import PathSpec, Refusal
from orchd.model.problem import Problem
from orchd.model.save import Checkpoint, Hold, SaveStep
from orchd.model.snapshot import Cause, Decision
from orchd.model.work import Reason, Source, Status

ENDED_BADLY = (Status.FAILED, Status.HELD, Status.CANCELLED)
DONE_WORDS = re.compile(r"main contains|landed|passed|green")


def tell(task, *others, decision=None, scene=Scene(), **state):  # noqa: B008 - frozen
    return tell_task(task, make_state(task, *others, **state), decision, scene)


@pytest.mark.parametrize(("status", "reason"), list(itertools.product(Status, [*Reason, None])))
def test_every_status_with_every_reason_says_what_happened_without_an_open_end(status, reason):
    told = tell(make_task(status=status, reason=reason, detail=("src/a.py",)))
    for line in (told.what, *told.why, *told.steps):
        assert line.strip() == line != ""
        assert not re.search(r"[{}]|``|None|\bReason\.|\bStatus\.", line)


@pytest.mark.parametrize(("status", "reason"), list(itertools.product(ENDED_BADLY, [*Reason, None])))
def test_what_did_not_land_never_sounds_as_if_it_had_and_always_has_a_next_step(status, reason):
    told = tell(make_task(status=status, reason=reason))
    assert not DONE_WORDS.search(told.what)
    assert any("orchd retry t" in step for step in told.steps)


@pytest.mark.parametrize("reason", Reason)
def test_the_work_of_a_failed_task_is_named_by_a_command_that_shows_it(reason):
    steps = tell(make_task(status=Status.FAILED, reason=reason)).steps
    shown = reason is Reason.NOTHING or any(f"git diff {BASE[:12]} refs/orch/attic/t/1" in step for step in steps)
    assert shown


@pytest.mark.parametrize("reason", Reason)
def test_no_step_names_work_that_does_not_exist(reason):
    steps = tell(make_task(status=Status.FAILED, reason=reason, ref="", tip="")).steps
    assert steps
    assert not any("git diff" in step or "merge" in step for step in steps)


def test_a_claim_failure_names_the_paths_and_the_key_that_widens_the_claim():
    task = make_task(status=Status.HELD, reason=Reason.CLAIM, detail=("setup.py", "Makefile"))
    told = tell(task)
    assert told.what == "it changed paths outside its claim: setup.py, Makefile"
    assert [words in told.steps[at] for at, words in enumerate(("orchd answer t`", "--widen`", "--drop`"))] == [True] * 3
    assert any("`claims:`" in step for step in told.steps)
    assert [need.command for need in list_needs(make_state(task))] == ["orchd answer t"]
    assert tell_proven(task) == "nothing landed"


def test_a_conflict_offers_both_sides_a_file_a_retry_and_the_branch():
    task = make_task(status=Status.HELD, reason=Reason.CONFLICT, ref="refs/heads/session/default/task/t")
    steps = tell(task).steps
    offers = ("orchd answer t`", "--take theirs`", "--file PATH=FILE`", "--task`", "orchd retry t", "`session/default/task/t`")
    assert [words in steps[at] for at, words in enumerate(offers)] == [True] * 6
    assert [need.command for need in list_needs(make_state(task))] == ["orchd answer t"]


def test_a_red_gate_names_the_gate_and_the_command_that_shows_its_output():
    told = tell(make_task(status=Status.FAILED, reason=Reason.GATE, detail=("gate `lint` ended with 1", "@5a5a.1.1")))
    assert told.what == "a gate was red on the merged tree: gate `lint` ended with 1"
    assert "`orchd logs @5a5a.1.1`" in told.steps[0]


def test_many_paths_are_counted_in_the_sentence_and_listed_as_evidence():
    paths = tuple(f"p{n}" for n in range(9))
    told = tell(make_task(status=Status.FAILED, reason=Reason.CLAIM, detail=paths))
    assert told.what.endswith("p0, p1, p2, p3, p4 and 4 more")
    assert told.why[:9] == paths


def test_control_sequences_in_details_become_visible_text():
    evil = "a\x1b]0;owned\x07\nb\u202e"
    task = make_task(status=Status.FAILED, reason=Reason.CLAIM, detail=(evil,) * 9)
    told = tell(task)
    for line in (told.what, *told.why, *told.steps):
        assert line.isprintable()
    assert "\\x1b" in told.what


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_says_what_holds_a_waiting_task_back(cause):
    decision = Decision("t", cause, ("o",), ("src/**", "src/http/*"))
    told = tell(make_task(), make_task("o", Status.RUNNING), decision=decision)
    assert told.what and "{" not in told.what + "".join(told.steps)
    if cause in (Cause.NEEDS, Cause.BLOCKED, Cause.AFTER, Cause.CLAIM, Cause.SLOTS):
        assert re.search(r"\bo\b", told.what)


def test_a_claim_that_waits_names_both_globs_and_their_holder():
    decision = Decision("t", Cause.CLAIM, ("o",), ("src/**", "src/http/*"))
    told = tell(make_task(), make_task("o", Status.RUNNING), decision=decision)
    assert told.what == "its claim `src/**` meets `src/http/*` of o (running)"


def test_a_blocked_task_names_the_failure_and_where_to_look():
    failed = make_task("o", Status.FAILED, Reason.GATE)
    told = tell(make_task(), failed, decision=Decision("t", Cause.BLOCKED, ("o",)))
    assert told.what == "it cannot start: it needs o (failed: gate)"
    assert "orchd explain o" in told.steps[0]


def test_an_attempt_that_was_lost_is_mentioned_while_the_next_one_waits():
    told = tell(make_task(attempt=1, lost=1), decision=Decision("t", Cause.SLOTS))
    assert "attempt 1 was lost" in told.why[0]


@pytest.mark.parametrize("step", SaveStep)
def test_every_step_of_a_save_has_its_own_words(step):
    told = tell(make_task(status=Status.SAVING), save=make_save(step))
    assert told.what == SAVE_STEPS[step].format(branch="main")
    assert ("main contains" in told.what) is (step is SaveStep.LANDED)


def test_a_save_without_gates_is_called_unverified():
    told = tell(make_task(status=Status.SAVING), save=make_save(SaveStep.GATED, gates=()))
    assert any("unverified" in line for line in told.why)


def tell_hold(hold, *detail, scene=Scene()):  # noqa: B008 - frozen
    save = make_save(SaveStep.GATED, hold=hold, hold_detail=detail)
    return tell(make_task(status=Status.SAVING), save=save, scene=scene)


def test_changes_of_tracked_files_can_be_merged_around_without_overwriting_ignored_files():
    told = tell_hold(Hold.DIRTY, "notes.txt")
    assert "notes.txt" in told.why
    assert "git status" in told.steps[0]
    assert told.steps[1] == "or merge it yourself: `git merge --no-overwrite-ignore refs/orch/ready/7`"


def test_a_file_in_the_way_is_to_be_moved_and_no_merge_is_offered_that_would_overwrite_it():
    told = tell_hold(Hold.UNTRACKED, "notes.txt")
    assert "move notes.txt away" in told.steps[0]
    assert "git status --ignored" in told.steps[0]
    assert not any("merge" in step for step in told.steps)


@pytest.mark.parametrize(
    "word",
    [
        *checkout.UNFINISHED.values(),
        checkout.LOCKED,
        "git read-tree: exit 128: no",
        "an interrupted move cannot be repaired: x",
    ],
)
def test_an_operation_of_git_that_is_not_finished_comes_first_and_no_merge_is_offered(word):
    assert not any("git merge" in step for step in tell_hold(Hold.DIRTY, word).steps)


@pytest.mark.parametrize("hold", sorted(set(Hold) - {Hold.ROOM}))
def test_another_work_tree_that_is_in_the_way_is_named_everywhere(hold):
    told = tell_hold(hold, "in /far/work tree", "notes.txt")
    assert "/far/work tree" in told.what
    assert told.why[-1] == "notes.txt"
    assert "git -C '/far/work tree' status" in told.steps[0]
    save = make_save(SaveStep.GATED, hold=hold, hold_detail=("in /far", "notes.txt"))
    (need,) = list_needs(make_state(save=save))
    assert (need.command, "/far" in need.what) == ("git -C /far status", True)


@pytest.mark.parametrize("status", [Status.WAITING, Status.RUNNING, Status.READY, Status.SAVING])
def test_what_would_go_on_by_itself_does_not_while_nobody_serves(status):
    decision = Decision("t", Cause.NONE)
    told = tell(make_task(status=status), decision=decision, save=make_save(), scene=Scene(served=False))
    assert any(UNSERVED in line for line in (told.what, *told.steps))
    assert "next look" not in told.what
    assert UNSERVED not in " ".join(tell(make_task(status=status), decision=decision, save=make_save()).steps)


def test_a_need_that_is_archived_is_named_with_its_status_and_its_ways_out():
    told = tell(
        make_task(),
        decision=Decision("t", Cause.BLOCKED, ("o",)),
        scene=Scene(archived={"o": make_task("o", Status.CANCELLED, Reason.CANCELLED)}),
    )
    assert told.what == "it cannot start: it needs o (cancelled)"
    assert any("orchd retry o" in step for step in told.steps)
    assert any("`needs:`" in step for step in told.steps)


def test_behind_a_need_that_cannot_start_the_failed_root_is_named():
    middle = make_task("m")
    middle = replace(middle, spec=replace(middle.spec, needs=("root",)))
    root = make_task("root", Status.FAILED, Reason.EXIT)
    told = tell(make_task(), middle, root, decision=Decision("t", Cause.NEEDS, ("m",)))
    assert told.what == "it needs m (waiting); root (failed: exit) holds back m (waiting)"
    assert "orchd explain root" in told.steps[0]
    fine = tell(make_task(), middle, make_task("root"), decision=Decision("t", Cause.NEEDS, ("m",)))
    assert fine.what == "it needs m (waiting)"


def test_a_landed_task_that_the_branch_lost_is_not_said_to_be_there():
    task = make_task(status=Status.LANDED)
    lost, there = Scene(branch="trunk", contained=False), Scene(branch="trunk")
    assert tell(task, scene=lost).what == f"it landed as {CHECKPOINT.name}, but trunk does not contain it any more"
    assert "does not contain" in tell_proven(task, lost)
    steps = tell(task, scene=replace(lost, checkpoint=CHECKPOINT)).steps
    assert f"git merge {CHECKPOINT.name}" in steps[1] and f"orchd waive {CHECKPOINT.name}" in steps[-1]
    untagged = tell(task, scene=lost).steps
    assert f"git merge {task.commit[:12]}`" in untagged[1] and not any("waive" in step for step in untagged)
    assert tell(task, scene=there).what == f"trunk contains it since {CHECKPOINT.name}"


def test_what_was_built_on_something_that_is_gone_is_no_conflict():
    gone = "main does not contain 1234, which the session began on"
    told = tell(make_task(status=Status.HELD, reason=Reason.BASE, detail=(gone,)))
    assert gone in told.what and "same lines" not in told.what
    assert "orchd retry t" in told.steps[0] and not any("answer" in step for step in told.steps)


@pytest.mark.parametrize("reason", [Reason.EXIT, Reason.TIMEOUT, Reason.GATE, Reason.CONFLICT, Reason.CLAIM])
def test_the_evidence_of_what_did_not_land_holds_its_details_and_its_work(reason):
    why = tell(make_task(status=Status.FAILED, reason=reason, detail=("said so",))).why
    assert why == ("said so", "its work is cccccccccccc on `refs/orch/attic/t/1`")


def test_the_evidence_of_what_landed_is_its_commit_its_gates_and_its_work():
    why = tell(make_task(status=Status.LANDED), scene=Scene(checkpoint=CHECKPOINT)).why
    assert ("d" * 12) in why[0] and "tests" in why[1] and "cccc" in why[2]


@pytest.mark.parametrize(("source", "word"), [(Source.FILE, "its file"), (Source.INBOX, "inbox"), (Source.COMMIT, "commit")])
def test_how_to_change_a_task_depends_on_where_it_came_from(source, word):
    task = make_task(status=Status.FAILED, reason=Reason.EXIT, source=source)
    assert word in tell(task).steps[-1]


def test_a_retry_that_would_be_withdrawn_at_once_is_not_offered():
    gone = Scene(files=frozenset())
    for status, reason in ((Status.FAILED, Reason.EXIT), (Status.HELD, Reason.CONFLICT), (Status.UNCHANGED, None)):
        steps = tell(make_task(status=status, reason=reason), scene=gone).steps
        assert not any("orchd retry" in step or "starts it anew" in step for step in steps)
        assert any("its file is gone" in step for step in steps)
        there = tell(make_task(status=status, reason=reason), scene=Scene(files=frozenset({"t"}))).steps
        assert any("orchd retry t" in step for step in there)
    held = make_state(make_task(status=Status.HELD, reason=Reason.PROOF))
    assert list_needs(held, gone)[0].command == "orchd explain t"
    inbox = make_task(status=Status.FAILED, reason=Reason.EXIT, source=Source.INBOX)
    assert any("orchd retry t" in step for step in tell(inbox, scene=gone).steps)


def test_tables_are_complete():
    assert set(REASONS) == set(Reason)
    assert set(CAUSES) == set(Cause)
    assert set(SAVE_STEPS) == set(SaveStep)
    assert set(HOLDS) == set(HOLD_STEPS) == set(Hold)
    assert set(CHANGES) == set(Source)


def test_needs_list_the_longest_wait_first_and_the_undated_last():
    young = make_task("young", Status.HELD, Reason.CONFLICT, ended_ms=NOW_MS - 1000)
    old = make_task("old", Status.HELD, Reason.CONFLICT, ended_ms=NOW_MS - 90_000)
    save = make_save(SaveStep.GATED, hold=Hold.DIRTY, hold_detail=("a.py",))
    problem = Problem(".orch/tasks/x.yaml", 1, 1, "E001", "bad")
    needs = list_needs(make_state(young, old, save=save, problems=(problem,)))
    assert [need.subject for need in needs] == ["old", "t", "young", ".orch/tasks/x.yaml"]
    assert [need.command for need in needs] == ["orchd answer old", "git status", "orchd answer young", "orchd check"]


def test_nothing_needs_a_person_when_all_is_well():
    tasks = [make_task(str(status), status) for status in Status if status is not Status.HELD]
    assert list_needs(make_state(*tasks, save=make_save())) == ()


@pytest.mark.parametrize(("status", "reason"), list(itertools.product(Status, [*Reason, None])))
def test_only_a_landed_task_is_proven_to_be_on_main(status, reason):
    proven = tell_proven(make_task(status=status, reason=reason), Scene(checkpoint=CHECKPOINT))
    assert ("main contains it" in proven) is (status is Status.LANDED)


def test_a_failed_command_never_claims_success_and_a_red_gate_stands_against_a_claim():
    claims = {reason: tell_claimed(make_task(status=Status.FAILED, reason=reason)) for reason in Reason}
    for reason in (Reason.EXIT, Reason.TIMEOUT, Reason.LOST, Reason.WORKSPACE, Reason.CANCELLED):
        assert "success" not in claims[reason]
    for reason in (Reason.NOTHING, Reason.CLAIM, Reason.POLICY, Reason.GATE, Reason.CONFLICT):
        assert claims[reason] == "its command reported success"


@pytest.mark.parametrize("status", [Status.WAITING, Status.RUNNING, Status.STOPPING, Status.WITHDRAWN])
def test_what_has_not_ended_has_claimed_nothing_even_if_an_older_attempt_failed(status):
    assert tell_claimed(make_task(status=status, reason=Reason.GATE)) == ""


@pytest.mark.parametrize("gates", ["", "unverified"])
def test_a_checkpoint_without_gates_is_called_unverified(gates):
    bare = Checkpoint("checkpoint/x", BASE, 0, "default", ("t",), gates)
    assert tell_gates(bare) == "unverified: no gates were configured"
    assert tell_gates(CHECKPOINT) == "gates on the tree that landed: tests"


def test_an_expired_lease_is_told_while_it_is_ended_and_when_it_is_tried_again():
    state = make_state(make_task("busy", Status.RUNNING))
    lease = replace(state.leases["busy"], fence=4, expired_ms=9)
    told = tell_task(state.tasks["busy"], replace(state, leases={"busy": lease}))
    assert "gives no heartbeat" in told.what
    assert told.why == ("its lease (fence 4) expired: no heartbeat for 90 s",)
    again = replace(make_task("busy"), lost=1, attempt=1, detail=told.why)
    why = tell_task(again, make_state(again), Decision("busy", Cause.NONE)).why
    assert why == ("attempt 1 was lost: its supervisor was gone, or gave no heartbeat", *told.why)


def test_a_request_for_more_that_was_refused_is_told_with_the_reason():
    task = make_task(status=Status.RUNNING)
    state = make_state(task)
    refusal = Refusal("", (PathSpec("src/**"), PathSpec("docs/*")), "other waits for what it holds")
    lease = replace(state.leases["t"], refused=(refusal,))
    told = tell_task(task, replace(state, leases={"t": lease}))
    assert "it asked for `src/**`, `docs/*` and was refused: other waits for what it holds" in told.why
