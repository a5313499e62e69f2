"""Every number that limits something, with its unit in its name.

A limit that a person may change is the default of a configuration key; the others are fixed.
"""

from __future__ import annotations

LOOK_SECONDS = 2.0
"""The longest time between two looks at the world; repairs whatever events lost."""

SPENT_REFS = 16
"""Spent refs of a kind are deleted when there are so many, or when nothing is open: one process for all."""

STUCK_LOOKS = 15
"""Looks in a row in which every action failed, after which a foreground run gives up."""

SETTLE_SECONDS = 0.03
"""A dropped file is read once it has not changed for this long and nobody has it open for writing."""

DRAIN_SECONDS = 30.0
"""How long a stopping daemon waits for running tasks; what still runs then is adopted at the next start."""

KILL_GRACE_SECONDS = 15.0
"""From the polite signal (TERM) to the final one (KILL) for a whole process tree."""

PARALLEL_TASKS = 4
"""Tasks that run at the same time, unless the configuration says otherwise."""

TASK_TIMEOUT_SECONDS = 3600.0
GATE_TIMEOUT_SECONDS = 1800.0
DEPLOY_TIMEOUT_SECONDS = 1800.0
MAX_TIMEOUT_SECONDS = 7 * 24 * 3600.0

BEAT_SECONDS = 5.0
"""Between two heartbeats of a supervisor. Each costs it one wake-up and one small write."""

LEASE_SECONDS = 90.0
"""How long a heartbeat may stand still, on the clock of the daemon that watches, before the lease expires. Too short kills
good work on a machine that swaps or whose disk stalls (half a minute was seen); too long keeps others waiting for a
crashed holder, which is rare: most supervisors that die are seen dead at once."""

LOST_RETRIES = 2
"""Attempts of one task that may be lost (supervisor gone without evidence) before the task fails."""

ERROR_CHARACTERS = 4000
"""How much of the end of what an agent printed is read for what went wrong: the cause stands near the end."""

SPENT_SHARE = 0.9
"""An attempt that failed with so much of its tokens used had too few of them."""

STEP_ATTEMPTS = 3
"""Attempts of one step at most: after two vendors have failed another one succeeds in one case of seven."""

STEP_CHECKPOINTS = 10
"""Step checkpoints of a task that are kept, the newest; its base is one more. Their commits stay in the attic."""

SUB_STEPS = 5
SUB_STEP_DEPTH = 2
"""Sub-steps that a step may become at most, and how often a sub-step may be divided again."""

COOL_SECONDS = 60.0
COOL_MOST_SECONDS = 8 * 24 * 3600.0
"""How long a provider is left alone that does not say how long; twice as long each time. What a provider asks for beyond
a week and a day is not believed."""

ACCOUNT_DAYS = 400
"""Days on which something was spent that the ledger remembers: a year and a month."""

BUDGET_DOLLARS = 10_000.0
"""What a budget or a cap may allow at most."""

CAP_SHARES = 4
MOST_SHARES = 100
"""An agent without a budget may spend so large a part of a cap: with four, four can run at the same time."""

WAIT_SECONDS = 900.0
"""How long `orchd run` waits for a provider that wants to be left alone, before it says what still waits and ends."""

PRICE_DOLLARS = 10_000.0
"""What a million tokens may cost at most: more is a slip."""

METERS = 1000
"""Conversations whose last count is remembered; who takes up an older one counts it whole again."""

GATE_ATTEMPTS = 3
"""Lost gate runs on one tree before the save gives up on it."""

GATE_RETRIES = 1
"""How often a red gate is asked again on the same tree: what is green then is a flake, and recorded as one."""

MAX_RETRIES = 10
"""A gate that needs more than this says nothing."""

VALUE_CHARACTERS = 1000
"""Length of the value of a variable in the configuration."""

GATES_AT_ONCE = 2
"""Trees of one save that are gated at the same time."""

