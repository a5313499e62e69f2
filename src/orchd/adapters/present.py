"""What holds now, for commands that do not ask a daemon."""

from __future__ import annotations

import time

from orchd.adapters.branch import find_branch, find_usual_branch
from orchd.adapters.git_refs import GitRefs
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.place import Place
from orchd.adapters.settings import open_settings
from orchd.model.config import Config


def find_settings(place: Place, repo: GitRepo, remembered: str) -> tuple[Config, str]:
    """The configuration, whether or not an orchd has read it, and the branch that tasks land on (`remembered`: the last
    one). Raises ConfigError when it cannot be used."""
    usual = find_usual_branch(place, remembered)
    config, _ = open_settings(place, repo, time.monotonic, usual).look(GitRefs(repo, usual).main() if usual else "")
    return config, find_branch(place, config.branch, remembered)
