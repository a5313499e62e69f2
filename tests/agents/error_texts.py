"""Error texts that people saw, each with its public source and the class that it means, and how well a reader of texts does.

The labels were written before the rules. A third of the texts (by a hash of the text) is held out: the rules were written
without looking at what they make of it. Placeholders in texts taken from source code are filled in.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from orchd.model.agent import Failure

FILE = Path(__file__).with_name("error_texts.tsv")


@dataclass(frozen=True)
class ErrorText:
    label: Failure
    source: str
    text: str

    @property
    def held_out(self) -> bool:
        return int(hashlib.sha256(self.text.encode()).hexdigest(), 16) % 3 == 0


def read_texts() -> tuple[ErrorText, ...]:
    lines = FILE.read_text(encoding="utf-8").splitlines()[1:]
    return tuple(ErrorText(Failure(label), source, text) for label, source, text in (line.split("\t") for line in lines))


def macro_f1(texts: Iterable[ErrorText], read: Callable[[str], Failure]) -> float:
    """The mean over the classes of the harmonic mean of precision and recall."""
    right, wrong, missed = Counter[Failure](), Counter[Failure](), Counter[Failure]()
    for one in texts:
        got = read(one.text)
        right[one.label] += got is one.label
        missed[one.label] += got is not one.label
        wrong[got] += got is not one.label
    labels = [label for label in Failure if right[label] + missed[label]]
    return sum(2 * right[one] / (2 * right[one] + wrong[one] + missed[one]) for one in labels) / len(labels)
