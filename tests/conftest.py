"""What every part of the tests may use: `stories` (a repository and the real command line)."""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.pop("ORCHD_RUN", None)  # these tests may run inside a task of orchd
sys.path.insert(0, str(Path(__file__).parent / "e2e"))
sys.path.insert(0, str(Path(__file__).parent / "core"))
