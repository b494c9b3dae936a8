"""Properties and parts of molecules that samples can be chosen by, computed from each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from surveyor.data.computed import Computed, Test
from surveyor.data.where import OR, TO
from surveyor.errors import InputError
from surveyor.kinds.molecules import chemistry
from surveyor.kinds.molecules.chemistry import PROPERTIES, Property


@dataclass(frozen=True)
class Within(Computed):
    """A property within a range, or within one of several."""

    own: Property

    def read(self, name: str, query: Any) -> Test:
        """Read ``low..high``, of which one end can be left out; of whole numbers also a number.

        Raises:
            InputError: no range, or one that no molecule lies in.
        """
        spans = [self._span(name, part) for part in _parts(query)]

        def test(smiles: np.ndarray) -> np.ndarray:
            values = chemistry.values_of(name, smiles)
            found: np.ndarray = np.any(
                [(lo <= values) & (values <= hi) for lo, hi in spans], axis=0
            )
            return found

        return _each_once(test)

    def _span(self, name: str, text: str) -> tuple[float, float]:
        own, ends = self.own, text.split(TO)
        what = f"--where {name}={text}"
        try:
            low, high = (_end(e, k) for k, e in enumerate(ends if len(ends) > 1 else ends * 2))
        except ValueError:
            raise InputError(f"{what}: write a range LOW{TO}HIGH") from None
        if len(ends) == 1 and not own.whole:
            raise InputError(f"{what}: hardly ever exactly so; write a range LOW{TO}HIGH")
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
        for text in _parts(query):
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


def _each_once(test: Callable[[np.ndarray], np.ndarray]) -> Test:
    """Return the test of samples whose first column are SMILES, each different one tested once."""

    def passed(made: pd.DataFrame) -> np.ndarray:
        codes, different = pd.factorize(made.iloc[:, 0])
        return test(np.asarray(different, dtype=object))[codes]

    return passed


def _parts(query: Any) -> Sequence[str]:
    if isinstance(query, (list, tuple, set, frozenset)):
        return [str(part) for part in query] or [""]
    return [part.strip() for part in str(query).split(OR)]


def _end(text: str, k: int) -> float:
    """Return one end of a range; infinite where it is left out."""
    if not text.strip():
        return (-np.inf, np.inf)[k]
    value = float(text)
    if np.isnan(value):
        raise ValueError(text)
    return value
