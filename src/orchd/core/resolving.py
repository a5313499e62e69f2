"""Settling conflicts without asking: recipes for one disputed place, and the guards that a settled file must pass.

Rule: a recipe that is not sure gives nothing, and then the file is a question. The guards know nothing of the recipes: they
count what each side added and removed, so that a wrong recipe is caught. A recipe never depends on which side is which, but
for UNION, where somebody has to come first.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping

from orchd.core.claims import covers
from orchd.core.disputes import take_whole
from orchd.core.import_lines import is_python, merge_imports, name_imports
from orchd.core.policy import is_protected
from orchd.core.threeway import Chunk, Lines, compare, split_lines
from orchd.model.claim import PathSpec
from orchd.model.dataclass import dataclass
from orchd.model.merge import CONTENTS, Dispute, Recipe, Resolving

LOCKS = frozenset(
    {
        "package-lock.json",
        "npm-shrinkwrap.json",
        "pnpm-lock.yaml",
        "bun.lockb",
        "go.sum",
        "packages.lock.json",
        "gradle.lockfile",
        "podfile.lock",
    }
)
"""Files that a program writes as a whole, by name; all that end with `.lock`, too. They are made anew, not merged."""

NUMBERED = frozenset({"migrations", "migration"})
"""Folders whose files get another number, not another content."""

LFS_POINTER = "version https://git-lfs"

INDENTED = frozenset({"py", "pyi", "yaml", "yml", "mk", "rst", "md", "haml", "pug", "sass", "coffee", "nim", "fs", "hs"})
"""Kinds of files in which the beginning of a line means something."""

INDENTED_NAMES = frozenset({"makefile", "gnumakefile"})

_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
_MARKER = re.compile(r"(<{7}|>{7}|\|{7})( |$)|={7}$")


@dataclass(frozen=True, slots=True)
class Texts:
    """A file as base, ours and theirs have it, and its path."""

    path: str
    base: str
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Resolution:
    """A settled file and the recipes that it took."""

    text: str
    recipes: tuple[Recipe, ...]


def may_resolve(dispute: Dispute) -> bool:
    """Whether a file may be settled without asking at all: a plain text that both sides changed, and nothing that decides
    what is run, checked or trusted, nothing that is made anew or numbered."""
    trio = dispute.base, dispute.ours, dispute.theirs
    modes = {version.mode for version in trio if version is not None}
    names = dispute.path.casefold().split("/")
    plain = None not in trio and len(modes) == 1 and not take_whole(dispute) and dispute.kinds == (CONTENTS,)
    written = names[-1] in LOCKS or names[-1].endswith((".lock", ".lockfile"))
    return plain and dispute.path.isprintable() and not (written or is_protected(dispute.path) or NUMBERED.intersection(names))


def choose_recipes(path: str, resolving: Resolving) -> tuple[Recipe, ...]:
    """The recipes for one file."""
    union = any(covers(PathSpec(glob), path) for glob in resolving.union)
    return (*resolving.recipes, Recipe.UNION) if union else resolving.recipes


def resolve(texts: Texts, recipes: Collection[Recipe]) -> Resolution | None:
    """The file with every disputed place settled by one of `recipes`. None: somebody must be asked."""
    trio = texts.base, texts.ours, texts.theirs
    ways = None if any(text.startswith(LFS_POINTER) for text in trio) else compare(*map(split_lines, trio))
    if ways is None or not ways.disputed:
        return None
    used, settled = dict[Recipe, None](), list[Lines]()
    lines = split_lines(texts.base)
    for chunk in ways.disputed:
        found = next(_settle(Spot(chunk, texts.path, lines[: chunk.start]), recipes), None)
        if found is None:
            return None
        used[found[0]] = None
        settled.append(found[1])
    made = Resolution(ways.fill(settled), tuple(recipe for recipe in Recipe if recipe in used))
    return None if find_faults(texts, made) else made


@dataclass(frozen=True, slots=True)
class Spot:
    """A disputed chunk, the path of its file, and what stands before it in the base."""

    chunk: Chunk
    path: str
    before: Lines


def _settle(spot: Spot, recipes: Collection[Recipe]) -> Iterator[tuple[Recipe, Lines]]:
    for recipe, settle in RECIPES.items():
        if recipe in recipes:
            lines = settle(spot)
            if lines is not None:
                yield recipe, lines


# -- recipes -----------------------------------------------------------------------------------------------------------


def _settle_space(spot: Spot) -> Lines | None:
    """One side only changed white space: the other side's words count. Both made the same of it: the shorter spelling."""
    chunk = spot.chunk
    base, ours, theirs = (_without_space(lines, spot.path) for lines in (chunk.base, chunk.ours, chunk.theirs))
    if ours == theirs:
        return min(chunk.ours, chunk.theirs, key=lambda lines: (sum(map(len, lines)), lines))
    if ours == base:
        return chunk.theirs
    return chunk.ours if theirs == base else None


