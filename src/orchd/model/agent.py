"""Agents: the programs that do the work of a task, what one of them is asked to do, and what is known of how it did it.

Money is in millionths of a US dollar, tokens are counted as the program counts them, times are milliseconds since 1970.
"""

from __future__ import annotations

from enum import StrEnum

from orchd.model.dataclass import dataclass
from orchd.model.limits import PROGRESS_SECONDS, REPEATED_CALLS, SILENCE_SECONDS

MICROS = 1_000_000
"""Millionths in a dollar."""

AUTO = "auto"
"""In the place of an agent's name: whichever is installed."""


class Effort(StrEnum):
    """How hard an agent is to think. Each program has its own words for it, or none."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Tool(StrEnum):
    """What an agent may want to do, in words that all programs share. DELEGATE: start agents of its own."""

    READ = "read"
    EDIT = "edit"
    SHELL = "shell"
    WEB = "web"
    DELEGATE = "delegate"


class Permit(StrEnum):
    """What a rule says."""

    ALLOW = "allow"
    DENY = "deny"


class Failure(StrEnum):
    """Why an attempt of an agent came to nothing. Also a label of metrics, so the set is closed."""

    TOKEN_EXHAUSTED = "token-exhausted"  # noqa: S105
    RATE_LIMIT = "rate-limit"
    UNAVAILABLE = "unavailable"
    MODEL_FAILURE = "model-failure"
    TIMEOUT = "timeout"
    CONVERGENCE_FAILURE = "convergence-failure"
    AUTH = "auth"
    CONFIG = "config"
    PERMISSION = "permission"
    BUDGET = "budget"
    LOST = "lost"
    UNKNOWN = "unknown"


class Watch(StrEnum):
    """Which of our clocks ended an agent: nothing printed, no new tool call or file, too long in all, the same call again and
    again, or as many tokens or as much money as it may use."""

    SILENCE = "silence"
    PROGRESS = "progress"
    WALL = "wall"
    REPETITION = "repetition"
    TOKENS = "tokens"
    MONEY = "money"


@dataclass(frozen=True, slots=True)
class Rule:
    """What an agent may do with a tool: the last rule whose `pattern` (a glob of paths or command lines; `*`: all) fits
    decides. Before the first one stands: deny everything."""

    permit: Permit
    tool: Tool
    pattern: str = "*"


@dataclass(frozen=True, slots=True)
class Definition:
    """An agent as a file describes it. `runner` is the program that does it, `model` what it is given without an effort
    (empty: the program's own choice) and `models` what it is given for each; `instructions` is the text below the front
    matter. `keys` are variables that it gets besides those that its program signs in with. No limit: 0;
    `max_proposals` None: as the configuration says. `objection`: why its program cannot be held to its rules."""

    name: str
    runner: str
    description: str = ""
    model: str = ""
    models: tuple[tuple[Effort, str], ...] = ()
    provider: str = ""
    capabilities: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    max_turns: int = 0
    budget_micros: int = 0
    instructions: str = ""
    keys: tuple[str, ...] = ()
    max_tokens: int = 0
    max_proposals: int | None = None
    objection: str = ""


@dataclass(frozen=True, slots=True)
class AgentsSeen:
    """The agents that there are. `bad` are names whose files have mistakes, those of `unsettled` are being written; `programs`
    are those that orchd knows, `installed` those of them that are on this machine, `unfit` those that cannot be used, and why.
    Those of `unasked` are being asked now who they are, because `auto` may be one of them."""

    good: tuple[Definition, ...] = ()
    bad: frozenset[str] = frozenset()
    unsettled: frozenset[str] = frozenset()
    programs: tuple[str, ...] = ()
    installed: tuple[str, ...] = ()
    unfit: tuple[tuple[str, str], ...] = ()
    unasked: frozenset[str] = frozenset()

    @property
    def fine(self) -> tuple[str, ...]:
        """The programs that `auto` can be."""
        unfit = dict(self.unfit)
        return tuple(name for name in self.installed if name not in unfit)


@dataclass(frozen=True, slots=True)
class Price:
    """What a million tokens of a model cost, as somebody read it on the day `as_of`. `model` may end in `*`.
    `context_tokens` is how much it can hold (0: unknown)."""

    model: str
    input_micros: int
    cached_micros: int
    output_micros: int
    as_of: str
    context_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Clocks:
    """When an agent is ended: so many seconds without output, or without a new call; the same call so many times in a row; so
    many tokens or so much money (0: any amount), where its program counts them as it goes. `price` is that of its model, for a
    program that tells no money (None: nobody knows). While its tools compute, no time runs."""

    silence_seconds: float = SILENCE_SECONDS
    progress_seconds: float = PROGRESS_SECONDS
    repeats: int = REPEATED_CALLS
    tokens: int = 0
    micros: int = 0
    price: Price | None = None


USUAL_CLOCKS = Clocks()


@dataclass(frozen=True, slots=True)
class Job:
    """What a program is to do now. `resume` is its own name for an earlier conversation that it is to go on with (empty:
    a new one). `keys` are variables that it gets besides those that the program signs in with: their names."""

    program: str
    prompt: str
    model: str = ""
    effort: Effort | None = None
    rules: tuple[Rule, ...] = ()
    max_turns: int = 0
    budget_micros: int = 0
    resume: str = ""
    clocks: Clocks = USUAL_CLOCKS
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and money; `input_tokens` counts the cached ones too. `cumulative`: since the conversation began, also over
    resuming; else of this run alone. `cost_micros` None: the program does not say."""

    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    cost_micros: int | None = None
    cumulative: bool = False

    def __add__(self, other: Usage) -> Usage:
        """Both together; money as far as one of them says it."""
        known = [cost for cost in (self.cost_micros, other.cost_micros) if cost is not None]
        return Usage(
            self.input_tokens + other.input_tokens,
            self.cached_tokens + other.cached_tokens,
            self.output_tokens + other.output_tokens,
            sum(known) if known else None,
        )


@dataclass(frozen=True, slots=True)
class Tally:
    """How use is counted while a program runs; nothing of it is kept. `settled` is what it told in sums, `answers` the last
    single ones with what each used so far, by their ids. `own` is the use of this run alone, of a program that counts over
    its conversation and tells that too (None: the use in the report is that)."""

    settled: Usage = Usage()
    answers: tuple[tuple[str, Usage], ...] = ()
    own: Usage | None = None


NO_TALLY = Tally()


@dataclass(frozen=True, slots=True)
class Report:
    """What an agent's stream has said so far, or in all.

    `finished`: it said by itself that its turn is over, and well. `conversation` is its own name for it; `tools` counts calls,
    `last_tool` is the last one in a line. `denied` are calls that were refused to it. `status` is the HTTP status of the last
    error of its provider (0: none), `error` the text of the last error; `until_ms` when the provider wants to be asked again.
    `words` is the end of what it said, which proves nothing, `printed` the end of what its program printed beside its
    stream. `ended_by` is which clock ended it. `tally` is for whoever reads on."""

    finished: bool = False
    conversation: str = ""
    model: str = ""
    tools: int = 0
    last_tool: str = ""
    denied: tuple[str, ...] = ()
    usage: Usage = Usage()
    status: int = 0
    error: str = ""
    until_ms: int = 0
    words: str = ""
    printed: str = ""
    ended_by: Watch | None = None
    tally: Tally = NO_TALLY


@dataclass(frozen=True, slots=True)
class Handshake:
    """What a program said of itself. `missing` are flags that we need and it does not have; `login`: what it would use to
    sign in (empty: nothing found). `problem`: why it cannot be used (empty: it can)."""

    program: str
    path: str = ""
    version: str = ""
    missing: tuple[str, ...] = ()
    login: str = ""
    models: tuple[str, ...] = ()
    efforts: tuple[Effort, ...] = ()
    problem: str = ""
