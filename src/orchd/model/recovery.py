"""Recovery: what was tried for a step of work, and what can follow when an attempt of an agent came to nothing.

Times are milliseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import TypeAlias

from orchd.model.agent import Effort, Failure
from orchd.model.dataclass import dataclass
from orchd.model.ids import Oid


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to do a step: a program with a model of a provider. `context_tokens` is how much it can hold (0: unknown),
    `agent` the name by which a task asks for it, `budget_tokens` what one attempt may use (0: any number)."""

    program: str
    model: str = ""
    provider: str = ""
    effort: Effort | None = None
    context_tokens: int = 0
    agent: str = ""
    budget_tokens: int = 0

    @property
    def vendor(self) -> str:
        """Whose service it uses; a program without a provider is a vendor of its own."""
        return self.provider or self.program

    @property
    def mind(self) -> str:
        """What would think about the step: the same model is the same mind, by whatever program and at whatever effort."""
        return self.model or self.program


@dataclass(frozen=True, slots=True)
class Part:
    """A sub-step that a step could be divided into."""

    name: str
    goal: str


@dataclass(frozen=True, slots=True)
class Tried:
    """An attempt that came to nothing. `produced`: it left commits or changed files. `until_ms`: when its provider wants to
    be asked again (0: it did not say). `what` is the evidence in one line, `attempt` its number, `step` the one that failed
    (empty: the task has no steps), `begin` the step checkpoint from which it can be gone on (empty: the beginning)."""

    candidate: Candidate
    failure: Failure
    at_ms: int = 0
    produced: bool = False
    tokens: int = 0
    until_ms: int = 0
    what: str = ""
    attempt: int = 0
    step: str = ""
    begin: Oid = ""


@dataclass(frozen=True, slots=True)
class Case:
    """A step whose last attempt failed: `tried` in order, the last one is it (never empty); `chain` are the candidates in the
    order of the wish; `cooling` are providers that are left alone, and until when. `parts` are sub-steps that the task declares
    or the agent proposed, `depth` how deep in a decomposition it is. `optional`: it may be skipped. `cause` is the clock that
    ended it (a `Watch`), else why the task failed (a `Reason`)."""

    tried: tuple[Tried, ...]
    chain: tuple[Candidate, ...]
    now_ms: int
    cooling: Mapping[str, int] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()
    depth: int = 0
    optional: bool = False
    cause: str = ""

    @property
    def last(self) -> Tried:
        """The attempt that this is about."""
        return self.tried[-1]


class Outlook(StrEnum):
    """How a recovery ended."""

    RECOVERED = "recovered"
    PARTIAL = "partial"
    RETRY_FAILED = "retry-failed"
    ESCALATED = "escalated"
    UNRECOVERABLE = "unrecoverable"


@dataclass(frozen=True, slots=True)
class Retry:
    """Another attempt by `candidate`, now."""

    candidate: Candidate


@dataclass(frozen=True, slots=True)
class Wait:
    """Another attempt by `candidate`, not before `until_ms`: its provider is left alone so long."""

    candidate: Candidate
    until_ms: int


@dataclass(frozen=True, slots=True)
class Decompose:
    """The step is replaced by smaller ones."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Resume:
    """The step is skipped, and that is said."""

    warning: str


@dataclass(frozen=True, slots=True)
class Escalate:
    """A person is needed. `setting` is what they can change."""

    outlook: Outlook
    setting: str


Remedy: TypeAlias = Retry | Wait | Decompose | Resume | Escalate
