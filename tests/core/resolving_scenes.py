"""Scenes about conflicts that are settled without asking, and about those that never are."""

from __future__ import annotations

from dataclasses import replace

from playbook import planned, scene, state_of, task
from rules import GATES
from world import demand

from orchd.core.resolving import RECIPES, Resolution, Spot, Texts, choose_recipes, find_faults, may_resolve, resolve
from orchd.core.threeway import compare, split_lines
from orchd.model.config import Config
from orchd.model.merge import CONTENTS, Dispute, Recipe, Resolving, Version
from orchd.model.work import Status

RESOLVING = Resolving((Recipe.WHITESPACE, Recipe.ADJACENT, Recipe.IMPORTS))


def texts(base: str, ours: str, theirs: str, path: str = "f.txt") -> Texts:
    return Texts(path, base, ours, theirs)


def swapped(one: Texts) -> Texts:
    return replace(one, ours=one.theirs, theirs=one.ours)


def settled(recipe: Recipe, base: str, ours: str, theirs: str, path: str = "f.txt") -> str:
    made = resolve(texts(base, ours, theirs, path), [recipe])
    if made is None:
        return "?"
    assert made.recipes == (recipe,)
    return made.text


CASES = {
    "only white space on one side": (Recipe.WHITESPACE, "a = 1\n", "a  =  1\n", "a = 2\n", "f.c", "a = 2\n"),
    "another beginning of the line where it means nothing": (Recipe.WHITESPACE, "a;\n", "  a;\n", "b;\n", "f.c", "b;\n"),
    "another beginning of the line in Python": (Recipe.WHITESPACE, "a()\n", "    a()\n", "b()\n", "f.py", "?"),
    "another beginning of the line in a makefile": (Recipe.WHITESPACE, "a\n", "\ta\n", "b\n", "Makefile", "?"),
    "both the same but for white space": (Recipe.WHITESPACE, "a\n", "b  c\n", "b c\n", "f.c", "b c\n"),
    "lines that touch": (Recipe.ADJACENT, "a\nb\n", "A\nb\n", "a\nB\n", "f.c", "A\nB\n"),
    "an insertion before what the other changed": (Recipe.ADJACENT, "a\nb\n", "a\nX\nb\n", "a\nB\n", "f.c", "a\nX\nB\n"),
    "the same line": (Recipe.ADJACENT, "a\n", "A\n", "B\n", "f.c", "?"),
    "two additions at one place": (Recipe.ADJACENT, "a\n", "a\nX\n", "a\nY\n", "f.c", "?"),
    "imports of both": (
        Recipe.IMPORTS,
        "import b\nx\n",
        "import a\nimport b\nimport c\nx\n",
        "import b\nimport d\nx\n",
        "f.py",
        "import a\nimport b\nimport c\nimport d\nx\n",
    ),
    "names of one module": (
        Recipe.IMPORTS,
        "from m import b\n",
        "from m import a, b\n",
        "from m import b, c\n",
        "f.py",
        "from m import a, b, c\n",
    ),
    "a name that one side removed": (
        Recipe.IMPORTS,
        "from m import a, b\n",
        "from m import b\n",
        "from m import a, b, c\n",
        "f.py",
        "from m import b, c\n",
    ),
    "names in a list of imports": (
        Recipe.IMPORTS,
        "from m import (\n    b,\n)\n",
        "from m import (\n    a,\n    b,\n)\n",
        "from m import (\n    aa,\n    b,\n)\n",
        "f.py",
        "from m import (\n    a,\n    aa,\n    b,\n)\n",
    ),
    "names in a list of something else": (
        Recipe.IMPORTS,
        "call(\n    b,\n)\n",
        "call(\n    a,\n    b,\n)\n",
        "call(\n    aa,\n    b,\n)\n",
        "f.py",
        "?",
    ),
    "imports without an order": (
        Recipe.IMPORTS,
        "import b\nx\n",
        "import b\nimport a\nx\n",
        "import b\nimport c\nimport aa\nx\n",
        "f.py",
        "?",
    ),
    "imports that are no Python": (Recipe.IMPORTS, "", "import a\n", "import b\n", "f.go", "?"),
    "one side did more": (Recipe.SUPERSET, "x\n", "x\na\n", "x\na\nb\n", "f.c", "x\na\nb\n"),
    "one side did more and kept what the other removed": (Recipe.SUPERSET, "x\ny\n", "x\na\n", "x\na\ny\n", "f.c", "?"),
    "different words": (Recipe.TOKENS, "f(a, b)\n", "f(x, b)\n", "f(a, y)\n", "f.c", "f(x, y)\n"),
    "words that touch": (Recipe.TOKENS, "a.b\n", "x.b\n", "a,b\n", "f.c", "?"),
    "both additions": (Recipe.UNION, "- a\n", "- a\n- ours\n", "- a\n- theirs\n", "f.md", "- a\n- ours\n- theirs\n"),
    "an addition and a change": (Recipe.UNION, "- a\n", "- a\n- ours\n", "- b\n", "f.md", "?"),
}


