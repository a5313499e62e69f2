"""The lock on a checkout's index, held by orchd while it judges and moves the checkout.

git commands that would change index, files or HEAD wait outside, so what was judged is what moves. Our own git works on
a copy of the index. Rule: only a lock that bears our mark is ever removed.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from orchd.adapters.checkout import Checkout
from orchd.adapters.durable import create_durably, remove_quietly

MARK = b"orchd is moving this checkout\n"
"""What our lock contains, so that the next orchd knows it after a crash."""

ASIDE = "index.orchd"


def lock_all(checkouts: Sequence[Checkout]) -> tuple[Checkout, ...] | None:
    """Lock the index of each and return them with copies. None, and nothing locked, when somebody else holds one."""
    taken = [one for one in checkouts if create_durably(one.lock, MARK)]
    if len(taken) == len(checkouts):
        return tuple(map(_copy_index, checkouts))
    for one in taken:
        unlock(one)
    return None


def lock_again(checkout: Checkout) -> Checkout | None:
    """Like `lock_all` for one checkout; a lock that a dead orchd, or we ourselves, left there is taken over."""
    if not create_durably(checkout.lock, MARK) and _read(checkout.lock) != MARK:
        return None
    return _copy_index(checkout)


def publish_index(checkout: Checkout) -> None:
    """Make the copy the index."""
    aside = checkout.git_dir / ASIDE
    if aside.exists():
        aside.replace(checkout.git_dir / "index")


def unlock(checkout: Checkout) -> None:
    """Give up our lock and the copy."""
    remove_quietly(checkout.git_dir / ASIDE)
    remove_quietly(checkout.lock)


@contextlib.contextmanager
def with_copy(checkout: Checkout) -> Iterator[Checkout]:
    """The checkout with a copy of its index, to look at it without a lock."""
    try:
        yield _copy_index(checkout)
    finally:
        remove_quietly(checkout.git_dir / ASIDE)


def copy_is_used(checkout: Checkout) -> bool:
    """Whether a git that a dead orchd started is still at work on the copy."""
    setting = b"GIT_INDEX_FILE=" + bytes(checkout.git_dir / ASIDE)
    return any(setting in _read(process / "environ").split(b"\0") for process in Path("/proc").glob("[0-9]*"))


def _copy_index(checkout: Checkout) -> Checkout:
    aside = checkout.git_dir / ASIDE
    for old in (aside, aside.with_name(f"{ASIDE}.lock")):
        remove_quietly(old)
    with contextlib.suppress(FileNotFoundError):
        shutil.copy(checkout.git_dir / "index", aside)
    return replace(checkout, index=aside)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
