"""One page for a comparison of two data sets."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import surveyor.panels.drawing as fig
from surveyor.data.images import ImageCodec, sheet
from surveyor.data.vectors import VectorCodec
from surveyor.report.pages import page
from surveyor.ruler import Drift

ARROWS = 14  # a side


def compare_page(found: Drift, first: str, second: str) -> str:
    """Return the page of a comparison; ``first`` and ``second`` name the data sets."""
    c = found.comparison
    return page(
        "compare.html.j2",
        first=first,
        second=second,
        c=c,
        unit=found.unit,
        columns=found.columns,
        rows=found.rows,
        figures={"bracket": fig.bracket(c.low, c.high, c.value, c.floor)} | _of_kind(found),
    )


def _of_kind(found: Drift) -> dict[str, Any]:
    a, b = found.raw
    if isinstance(found.codec, ImageCodec):
        n = min(len(a), len(b), 50)
        pictures = [sheet(r.main[:n], columns=10) for r in (a, b)]
        return {"sheets": [fig.png(p) for p in pictures]}
    if isinstance(found.codec, VectorCodec) and len(found.columns) == 2:
        return {
            "clouds": fig.clouds(*_plane(found), _field(found), _arrows(found), ("first", "second"))
        }
    if found.fitted:
        picture, left = fig.marginals(found.fitted, *found.frames)
        return {"marginals": picture, "columns_left_out": left}
    return {}


def _plane(found: Drift) -> tuple[np.ndarray, np.ndarray]:
    a, b = (np.asarray(r.main, dtype=float)[:2000] for r in found.raw)
    return a, b


def _inside(found: Drift, p: np.ndarray) -> torch.Tensor:
    codec = found.codec
    assert isinstance(codec, VectorCodec)
    return torch.from_numpy(codec.encoded(p).astype(np.float64) * codec.space.unit).float()


def _field(found: Drift) -> fig.Field | None:
    critic = found.comparison.critic
    return None if critic is None else lambda p: critic(_inside(found, p)).float()


def _arrows(found: Drift) -> fig.Arrows | None:
    critic = found.comparison.critic
    if critic is None:
        return None

    def downhill(p: np.ndarray) -> np.ndarray:
        x = _inside(found, p).requires_grad_(True)
        (gradient,) = torch.autograd.grad(critic(x).sum(), x)
        return np.asarray(-gradient)

    return downhill
