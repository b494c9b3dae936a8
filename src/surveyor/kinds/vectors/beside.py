"""Two sets of vectors: their coordinates one by one, and in the plane where the mass goes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import torch

import surveyor.panels.drawing as draw
from surveyor.data.coordinates import Coordinates
from surveyor.data.fitting import fit_column
from surveyor.kinds.vectors.codec import VectorCodec
from surveyor.panels import Beside, Picture, Section, Text, marginals

MOST_COLUMNS = 200
POINTS = 2000


def coordinates(codec: VectorCodec, raw: tuple[Any, Any]) -> Coordinates:
    """Return one column a coordinate, of the first coordinates where there are many."""
    wide = raw[0].main.shape[1]
    names = [f"{codec.main}{k}" for k in range(wide)][:MOST_COLUMNS]
    first, second = (pd.DataFrame(dict(zip(names, r.main.T, strict=False))) for r in raw)
    joined = pd.concat([first, second], ignore_index=True)
    columns = tuple(fit_column(name, joined[name]) for name in names)
    return Coordinates((first, second), columns, wide - len(names))


def plane(beside: Beside) -> Iterator[Section]:
    """Yield both clouds where they lie in the plane, else the marginals."""
    if beside.raw[0].main.shape[1] != 2:
        yield from marginals(beside)
        return
    first, second = (np.asarray(r.main, dtype=float)[:POINTS] for r in beside.raw)
    picture = draw.clouds(first, second, _field(beside), _arrows(beside), ("first", "second"))
    note = Text(
        "Lines are the critic's level curves. Arrows point down its slope, along which transport "
        "carries the first set to the second.",
        note=True,
    )
    said = "both sets, and the direction of transport"
    yield Section("Where the mass moves", (Picture(picture, said), note))


def _inside(beside: Beside, p: np.ndarray) -> torch.Tensor:
    codec: Any = beside.codec
    return torch.from_numpy(codec.encoded(p).astype(np.float64) * codec.space.unit).float()


def _field(beside: Beside) -> draw.Field | None:
    critic = beside.critic
    return None if critic is None else lambda p: critic(_inside(beside, p)).float()


def _arrows(beside: Beside) -> draw.Arrows | None:
    critic = beside.critic
    if critic is None:
        return None

    def downhill(p: np.ndarray) -> np.ndarray:
        x = _inside(beside, p).requires_grad_(True)
        (gradient,) = torch.autograd.grad(critic(x).sum(), x)
        return np.asarray(-gradient)

    return downhill
