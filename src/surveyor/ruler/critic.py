"""A critic with a proven slope of at most 1, trained to be the ruler between two data sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from surveyor.errors import InputError
from surveyor.lipschitz.certificate import TOLERANCE
from surveyor.ruler.cones import Cones
from surveyor.ruler.folds import Folding, Folds
from surveyor.ruler.peaks import COUNT, Climbing, Peaks

Draw = Callable[[int], np.ndarray]
TRIAL = 8  # each family's trial takes one step in so many
JUDGED = 4096  # rows a side that choose between critics


@dataclass(frozen=True)
class Budget:
    """How much a critic may cost: steps in all, and rows a side and step."""

    steps: int = 2000
    batch: int = 512
    seed: int = 0

    def __post_init__(self) -> None:
        lowest = {"steps": 1, "batch": 2, "seed": 0}
        problems = [
            f"{name} {getattr(self, name)}: give at least {low}"
            for name, low in lowest.items()
            if not getattr(self, name) >= low
        ]
        if problems:
            raise InputError(*problems)


class Training(Protocol):
    """A family of critics being trained."""

    def step(self, high: Tensor, low: Tensor, done: int) -> None:
        """Rise on ``high`` and sink on ``low``, after ``done`` steps."""

    def made(self) -> Folds | Peaks:
        """Return the critic as it is now."""


class Potential(nn.Module):
    """f(x) = +- scale * g((x - centre) / scale) / bound(g), of slope at most 1. (n, d) to (n,).

    What float32 may add to a slope is divided out as well.
    """

    centre: Tensor
    scale: Tensor
    gain: Tensor
    bound = 1.0

    def __init__(
        self, inner: Folds | Peaks | Cones, centre: Tensor, scale: float, sign: int
    ) -> None:
        super().__init__()
        self.inner = inner
        self.register_buffer("centre", centre)
        self.register_buffer("scale", torch.tensor(scale))
        self.register_buffer("gain", torch.tensor(sign * scale / (inner.bound * (1 + TOLERANCE))))

    def forward(self, x: Tensor) -> Tensor:
        """Return scores (n,)."""
        scores: Tensor = self.inner((x.flatten(1) - self.centre) / self.scale)
        return self.gain * scores


# Cones under the high side's points, cones over the low side's, and a net: which of them finds
# most depends on the data, and a trial tells.
FAMILIES: tuple[tuple[type[Climbing] | type[Folding], int], ...] = (
    (Climbing, 1),
    (Climbing, -1),
    (Folding, 1),
)


def fitted(
    high: Draw,
    low: Draw,
    budget: Budget,
    judges: tuple[Draw, Draw] | None = None,
    solved: bool = True,
) -> Iterator[Potential | None]:
    """Train f to maximise E f(high) - E f(low) over functions of slope at most 1.

    Every family has a short trial; the one with the largest gap on points drawn from ``judges``
    (from ``high`` and ``low`` where there are none) trains for the rest of the budget. Yields None
    after every step and the critic of the largest gap at the end: its slope is at most 1 by
    construction or by the singular values of what is returned. Among them are ``Cones`` on exact
    transport, which no step has trained, unless ``solved`` is false.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(budget.seed)
        first = [_tensor(draw(COUNT)) for draw in (high, low)]
        told = [_tensor(draw(JUDGED)) for draw in judges or (high, low)]
        sample = torch.cat(first)
        centre = sample.mean(0)
        scale = float((sample - centre).square().mean().sqrt()) or 1.0
        first = [(x - centre) / scale for x in first]
        state = torch.random.get_rng_state()
    trial, sides = budget.steps // TRIAL, (high, low)
    found: list[tuple[float, int, Potential]] = []
    for turn in range(len(FAMILIES) + 1):
        last = turn == len(FAMILIES)
        chosen = max(found, key=lambda f: f[0])[1] if last else turn
        steps = budget.steps - len(FAMILIES) * trial if last else trial
        family, sign = FAMILIES[chosen]
        with torch.random.fork_rng(devices=[]):
            torch.random.set_rng_state(state)
            up, down = first[::sign]
            training: Training = family(up, down, steps)
        for step in range(steps):
            up, down = ((_tensor(draw(budget.batch)) - centre) / scale for draw in sides[::sign])
            training.step(up, down, step)
            yield None
        made = Potential(training.made(), centre, scale, sign).eval()
        found.append((_gap(made, *told), chosen, made))
    if solved:
        still = Cones(*(np.asarray(x) for x in first))
        made = Potential(still, centre, scale, 1).eval()
        found.append((_gap(made, *told), len(FAMILIES), made))
    yield max(found, key=lambda f: f[0])[2]


def fit(high: Draw, low: Draw, budget: Budget, solved: bool = True) -> Potential:
    """Return the critic of ``fitted``; a trained one if ``solved`` is false."""
    *_, last = fitted(high, low, budget, solved=solved)
    assert last is not None
    return last


@torch.no_grad()
def _gap(critic: Potential, high: Tensor, low: Tensor) -> float:
    return float(critic(high).mean() - critic(low).mean())


def _tensor(values: np.ndarray | Tensor) -> Tensor:
    return torch.as_tensor(values, dtype=torch.float32).flatten(1)