WRONGED = texts("a\ngone\n", "a\nX\n", "a\nY\n")
WRONG = (
    ("a\n<<<<<<< ours\nX\nY\n", "marker"),
    ("a\nX\n", "lost `Y`"),
    ("a\nX\nY\nY\n", "more often"),
    ("a\nX\nY\nnew\n", "more often"),
    ("a\ngone\nX\nY\n", "more often"),
)
"""Results of a merge, and what the guards say about them."""

VERSION = Version(0o100644, "1" * 40)
PLAIN = Dispute("src/a.py", VERSION, VERSION, VERSION, (CONTENTS,))

NEVER = {
    "binary": replace(PLAIN, kinds=(CONTENTS, "CONFLICT (binary)")),
    "renamed": replace(PLAIN, kinds=("CONFLICT (rename/rename)",)),
    "removed by one": replace(PLAIN, theirs=None),
    "added by both": replace(PLAIN, base=None),
    "another mode": replace(PLAIN, theirs=Version(0o100755, "1" * 40)),
    "a link": replace(PLAIN, **dict.fromkeys(("base", "ours", "theirs"), Version(0o120000, "1" * 40))),
    "a submodule": replace(PLAIN, **dict.fromkeys(("base", "ours", "theirs"), Version(0o160000, "1" * 40))),
    **{
        path: replace(PLAIN, path=path)
        for path in (
            ".gitattributes",
            "sub/.gitmodules",
            ".orch/config.yaml",
            ".github/workflows/ci.yml",
            ".gitlab-ci.yml",
            "Jenkinsfile",
            "poetry.lock",
            "web/package-lock.json",
            "go.sum",
            "app/migrations/0001_a.py",
            "a\nb.py",
        )
    },
}


@scene
def each_recipe_settles_its_kind_and_nothing_else() -> None:
    for name, (recipe, base, ours, theirs, path, expected) in CASES.items():
        demand(name, settled(recipe, base, ours, theirs, path) == expected, settled(recipe, base, ours, theirs, path))


@scene
def a_recipe_is_right_even_where_no_guard_looks() -> None:
    known = ((Recipe.SUPERSET, "x\ny\n", "x\na\n", "x\na\ny\n"), (Recipe.UNION, "- a\n", "- a\n- ours\n", "- b\n"))
    for recipe, *trio in known:
        ways = compare(*map(split_lines, trio))
        demand("it is in conflict", ways is not None and ways.disputed, trio)
        for chunk in ways.disputed if ways else ():
            demand("nothing comes of it", RECIPES[recipe](Spot(chunk, "f.md", ())) is None, recipe, chunk)


@scene
def a_wrong_result_is_refused() -> None:
    for made, words in WRONG:
        faults = find_faults(WRONGED, Resolution(made, (Recipe.UNION,)))
        demand("the guards see it", any(words in fault for fault in faults), made, faults)
    removed = texts("a\nb\n", "a\n", "a\nb\nY\n")
    demand("what one side removed stays away", find_faults(removed, Resolution("a\nb\nY\n", (Recipe.UNION,))), removed)
    right = Resolution("a\nX\nY\n", (Recipe.UNION,))
    demand("what is right is let through", find_faults(WRONGED, right) == (), find_faults(WRONGED, right))


@scene
def some_files_are_never_settled_without_asking() -> None:
    demand("a plain file may be", may_resolve(PLAIN), PLAIN)
    for name, dispute in NEVER.items():
        demand("never", not may_resolve(dispute), name)
    pointer = "version https://git-lfs.github.com/spec/v1\n"
    lfs = texts(pointer + "a\nb\n", pointer + "A\nb\n", pointer + "a\nB\n")
    demand("pointers are not merged", resolve(lfs, [Recipe.ADJACENT]) is None, lfs)


@scene
def union_is_for_the_paths_that_somebody_named() -> None:
    named = Resolving(RESOLVING.recipes, ("CHANGES.md",))
    demand("named", Recipe.UNION in choose_recipes("CHANGES.md", named))
    demand("not named", choose_recipes("docs/CHANGES.md", named) == RESOLVING.recipes)


@scene
def without_a_gate_only_what_somebody_named_is_settled() -> None:
    chosen = Resolving((Recipe.IMPORTS,), ("CHANGES.md",))
    for gates, expected in ((GATES, chosen), ((), Resolving((), ("CHANGES.md",)))):
        config = Config(gates=gates, resolving=chosen)
        save = planned(state_of(task(Status.READY)), config=config).state.save
        demand("it is pinned by the plan", save is not None and save.resolving == expected, save)
