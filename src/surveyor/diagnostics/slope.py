"""The critic's slope where it matters: at real points, at fake ones, and between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from surveyor.batch import Batch, Draws
from surveyor.lipschitz import squared_gradient_norms

PLACES = ("real", "fake", "between")


@dataclass(frozen=True)
class Slopes:
    """|grad f| per unit asked for, (n,) an entry of ``at``: 1 is what a constraint aims at."""

    at: Mapping[str, Tensor]

    def mean(self, place: str) -> float:
        """Return the mean slope."""
        return float(self.at[place].mean())

    def max(self, place: str | None = None) -> float:
        """Return the largest slope, everywhere where no place is named."""
        values = torch.cat(list(self.at.values())) if place is None else self.at[place]
        return float(values.max())

    def histogram(self, place: str, bins: int = 30, top: float = 2.0) -> list[int]:
        """Return counts over [0, top], the last bin holding all that is above."""
        counts = torch.histc(self.at[place].clamp(max=top), bins, 0, top)
        return [int(c) for c in counts]


def slopes(critic: nn.Module, real: Batch, fake: Batch, draws: Draws, unit: float = 1.0) -> Slopes:
    """Measure |grad_x f(x, c)| / unit at n real points, n fake ones and n between."""
    e = draws.uniform(len(real), *[1] * (real.x.ndim - 1))
    between = Batch(torch.lerp(fake.x, real.x, e), real.cond)
    at = {}
    for place, batch in zip(PLACES, (real, fake, between), strict=True):
        members = squared_gradient_norms(critic, batch, graph=False)
        at[place] = torch.stack(members).max(0).values.sqrt().detach() / unit
    return Slopes(at)
