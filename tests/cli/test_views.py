"""The records of the commands: complete, the same in all three forms, and as documented."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import click
import pytest
from cli_manual import MANUAL, write_manual
from cli_oracle import check_schema
from cli_samples import (
    CHECKPOINT,
    COMMIT,
    NOW_MS,
    SERVER,
    TIP,
    make_save,
    make_state,
    make_task,
)

from orchd.adapters.attic import Kept
from orchd.adapters.promoter import Promoted
from orchd.adapters.state_reader import HotState, Operation
from orchd.app import RunView, Served
from orchd.cli.board import board_cells, board_lines
from orchd.cli.commands.claiming import BLANK
from orchd.cli.disputing import disagreement_lines
from orchd.cli.envelopes import ENVELOPES
from orchd.cli.examined import view_findings, view_handshakes
from orchd.cli.fields import json_schema, to_cells, to_data, to_shown
from orchd.cli.flags import Flags
from orchd.cli.listings import view_claims, view_ps
from orchd.cli.output import SPARE, fact_lines, print_record, print_records, record_lines, table_lines
from orchd.cli.planned import view_plan
from orchd.cli.promoted import mark_promoted, view_environments, view_history, view_promoted, view_work
from orchd.cli.root import root
from orchd.cli.session_views import view_session, view_sessions
from orchd.cli.spending import view_costs
from orchd.cli.views import (
    LIVE,
    find_problems,
    view_attic,
    view_breaks,
    view_checkpoints,
    view_explain,
    view_gates,
    view_lessons,
    view_operations,
    view_problems,
    view_question,
    view_run,
    view_show,
    view_status,
)
from orchd.core.arbiter import take_turns
from orchd.core.chain_proof import Break, Proof
from orchd.core.costs import Column
from orchd.core.desk import Room
from orchd.core.disputes import Disagreement, Disputed
from orchd.core.lessons import Lesson, Lessons
from orchd.core.policy import Change
from orchd.core.telling import Scene
from orchd.model.agent import Effort, Handshake
from orchd.model.checkup import Finding, Verdict
from orchd.model.claim import PathSpec, Reservation
from orchd.model.config import Config
from orchd.model.cost import Account, Ledger
from orchd.model.environment import Environment
from orchd.model.ids import attic_ref
from orchd.model.merge import CONTENTS, Dispute, Recipe, Version
from orchd.model.problem import Problem
from orchd.model.promotion import Chain, Freight, Moment, Record, Step
from orchd.model.save import Gate, Hold, Save, SaveItem, SaveStep, Tally
from orchd.model.snapshot import Cause, Decision, State
from orchd.model.work import Reason, Status

DISPUTE = Dispute("a\x1b.py", None, Version(0o100644, TIP), Version(0o100644, TIP), (CONTENTS,))
DISAGREEMENT = Disagreement(COMMIT, (Disputed(DISPUTE, ("ours  | x",)),), ("abc1234 Land \x1b[2Jx",))
SCREEN = Flags(json=False, repo=Path(), quiet=False, color=False, terminal=True, columns=200)
EMPTY = State()
BREAK = Break("checkpoint/2026-01-31-001", COMMIT, "its tag is missing")
PROBLEM = Problem(".orch/tasks/bad.yaml", 3, 5, "E021", "unknown key `rn`", "did you mean `run`?", "rn: x", 2)
RUNNING = {"busy.1.1": RunView(77, 12.5, 3.25, Path("log")), "@5a5a5a5a5a5a.1.1": RunView(78, 1.0, 1.0, Path("log"))}


def busy_state() -> State:
    return make_state(
        make_task("t", Status.SAVING),
        make_task("busy", Status.RUNNING),
        make_task("queued"),
        make_task("broken", Status.FAILED, Reason.EXIT, detail=("ended with 3 after 0.1 s",)),
        make_task("question", Status.HELD, Reason.CONFLICT, detail=("a.py",)),
        make_task("stray", Status.HELD, Reason.CLAIM, detail=("a.py was added outside the claim",)),
        make_task("done", Status.LANDED),
        save=make_save(SaveStep.GATED, hold=Hold.DIRTY, hold_detail=("notes.txt",)),
        problems=(PROBLEM,),
        cooling={"maker": NOW_MS + 1, "other": NOW_MS},
    )


def status_row(state=None, *, server=SERVER, checkpoints=(CHECKPOINT,), sandbox="none (at all)", archived=None):
    hot = HotState(busy_state() if state is None else state, archived or {})
    return view_status(
        hot,
        (Decision("queued", Cause.CLAIM, ("busy",), ("src/**", "src/**")),),
        checkpoints,
        RUNNING,
        server,
        sandbox=sandbox,
        now_ms=NOW_MS,
    )


RESERVATIONS = (
    Reservation(".orch/claims/a.yaml", (PathSpec("src/**"),), ("db",), "anna", "by hand", NOW_MS + 1),
    Reservation(".orch/claims/b.yaml", (PathSpec("src/**"),), (), "", "", NOW_MS - 1),
)


def test_claims_of_people_say_who_until_when_and_who_had_it_before():
    state = busy_state()
    mine = [row for row in view_claims(state, {}, RESERVATIONS, NOW_MS) if not row["task"]]
    assert [(row["state"], row["mode"], row["glob"], row["owner"]) for row in mine] == [
        ("held", "write", "src/**", "anna"),
        ("held", "resource", "db", "anna"),
        ("expired", "write", "src/**", ""),
    ]
    assert mine[0]["overlaps"] == tuple(sorted(name for name in state.leases if state.leases[name].paths))
    assert mine[2]["overlaps"] == ()


FREIGHT = Freight(CHECKPOINT.name, "a" * 40, COMMIT)
PROMOTIONS = Chain(tuple(Record(FREIGHT, step, "anna", Moment(NOW_MS)) for step in (Step.DEPLOYED, Step.APPROVED, Step.BEGUN)))


def rows_of(name: str) -> tuple:
    state = busy_state()
    return {
        "ps": lambda: view_ps(state, RUNNING, NOW_MS),
        "claims": lambda: view_claims(state, RUNNING, RESERVATIONS, NOW_MS),
        "claim": lambda: ({**BLANK, "action": "kept", "file": ".orch/claims/a.yaml", "claims": ("write a",)},),
        "checkpoints": lambda: mark_promoted(view_checkpoints([CHECKPOINT]), {"prod": PROMOTIONS}),
        "checkpoint": lambda: (
            {
                **mark_promoted(view_checkpoints([CHECKPOINT]), {"prod": PROMOTIONS})[0],
                "kept": ("the first",),
                "restores": 3,
                "work": (
                    view_work(f"t 1.1 {COMMIT}", state.tasks.get("t")),
                    view_work("u 1.1 c", None),
                ),
            },
        ),
        "prune": lambda: ({"name": "checkpoint/x", "created": NOW_MS, "kept": True, "why": ("pinned",)},),
        "pin": lambda: ({"name": "checkpoint/x", "pinned": True},),
        "promote": lambda: (
            view_promoted("prod", "anna", "checkpoint/x", Promoted(None, "why", "hint")),
            view_promoted("prod", "anna", "checkpoint/x", Promoted(PROMOTIONS.records[0], log="a\nb")),
        ),
        "environments": lambda: view_environments((Environment("dev"),), {"prod": PROMOTIONS}, lambda _: False),
        "environment-history": lambda: view_history("prod", PROMOTIONS),
        "costs": lambda: view_costs(State(ledger=Ledger((Account("2026-11-27", "s", "t", "a", "m", 1),))), Column.DAY),
        "gates": lambda: view_gates(
            State(gates={"unit": Tally(3, 1, 1, 1, 0, 4.0, 2.0)}), {"unit": Tally(cached=1, seconds=0.5)}
        ),
        "op-log": lambda: view_operations([Operation(COMMIT, NOW_MS, "orchd: seen t", ({"type": "TaskSeen"},))]),
        "verify": lambda: view_breaks(Proof(1, 0, 0, (BREAK,), settled=(BREAK,))),
        "waive": lambda: ({"checkpoint": "checkpoint/x", "by": "anna", "again": False},),
        "restore": lambda: ({"checkpoint": "checkpoint/x", "commit": COMMIT, "folder": "/new", "made": True},),
        "undo": lambda: (
            {"checkpoint": "checkpoint/x", "commit": COMMIT, "files": 3, "task": "undo-x", "asked": True, "served": False},
        ),
        "plan": lambda: view_plan(state, take_turns(state, Room(Config(), NOW_MS))),
        "check": lambda: view_problems([PROBLEM]),
        "init": lambda: ({"path": ".orch/config.yaml", "result": "written"},),
        "run": lambda: (view_run(Served(state, EMPTY), "1 failed", 1),),
        "number": lambda: ({"kind": "migration", "number": "0042", "holder": "me"},),
        "ask": lambda: ({"task": "t", "verb": "retry", "status": "failed", "served": True},),
        "status": lambda: (status_row(),),
        "explain": lambda: tuple(view_explain(task, state, None) for task in state.tasks.values()),
        "show": lambda: tuple(view_show(task, state, None, Scene(checkpoint=CHECKPOINT)) for task in state.tasks.values()),
        "question": lambda: tuple(
            view_question(task, (Change("a.py", 0, 0o100644),), DISAGREEMENT) for task in state.tasks.values()
        ),
        "agents": lambda: view_handshakes([Handshake("claude", "/bin/claude", "2.1", ("--tools",), efforts=tuple(Effort))]),
        "doctor": lambda: view_findings([Finding("git", Verdict.BAD, "too old", "install")]),
        "lessons": lambda: view_lessons(Lessons(3, 1, 2, (Lesson(Recipe.ADJACENT, 2, 1),))),
        "attic": lambda: view_attic(
            [Kept("t", 1, NOW_MS, "failed: exit", "Title of t", 99, attic_ref("t", 1), TIP), Kept("t", 0, 1, "w", "x", 1, "/w")]
        ),
        "attic-restore": lambda: ({"ref": attic_ref("t", 1), "commit": TIP, "folder": "/w", "next": ("cd /w",)},),
        "session-list": lambda: view_sessions(state, [CHECKPOINT], "main"),
        "session-show": lambda: (view_session(state, "default", [CHECKPOINT], "main"),),
        "session-ask": lambda: ({"session": "default", "verb": "pause", "served": True},),
        "save": lambda: ({"session": "default", "tasks": ("t",), "served": True},),
        "logs": lambda: ({"run": "t.1.1", "lines": ("hello",)},),
    }[name]()


@pytest.mark.parametrize("name", ENVELOPES)
def test_every_command_prints_what_its_schema_says_and_nothing_else(name):
    envelope, rows = ENVELOPES[name], rows_of(name)
    assert rows
    for row in rows:
        assert set(row) == {field.name for field in envelope.fields}
        data = [to_data(envelope.fields, row)] if envelope.many else to_data(envelope.fields, row)
        document = json.loads(json.dumps({"schema": envelope.schema, "data": data}))
        check_schema(json_schema(envelope), document, name)


def test_a_claim_shows_its_fence_and_how_old_the_last_heartbeat_is():
    state = busy_state()
    fenced = replace(state, leases={name: replace(lease, fence=7) for name, lease in state.leases.items()})
    seen = {(row["task"], row["fence"], row["beat_seconds"]) for row in view_claims(fenced, RUNNING)}
    assert seen == {("busy", 7, 3.25), ("t", 7, None)}
    assert {row["fence"] for row in view_claims(state, RUNNING)} == {None}, "a grant from before the fences"


def test_the_oracle_of_schemas_notices_a_missing_a_surplus_and_a_wrong_field():
    envelope = ENVELOPES["claims"]
    good = to_data(envelope.fields, rows_of("claims")[0])
    for bad in ({**good, "more": 1}, {k: v for k, v in good.items() if k != "task"}, {**good, "epoch": "three"}):
        with pytest.raises(AssertionError):
            check_schema(json_schema(envelope), {"schema": envelope.schema, "data": [bad]})


@pytest.mark.parametrize("name", ["ps", "claims", "checkpoints", "op-log", "check", "init", "ask"])
def test_table_pipe_and_json_have_the_same_fields_in_the_same_order(name):
    envelope, rows = ENVELOPES[name], rows_of(name)
    names = [field.name for field in envelope.fields]
    heading, *lines = table_lines(envelope.fields, rows, SCREEN)
    told = [name for name in names if name not in SPARE or any(row[name] for row in rows)]
    places = [heading.index(name.removesuffix("_seconds").replace("_", " ").upper()) for name in told]
    assert places == sorted(places)
    assert len(lines) == len(rows)
    for row, line in zip(rows, lines, strict=True):
        assert list(to_data(envelope.fields, row)) == names
        cells = to_cells(envelope.fields, row)
        assert len(cells) == len(names)
        assert all(cell[:12] in line for cell in cells if cell and not cell[0].isdigit() and "," not in cell)


def test_an_instant_is_the_same_for_people_and_programs():
    field = ENVELOPES["checkpoints"].fields[1]
    row = {field.name: CHECKPOINT.created_ms}
    assert to_cells((field,), row) == ["2026-01-31T09:57:00.000Z"] == [to_data((field,), row)[field.name]]
    assert "2026-01-31 09:57:00Z" in table_lines((field,), [row], SCREEN)[1]


def test_the_manual_lists_every_command_and_every_field():
    text = MANUAL.read_text(encoding="utf-8")
    assert write_manual(text) == text, "run `python tests/cli/cli_manual.py`"


@pytest.mark.parametrize("name", [name for name, envelope in ENVELOPES.items() if envelope.many])
def test_nothing_to_list_prints_no_data_in_a_pipe_and_an_empty_list_as_json(name, capsys):
    with click.Context(root) as context:
        print_records(ENVELOPES[name], (), "nothing")
        assert capsys.readouterr() == ("", "nothing\n")
        context.meta["json"] = True
        print_records(ENVELOPES[name], (), "nothing")
        assert json.loads(capsys.readouterr().out) == {"schema": ENVELOPES[name].schema, "data": []}


def test_quiet_silences_messages_but_not_data(capsys):
    with click.Context(root) as context:
        context.meta["quiet"] = True
        print_records(ENVELOPES["claims"], rows_of("claims"), "nothing")
        print_records(ENVELOPES["claims"], (), "nothing")
    out, err = capsys.readouterr()
    assert out.count("\n") == len(rows_of("claims"))
    assert err == ""


def test_views_of_an_empty_repository_are_empty():
    assert view_ps(EMPTY, {}) == view_claims(EMPTY, {}) == view_checkpoints(()) == view_operations(()) == ()


def test_status_of_an_empty_repository_says_that_nobody_serves_it_and_that_nothing_was_saved():
    row = status_row(EMPTY, server=None, checkpoints=())
    lines = "\n".join(board_lines(row, SCREEN, NOW_MS))
    assert "no daemon: start with `orchd run`" in lines
    assert "main: no checkpoint yet" in lines
    assert "no tasks" in lines
    assert "NEEDS YOU" not in lines


def test_status_begins_with_what_needs_a_person():
    lines = board_lines(status_row(), SCREEN, NOW_MS)
    assert lines[0] == "NEEDS YOU"
    needs = [line for line in lines[2:6] if "stray" not in line]
    assert "orchd answer question" in needs[0] and "40s" in needs[0]
    assert "git status" in needs[1] and "notes.txt" in needs[1]
    assert "orchd check" in needs[2] and "bad.yaml" in needs[2]


def test_status_admits_that_agents_are_not_sandboxed():
    assert "agents run UNSANDBOXED, with your rights" in board_lines(status_row(), SCREEN, NOW_MS)
    assert not any("UNSANDBOXED" in line for line in board_lines(status_row(sandbox="bubblewrap"), SCREEN, NOW_MS))


def test_status_calls_a_save_without_gates_unverified():
    ungated = type(CHECKPOINT)(CHECKPOINT.name, COMMIT, CHECKPOINT.created_ms, "default", ("t",), "unverified")
    assert any("unverified: no gates" in line for line in board_lines(status_row(checkpoints=(ungated,)), SCREEN, NOW_MS))
    assert not any("unverified" in line for line in board_lines(status_row(), SCREEN, NOW_MS))


def test_status_lists_each_live_task_once_with_its_cause_and_nothing_that_is_done():
    tasks = {row["task"]: row for row in status_row()["tasks"]}
    assert set(tasks) == {"t", "busy", "queued", "broken", "question", "stray"}
    assert tasks["queued"]["what"] == "its claim `src/**` meets `src/**` of busy (running)"
    assert tasks["busy"]["elapsed_seconds"] == 12.5
    assert "ended with 3" in tasks["broken"]["what"]


@pytest.mark.parametrize("status", Status)
def test_a_task_of_any_status_is_either_live_or_counted_as_done(status):
    row = status_row(make_state(make_task("x", status)))
    assert row["counts"] == {str(status): 1}
    assert [task["task"] for task in row["tasks"]] == (["x"] if status in LIVE else [])


def test_archived_tasks_are_counted_though_they_are_not_read():
    row = status_row(make_state(make_task("x", Status.LANDED)), archived={Status.LANDED: 41, Status.UNCHANGED: 2})
    assert row["counts"] == {"landed": 42, "unchanged": 2}


def test_the_last_checkpoint_is_the_newest_whatever_their_order():
    older = type(CHECKPOINT)("checkpoint/2026-01-31-006", COMMIT, CHECKPOINT.created_ms - 1, "default", (), "tests")
    for checkpoints in ((older, CHECKPOINT), (CHECKPOINT, older)):
        assert status_row(checkpoints=checkpoints)["checkpoint"]["name"] == CHECKPOINT.name
        assert [row["name"] for row in view_checkpoints(checkpoints)] == [CHECKPOINT.name, older.name]


def test_a_run_reports_what_ended_in_it_and_what_waits():
    old = make_task("old", Status.LANDED, ended_ms=NOW_MS - 900_000)
    new, held = make_task("new", Status.LANDED), make_task("held", Status.HELD, Reason.CONFLICT, ended_ms=1)
    row = view_run(Served(make_state(old, new, held), make_state(old, held)), "", 0)
    assert {task["task"] for task in row["tasks"]} == {"new", "held"}


def test_a_running_task_without_a_process_is_not_shown_as_if_it_had_one():
    state = make_state(make_task("ghost", Status.RUNNING))
    assert "process is not seen" in status_row(state)["tasks"][0]["what"]
    assert view_ps(state, {})[0]["pid"] is None


def test_status_in_a_pipe_has_every_part_of_the_json():
    row = status_row()
    lines = board_cells(row)
    parts = {line.split("\t")[0] for line in lines}
    assert parts == {field.name for field in ENVELOPES["status"].fields}
    assert sum(line.startswith("tasks\t") for line in lines) == len(row["tasks"])


def test_ps_tells_how_long_a_run_may_go_on_and_names_the_tasks_of_a_gate_run():
    task, gates, save = rows_of("ps")
    assert (task["task"], task["pid"], task["left_seconds"]) == ("busy", 77, 3600.0 - 12.5)
    assert (gates["kind"], gates["task"], gates["left_seconds"]) == ("gates", "t", 59.0)
    assert (save["kind"], save["task"], save["step"].split(",")[1]) == ("save", "t", " held: checkout-dirty")


def test_show_sets_what_was_claimed_beside_what_is_proven():
    red = make_task("t", Status.FAILED, Reason.GATE)
    row = view_show(red, make_state(red), None)
    assert row["claimed"] == "its command reported success"
    assert row["proven"] == "nothing landed"
    landed = make_task("t", Status.LANDED)
    proven = view_show(landed, make_state(landed), None, Scene(checkpoint=CHECKPOINT))["proven"]
    assert CHECKPOINT.name in proven and "tests" in proven


def test_facts_leave_out_what_says_nothing_but_the_pipe_does_not():
    row = rows_of("show")[2]
    fields = ENVELOPES["show"].fields
    assert list(dict.fromkeys(line.split("\t")[0] for line in record_lines(fields, row))) == [one.name for one in fields]
    assert not any(line.startswith("checkpoint") for line in fact_lines(fields, row))


def test_a_cell_that_says_nothing_is_empty_for_programs_and_a_dash_for_people():
    row = {field.name: None for field in ENVELOPES["claims"].fields} | {"task": "", "glob": ()}
    assert set(to_cells(ENVELOPES["claims"].fields, row)) == {""}
    assert set(to_shown(ENVELOPES["claims"].fields, row)) == {"-"}


def test_hostile_titles_stay_inside_their_cell():
    task = make_task("t")
    evil = type(task.spec)("t", "a\tb\n\x1b[2Jc", "run\x1b", claims=task.spec.claims)
    task = type(task)(evil, Status.WAITING, "d", task.source, 1, NOW_MS)
    row = view_show(task, make_state(task), None)
    fields = ENVELOPES["show"].fields
    for line in (*record_lines(fields, row), *fact_lines(fields, row)):
        assert line.replace("\t", "").isprintable()
    assert {line.split("\t")[0] for line in record_lines(fields, row)} == {one.name for one in fields}


def test_each_sentence_of_a_list_has_a_line_of_its_own_in_a_pipe():
    row = {"task": "t", "status": "waiting", "what": "it waits", "why": (), "next": ("do this, or that", "or wait")}
    told = record_lines(ENVELOPES["explain"].fields, row)
    assert told[-3:] == ["why\t", "next\tdo this, or that", "next\tor wait"]


def test_json_keeps_a_hostile_title_exactly(capsys):
    row = {"run": "t.1.1", "lines": ("\x1b[31m", "任务\udc80")}
    with click.Context(root) as context:
        context.meta["json"] = True
        print_record(ENVELOPES["logs"], row, ())
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert json.loads(out)["data"]["lines"] == ["\x1b[31m", "任务\udc80"]


def test_colours_change_nothing_but_the_colour():
    colored = Flags(json=False, repo=Path(), quiet=False, color=True, terminal=True, columns=200)
    fields = next(one.fields for one in ENVELOPES["status"].fields if one.name == "tasks")
    rows = status_row()["tasks"]
    with_color = "\n".join(table_lines(fields, rows, colored))
    assert "\x1b[31m" in with_color
    assert click.unstyle(with_color) == "\n".join(table_lines(fields, rows, SCREEN))


@pytest.mark.parametrize(("task", "found"), [("bad", 1), ("ba", 0), ("other", 0)])
def test_problems_are_found_by_the_id_that_the_file_would_have(task, found):
    assert len(find_problems(task, (PROBLEM,))) == found


def test_a_conflict_is_told_with_both_goals_and_hostile_text_made_inert():
    row = view_question(make_task("t", Status.HELD, Reason.CONFLICT), (), DISAGREEMENT)
    lines = list(disagreement_lines(row, "do\x1b it"))
    assert all(line.isprintable() for line in lines)
    assert lines[0].startswith("ours:   what has landed") and "theirs: what the task made: do\\x1b it" in lines
    assert "a\\x1b.py: both added it" in lines and "  ours  | x" in lines


def test_ps_names_the_task_that_gates_judge_by_itself():
    state = make_state(make_task("alone", Status.READY))
    gates = (Gate("quick", "true", 60.0),)
    screening = Save("fedcba", "default", "o", (SaveItem("alone", 1, 1, "tip"),), gates, 0, NOW_MS)
    state = replace(state, screenings={"alone": screening})
    [row] = view_ps(state, {"@fedcba.1.1": next(iter(RUNNING.values()))}, NOW_MS)
    assert (row["kind"], row["task"], row["run"]) == ("gates", "alone", "@fedcba.1.1")
