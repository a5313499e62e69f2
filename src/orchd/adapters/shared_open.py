"""Opens the shared remote."""

from __future__ import annotations

from collections.abc import Callable

from orchd.adapters.clone_name import name_clone
from orchd.adapters.courier import Courier
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_run import REMOTE_CONFIG, REMOTE_ENVIRONMENT, Git
from orchd.adapters.git_shared import GitShared, boot_seconds
from orchd.adapters.place import Place
from orchd.errors import ConfigError
from orchd.model.config import Config
from orchd.model.limits import ASK_SECONDS, ASK_SHARE
from orchd.ports import Audience


def open_shared(
    place: Place, repo: GitRepo, branch: str, config: Config, audience: Audience, ring: Callable[[], None]
) -> GitShared:
    """The remote that the configuration names, for a daemon. Raises ConfigError when this clone has none of that name."""
    git = open_remote(place, config)

    def tell(text: str) -> None:
        audience.notice(text, "remote")

    courier = Courier(git, config.remote, branch, ring, tell)
    courier.open(boot_seconds, min(ASK_SECONDS, ASK_SHARE * config.takeover_seconds))
    return GitShared(repo, branch, courier, name_clone(place), tell)


def open_remote(place: Place, config: Config) -> Git:
    """Git with the person's own way to the remote. Raises ConfigError when this clone has none of that name."""
    git = Git(place.git_dir, REMOTE_CONFIG, REMOTE_ENVIRONMENT, place.checkout or place.git_dir)
    if git.attempt("remote", "get-url", config.remote).returncode:
        raise ConfigError(
            f"this clone has no remote `{config.remote}`",
            "correct `remote:` in .orch/config.yaml, or `git remote add` it",
        )
    return git
