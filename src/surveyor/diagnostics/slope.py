"""The critic's gradient norm at real points, at fake points, and between."""

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
    """|grad f| relative to the constraint's target, (n,) for each place in ``at``."""

    at: Mapping[str, Tensor]

    def mean(self, place: str) -> float:
        """Return the mean slope."""
        return float(self.at[place].mean())

    def max(self, place: str | None = None) -> float:
        """Return the largest slope at one place, or at all."""
        values = torch.cat(list(self.at.values())) if place is None else self.at[place]
        return float(values.max())

    def histogram(self, place: str, bins: int = 30, top: float = 2.0) -> list[int]:
        """Return counts over [0, top]; the last bin includes everything above."""
        counts = torch.histc(self.at[place].clamp(max=top), bins, 0, top)
        return [int(c) for c in counts]


def slopes(critic: nn.Module, real: Batch, fake: Batch, draws: Draws, unit: float = 1.0) -> Slopes:
    """Return |grad_x f(x, c)| / unit at n real points, n fake points and n between."""
    e = draws.uniform(len(real), *[1] * (real.x.ndim - 1))
    between = Batch(torch.lerp(fake.x, real.x, e), real.cond)
    at = {}
    for place, batch in zip(PLACES, (real, fake, between), strict=True):
        members = squared_gradient_norms(critic, batch, graph=False)
        at[place] = torch.stack(members).max(0).values.sqrt().detach() / unit
    return Slopes(at)
