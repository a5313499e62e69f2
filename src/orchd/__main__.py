"""`python -m orchd` is the same as `orchd`."""

from __future__ import annotations

from orchd.cli import main

main()
