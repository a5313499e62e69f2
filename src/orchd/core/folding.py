"""Names folded so that all names which some file system takes for one file are one text.

File systems disagree: case by several tables, accents composed or not (HFS+, APFS), compatible forms (ZFS), and characters
that are left out altogether (HFS+, ext4 with casefold). So everything is folded away that any of them folds, and more: the
dotless and the dotted i, marks in any order. Rule: a name is folded character by character, so that a piece of a name can
be folded by itself. What Windows does to the end of a name (`a.` is `a`) is not looked at.
"""

from __future__ import annotations

import functools
import unicodedata

_ROUNDS = 3
"""Until nothing changes any more; a test goes through all of Unicode."""

_IGNORED = (
    (0xAD, 0xAD),
    (0x34F, 0x34F),
    (0x61C, 0x61C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
"""Unicode's Default_Ignorable_Code_Point, which `unicodedata` does not tell; all that HFS+ ignores is among them."""


def fold_name(name: str) -> str:
    """What all names of one file have in common. It may be empty, and it is no name of a file itself."""
    return name.lower() if name.isascii() else "".join(map(_fold_character, name))


@functools.lru_cache(maxsize=65536)
def _fold_character(character: str) -> str:
    if any(first <= ord(character) <= last for first, last in _IGNORED):
        return ""
    for _ in range(_ROUNDS):
        raised = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).upper())
        character = "".join(one for one in raised.casefold() if not unicodedata.combining(one))
    return character
