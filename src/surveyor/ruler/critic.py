"""A critic of proven slope at most 1, trained to bound W1 between two data sets from below."""

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
TRIAL = 8  # each family's trial takes 1 / TRIAL of the steps
JUDGED = 4096  # rows per side for choosing between critics


@dataclass(frozen=True)
class Budget:
    """The cost of training a critic: total steps, and rows per side in each."""

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
        """Raise the scores of ``high`` and lower those of ``low``, after ``done`` steps."""

    def made(self) -> Folds | Peaks:
        """Return the current critic."""


class Potential(nn.Module):
    """f(x) = +- scale * g((x - centre) / scale) / bound(g), of slope at most 1. (n, d) to (n,).

    The scale also allows for float32 rounding of the slope (``TOLERANCE``).
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


# Cones with peaks at the high side's points, inverted cones at the low side's, and a net. Which
# family finds the largest gap depends on the data, so each gets a trial.
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
    (default: ``high`` and ``low``) trains for the rest of the budget. Yields None after every step
    and finally the critic with the largest gap; its slope is at most 1 by construction or by its
    singular values. If ``solved``, the untrained ``Cones`` on exact transport compete as well.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(budget.seed)
        first = [_tensor(draw(COUNT)) for draw in (high, low)]
        judged = [_tensor(draw(JUDGED)) for draw in judges or (high, low)]
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
        found.append((_gap(made, *judged), chosen, made))
    if solved:
        cones = Cones(*(np.asarray(x) for x in first))
        made = Potential(cones, centre, scale, 1).eval()
        found.append((_gap(made, *judged), len(FAMILIES), made))
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
