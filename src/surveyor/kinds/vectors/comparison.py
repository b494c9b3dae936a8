"""A comparison of two sets of vectors: their coordinates and, in the plane, both clouds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import torch

import surveyor.panels.drawing as draw
from surveyor.data.coordinates import Coordinates
from surveyor.data.fitting import fit_column
from surveyor.kinds.vectors.codec import VectorCodec
from surveyor.panels import Picture, Section, Text, TwoSets, marginals
from surveyor.two_sample import Samples, of_points

MOST_COLUMNS = 200
POINTS = 2000


def coordinates(codec: VectorCodec, raw: tuple[Any, Any]) -> Coordinates:
    """Return one column per coordinate, for at most the first ``MOST_COLUMNS`` coordinates."""
    wide = raw[0].main.shape[1]
    names = [f"{codec.main}{k}" for k in range(wide)][:MOST_COLUMNS]
    first, second = (pd.DataFrame(dict(zip(names, r.main.T, strict=False))) for r in raw)
    joined = pd.concat([first, second], ignore_index=True)
    columns = tuple(fit_column(name, joined[name]) for name in names)
    return Coordinates((first, second), columns, wide - len(names))


def samples(codec: VectorCodec, raw: tuple[Any, Any], points: tuple[Any, Any]) -> Samples:
    """Return all rows of both sets, by coordinate."""
    a, b = (np.asarray(side.main) for side in raw)
    return replace(of_points(a, b, codec.main), points=points)


def plane(sets: TwoSets) -> Iterator[Section]:
    """Yield both clouds if they lie in the plane, else the marginals."""
    if sets.raw[0].main.shape[1] != 2:
        yield from marginals(sets)
        return
    first, second = (np.asarray(r.main, dtype=float)[:POINTS] for r in sets.raw)
    picture = draw.clouds(first, second, _field(sets), _arrows(sets), sets.names)
    note = Text(
        "The lines are level curves of the critic. The arrows point down its slope, the direction "
        "in which transport carries the first set to the second.",
        note=True,
    )
    notes = () if sets.critic is None else (note,)
    instead = "both sets, and the direction of transport"
    title = "Both sets" if sets.critic is None else "Where the mass moves"
    yield Section(title, (Picture(picture, instead), *notes))


def _encoded(sets: TwoSets, p: np.ndarray) -> torch.Tensor:
    codec: Any = sets.codec
    return torch.from_numpy(codec.encoded(p).astype(np.float64) * codec.space.unit).float()


def _field(sets: TwoSets) -> draw.Field | None:
    critic = sets.critic
    return None if critic is None else lambda p: critic(_encoded(sets, p)).float()


def _arrows(sets: TwoSets) -> draw.Arrows | None:
    critic = sets.critic
    if critic is None:
        return None

    def downhill(p: np.ndarray) -> np.ndarray:
        x = _encoded(sets, p).requires_grad_(True)
        (gradient,) = torch.autograd.grad(critic(x).sum(), x)
        return np.asarray(-gradient)

    return downhill
