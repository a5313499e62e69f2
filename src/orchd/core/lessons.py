"""What the merges that people made in a repository say about settling conflicts without asking."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field

from orchd.model.dataclass import dataclass
from orchd.model.limits import LESSON_FILES, LESSON_SHARE
from orchd.model.merge import Recipe


@dataclass(frozen=True, slots=True)
class Lesson:
    """Of one recipe by itself: how many files it would have settled, and how many of them as the people did, byte for byte."""

    recipe: Recipe
    files: int = 0
    same: int = 0

    @property
    def fault(self) -> str:
        """Why it is not to be used here; empty: it may be."""
        if self.recipe is Recipe.UNION:
            return "only for the files that `conflicts.union` names"
        if self.files < LESSON_FILES:
            return f"{self.files} file(s) to learn from; {LESSON_FILES} are needed"
        if self.same < LESSON_SHARE * self.files:
            return f"{self.same} of {self.files} files came out as people made them; {LESSON_SHARE:.0%} are needed"
        return ""


@dataclass(frozen=True, slots=True)
class Lessons:
    """How many merges were made again, how many of them git does not settle, how many text files conflicted, and one lesson
    for each recipe."""

    merges: int = 0
    disputed: int = 0
    files: int = 0
    recipes: tuple[Lesson, ...] = tuple(map(Lesson, Recipe))

    @property
    def chosen(self) -> tuple[Recipe, ...]:
        """The recipes that may be used."""
        return tuple(lesson.recipe for lesson in self.recipes if not lesson.fault)


@dataclass(frozen=True, slots=True)
class Replayed:
    """One merge made again: `outcomes` says for each conflicting text file what each recipe came to: as the people (True), or
    not (False); a recipe that is not there settled nothing."""

    disputed: bool
    outcomes: tuple[Mapping[Recipe, bool], ...] = field(default=())


def sum_up(replayed: Iterable[Replayed]) -> Lessons:
    """The lessons of many merges."""
    merges = list(replayed)
    files = [outcome for merge in merges for outcome in merge.outcomes]
    lessons = (
        Lesson(recipe, sum(recipe in one for one in files), sum(one.get(recipe, False) for one in files)) for recipe in Recipe
    )
    return Lessons(len(merges), sum(merge.disputed for merge in merges), len(files), tuple(lessons))