RED_CHANCE = 0.07
"""How likely a task of a red chain is taken to be bad, each for itself: so the first bad one is looked for in front rather."""

ROUND_RUNS = 0.65
"""What waiting for a round of gates less is worth, in runs of gates, for each tree that may be gated beside the first. With
these two 16 tasks need 6.3 and 10.5 runs for one and two culprits, two at a time (`bench/gating.py`)."""

AUDITED_ONE_IN = 50
"""Of so many stored results one is not believed, and the gate run again (2 %)."""

ANSWERS_KEPT = 256
"""Saves, and tasks judged by themselves, about which an answer from the stored results is remembered."""

RESULT_DAYS = 14
"""Days after which a stored result counts no more: tools change without a trace in the tree."""

JUDGED_TASKS = 20
JUDGED_LEAST = 8
MANY_RED_SHARE = 0.25
"""The last tasks that gates judged, how many there must be to expect anything, and the share of red ones from which on
links are gated one by one."""

GATHER_SECONDS = 0.25
"""While others run, a save waits this long for more tasks to become ready: it costs about the same for one as for many."""

SAVE_ITEMS = 64
"""Tasks that one save lands at most."""

AGEING_SECONDS = 300.0
"""One point of priority is worth as much as so long a wait, so no stream of urgent tasks holds a task back for ever."""

LINK_SECONDS = 60.0
"""What each link of the chain of tasks behind a task is worth, as a wait; whoever holds up many goes first."""

CHAIN_LINKS = 60
"""Links that count at most: a long chain may not be worth more than an hour."""

PATIENCE_SECONDS = 3600.0
"""A task that is held back may be passed for so long (less for urgent ones); from then on its place is kept."""

NUMBER_DIGITS = 9
"""Digits at the beginning of a file name that can be a number in a row; more are a date with a time."""

NUMBER_SECONDS = 30.0
"""How long `orchd number` asks the shared remote before it gives up. A daemon does not wait for it at all."""

RECORD_SECONDS = 30.0
"""How long `orchd promote` asks the shared remote about one record of an environment before it gives up: as for a number."""

FREE_DISK_BYTES = 512 * 1024 * 1024
"""Nothing starts when the disk of the workspaces has less: landing what runs needs some of it."""

ROOM_BYTES = 32 * 1024 * 1024
"""With less free than this on its disk a gate is not run, for it would only tell of the disk; people are told."""

VERDICT_SECONDS = 600.0
VERDICT_TRIES = 5
"""For so long and so often at least git is asked again to check or merge a result when it came to no verdict."""

ROOM_SECONDS = 30.0
ROOM_MOST_SECONDS = 3600.0
"""How long gates are not tried again after a run that had no room, twice as long each time."""

TROUBLE_SECONDS = 10.0
"""A failure that was not repeated for so long is over: what fails is tried again every LOOK_SECONDS."""

FREE_MEMORY_BYTES = 128 * 1024 * 1024
"""Nothing starts when the machine has less: the kernel would soon end processes of its choice."""

MEASURE_SECONDS = 30.0
"""How old the measured size of a workspace may be."""

MEASURED_FILES = 50_000
"""Entries of a workspace that are measured at most, a tenth of a second or so; what is beyond is not counted."""

FALLBACKS = 8
"""Agents in the chain of one task."""

NAME_CHARACTERS = 100
"""Length of the name of a model or of a capability."""

AGENT_TURNS = 10_000
AGENT_TOKENS = 1_000_000_000
BUDGET_DOLLARS = 10_000.0
"""What the definition of an agent may allow at most."""

PRIORITY_MIN = -100
PRIORITY_MAX = 100

ID_CHARS = 48
TITLE_CHARS = 200
COMMAND_BYTES = 32 * 1024
LIST_ITEMS = 200

TASK_FILE_BYTES = 64 * 1024
YAML_DEPTH = 12
YAML_NODES = 5000

