"""Text from strangers cannot act on a terminal, and tables stay aligned."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchd.core.inert import inert, plain
from orchd.core.tables import align_rows, count_cells, join_tabs, shorten, tell_instant, tell_span


@given(st.text())
def test_inert_text_is_one_printable_line(text):
    assert inert(text).isprintable()


@given(st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_inert_leaves_visible_text_alone(text):
    assert inert(text) == text


@given(st.binary())
def test_a_plain_line_keeps_no_control_character_but_tab_and_line_end(line):
    assert not any((ord(c) < 32 and c not in "\t\n") or 127 <= ord(c) < 160 for c in plain(line))


@pytest.mark.parametrize(
    ("line", "left"),
    [
        (b"\x1b[31mred\x1b[0m\n", "red\n"),
        (b"\x1b]0;title\x07ok\n", "ok\n"),
        (b"\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\\n", "link\n"),
        (b"\x1bP1;2q payload \x1b\\after\n", "after\n"),
        (b"a\x9b2Jb".decode("latin-1").encode(), "ab"),
        (b"10%\r20%\r\n", "10%\n20%\n"),
        (b"ok\r\n", "ok\n"),
        ("a\u202eb\u200bc".encode(), "abc"),
        (b"caf\xc3\xa9 \xff", "café �"),
        (b"\x1b", ""),
        (b"\x1b[", ""),
    ],
)
def test_control_sequences_are_removed_and_their_neighbours_stay(line, left):
    assert plain(line) == left


@pytest.mark.parametrize(("text", "cells"), [("abc", 3), ("任务", 4), ("e\u0301", 1), ("ａ", 2), ("", 0)])
def test_cells_are_counted_as_terminals_do(text, cells):
    assert count_cells(text) == cells


@given(st.text(), st.integers(1, 40))
def test_shortened_text_fits(text, cells):
    assert count_cells(shorten(text, cells)) <= cells


def test_columns_stand_under_each_other_with_wide_characters():
    rows = align_rows([["ID", "WHAT"], ["任务", "x"], ["ab", "y"]], 80)
    assert len({count_cells(row[0]) for row in rows}) == 1


def test_the_widest_columns_are_cut_first_and_the_others_stay():
    (row,) = align_rows([["a" * 20, "b" * 100, "c" * 50]], 80)
    assert row[0] == "a" * 20
    assert count_cells("  ".join(row)) == 80
    assert row[1].strip().endswith("…") and row[2].endswith("…")


def test_a_column_that_must_stay_whole_is_never_cut_however_wide():
    (row,) = align_rows([["b" * 40, "orchd retry " + "a" * 40]], 80, [1])
    assert row[1] == "orchd retry " + "a" * 40
    assert count_cells("  ".join(row)) == 80


def test_a_cell_cannot_break_out_of_its_line():
    assert join_tabs(["a\tb", "c\nd"]) == "a\\tb\tc\\nd"
    assert align_rows([["a\nb", "c"]], 80) == [["a\\nb", "c"]]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0s"), (0, "0s"), (45.9, "45s"), (185, "3m 5s"), (7200, "2h 0m"), (4 * 86400 + 3700, "4d 1h")],
)
def test_spans_have_two_units(seconds, text):
    assert tell_span(seconds) == text


def test_instants_are_utc_with_milliseconds():
    assert tell_instant(1_769_853_600_007) == "2026-01-31T10:00:00.007Z"


def test_without_inert_cells_a_title_would_become_columns_and_lines(monkeypatch):
    monkeypatch.setattr("orchd.core.tables.inert", lambda text: text)
    assert join_tabs(["a\tb", "c\nd"]).count("\t") == 2
    assert "\n" in align_rows([["a\nb", "c"]], 80)[0][0]


def test_without_measuring_cells_wide_names_would_shift_the_columns(monkeypatch):
    monkeypatch.setattr("orchd.core.tables.count_cells", len)
    rows = align_rows([["ID", "WHAT"], ["任务", "x"], ["ab", "y"]], 80)
    assert len({count_cells(row[0]) for row in rows}) == 2
