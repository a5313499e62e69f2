"""Environments: where checkpoints are deployed to, as the configuration says. Apart from the records of promotions, because
every client reads the configuration.
"""

from __future__ import annotations

from orchd.model.dataclass import dataclass
from orchd.model.limits import DEPLOY_TIMEOUT_SECONDS


@dataclass(frozen=True, slots=True)
class Environment:
    """A place that freight is deployed to. Freight must have stood in the environment before for `soak_seconds` and have
    been approved by so many people. `deploy` and `verify` are shell commands (empty: none). `unverified`: whether what no
    gate judged may go there."""

    name: str
    soak_seconds: float = 0.0
    approvals: int = 0
    deploy: str = ""
    verify: str = ""
    timeout_seconds: float = DEPLOY_TIMEOUT_SECONDS
    unverified: bool = False


DEFAULT_ENVIRONMENTS = (Environment("dev"), Environment("staging"), Environment("prod"))
