"""Molecules in memory: canonical SMILES, with columns beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd


@dataclass(frozen=True, eq=False)
class Molecules:
    """Canonical ``smiles`` (n,) of type object, without stereochemistry and isotopes.

    ``name`` is what their column is called, ``columns`` are others that can serve as conditions, of
    which RDKit has ``computed`` some. ``valid`` is the share of the rows given that are one
    molecule each that RDKit reads.
    """

    smiles: np.ndarray
    name: str = "smiles"
    columns: Mapping[str, pd.Series] = field(default_factory=dict)
    valid: float = 1.0
    computed: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.smiles)

    def take(self, index: np.ndarray) -> Molecules:
        """Return the chosen rows."""
        columns = {
            n: values.iloc[index].reset_index(drop=True) for n, values in self.columns.items()
        }
        return replace(self, smiles=self.smiles[index], columns=columns)

    def joined(self, other: Molecules) -> Molecules:
        """Return the rows of both, with the columns that both have."""
        columns = {
            n: pd.concat([values, other.columns[n]], ignore_index=True)
            for n, values in self.columns.items()
            if n in other.columns
        }
        both = len(self) + len(other)
        valid = (len(self) * self.valid + len(other) * other.valid) / both if both else 1.0
        smiles = np.concatenate([self.smiles, other.smiles])
        computed = tuple(n for n in self.computed if n in columns)
        return Molecules(smiles, self.name, columns, valid, computed)
