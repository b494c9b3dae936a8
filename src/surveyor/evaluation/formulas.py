"""Generated chemical formulas: neutral, unique, new; the same of real ones beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from surveyor.data.charges import neutral
from surveyor.data.formula import folded, ratios


@dataclass(frozen=True)
class Formulas:
    """Shares of ``n`` formulas: ``neutral`` ones by ``neutral`` below, ``unique`` ones, and those
    ``new`` against the training formulas; ``_floor`` of as many held-out ones.
    """

    name: str
    n: int
    neutral: float
    neutral_floor: float
    unique: float
    unique_floor: float
    new: float
    new_floor: float


def formula_figures(
    formulas: Mapping[str, int], made: pd.DataFrame, held: pd.DataFrame, train: pd.DataFrame
) -> list[dict[str, Any]]:
    """Return the figures of every column of formulas; frames hold them as elements and amounts."""
    result = []
    for name in formulas:
        sides = [
            [t for t in folded(f, formulas)[name] if isinstance(t, str)]
            for f in (made, held, train)
        ]
        n = min(len(sides[0]), len(sides[1]))
        if n == 0:
            continue
        known = {ratios(t) for t in sides[2]}
        own, floor = (_shares(side[:n], known) for side in sides[:2])
        mixed = [x for pair in zip(own, floor, strict=True) for x in pair]
        result.append(asdict(Formulas(name, n, *mixed)))
    return result


def _shares(texts: Sequence[str], known: set[frozenset[tuple[str, float]]]) -> list[float]:
    found = [ratios(t) for t in texts]
    return [
        float(np.mean([neutral(t) for t in texts])),
        len(set(found)) / len(found),
        float(np.mean([f not in known for f in found])),
    ]
