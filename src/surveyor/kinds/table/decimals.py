"""Numbers with more decimals than real ones have: 25.33 where ages are whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np

from surveyor.data.grains import decimals
from surveyor.kinds.table.codec import TableCodec
from surveyor.kinds.table.measures import frames
from surveyor.measures import Figure, Measure, Seen


@dataclass(frozen=True)
class Decimals(Measure):
    """The share of generated numbers that no real one could be, since they have more decimals."""

    def __call__(self, seen: Seen) -> Iterator[Figure]:
        """Yield ``finer`` for each column in which there are such numbers."""
        codec, (made, held, train) = cast(TableCodec, seen.codec), frames(seen)
        for column in codec.measured:
            if not column.ordered or column.form.type.family != "number":
                continue
            ours, *real = (column.numbers(side[column.name]) for side in (made, held, train))
            most = decimals(np.concatenate(real))
            present = ours[np.isfinite(ours)]
            if most is None or not len(present):
                continue
            share = float(np.mean(~_near(present, most)))
            if share > 0:
                note = f"have at most {most} decimals" if most else "are whole"
                yield Figure(
                    "finer", share, 0.0, "", "lower", column.name, "column", len(present),
                    note=note,
                )  # fmt: skip


def _near(values: np.ndarray, places: int) -> np.ndarray:
    near: np.ndarray = np.isclose(
        values, values.round(places), rtol=1e-9, atol=1e-9 * 10.0**-places
    )
    return near
