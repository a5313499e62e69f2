"""Dataclasses whose methods are made when they are first called.

The library writes and compiles five methods for each class, which was a quarter of the start of any command, and a command
uses a few of three hundred classes. Rule: what a class can do, and what its errors say, is what the library gives; type
checkers see the library itself.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import FrozenInstanceError
from typing import TYPE_CHECKING, Any, NoReturn

_LATER = ("__init__", "__eq__", "__hash__", "__repr__")


def _make(*, frozen: bool = False, slots: bool = False, order: bool = False) -> Callable[[type], type]:
    """What `dataclasses.dataclass` takes, as far as it is used here. Only frozen classes without an order are made later."""
    if frozen and not order:
        return lambda cls: _put_off(cls, slots=slots)
    return dataclasses.dataclass(frozen=frozen, slots=slots, order=order)


def _put_off(cls: type, *, slots: bool) -> type:
    names = [name for name in _LATER if name not in cls.__dict__]
    made: type = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots)(cls)
    methods: dict[str, Callable[..., Any]] = {name: _stand_in(made, name, names) for name in names}
    for name, method in (methods | _SHARED).items():
        setattr(made, name, method)
    return made


def _stand_in(cls: type, name: str, names: Sequence[str]) -> Callable[..., Any]:
    """A method that puts the real ones of class `cls` in the place of itself and the other stand-ins, and calls its own."""

    def method(self: object, *args: object, **named: object) -> Any:
        twin = _twin(cls)
        for one in names:
            setattr(cls, one, getattr(twin, one))
        return getattr(self, name)(*args, **named)

    return method


def _twin(cls: type) -> type:
    """A class of the library with the fields of `cls` and all methods."""
    there = {"__post_init__": cls.__dict__["__post_init__"]} if "__post_init__" in cls.__dict__ else {}
    fields = [(one.name, one.type, _copy(one)) for one in dataclasses.fields(cls)]
    return dataclasses.make_dataclass(cls.__name__, fields, namespace=there, frozen=True)


def _copy(one: dataclasses.Field[Any]) -> Any:
    kept = {name: getattr(one, name) for name in ("init", "repr", "hash", "compare", "kw_only")}
    if one.default_factory is not dataclasses.MISSING:
        return dataclasses.field(default_factory=one.default_factory, **kept)
    return dataclasses.field(default=one.default, **kept)


def _refuse_set(_: object, name: str, __: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_delete(_: object, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _get_state(self: Any) -> list[object]:
    return [getattr(self, one.name) for one in dataclasses.fields(self)]


def _set_state(self: Any, state: Iterable[object]) -> None:
    for one, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, one.name, value)


_SHARED: dict[str, Callable[..., Any]] = {
    "__setattr__": _refuse_set,
    "__delattr__": _refuse_delete,
    "__getstate__": _get_state,
    "__setstate__": _set_state,
}

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:
    dataclass = _make
