"""Rows of measurements and their table, in Markdown so that it can be read on a terminal and kept in the documentation."""

from __future__ import annotations

import math
import os
import platform
import statistics
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was measured, a value for each sample. `most` is the target for the median; None: there is none."""

    what: str
    unit: str
    values: tuple[float, ...]
    most: float | None = None


HEADS = ("what", "median", "min .. max", "95 %", "samples", "target", "reached")


def render_rows(rows: Iterable[Row]) -> str:
    """The table of measurements."""
    return render_table(HEADS, [_cells(row) for row in rows])


def render_table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table with aligned columns."""
    widths = [max(len(line[column]) for line in (heads, *lines)) for column in range(len(heads))]
    rule = ["-" * width for width in widths]
    return "\n".join(_join(line, widths) for line in (heads, rule, *lines))


def tell_quantile(values: Sequence[float], share: float) -> float:
    """The value that `share` of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def describe_machine(folder: Path) -> str:
    """What the figures depend on, with the kind of file system that `folder` is on; no names and no paths."""
    models = [line.partition(":")[2].strip() for line in _read_lines("/proc/cpuinfo") if line.startswith("model name")]
    git, system = _say("git", "version").split()[2], _say("stat", "-f", "-c", "%T", str(folder)).strip()
    cores = f"{os.cpu_count()} cores ({models[0] if models else platform.machine()})"
    versions = f"Python {platform.python_version()}, git {git}, pygit2 {metadata.version('pygit2')}"
    kernel, load = platform.release().partition("-")[0], os.getloadavg()[0]
    return f"{cores}, Linux {kernel}, {system}, {versions}, load {load:.1f} at the start"


def _cells(row: Row) -> tuple[str, ...]:
    median = statistics.median(row.values)
    target = "" if row.most is None else f"<= {_number(row.most)} {row.unit}"
    reached = "" if row.most is None else "yes" if median <= row.most else "NO"
    span = f"{_number(min(row.values))} .. {_number(max(row.values))}"
    high = _number(tell_quantile(row.values, 0.95))
    return (row.what, f"{_number(median)} {row.unit}".strip(), span, high, str(len(row.values)), target, reached)


def _say(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _join(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True)) + " |"


def _read_lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines()
