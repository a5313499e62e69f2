"""The dataclasses that are made later do what those of the library do."""

from __future__ import annotations

import dataclasses
import pickle
from dataclasses import FrozenInstanceError, field
from typing import Any

import pytest

from orchd.model import dataclass as ours
from orchd.model.cost import NOTHING_SPENT

MAKERS = pytest.mark.parametrize("make", [dataclasses.dataclass, ours.dataclass])


def _point(make: Any) -> Any:
    @make(frozen=True, slots=True)
    class Point:
        x: int
        y: int = 2
        tags: tuple[str, ...] = field(default=(), compare=False)
        more: dict[str, int] = field(default_factory=dict, repr=False, hash=False)

    return Point


@MAKERS
def test_what_a_value_is(make: Any) -> None:
    point = _point(make)
    one = point(1, tags=("a",))
    assert (one.x, one.y, one.tags, one.more) == (1, 2, ("a",), {})
    assert repr(one) == "_point.<locals>.Point(x=1, y=2, tags=('a',))"
    assert one == point(1) and hash(one) == hash(point(1)) == hash(point(1, more={"a": 1}))
    assert one != point(1, 3) and one != (1, 2) and one != point(1, more={"a": 1})
    assert one != _point(make)(1), "another class with the same fields"
    assert dataclasses.replace(one, y=5) == point(1, 5) and dataclasses.astuple(one) == (1, 2, ("a",), {})
    assert point.__match_args__ == ("x", "y", "tags", "more") and not hasattr(one, "__dict__")
    assert point(1).more is not point(1).more


@MAKERS
@pytest.mark.parametrize("first", ["__eq__", "__hash__", "__repr__"])
def test_a_value_that_was_loaded_and_not_made(make: Any, first: str) -> None:
    point = _point(make)
    loaded = object.__new__(point)
    loaded.__setstate__([3, 2, (), {}])
    getattr(loaded, first)(*([loaded] if first == "__eq__" else []))
    assert loaded == point(3) and hash(loaded) == hash(point(3)) and repr(loaded) == repr(point(3))


@MAKERS
def test_nothing_can_be_changed(make: Any) -> None:
    one = _point(make)(1)
    for change in (lambda: setattr(one, "x", 2), lambda: setattr(one, "z", 2), lambda: delattr(one, "x")):
        with pytest.raises((FrozenInstanceError, TypeError)):
            change()
    assert one.x == 1


@MAKERS
def test_wrong_arguments_are_told_as_the_library_tells_them(make: Any) -> None:
    point = _point(make)
    with pytest.raises(TypeError, match=r"Point\.__init__\(\) missing 1 required positional argument: 'x'"):
        point()
    with pytest.raises(TypeError, match=r"Point\.__init__\(\) got an unexpected keyword argument 'z'"):
        point(1, z=3)


@MAKERS
def test_own_methods_stay(make: Any) -> None:
    @make(frozen=True, slots=True)
    class Name:
        text: str

        def __post_init__(self) -> None:
            if not self.text:
                raise ValueError("empty")

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Name) and self.text.lower() == other.text.lower()

        def __hash__(self) -> int:
            return hash(self.text.lower())

    assert Name("a") == Name("A") and len({Name("a"), Name("A")}) == 1
    with pytest.raises(ValueError, match="empty"):
        Name("")


@MAKERS
def test_a_class_below_another_has_the_fields_of_both(make: Any) -> None:
    @make(frozen=True, slots=True)
    class Base:
        a: int

    @make(frozen=True, slots=True)
    class Below(Base):
        b: int = 2

    assert Base(1) == Base(1) and Below(1) == Below(1, 2) and Base(1) != Below(1)
    assert repr(Below(1)).endswith("Below(a=1, b=2)")


def test_nothing_is_compiled_before_a_class_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    real = dataclasses.make_dataclass
    monkeypatch.setattr(dataclasses, "make_dataclass", lambda *args, **named: made.append(args[0]) or real(*args, **named))
    point = _point(ours.dataclass)
    assert made == []
    assert point(1) == point(1) and repr(point(2))
    assert made == ["Point"], "once for all methods"


def test_a_value_can_be_sent_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(NOTHING_SPENT)) == NOTHING_SPENT
