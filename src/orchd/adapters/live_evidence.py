"""The evidence of live commits in the folder of a run: packs by the supervisor, and what the airlock did with each.

live/<n>.<commit>.pack   what the task had committed; only the newest stays
live/judged.json         what the airlock said of the newest one that it has looked at
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from orchd.adapters.codec import decode, dumps, encode
from orchd.adapters.durable import write_durably
from orchd.adapters.evidence import read_json, run_folder
from orchd.adapters.live_commits import list_packs
from orchd.adapters.place import Place
from orchd.adapters.run_files import LIVE
from orchd.model.dataclass import dataclass
from orchd.model.ids import Oid, RunId
from orchd.model.run import Live


@dataclass(frozen=True, slots=True)
class Judged:
    """What the airlock said of one pack. `tip` is empty when it could not be taken."""

    number: int
    tip: Oid
    detail: tuple[str, ...] = ()


def read_live(place: Place, run: RunId) -> Live | None:
    """What the run has committed so far. None: nothing that was packed."""
    packs = list_packs(run_folder(place, run) / LIVE)
    if packs is None:
        return None
    judged = _read_judged(place, run)
    if not packs and judged is None:
        return None
    live = Live(judged.tip, "", judged.detail) if judged else Live()
    number, tip, _ = packs[-1] if packs else (0, "", "")
    return replace(live, fresh=tip) if number > (judged.number if judged else 0) else live


def newest_pack(place: Place, run: RunId) -> tuple[int, Oid, Path] | None:
    """Number, commit and file of the newest pack."""
    folder = run_folder(place, run) / LIVE
    packs = list_packs(folder) or ()
    return (packs[-1][0], packs[-1][1], folder / packs[-1][2]) if packs else None


def write_judged(place: Place, run: RunId, judged: Judged) -> None:
    """Store, durably, what became of a pack. One that could not be taken leaves the commit before it as it is."""
    before = _read_judged(place, run)
    kept = judged if judged.tip or before is None else replace(judged, tip=before.tip)
    write_durably(_judged_path(place, run), dumps(encode(kept)))


def _read_judged(place: Place, run: RunId) -> Judged | None:
    data = read_json(_judged_path(place, run))
    return decode(Judged, data) if data else None


def _judged_path(place: Place, run: RunId) -> Path:
    return run_folder(place, run) / LIVE / "judged.json"