FIRST_PORT = 20000
LAST_PORT = 20999
"""TCP ports that tasks are given, unless the configuration says otherwise. Below those that Linux gives to clients."""

REFUSALS = 16
"""Requests in vain that the lease of a running task, or the state, remembers."""

PORTS_PER_TASK = 16
"""Free TCP ports that one task may ask for."""

RESERVATION_SECONDS = 366 * 24 * 3600.0
"""How long a claim file may hold by `for`; `until` and none of both may hold longer."""

PATH_BYTES = 1024
CHANGED_FILES = 2000
FILE_BYTES = 5 * 1024 * 1024
RESULT_PACK_BYTES = 256 * 1024 * 1024

ASK_BYTES = 4096
ASK_FILES = 16
"""Requests of a running task that are read at a look, and how large each may be."""

PROPOSAL_FILES = 32
PROPOSALS = 100
PROPOSAL_DEPTH = 5
"""Proposals of a run that are read; tasks that one task may be allowed to propose, and how deep, at most."""

CONTROL_ENTRIES = 256
"""Entries of a control folder that are looked at: a task may make millions, and each look would read them."""

LOG_HEAD_BYTES = 1024 * 1024
LOG_TAIL_BYTES = 4 * 1024 * 1024

RACE_RETRY_SECONDS = 10.0
"""How long a lost compare-and-swap or a held lock is tried again, with full jitter."""

UNPACK_OBJECTS = 100
"""Results with at most this many objects arrive as loose objects, larger ones as a pack (git's own `unpackLimit`)."""

ATTIC_OPERATIONS = 20_000
"""Operations of the log in which the reasons for what is in the attic are looked for, the newest first."""

DETAIL_ITEMS = 50
"""Paths or lines kept in the record of a refusal; the rest is counted."""

LIVE_SECONDS = 1.0
"""How often a supervisor looks whether its task has committed something."""

LIVE_PACK_BYTES = 64 * 1024 * 1024
"""What a running task has committed is packed while it runs up to this size; the rest comes with its result."""

RADAR_TIPS = 48
"""Live tips that the conflict radar looks at: the pairs grow with the square."""

RADAR_FINDINGS = 4000
"""Changed paths of a tip that the radar compares by itself; what changes more is left to git."""

RADAR_SECONDS = 10.0
"""How long git may take for the merges of one look of the radar; what it did not come to is not predicted."""

DISPUTE_LINES = 200
"""Lines of a conflicting file that `orchd show` prints; git shows the rest."""

DISPUTE_BYTES = 1024 * 1024
"""A conflicting file above this is not shown."""

DISPUTE_PATHS = 20
"""Conflicting files that are shown with their lines; of the others only the names."""

LESSON_MERGES = 500
"""The newest merges of people that `orchd init --learn-merges` makes again."""

LESSON_FILES = 20
"""Files that a recipe must have settled there before its share says anything."""

LESSON_SHARE = 0.95
"""The share of them that must come out as people made them."""

PARSE_SECONDS = 10.0
"""How long a parser may take for a settled file; what takes longer becomes a question."""

GOALS = 10
"""Landed changes that are named beside a conflict."""

MERGE_STEPS = 2_000_000
"""Steps that comparing two texts in this process may take (about a second); what would take more becomes a question."""

SCRATCH_BYTES = 256 * 1024 * 1024
"""Least room in a folder in memory for what the radar throws away: merges of large files write their whole result."""

SESSIONS_KEPT = 1024
"""Sessions without settings whose (equal) records are kept, so that the arbiter does not make one for each question."""

SIGN_SECONDS = 20.0
"""How long the program that signs a checkpoint may take; an agent that asks a person is too slow to be waited for."""

CHECKPOINTS_LAST = 20
"""The newest checkpoints, which always keep their tags."""

CHECKPOINT_DAYS = 30
"""Days on which anything landed of which the last checkpoint keeps its tag."""

