"""Figures of generated chemical formulas: the shares that are neutral, unique and new."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from surveyor.data.charges import neutral
from surveyor.data.chemistry import ratios
from surveyor.kinds.table.formula import restore_formulas
from surveyor.measures import Figure

NAMES = ("neutral", "unique", "new")


def formula_figures(
    formulas: Mapping[str, int], made: pd.DataFrame, held: pd.DataFrame, train: pd.DataFrame
) -> Iterator[Figure]:
    """Yield the shares of formulas that are ``neutral``, ``unique``, and ``new``: not in ``train``.

    The frames have formulas as elements and amounts. The floor is the share among as many
    held-out formulas.
    """
    for name in formulas:
        sides = [
            [t for t in restore_formulas(f, formulas)[name] if isinstance(t, str)]
            for f in (made, held, train)
        ]
        n = min(len(sides[0]), len(sides[1]))
        if n == 0:
            continue
        known = {ratios(t) for t in sides[2]}
        own, floor = (_shares(side[:n], known) for side in sides[:2])
        for what, value, real in zip(NAMES, own, floor, strict=True):
            rows = "train" if what == "new" else "held"
            yield Figure(what, value, real, "", "floor", name, "formula", n, rows=rows)  # type: ignore[arg-type]


def _shares(texts: Sequence[str], known: set[frozenset[tuple[str, float]]]) -> list[float]:
    found = [ratios(t) for t in texts]
    return [
        float(np.mean([neutral(t) for t in texts])),
        len(set(found)) / len(found),
        float(np.mean([f not in known for f in found])),
    ]
