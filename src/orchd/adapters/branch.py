"""Which branch tasks land on."""

from __future__ import annotations

from orchd.adapters.git_run import Git
from orchd.adapters.place import Place
from orchd.errors import ConfigError

USUAL_BRANCHES = ("main", "master")


def find_branch(place: Place, configured: str) -> str:
    """The configured branch, else `main`, else `master`, else the one that HEAD names. Raises ConfigError without any."""
    git = Git(place.git_dir)
    head = git.attempt("symbolic-ref", "--quiet", "--short", "HEAD").stdout.decode().strip()
    wanted = (configured,) if configured else (*USUAL_BRANCHES, head)
    for name in wanted:
        if name and git.attempt("rev-parse", "--verify", "--quiet", f"refs/heads/{name}^{{commit}}").returncode == 0:
            return name
    if configured:
        raise ConfigError(f"there is no branch `{configured}`", "correct `branch:` in .orch/config.yaml")
    raise ConfigError("this repository has no commit yet", "make a first commit: tasks start from one")
