"""A penalty on the critic's gradient in the condition, in addition to a constraint in x."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from surveyor.batch import Batch, Draws, mean
from surveyor.data import Space
from surveyor.errors import InputError
from surveyor.lipschitz import TermPenalty


@dataclass(frozen=True)
class ConditionPenalty(TermPenalty):
    """weight * E max(0, |grad_c f(x, c)| - target)^2, at points between real and fake.

    The Lipschitz constraint bounds f in x for each fixed c and leaves its slope in c free. With a
    small slope in c the critic scores neighbouring values of a continuous condition alike, and
    the generator generalises from one to the other. With ``target`` 0 it is weight * E|grad_c f|^2.
    c is in standard deviations of the condition, f in the user's unit.
    """

    weight: float = 1.0
    target: float = 0.0
    per_sample: ClassVar[bool] = True
    lags: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for name in ("weight", "target"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise InputError(
                    f"condition-penalty: {name} {getattr(self, name)}: give a number from 0"
                )

    def unfit(self, space: Space) -> Iterator[str]:
        """Yield that there is no condition with a slope."""
        if space.cond == 0:
            yield ("--constraint condition-penalty: no condition; name its column with --condition")

    def penalty(self, critic: nn.Module, real: Batch, fake: Batch, draws: Draws) -> Tensor:
        """Return the penalty; 0 without a condition."""
        if real.cond is None:
            return real.x.new_zeros(())
        e = draws.uniform(len(real), *[1] * (real.x.ndim - 1))
        x, c = torch.lerp(fake.x, real.x, e), real.cond.detach().requires_grad_(True)
        members = critic(x, c).view(-1, len(x))
        terms = []
        for member in members:
            (gradient,) = torch.autograd.grad(member.sum(), c, create_graph=True)
            squares = gradient.float().square().sum(1)
            if self.target > 0:
                squares = ((squares + 1e-12).sqrt() - self.target).clamp(min=0).square()
            terms.append(mean(squares, real.weight))
        return self.weight * torch.stack(terms).sum()
