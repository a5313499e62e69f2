"""The names of the files in the folder of a run; what they mean is in `evidence`. Supervisors use it: nothing is imported."""

from __future__ import annotations

ORDER = "order.json"
STARTED = "started.json"
EXIT = "exit.json"
RETURNED = "returned.json"
STEPS = "steps.json"
RESULT = "result.pack"
NOTES = "notes"
LIVE = "live"
PROGRESS = "progress.json"
STEP = "step"
BEAT = "beat"
ERRORS = "supervisor.err"
SALVAGE_LOCK = "salvage.lock"
