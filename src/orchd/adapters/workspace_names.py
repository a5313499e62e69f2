"""The names of workspaces, and what else may stand beside them. Apart, because clients list them. Standard library only."""

from __future__ import annotations

from pathlib import Path

HIDDEN = "."
ASIDE = ".aside-"


def list_workspaces(folder: Path) -> list[str]:
    """The names of the complete workspaces in `folder`, without those that were set aside."""
    return sorted(name for name in list_names(folder) if not name.startswith(HIDDEN) and ASIDE not in name)


def list_names(folder: Path) -> list[str]:
    """All names in `folder`; none when there is no such folder."""
    return [path.name for path in folder.iterdir()] if folder.exists() else []
