"""The mistakes people make in task files and the configuration, each at its place and with a hint that helps."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchd.adapters.mistakes import FILE_CODES, LATER_KEYS
from orchd.adapters.schema import parse_config
from orchd.adapters.task_schema import ParsedTask, parse_task
from orchd.core.globs import complete_glob, glob_fault
from orchd.core.graph import GRAPH_CODES
from orchd.core.rendering import render_problem
from orchd.model.config import Config
from orchd.model.problem import Problem

B = "title: x\nrun: y\n"
G = "title: x\ngoal: y\n"

TASK_MISTAKES = [
    # text, code, line, column, marked, a word of the hint
    ("title: x\n", "E030", 1, 1, "t", "run"),
    ("run: y\n", "E030", 1, 1, "r", "title"),
    (B + "need: [a]\n", "E031", 3, 1, "need", "needs"),
    (B + "timout: 5m\n", "E031", 3, 1, "timout", "timeout"),
    (B + "prompt: do it\n", "E032", 3, 1, "prompt", "goal:"),
    ("title: x\ngaol: do it\n", "E031", 2, 1, "gaol", "goal"),
    (B + "goal: do it\n", "E080", 3, 7, "do it", "two tasks"),
    (B + "model: big\n", "E081", 3, 8, "big", "goal:"),
    (B + "acceptance: [it works]\n", "E081", 3, 13, "[", "goal:"),
    (B + "agent: [a, b]\n", "E082", 3, 12, "b", "keep one"),
    (G + "model: --yolo\n", "E090", 3, 8, "-", "flag"),
    (B + "parts: [{name: a, goal: x}, {name: b, goal: y}]\n", "E081", 3, 8, "[", "goal:"),
    ("title: x\nsteps: [{name: a}]\n", "E030", 2, 9, "{", "goal:"),
    ("title: x\nsteps: [{name: a, run: x, goal: y}]\n", "E080", 2, 33, "y", "two tasks"),
    (G + "agent: shell\n", "E082", 3, 8, "shell", "run:"),
    (G + "agent: [auto, claude]\n", "E082", 3, 9, "auto", "end"),
    (G + "agent: [claude, claude]\n", "E043", 3, 17, "claude", "remove"),
    (G + "agent: []\n", "E036", 3, 8, "[", "remove"),
    (G + "agent: Claude Code\n", "E039", 3, 8, "Claude Code", "claude-code"),
    (G + "effort: hihg\n", "E042", 3, 9, "hihg", "high"),
    (G + "evidence: ['docs/*.md']\n", "E083", 3, 12, "'docs/*.md'", "docs/retry.md"),
    (G + "evidence: [../x]\n", "E083", 3, 12, "../x", "root"),
    ("title: x\ngoal: ' '\n", "E036", 2, 7, "' '", "text"),
    ("title: 08\nrun: y\n", "E033", 1, 8, "08", '"08"'),
    ("title: true\nrun: y\n", "E033", 1, 8, "true", '"true"'),
    ("title: 2026-01-31\nrun: y\n", "E033", 1, 8, "2026-01-31", '"2026-01-31"'),
    ("title: .inf\nrun: y\n", "E033", 1, 8, ".inf", '".inf"'),
    ("title: 1.5\nrun: y\n", "E033", 1, 8, "1.5", '"1.5"'),
    ("title: x\nrun:\n", "E033", 2, 1, "run", "write"),
    ("title: x\nrun: null\n", "E033", 2, 6, "null", "write"),
    ("title: x\nrun: [make, it]\n", "E033", 2, 6, "[", "|"),
    (B + "needs: a\n", "E034", 3, 8, "a", "[a]"),
    (B + "needs: [a, 7]\n", "E033", 3, 12, "7", '"7"'),
    (B + "needs: [Lint_All]\n", "E039", 3, 9, "Lint_All", "lint-all"),
    (B + "needs: [a, b, a]\n", "E043", 3, 15, "a", "remove"),
    (B + "needs:\n  - me\n", "E044", 4, 5, "me", "remove"),
    (B + "needs: [a]\nafter: [b, a]\n", "E045", 4, 12, "a", "after"),
    (B + "claims: [/etc/**]\n", "E040", 3, 10, "/etc/**", "root"),
    (B + "claims: [a**]\n", "E040", 3, 10, "a**", "src/http/**"),
    (B + "claims: ['../x']\n", "E040", 3, 10, "'../x'", "root"),
    (B + "claims:\n  - {path: x, mode: wirte}\n", "E042", 4, 21, "wirte", "write"),
    (B + "priority: high\n", "E033", 3, 11, "high", "number"),
    (B + "priority: '5'\n", "E033", 3, 11, "'5'", "quotes"),
    (B + "priority: 5000\n", "E038", 3, 11, "5000", "100"),
    (B + "timeout: 5 minutes\n", "E041", 3, 10, "5 minutes", "15m"),
    (B + "timeout: 0\n", "E041", 3, 10, "0", "seconds"),
    (B + "noop: true\n", "E042", 3, 7, "true", "allowed"),
    ("title: ''\nrun: y\n", "E036", 1, 8, "''", "text"),
    ("title: |\n  a\n  b\nrun: y\n", "E046", 1, 8, "|", "first line"),
    ("title: fix: it\nrun: y\n", "E010", 1, 11, ":", "quoted"),
    ("title: x\nrun: 'y\n", "E010", 2, 6, "'", "quote"),
    (B + "needs: [a\n", "E010", 3, 8, "[", "bracket"),
    ("title: x\n  run: y\n", "E010", 2, 6, ":", "indented"),
    ("title: @x\nrun: y\n", "E010", 1, 8, "@", "quote"),
    ("title: x\nrun: |\n\tmake\n", "E011", 3, 1, "\t", "spaces"),
    ("title: x\n\ty\nrun: z\n", "E011", 2, 1, "\t", "spaces"),
    (B + "needs: [a,\n\tb]\n", "E011", 4, 1, "\t", "spaces"),
    (B + "---\n" + B, "E012", 3, 1, "---", "one file"),
    ("title: &a x\nrun: *a\n", "E013", 1, 8, "&a x", "quote"),
    ("title: *a\nrun: y\n", "E013", 1, 8, "*a", "quote"),
    ("title: !x y\nrun: y\n", "E014", 1, 8, "!x y", "quote"),
    ("%YAML 1.1\n---\n" + B, "E015", 1, 1, "%YAML 1.1", "%"),
    (B + "<<: {noop: allowed}\n", "E016", 3, 1, "<<", "values"),
    (B + "labels: " + "[" * 12 + "]" * 12 + "\n", "E017", 3, 20, "[", "key"),
    (B + "title: z\n", "E019", 3, 1, "title", "line 1"),
    (B + "1: z\n", "E020", 3, 1, "1", "quote"),
    ("- title: x\n", "E021", 1, 1, "-", "title"),
    ("make it\n", "E021", 1, 1, "make it", "title"),
    ("", "E006", 1, 1, "", "title"),
    ("# later\n", "E006", 1, 1, "#", "title"),
    ("title: a\u202eb\nrun: y\n", "E004", 1, 9, "\u202e", "invisible"),
    ('title: "a\\u202eb"\nrun: y\n', "E004", 1, 8, '"a\\u202eb"', "invisible"),
    ("title: a\x1b[2Jb\nrun: y\n", "E004", 1, 9, "\x1b", "invisible"),
    ('title: "\\q"\nrun: y\n', "E010", 1, 10, "q", "single quotes"),
    ("title:a\nrun: x\n", "E010", 1, 6, ":", "space after"),
    ("title:a\n\nrun: x\n", "E010", 1, 6, ":", "space after"),
    ("title: a\nrun:x\n", "E010", 2, 4, ":", "space after"),
    ("title:a\nrun:x\n", "E021", 1, 1, "title:a", "space after"),
    (B + "claims:\n  - path:x\n    mode: read\n", "E010", 4, 9, ":", "space after"),
    ("title: x\nrun: |\n  a:b\n c: d: e\n", "E010", 4, 2, "c", "column"),
    ("title: x\nrun: |\n  a:b\nmake\n", "E010", 4, 1, "m", "indented"),
    ("title: x\nrun: |\nmake\n", "E010", 3, 1, "m", "indented"),
    ("title: x\nrun y\n", "E010", 2, 1, "r", "missing after the key"),
    ("title: x\nrun y\ntimeout: 5m\n", "E010", 2, 1, "r", "missing after the key"),
    (B + "needs: [m01.yaml]\n", "E039", 3, 9, "m01.yaml", "like `m01`"),
    (B + "needs: [.orch/tasks/m01.yml]\n", "E039", 3, 9, ".orch/tasks/m01.yml", "like `m01`"),
    (B + "timeout:\n", "E041", 3, 1, "timeout", "15m"),
    (B + "timeout: null\n", "E041", 3, 10, "null", "15m"),
    (B + "claims: [src/, .orch/**]\n", "E040", 3, 16, ".orch/**", "other paths"),
    (B + "claims: ['**/.ENV.local']\n", "E040", 3, 10, "'**/.ENV.local'", "other paths"),
    (B + "claims: [{path: .github/x, mode: append}]\n", "E040", 3, 10, "{", "mode: read"),
    (B + "claims: [a/, b, a/**]\n", "E043", 3, 17, "a/**", "remove"),
    (B + "group: Slow One\n", "E039", 3, 8, "Slow One", "like `slow-one`"),
    (B + "group: ''\n", "E039", 3, 8, "''", "a-z"),
    (B + "agent: 3\n", "E033", 3, 8, "3", '"3"'),
    ("title: x\nrun: make\n  test\n", "E051", 2, 6, "make", "run: |"),
    (B + "claims: [{paht: a}]\n", "E031", 3, 11, "paht", "`path`"),
    (B + "claims:\n  - resource: Staging DB\n", "E039", 4, 15, "Staging DB", "staging-db"),
    (B + "claims:\n  - resource: db\n    mode: read\n", "E031", 5, 5, "mode", "resource"),
    (B + "claims: [a, {resource: db}, {resource: db}]\n", "E043", 3, 29, "{", "remove"),
    (B + "claims: [{path: a, resource: db}]\n", "E052", 3, 10, "{", "one entry for each"),
    (B + "claims: [{port: 8080}]\n", "E042", 3, 17, "8080", "ORCHD_PORT"),
    (B + "claims: [{prot: any}]\n", "E031", 3, 11, "prot", "`port`"),
    (B + "claims:\n" + "  - port: any\n" * 17, "E038", 20, 5, "p", "fewer"),
    (B + "claims: [{migration: 7}]\n", "E042", 3, 22, "7", "`migration: next`"),
    (B + "claims: [{migration: next}, {migration: next}]\n", "E043", 3, 29, "{", "remove"),
]

CONFIG_MISTAKES = [
    ("paralel: 3\n", "E031", 1, 1, "paralel", "parallel"),
    ("parallel: 0\n", "E038", 1, 11, "0", "at least 1"),
    ("parallel: 65\n", "E038", 1, 11, "65", "at most 64"),
    ("groups: 3\n", "E033", 1, 9, "3", "name"),
    ("groups: [migrations]\n", "E033", 1, 9, "[", "name"),
    ("groups: {migrations: 0}\n", "E038", 1, 22, "0", "at least 1"),
    ("groups: {migrations: many}\n", "E033", 1, 22, "many", "number"),
    ("groups: {Slow One: 1}\n", "E039", 1, 10, "Slow One", "like `slow-one`"),
    ("agents: {claude: 2}\n", "E033", 1, 18, "2", "keys"),
    ("agents:\n  claude: {paralel: 2}\n", "E031", 2, 12, "paralel", "parallel"),
    ("agents:\n  claude:\n    parallel: 65\n", "E038", 3, 15, "65", "at most 64"),
    ("agents:\n  claude:\n    provider: The Maker\n", "E039", 3, 15, "The Maker", "like `the-maker`"),
    ("agents:\n  Claude: {parallel: 2}\n", "E039", 2, 3, "Claude", "like `claude`"),
    ("providers: {anthropic: '3'}\n", "E033", 1, 24, "'3'", "quotes"),
    ("limits: {free_disk: lots}\n", "E041", 1, 21, "lots", "5MiB"),
    ("limits: {free_memory: -1}\n", "E041", 1, 23, "-1", "5MiB"),
    ("limits: {workspaces: 0}\n", "E038", 1, 22, "0", "at least 1"),
    ("limits: {workspace_bytes: null}\n", "E041", 1, 27, "null", "5MiB"),
    ("branch: a b\n", "E047", 1, 9, "a b", "main"),
    ("env: [A=b]\n", "E047", 1, 7, "A=b", "CI"),
    ("limits: {file_size: 5MB}\n", "E041", 1, 21, "5MB", "5MiB"),
    ("limits: {change_files: 5}\n", "E031", 1, 10, "change_files", "changed_files"),
    ("gates:\n- name: t\n  run: x\n- name: t\n  run: y\n", "E048", 4, 3, "n", "name"),
    ("environments:\n- name: t\n- name: t\n", "E057", 3, 3, "n", "name"),
    ("gates:\n- run: x\n", "E030", 2, 3, "r", "name"),
    ("ports: 20000\n", "E056", 1, 8, "20000", "20000-20999"),
    ("ports: 20000-80\n", "E056", 1, 8, "20000-80", "20000-20999"),
    ("ports: 80-90\n", "E056", 1, 8, "80-90", "1024"),
    ("gates: [make]\n", "E033", 1, 9, "make", "keys"),
    ("gates:\n- name: t\n  run: make\n    test\n", "E051", 3, 8, "make", "run: |"),
]


def ids(rows: list[tuple[str, str, int, int, str, str]]) -> list[str]:
    return [f"{row[1]}-{row[0][-24:]!r}" for row in rows]


@pytest.mark.parametrize(("text", "code", "line", "column", "marked", "hint"), TASK_MISTAKES, ids=ids(TASK_MISTAKES))
def test_each_mistake_in_a_task_is_shown_at_its_place_with_a_hint(
    text: str, code: str, line: int, column: int, marked: str, hint: str
) -> None:
    check_problem(parse_task("t.yaml", "me", text.encode()), code, line, column, marked, hint)


@pytest.mark.parametrize(("text", "code", "line", "column", "marked", "hint"), CONFIG_MISTAKES, ids=ids(CONFIG_MISTAKES))
def test_each_mistake_in_the_configuration_is_shown_at_its_place_with_a_hint(
    text: str, code: str, line: int, column: int, marked: str, hint: str
) -> None:
    check_problem(parse_config("c.yaml", text.encode()), code, line, column, marked, hint)


def check_problem(found: object, code: str, line: int, column: int, marked: str, hint: str) -> None:
    assert isinstance(found, tuple), found
    assert len(found) == 1, found
    problem = found[0]
    assert isinstance(problem, Problem)
    assert (problem.code, problem.line, problem.column) == (code, line, column)
    mark = problem.excerpt[column - 1 : column - 1 + problem.width]
    assert mark == marked if len(marked) > 1 else mark.startswith(marked)
    assert hint in problem.hint


def test_all_mistakes_of_a_file_are_reported_in_their_order() -> None:
    found = parse_task("t.yaml", "me", b"who: x\nrun: 5\nnoop: maybe\n")
    assert isinstance(found, tuple)
    assert [(problem.line, problem.code) for problem in found] == [(1, "E030"), (1, "E031"), (2, "E033"), (3, "E042")]


def test_a_key_that_is_only_misspelt_is_one_mistake() -> None:
    found = parse_task("t.yaml", "me", b"titel: x\nrun: make\n")
    assert isinstance(found, tuple)
    assert [(problem.code, problem.hint) for problem in found] == [("E031", "did you mean `title`?")]
    two = parse_config("c.yaml", b"gates:\n- {nam: x, run: y}\n- {run: z}\n")
    assert isinstance(two, tuple)
    assert [(problem.line, problem.code) for problem in two] == [(2, "E031"), (3, "E030")]


@pytest.mark.parametrize(
    "text", ["title: x\nrun", "title: x\nrun: |\nmake\n\n\n", "title: [x\n\n", "a: 'b", "title: x\n? y\n  z: w\n"]
)
def test_a_mistake_in_the_syntax_is_never_behind_the_end_of_the_text(text: str) -> None:
    found = parse_task("t.yaml", "me", text.encode())
    assert isinstance(found, tuple)
    assert all(problem.excerpt.strip() for problem in found)


@pytest.mark.parametrize(
    "more", ["claims: [{path: .orch/**, mode: read}]", "claims: [a, {path: a, mode: read}]", "claims: ['.github*']"]
)
def test_claims_that_can_succeed_are_let_in(more: str) -> None:
    assert isinstance(parse_task("t.yaml", "me", f"{B}{more}\n".encode()), ParsedTask)


@pytest.mark.parametrize("run", ["|\n  make\n  test", ">\n  make\n  test", "'make\n  test'", "make test # twice"])
def test_a_command_of_several_lines_is_taken_when_it_says_what_they_mean(run: str) -> None:
    assert isinstance(parse_task("t.yaml", "me", f"title: x\nrun: {run}\n".encode()), ParsedTask)


def test_the_mark_stands_under_wide_characters() -> None:
    found = parse_task("t.yaml", "me", "title: x\nrun: y\nlabels: [日本, é, 語]\n".encode())
    assert isinstance(found, tuple)
    assert [render_problem(problem).split("\n")[4] for problem in found] == [
        "  |          ^^^^",
        "  |                ^",
        "  |                   ^^",
    ]


def test_a_file_full_of_mistakes_does_not_flood_the_state() -> None:
    found = parse_task("t.yaml", "me", (B + "".join(f"k{n}: 1\n" for n in range(1000))).encode())
    assert isinstance(found, tuple)
    assert len(found) == 50


@pytest.mark.parametrize("key", sorted(LATER_KEYS))
def test_a_key_of_a_later_version_says_so(key: str) -> None:
    found = parse_task("t.yaml", "me", (B + f"{key}: x\n").encode())
    assert isinstance(found, tuple)
    assert (found[0].code, found[0].line, found[0].column) == ("E032", 3, 1)
    assert f"`{key}`" in found[0].message


def test_what_is_not_utf8_is_shown_where_it_is() -> None:
    found = parse_task("t.yaml", "me", b"title: x\nrun: caf\xe9\n")
    assert isinstance(found, tuple)
    assert (found[0].code, found[0].line, found[0].column) == ("E003", 2, 9)


@pytest.mark.parametrize("name", ["Big", "a_b", "-a", "a" * 49, "a b", ""])
def test_a_file_name_that_is_no_id_is_refused(name: str) -> None:
    found = parse_task(f"{name}.yaml", name, B.encode())
    assert isinstance(found, tuple)
    assert found[0].code == "E005"


def test_a_byte_order_mark_and_windows_line_ends_are_accepted() -> None:
    found = parse_task("t.yaml", "me", b"\xef\xbb\xbftitle: x\r\nrun: y\r\n")
    assert isinstance(found, ParsedTask)
    assert (found.spec.title, found.spec.run) == ("x", "y")


def test_a_tab_inside_a_block_text_is_content() -> None:
    found = parse_task("t.yaml", "me", b"title: x\nrun: |\n  cat <<-E\n  \tx\n  E\n")
    assert isinstance(found, ParsedTask)
    assert found.spec.run == "cat <<-E\n\tx\nE\n"


def test_an_empty_configuration_is_all_defaults() -> None:
    assert parse_config("c.yaml", b"# nothing yet\n") == Config()


def test_the_digest_is_of_the_meaning_not_of_the_text() -> None:
    def digest(text: str) -> str:
        found = parse_task("t.yaml", "me", text.encode())
        assert isinstance(found, ParsedTask)
        return found.digest

    assert digest(B) == digest("# why\nrun: 'y'\ntitle:   x\nclaims: ['**']\n")
    different = [B, B + "timeout: 3600\n", B + "timeout: 1h\n", B + "noop: allowed\n", "title: x\nrun: z\n"]
    assert digest(B + "timeout: 3600\n") == digest(B + "timeout: 1h\n")
    assert len({digest(text) for text in different}) == 4


@pytest.mark.parametrize(
    "glob",
    [
        "",
        "/a",
        "a//b",
        "./a",
        "a/..",
        "..",
        "a\\b",
        "a[0]",
        "a{b}",
        "!a",
        "a/***",
        "a**",
        "**a",
        "a/**b/c",
        "a\tb",
        "a ",
        "a/ b",
        "a\x00",
        ".git/hooks",
        "x/.GIT",
        "a" * 1025,
    ],
)
def test_a_glob_outside_of_the_grammar_has_a_fault(glob: str) -> None:
    assert glob_fault(glob)


@pytest.mark.parametrize(
    "glob", ["**", "a", "src/**/x.py", "*.md", "a/*b*/?", "**/a", "src/", ".orch/x", "a b/c", "é", "a..b", ".gitignore"]
)
def test_a_glob_of_the_grammar_has_none(glob: str) -> None:
    assert glob_fault(glob) is None


def test_a_trailing_slash_means_everything_below() -> None:
    assert complete_glob("src/") == "src/**"
    assert glob_fault(complete_glob("src/")) is None


def test_every_code_in_the_source_stands_in_the_table_and_the_other_way_round() -> None:
    adapters = Path(__file__).parents[2] / "src" / "orchd" / "adapters"
    table = adapters / "mistakes.py"
    others = [path.read_text() for path in adapters.glob("*.py") if path != table]
    used = {code for text in [*others, table.read_text().partition("_ROWS")[2]] for code in re.findall(r'"(E\d{3})"', text)}
    assert used | {"E032"} == set(FILE_CODES)
    assert not FILE_CODES.keys() & GRAPH_CODES.keys()


def test_a_problem_is_printed_with_its_line_and_a_mark_under_the_place() -> None:
    problem = Problem("a.yaml", 12, 8, "E033", "wrong", "write it", "title: 08", 2)
    assert render_problem(problem).split("\n") == [
        "orchd: error[E033]: wrong",
        " --> a.yaml:12:8",
        "   |",
        "12 | title: 08",
        "   |        ^^",
        "help: write it",
    ]


def test_a_hostile_line_cannot_act_on_the_terminal_and_the_mark_stays_in_place() -> None:
    text = render_problem(Problem("a\x1b[2J.yaml", 1, 6, "E004", "bad \x1b]0;x\x07", "h", "a: \x1b\tX", 1))
    assert all(line.isprintable() for line in text.split("\n"))
    shown, mark = text.split("\n")[3:5]
    assert shown[mark.index("^")] == "X"


def test_a_mark_beyond_a_cut_line_is_left_out() -> None:
    assert "^" not in render_problem(Problem("a", 1, 900, "E010", "m", "", "x" * 240, 1))