def _without_space(lines: Lines, path: str) -> Lines:
    return tuple(bare for line in lines if (bare := _bare(line, path)))


def _bare(line: str, path: str) -> str:
    """A line in which any white space is one space; where indentation means something, that stays."""
    words = " ".join(line.split())
    if not words or not means_indentation(path):
        return words
    return line[: len(line) - len(line.lstrip())] + words


def means_indentation(path: str) -> bool:
    """Whether the beginning of a line means something in such a file."""
    name = path.rpartition("/")[2].casefold()
    return name in INDENTED_NAMES or name.rpartition(".")[2] in INDENTED


def _settle_adjacent(spot: Spot) -> Lines | None:
    return spot.chunk.joined


def _settle_imports(spot: Spot) -> Lines | None:
    chunk = spot.chunk
    return merge_imports(spot.before, chunk.base, chunk.ours, chunk.theirs) if is_python(spot.path) else None


def _settle_superset(spot: Spot) -> Lines | None:
    """One side did all that the other did, and more."""
    chunk = spot.chunk
    for less, more in ((chunk.ours, chunk.theirs), (chunk.theirs, chunk.ours)):
        gone = Counter(chunk.base) - Counter(less)
        if less and _is_within(less, more) and gone.keys().isdisjoint(more):
            return more
    return None


def _is_within(less: Lines, more: Lines) -> bool:
    """Whether all lines of `less` are in `more`, in their order."""
    left = iter(more)
    return all(line in left for line in less)


def _settle_tokens(spot: Spot) -> Lines | None:
    """The two changed different words of the same lines, with a word between them that nobody touched."""
    chunk = spot.chunk
    if not len(chunk.base) == len(chunk.ours) == len(chunk.theirs):
        return None
    lines = [_merge_line(*trio) for trio in zip(chunk.base, chunk.ours, chunk.theirs, strict=True)]
    return tuple(line for line in lines if line is not None) if None not in lines else None


def _merge_line(base: str, ours: str, theirs: str) -> str | None:
    ways = compare(*(tuple(_TOKEN.findall(line)) for line in (base, ours, theirs)))
    return None if ways is None or ways.disputed else ways.fill(())


def _settle_union(spot: Spot) -> Lines | None:
    """Both only added: ours first."""
    chunk = spot.chunk
    ends = all(lines[-1].endswith("\n") for lines in (chunk.ours, chunk.theirs) if lines)
    return None if chunk.base or not ends else chunk.ours + chunk.theirs


RECIPES: Mapping[Recipe, Callable[[Spot], Lines | None]] = {
    Recipe.WHITESPACE: _settle_space,
    Recipe.ADJACENT: _settle_adjacent,
    Recipe.IMPORTS: _settle_imports,
    Recipe.SUPERSET: _settle_superset,
    Recipe.TOKENS: _settle_tokens,
    Recipe.UNION: _settle_union,
}


# -- guards ------------------------------------------------------------------------------------------------------------


def find_faults(texts: Texts, made: Resolution) -> tuple[str, ...]:
    """What is wrong with a settled file, one line each; nothing: it may be used once it parses."""
    return tuple(_find_faults(texts, made))


def _find_faults(texts: Texts, made: Resolution) -> Iterator[str]:
    known = {line for text in (texts.base, texts.ours, texts.theirs) for line in text.splitlines() if _MARKER.match(line)}
    if any(_MARKER.match(line) and line not in known for line in made.text.splitlines()):
        yield "it contains a conflict marker"
    base, ours, theirs, now = (
        _count_units(text, texts.path, made.recipes) for text in (texts.base, texts.ours, texts.theirs, made.text)
    )
    for unit in ours.keys() | theirs.keys() | now.keys():
        both = ours[unit] + theirs[unit] - base[unit]
        if now[unit] < min(both, max(ours[unit], theirs[unit])):
            yield f"it lost `{unit.strip()}`"
        if now[unit] > max(both, min(ours[unit], theirs[unit])):
            yield f"it has `{unit.strip()}` more often than the two sides together"


def _count_units(text: str, path: str, recipes: Collection[Recipe]) -> Counter[str]:
    """What must not get lost: lines without their white space; imported names where imports were merged; words where lines
    were."""
    if Recipe.TOKENS in recipes:
        return Counter(token for token in _TOKEN.findall(text) if token.strip())
    lines = _without_space(split_lines(text), path)
    if Recipe.IMPORTS in recipes:
        return Counter(unit for line in lines for unit in name_imports(line))
    return Counter(lines)
