"""Frozen dataclasses to canonical JSON and back. One table per class is built from its type hints, once.

Rule: a field that has its default is not written, so records stay small and a new field with a default needs no
migration. Unknown keys are an error: they mean a newer orchd wrote the record.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Any, TypeVar

from orchd.errors import OrchdError

T = TypeVar("T")
_PLAIN = frozenset((str, int, float, bool, type(None)))
"""What JSON has itself; a call for each costs more than all the rest."""


def dumps(data: object) -> bytes:
    """Canonical JSON: sorted keys, UTF-8, one line, LF."""
    return (json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def encode(value: Any) -> Any:
    """Plain JSON data of a dataclass, an enum, or a tuple or mapping of such."""
    return _encoder(typing.cast("typing.Hashable", type(value)))(value)


@functools.cache
def _encoder(cls: Any) -> Callable[[Any], Any]:
    if dataclasses.is_dataclass(cls):
        return lambda value: {name: item if type(item) in _PLAIN else encode(item) for name, item in _told_fields(cls, value)}
    if issubclass(cls, Enum):
        return lambda value: value.value
    if issubclass(cls, tuple | list):
        return lambda value: [item if type(item) in _PLAIN else encode(item) for item in value]
    if issubclass(cls, Mapping):
        return lambda value: {key: encode(item) for key, item in value.items()}
    return lambda value: value


def _told_fields(cls: Any, value: Any) -> Iterator[tuple[str, Any]]:
    for name, default in _defaults(cls):
        item = getattr(value, name)
        if item is not default and item != default:
            yield name, item


def decode(cls: type[T], data: Any) -> T:
    """The dataclass of type `cls` that `encode` made `data` from. Raises OrchdError when it does not fit."""
    try:
        return typing.cast("T", _decoder(typing.cast("typing.Hashable", cls))(data))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise OrchdError(f"a stored {cls.__name__} cannot be read: {error}", "was it written by a newer orchd?") from error


@functools.cache
def _defaults(cls: type) -> tuple[tuple[str, object], ...]:
    return tuple((f.name, _default(f)) for f in dataclasses.fields(cls))


def _default(field: dataclasses.Field[Any]) -> object:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


@functools.cache
def _decoder(kind: Any) -> Callable[[Any], Any]:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        return _record(kind)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        item = _decoder(arguments[0])
        return lambda data: tuple(map(item, data))
    if origin is tuple:
        items = [_decoder(one) for one in arguments]
        return lambda data: tuple(decode_one(x) for decode_one, x in zip(items, data, strict=True))
    if origin in (types.UnionType, typing.Union):
        present = _decoder(next(one for one in arguments if one is not types.NoneType))
        return lambda data: None if data is None else present(data)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    return lambda data: data


def _record(cls: Any) -> Callable[[Any], Any]:
    hints = typing.get_type_hints(cls)
    fields = {f.name: _decoder(hints[f.name]) for f in dataclasses.fields(cls)}
    return lambda data: cls(**{name: fields[name](value) for name, value in data.items()})