TAKEOVER_SECONDS = 60.0
"""How long another clone must see no sign of life from the owner of a session before it takes the session over."""

SECURE_SHARE = 0.5
"""The part of the take-over time after which an owner that could not renew starts and lands nothing more. The rest is room
for clocks that run at different speeds and for what is under way."""

RENEW_SHARE = 0.2
"""The part of the take-over time after which an owner shows that it lives; two may fail before it has to pause."""

ASK_SHARE = 0.1
"""The part of the take-over time after which the remote is asked again, at most ASK_SECONDS."""

ASK_SECONDS = 5.0

REMOTE_SECONDS = 600.0
"""How long one question to the remote, or one push, may take at most before its process is ended; it begins with less."""

PREPARE_SECONDS = 600.0
"""How long the checkout of a workspace may take."""

COLLECT_SECONDS = 120.0
"""How long committing and packing what a run changed may take."""

APPROVALS = 20
"""People who must approve at most: more would never come together."""

ENVIRONMENTS = 20
"""Environments in a row at most."""

PROMOTION_LOG_BYTES = 16 * 1024
"""How much of the end of what a deployment printed is kept with its record."""

PROMOTION_RACE_SECONDS = 2.0
"""How long who lost against another promoter looks for who that is."""

AGENT_LINE_BYTES = 2 * 1024 * 1024
"""The longest line of an agent program's stream that is read as an event."""

DIARY_BYTES = 4 * 1024 * 1024
"""How much of what an agent program writes of its use is read at one look, so that a huge line keeps nobody waiting."""

OPEN_ANSWERS = 16
"""Answers of a model that may still tell more of what they used: those of an agent and of its sub-agents at the same time."""

AGENT_WORDS_CHARS = 2000
"""How much of the end of what an agent said, of an error, or of a call is kept: enough for a person, little in the state."""

KEY_BYTES = 8
"""A shorter value of a variable that holds a key is not taken out of what agents print: it is no secret."""

AGENT_DENIALS = 20
"""How many refused calls are kept by name."""

SILENCE_SECONDS = 300.0
"""How long an agent may print nothing. Programs that are refused by their provider wait for ever without a word."""

PROGRESS_SECONDS = 900.0
"""How long an agent may go on without a new call of a tool, though it prints."""

REPEATED_CALLS = 10
"""The same call with the same arguments so many times in a row is a circle. Waiting for something needs fewer."""

SETBACKS = 3
"""Earlier attempts in vain that a task remembers, the newest ones."""

MEMORY_BYTES = 16 * 1024
MEMORY_SHARE = 0.8
"""How much text of earlier attempts a task may carry along, and the part of it above which the oldest is shortened: each
operation of the task writes all of it."""

SHORT_LINE_BYTES = 200
"""What stays of a line of an earlier attempt that is shortened."""

PROMPT_BUDGETS = {"low": (3, 5, 2 * 1024), "medium": (8, 20, 8 * 1024), "high": (20, 60, 32 * 1024)}
"""For each effort: entries of each list of a prompt, paths of each entry, bytes of what a run printed. Each costs."""

RECALLED_LINES = 400
"""The last lines of a run that a prompt is taken from."""

PROBE_SECONDS = 30.0
"""How long an agent program may take to tell its version or its flags; the slowest known one takes 20."""

ANSWER_BYTES = 1024 * 1024
"""The beginning of what an agent program answers to a question of its version, flags or models; the longest known is 0.1 MB."""

HANDSHAKE_DAYS = 7
"""Days after which a program is asked again who it is. One that has changed, or could not be used, is asked at once."""

AGENT_MODELS = 300
"""How many names of models a program is believed to have."""

LEAST_PYTHON = (3, 11)
"""The oldest Python that orchd runs on."""

LEAST_GIT = (2, 39)
"""The oldest git that orchd was tried with."""
