"""Molecules as tables of numbers: their properties, and how often a part occurs in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

import surveyor.panels.drawing as draw
from surveyor.data.columns import Column
from surveyor.data.coordinates import Coordinates
from surveyor.data.fitting import fit_column
from surveyor.kinds.molecules import chemistry
from surveyor.kinds.molecules.codec import MoleculeCodec
from surveyor.kinds.molecules.molecules import Molecules
from surveyor.kinds.molecules.sheets import sheet
from surveyor.panels import Picture, Section, Text, TwoSets
from surveyor.two_sample import Samples, some

MOST = 4_000  # molecules of a set that tests see
PARTS = 250  # entries of a fingerprint that tests see, the most varied
NAMED_IN = 2_000  # molecules among which an example of a part is looked for
SHOWN = 20  # structures of each set

Side = Molecules | pd.DataFrame


def smiles_of(side: Side) -> np.ndarray:
    """Return the SMILES (n,) of molecules, or of samples, whose first column they are."""
    if isinstance(side, Molecules):
        return side.smiles
    return np.asarray(side.iloc[:, 0].to_numpy(), dtype=object)


def property_columns(*tables: pd.DataFrame) -> tuple[Column, ...]:
    """Return the columns of properties fitted to all rows."""
    every = pd.concat(tables, ignore_index=True)
    return tuple(fit_column(str(name), every[name]) for name in every)


def numbered(smiles: np.ndarray) -> pd.DataFrame:
    """Return the properties of molecules, with whole numbers where they are."""
    table = chemistry.properties(smiles)
    whole = [name for name, own in chemistry.PROPERTIES.items() if own.whole]
    return table.astype(dict.fromkeys(whole, np.int64))


def coordinates(codec: MoleculeCodec, raw: tuple[Molecules, Molecules]) -> Coordinates:
    """Return the molecules of both sets with their properties, and with the condition columns."""
    tables = [numbered(side.smiles) for side in raw]
    columns = property_columns(*tables)
    for own in codec.condition.columns:
        if own.name not in tables[0] and all(own.name in side.columns for side in raw):
            for table, side in zip(tables, raw, strict=True):
                table[own.name] = side.columns[own.name].to_numpy()
            columns = (*columns, own)
    for table, side in zip(tables, raw, strict=True):
        table.insert(0, codec.name, side.smiles)
    return Coordinates((tables[0], tables[1]), columns)


def samples(codec: MoleculeCodec, raw: tuple[Molecules, Molecules], points: Any) -> Samples:
    """Return some rows of both sets by property, and by the parts of molecules."""
    sides = [side.smiles[some(len(side), MOST, 0)] for side in raw]
    (both,) = compared(sides[0], [sides[1]], [points])
    return both


def compared(
    first: np.ndarray, others: Sequence[np.ndarray], points: Sequence[Any]
) -> list[Samples]:
    """Return samples of one set against each of several, all with the same columns.

    Columns are the properties, and of the fingerprint's entries those that vary most in all sets
    pooled, which favours none of them.
    """
    sets = [first, *others]
    prints = [chemistry.fingerprints(side) for side in sets]
    parts = np.argsort(-np.concatenate(prints).var(0), kind="stable")[:PARTS]
    tables = [
        np.column_stack([chemistry.properties(side).to_numpy(), own[:, parts]])
        for side, own in zip(sets, prints, strict=True)
    ]
    names = [*chemistry.PROPERTIES, *_names(sets, prints, parts)]
    return [
        Samples(
            names,
            [False] * len(names),
            lambda k, other=other: (tables[0][:, k], other[:, k]),  # type: ignore[misc]
            (len(tables[0]), len(other)),
            pair,
        )
        for other, pair in zip(tables[1:], points, strict=True)
    ]


def _names(
    sets: Sequence[np.ndarray], prints: Sequence[np.ndarray], parts: np.ndarray
) -> Iterator[str]:
    """Yield each entry of a fingerprint in words, by the first molecule that has it."""
    smiles = np.concatenate([side[:NAMED_IN] for side in sets])
    has = np.concatenate([own[:NAMED_IN] for own in prints])[:, parts] > 0
    for k, entry in enumerate(parts.tolist()):
        example = int(has[:, k].argmax())
        named = has[example, k]
        what = chemistry.fragment(smiles[example], entry) if named else f"number {entry}"
        yield f"how often {what}"


def both_sets(sets: TwoSets) -> Iterator[Section]:
    """Yield structures of both sets, and their properties."""
    n = min(*map(len, sets.raw), SHOWN)
    first, second = (sheet(side.smiles[:n]) for side in sets.raw)
    names = [name[:1].upper() + name[1:] for name in sets.names]
    yield Section(
        "Structures",
        (
            Picture(first, "structures", names[0]),
            Picture(second, "structures", names[1], beside=True),
        ),
    )
    own = sets.coordinates
    if own.columns:
        picture, _ = draw.marginals(own.columns, *own.frames)
        note = Text(f"Grey: {sets.names[0]}. Orange: {sets.names[1]}.", note=True)
        yield Section("Properties", (Picture(picture, "distributions of properties"), note))
