"""Git objects as plain bytes and hexadecimal ids, shared by those that read through a library and through a process.

Rule: standard library only, because light clients import it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from operator import methodcaller
from typing import NamedTuple

from orchd.model.ids import Oid

FOLDER = 0o040000
FILE = 0o100644
PROGRAM = 0o100755
LINK = 0o120000
SUBMODULE = 0o160000

_MODES = {b"%o" % mode: mode for mode in (FOLDER, FILE, PROGRAM, LINK, SUBMODULE)}
_decode_name = methodcaller("decode", "utf-8", "surrogateescape")
_TREE_ENTRY = re.compile(rb"(\d+) ([^\0]+)\0(.{20})", re.DOTALL)

Fetch = Callable[[Sequence[Oid]], Sequence[bytes | None]]
"""Contents of objects in the order asked; None where one is missing."""


class TreeEntry(NamedTuple):
    """One name in a tree."""

    mode: int
    oid: Oid


def blob_id(content: bytes) -> Oid:
    """The id that git gives to `content`."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def parse_tree(raw: bytes) -> dict[str, TreeEntry]:
    """The entries of a tree. Names that are not UTF-8 keep their bytes as surrogates."""
    # One call less for each entry: this is the daemon's hottest loop.
    make, decode = tuple.__new__, _decode_name
    found = _TREE_ENTRY.findall(raw)
    return {decode(name): make(TreeEntry, (_MODES.get(mode) or int(mode, 8), oid.hex())) for mode, name, oid in found}


def parse_trailers(message: str) -> Mapping[str, tuple[str, ...]]:
    """The `Key: value` lines of the last paragraph, by key, in their order."""
    found: dict[str, tuple[str, ...]] = {}
    for line in message.rstrip("\n").rpartition("\n\n")[2].splitlines():
        key, colon, value = line.partition(": ")
        if colon:
            found[key] = (*found.get(key, ()), value)
    return found


def parse_commit(raw: bytes) -> tuple[Mapping[str, tuple[str, ...]], str]:
    """The headers of a commit, by name, and its message."""
    head, _, message = raw.partition(b"\n\n")
    headers: dict[str, tuple[str, ...]] = {}
    for line in head.decode(errors="replace").splitlines():
        key, _, value = line.partition(" ")
        headers[key] = (*headers.get(key, ()), value)
    return headers, message.decode(errors="replace")
