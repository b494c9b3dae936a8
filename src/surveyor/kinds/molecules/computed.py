"""Properties and parts of molecules that samples can be chosen by, computed from each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from surveyor.data.computed import Computed, Test, alternatives, read_range, within
from surveyor.data.where import TO
from surveyor.errors import InputError
from surveyor.kinds.molecules import chemistry
from surveyor.kinds.molecules.chemistry import PROPERTIES, Property
from surveyor.kinds.molecules.molecules import Molecules


@dataclass(frozen=True)
class Within(Computed):
    """A property within a range, or within one of several."""

    own: Property

    def read(self, name: str, query: Any) -> Test:
        """Read ``low..high``, of which one end can be left out; of whole numbers also a number.

        Raises:
            InputError: no range, or one that no molecule lies in.
        """
        ranges = [self._range(name, part) for part in alternatives(query)]
        return _each_once(lambda smiles: within(chemistry.values_of(name, smiles), ranges))

    def _range(self, name: str, text: str) -> tuple[float, float]:
        own, what = self.own, f"--where {name}={text}"
        low, high = read_range(name, text, own.whole)
        if low > high:
            raise InputError(f"{what}: the range is empty; write LOW{TO}HIGH")
        if high < own.least or low > own.most:
            least = f"at least {own.least:g}"
            bounds = f"{own.least:g} to {own.most:g}" if np.isfinite(own.most) else least
            raise InputError(f"{what}: no molecule has that; {name} is {bounds}")
        return low, high


@dataclass(frozen=True)
class Contains(Computed):
    """A part of a molecule, as SMARTS, or one of several."""

    def read(self, name: str, query: Any) -> Test:
        """Read SMARTS, in which aromatic atoms are small letters, or several with bars between.

        Raises:
            InputError: it is no SMARTS.
        """
        found = []
        for text in alternatives(query):
            try:
                found.append(chemistry.pattern(text))
            except InputError as error:
                raise InputError(f"--where {name}={error.problems[0]}") from None

        def test(smiles: np.ndarray) -> np.ndarray:
            has: np.ndarray = np.any([chemistry.contain(smiles, part) for part in found], axis=0)
            return has

        return _each_once(test)


COMPUTED: Mapping[str, Computed] = {
    **{name: Within(own) for name, own in PROPERTIES.items()},
    "contains": Contains(),
}


def with_properties(raw: Molecules, names: Sequence[str]) -> Molecules:
    """Return molecules with those of ``names`` as columns that they lack, and RDKit computes."""
    lacking = [name for name in names if name in PROPERTIES and name not in raw.columns]
    own = {name: pd.Series(values_of(name, raw.smiles)) for name in lacking}
    return replace(raw, columns={**raw.columns, **own}, computed=(*raw.computed, *lacking))


def values_of(name: str, smiles: np.ndarray) -> np.ndarray:
    """Return a property of molecules, (n,); it is missing where there is none."""
    sound, own = smiles != "", PROPERTIES[name]
    found = np.full(len(smiles), np.nan)
    found[sound] = chemistry.values_of(name, smiles[sound])
    return found.astype(np.int64) if own.whole and sound.all() else found


def _each_once(test: Callable[[np.ndarray], np.ndarray]) -> Test:
    """Return the test of samples whose first column are SMILES, each different one tested once."""

    def passed(made: pd.DataFrame) -> np.ndarray:
        codes, different = pd.factorize(made.iloc[:, 0])
        return test(np.asarray(different, dtype=object))[codes]

    return passed
