"""The pack of a plain result, checked here as strictly as git checks it: one process less for each result.

What is answered is a small part of what `git unpack-objects --strict` accepts: no deltas, one commit of orchd's own form on
the base, blobs, and trees of usual modes and names in their order; and everything that they name is there. All else is left
to git. Rule: nothing is taken here that git would refuse. The library that stores it detects SHA-1 collisions, as git does.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

import pygit2

from orchd.adapters.git_repo import GitRepo
from orchd.adapters.loose_pack import MOST_BYTES, MOST_OBJECTS, TYPES
from orchd.adapters.plain_tree import HARMLESS, USUAL_NAME, Unusual, object_id
from orchd.adapters.unsynced import unsynced
from orchd.model.ids import Oid

COMMIT = re.compile(
    rb"tree ([0-9a-f]{40})\nparent ([0-9a-f]{40})\n"
    rb"author orchd <orchd@localhost> [1-9][0-9]{0,10} \+0000\n"
    rb"committer orchd <orchd@localhost> [1-9][0-9]{0,10} \+0000\n\n[^\0]+"
)
ROW = re.compile(rb"(100644|100755|120000|40000) (" + USUAL_NAME.pattern.encode() + rb")\0(.{20})", re.DOTALL)
FOLDER, LINK = b"40000", b"120000"
NAME_BYTES = 255
NOTHING = bytes(20)

_KINDS = {number: kind for kind, number in TYPES.items() if kind != b"tag"}
_Row: TypeAlias = tuple[bytes, bytes, bytes]
"""Mode, name and id."""


def take_plain_pack(repo: GitRepo, folder: Path, pack: Path, base: Oid) -> bool:
    """Whether the objects of `pack`, a result on the commit `base`, are loose in `folder` now. False: git must judge it."""
    try:
        objects = {object_id(kind, content): (kind, content) for kind, content in _read_pack(pack)}
        _check_objects(repo, objects, base)
        _store(folder, objects)
    except (Unusual, KeyError, ValueError, OSError, zlib.error, pygit2.GitError):
        return False
    return True


def _read_pack(pack: Path) -> Iterator[tuple[bytes, bytes]]:
    if pack.stat().st_size > MOST_BYTES:
        raise Unusual
    data = pack.read_bytes()
    count, end = int.from_bytes(data[8:12], "big"), len(data) - 20
    whole = hashlib.sha1(data[:end], usedforsecurity=False).digest() == data[end:]
    if data[:8] != b"PACK\0\0\0\2" or count > MOST_OBJECTS or not whole:
        raise Unusual
    at, left = 12, MOST_BYTES
    for _ in range(count):
        kind, size, at = _read_header(data, at)
        stream = zlib.decompressobj()
        content = stream.decompress(data[at:end], size + 1) if size <= left else b""
        if not stream.eof or len(content) != size:
            raise Unusual
        yield _KINDS[kind], content
        at, left = end - len(stream.unused_data), left - size
    if at != end:
        raise Unusual


def _read_header(data: bytes, at: int) -> tuple[int, int, int]:
    """Type and size of an object, and where its content begins."""
    byte = data[at]
    kind, size, shift = byte >> 4 & 7, byte & 15, 4
    while byte & 128 and shift < 32:
        at += 1
        byte = data[at]
        size |= (byte & 127) << shift
        shift += 7
    return kind, size, at + 1


def _check_objects(repo: GitRepo, objects: Mapping[bytes, tuple[bytes, bytes]], base: Oid) -> None:
    """Raises Unusual unless git would take all of them."""
    commits = [COMMIT.fullmatch(content) for kind, content in objects.values() if kind == b"commit"]
    if len(commits) != 1 or commits[0] is None or commits[0][2].decode() != base:
        raise Unusual
    trees = {oid: _read_rows(content) for oid, (kind, content) in objects.items() if kind == b"tree"}
    top = bytes.fromhex(commits[0][1].decode())
    known = set(_list_known(repo, repo.tree_of(base), trees[top], trees))
    for mode, _, oid in itertools.chain.from_iterable(trees.values()):
        if (mode, oid) not in known:
            _check_there(repo, objects, mode, oid)


def _read_rows(content: bytes) -> list[_Row]:
    """The rows of a tree. Raises Unusual for the least that is special."""
    rows: list[_Row] = ROW.findall(content)
    if sum(len(mode) + len(name) + 22 for mode, name, _ in rows) != len(content):
        raise Unusual
    order = [name + b"/" if mode == FOLDER else name for mode, name, _ in rows]
    sorted_once = all(one < next_one for one, next_one in itertools.pairwise(order))
    if not sorted_once or len({name for _, name, _ in rows}) != len(rows) or any(map(_is_special, rows)):
        raise Unusual
    return rows


def _is_special(row: _Row) -> bool:
    mode, name, oid = row
    dotted = name[:1] == b"." and (name in (b".", b"..") or (name[:4].lower() == b".git" and not _is_harmless(mode, name)))
    return dotted or len(name) > NAME_BYTES or oid == NOTHING


def _is_harmless(mode: bytes, name: bytes) -> bool:
    return name.decode() in HARMLESS and mode != LINK


def _list_known(
    repo: GitRepo, tree: Oid, rows: Iterable[_Row], trees: Mapping[bytes, list[_Row]]
) -> Iterator[tuple[bytes, bytes]]:
    """What the base has in the folders that changed, mode and id: it is there, and of the right kind."""
    before = {name: (mode, oid) for mode, name, oid in _parse_rows(repo.read(tree))}
    yield from before.values()
    for mode, name, oid in rows:
        old_mode, old = before.get(name, (b"", b""))
        if mode == old_mode == FOLDER and oid != old and oid in trees:
            yield from _list_known(repo, old.hex(), trees[oid], trees)


def _parse_rows(content: bytes) -> list[_Row]:
    return re.findall(rb"([0-7]+) ([^\0]+)\0(.{20})", content, re.DOTALL)


def _check_there(repo: GitRepo, objects: Mapping[bytes, tuple[bytes, bytes]], mode: bytes, oid: bytes) -> None:
    """Raises Unusual or KeyError unless there is such an object, and of the kind that its mode says."""
    wanted = b"tree" if mode == FOLDER else b"blob"
    found = objects[oid][0] if oid in objects else _KINDS[int(repo.library.odb.read_header(pygit2.Oid(raw=oid))[0])]
    if found != wanted:
        raise Unusual


def _store(folder: Path, objects: Mapping[bytes, tuple[bytes, bytes]]) -> None:
    store = pygit2.Odb()
    store.add_backend(pygit2.OdbBackendLoose(str(folder), 1, False), 1)  # noqa: FBT003
    with unsynced():  # what leaves the quarantine is synced on the way
        written = [store.write(TYPES[kind], content).raw for kind, content in objects.values()]
    if written != list(objects):
        raise Unusual
