"""An empty repository of our own, in which git works as if nobody had configured anything. For clients, too: nothing heavy."""

from __future__ import annotations

from pathlib import Path

from orchd.adapters.place import Place

BARE_CONFIG = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"


def neutral_repository(place: Place) -> Path:
    """The git directory of an empty repository of our own, laid out by hand: no configuration, attributes or hooks of
    anybody. Together with `GIT_OBJECT_DIRECTORY` git works on other objects as if nobody had configured anything."""
    folder = place.orch / "neutral"
    if not (folder / "HEAD").exists():
        for name in ("objects", "refs"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "config").write_text(BARE_CONFIG)
        (folder / "HEAD").write_text("ref: refs/heads/none\n")
    return folder
