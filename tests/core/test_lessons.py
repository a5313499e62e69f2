"""A recipe is used only where enough files came out as people had made them."""

from __future__ import annotations

import pytest

from orchd.core.lessons import Lesson, Lessons, Replayed, sum_up
from orchd.model.limits import LESSON_FILES
from orchd.model.merge import Recipe


@pytest.mark.parametrize(
    ("files", "same", "used"),
    [
        (0, 0, False),
        (LESSON_FILES - 1, LESSON_FILES - 1, False),
        (20, 20, True),
        (20, 19, True),
        (20, 18, False),
        (100, 94, False),
    ],
)
def test_few_files_or_a_low_share_switch_it_off(files: int, same: int, used: bool) -> None:
    lessons = Lessons(1, 1, files, (Lesson(Recipe.ADJACENT, files, same),))
    assert (Recipe.ADJACENT in lessons.chosen) == used
    assert bool(lessons.recipes[0].fault) != used


def test_union_is_never_switched_on_by_a_share() -> None:
    assert Lessons(1, 1, 50, (Lesson(Recipe.UNION, 50, 50),)).chosen == ()


def test_lessons_count_files_by_what_each_recipe_came_to() -> None:
    first = Replayed(True, ({Recipe.ADJACENT: True, Recipe.TOKENS: False}, {Recipe.ADJACENT: False}))
    lessons = sum_up([first, Replayed(disputed=False), Replayed(True, ({},))])
    assert (lessons.merges, lessons.disputed, lessons.files) == (3, 2, 3)
    by_name = {one.recipe: (one.files, one.same) for one in lessons.recipes}
    assert by_name[Recipe.ADJACENT] == (2, 1) and by_name[Recipe.TOKENS] == (1, 0) and by_name[Recipe.UNION] == (0, 0)


def test_no_merges_teach_nothing() -> None:
    assert sum_up([]).chosen == () and sum_up([]).merges == 0
