"""Real rows among synthetic ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from surveyor.findings import Finding
from surveyor.measures import Figure, Figures, Measure, Seen
from surveyor.measures.memorising import too_many

COPY = "copy"


@dataclass(frozen=True, eq=False)
class Contained(Measure):
    """How many rows equal a row of each file of real rows.

    ``made`` are the rows' keys (n,), equal for equal rows, and ``real`` those of the files by name.
    The floor is the share of rows of the other real file, or else of the same, that equal another
    row of the file: so many would by chance.
    """

    made: np.ndarray = field(repr=False)
    real: Mapping[str, np.ndarray] = field(repr=False)

    def __call__(self, seen: Seen) -> Iterator[Figure]:
        """Yield ``contained`` by file; it says whether the rows are a copy of the whole file."""
        own = np.sort(self.made)
        for name, keys in self.real.items():
            others = [k for n, k in self.real.items() if n != name]
            floor = float(np.isin(others[0], keys).mean()) if others else repeated(keys)
            note = COPY if np.array_equal(own, np.sort(keys)) else ""
            share = float(np.isin(own, keys).mean())
            yield Figure("contained", share, floor, "", "floor", name, "file", len(own), note=note)

    def findings(self, figures: Figures, seen: Seen) -> Iterator[Finding]:
        """Yield each file with more rows among these than chance explains."""
        for f in contained(figures):
            yield Finding(
                "R09",
                "warn",
                f"{f.known:.1%} of the rows equal a row of {f.of}; of other real rows "
                f"{f.known_floor:.1%} do",
                "Remove them before you judge or share the rows",
            )


def contained(figures: Figures) -> list[Figure]:
    """Return the files of which the rows are a copy, or contain more rows than by chance."""
    return [
        f
        for f in figures.parts("contained", "file")
        if f.note == COPY or too_many(f.known, f.known_floor, f.n)
    ]


def repeated(keys: np.ndarray) -> float:
    """Return the share of rows that equal another row."""
    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return float((counts[inverse] > 1).mean())
