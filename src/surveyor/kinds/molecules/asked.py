"""Whether molecules have the properties that their condition columns say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from surveyor.data.columns import Column
from surveyor.findings import Finding
from surveyor.kinds.molecules import chemistry
from surveyor.kinds.molecules.codec import MoleculeCodec
from surveyor.kinds.molecules.comparison import Side, smiles_of
from surveyor.measures import Figure, Figures, Measure, Seen
from surveyor.measures.columns import targets

LEARNT, READ = 20_000, 4_000  # training molecules, and those of a side whose column is read
PARTS = 400  # entries of the fingerprint that a reader sees, the most varied
FEWEST = 50
ODD = 1.5  # of the reader's own error on real molecules, from which a finding is told


@dataclass(frozen=True)
class AsAsked(Measure):
    """Each condition column beside what is read from the molecules themselves.

    Columns that RDKit computes are left out: they hold what the molecules have.

    The reader is boosted trees on properties and fingerprints, trained on training molecules.
    ``asked`` of a number is the mean distance between the column and the reading, its floor that
    of held-out molecules, which is the reader's own error. ``asked`` of a category is the share of
    molecules that are read as it, its floor the reader's accuracy on held-out molecules.
    """

    def __call__(self, seen: Seen) -> Iterator[Figure]:
        """Yield ``asked`` of each condition column."""
        codec = cast(MoleculeCodec, seen.codec)
        columns = [c for c in codec.condition.columns if c.name not in codec.computed]
        if not columns:
            return
        data = seen.data
        sides = data.training(LEARNT), data.held_out(READ), _valid(seen.labelled(READ))
        if min(map(len, sides)) < FEWEST:
            return
        tables = _features([smiles_of(side) for side in sides])
        for column in columns:
            targets = [_target(column, side) for side in sides]
            found = _read(column, tables, targets, seen.seed)
            if found is not None:
                floor, value = found
                yield Figure(
                    "asked", value, floor, "", "lower" if column.ordered else "higher",
                    column.name, "column", len(tables[2]),
                )  # fmt: skip

    def findings(self, figures: Figures, seen: Seen) -> Iterator[Finding]:
        """Yield columns that molecules do not have as they say."""
        for figure in figures.parts("asked", "column"):
            value, floor = figure.known, figure.known_floor
            if figure.better == "lower" and value > ODD * floor:
                yield Finding(
                    "M05",
                    "warn",
                    f"{figure.of}: the column and what is read from the molecules are {value:.3g} "
                    f"apart, {floor:.3g} for real molecules",
                    "Use the column with care; compute the property of the samples if it matters",
                )


def _valid(side: Side) -> Side:
    """Leave out what is no molecule; a run's samples can have an empty SMILES."""
    return side[side.iloc[:, 0] != ""] if isinstance(side, pd.DataFrame) else side


def _features(sides: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return properties and the parts that vary most in the first set, for each set (n, d)."""
    prints = [chemistry.fingerprints(side) for side in sides]
    parts = np.argsort(-prints[0].var(0), kind="stable")[:PARTS]
    return [
        np.column_stack([chemistry.properties(side).to_numpy(), own[:, parts]])
        for side, own in zip(sides, prints, strict=True)
    ]


def _target(column: Column, side: Side) -> np.ndarray:
    own = side[column.name] if isinstance(side, pd.DataFrame) else side.columns[column.name]
    return targets(column, own)


def _read(
    column: Column, tables: list[np.ndarray], targets: list[np.ndarray], seed: int
) -> tuple[float, float] | None:
    """Return what is read of held-out and of generated molecules: errors, or shares."""
    known = [~np.isnan(target) for target in targets]
    if min(own.sum() for own in known) < FEWEST:
        return None
    rows = [table[own] for table, own in zip(tables, known, strict=True)]
    truth = [target[own] for target, own in zip(targets, known, strict=True)]
    if len(np.unique(truth[0])) < 2:
        return None
    trees = HistGradientBoostingRegressor if column.ordered else HistGradientBoostingClassifier
    with threadpool_limits(1):  # the same bytes on any number of cores
        reader = trees(random_state=seed, early_stopping=False).fit(rows[0], truth[0])
        guesses = map(reader.predict, rows[1:])
        agree = partial(_apart if column.ordered else _alike)
        held, made = (agree(guess, own) for guess, own in zip(guesses, truth[1:], strict=True))
    return held, made


def _apart(guess: np.ndarray, truth: np.ndarray) -> float:
    return float(np.abs(guess - truth).mean())


def _alike(guess: np.ndarray, truth: np.ndarray) -> float:
    return float((guess == truth).mean())
