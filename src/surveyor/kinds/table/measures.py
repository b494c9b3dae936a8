"""Measures of tables: columns, pairs of columns, and formulas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import pandas as pd

from surveyor.kinds.table.codec import TableCodec
from surveyor.kinds.table.formulas import formula_figures
from surveyor.kinds.table.samples import of_features
from surveyor.measures import Figure, Measure, Seen
from surveyor.measures.columns import features, table_fidelity
from surveyor.two_sample import Samples, some

ROWS = 20_000
WEAKEST = 20  # pairs of columns that have a figure of their own


@dataclass(frozen=True)
class Columns(Measure):
    """The distance of each column in its own unit, and how well pairwise trends agree."""

    def __call__(self, seen: Seen) -> Iterator[Figure]:
        """Yield ``distance`` by column, ``trends``, and ``agreement`` of the weakest pairs."""
        codec = cast(TableCodec, seen.codec)
        n = min(map(len, frames(seen)))
        # Rows lie as in their files, which may be sorted.
        made, held, train = (side.iloc[some(len(side), n, seen.seed)] for side in frames(seen))
        fidelity = table_fidelity(codec.measured, made, held, train)
        for c in fidelity.columns:
            yield Figure("distance", c.distance, c.floor, c.kind, "lower", c.name, "column", n)
        yield Figure("trends", fidelity.trends, fidelity.trends_floor, "", "higher", n=n)
        weakest = sorted(fidelity.pairs.items(), key=lambda item: item[1])[:WEAKEST]
        for pair, agreement in weakest:
            yield Figure("agreement", agreement, None, "", "higher", pair, "pair", n)
        if codec.formulas:
            every = seen.data.training(len(seen.data.train))
            yield from formula_figures(codec.formulas, made, held, every)


def frames(seen: Seen) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return generated, held-out and training rows in user units, with the same label noise."""
    return seen.once("frames", lambda: _frames(seen))


def _frames(seen: Seen) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    n = min(ROWS, len(seen.data.holdout))
    return seen.labelled(n), seen.data.held_out(n), seen.data.training(n)


def both(seen: Seen) -> tuple[Samples, Samples]:
    """Return held-out rows against generated ones, and against training rows."""
    codec, (made, held, train) = cast(TableCodec, seen.codec), frames(seen)
    points = seen.held(seen.n).joint().numpy(), seen.fake(seen.n).joint().numpy()
    numbers = features(codec.measured, made, held, train)
    return tuple(
        of_features(codec.measured, numbers[1], other, points) for other in (numbers[0], numbers[2])
    )  # type: ignore[return-value]
