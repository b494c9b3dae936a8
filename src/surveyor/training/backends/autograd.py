"""Autograd: any critic, any penalty; a gradient penalty is differentiated twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from surveyor.batch import Batch
from surveyor.critics import score
from surveyor.critics.chain import Terms
from surveyor.lipschitz import squared_gradient_norms
from surveyor.training.backends import Backend, Found, products
from surveyor.training.losses import CriticLoss, GeneratorLoss


@dataclass(frozen=True)
class Autograd(Backend):
    """PyTorch's own derivatives."""

    def critic(
        self, critic: nn.Module, points: Batch, loss: CriticLoss, precision: torch.dtype
    ) -> Found:
        """Return the terms, and the gradient in every parameter of the critic."""
        terms = critic_terms(critic, points, loss, precision)
        return differentiated(terms, list(critic.parameters()))

    def generator(
        self, critic: nn.Module, points: Batch, loss: GeneratorLoss, precision: torch.dtype
    ) -> tuple[Terms, Tensor]:
        """Return the terms, and the gradient in the fake points."""
        x = points.x.detach().requires_grad_(True)
        with products(x.device, precision):
            terms = loss(score(critic, Batch(x, points.cond)))
        terms, (on_x,) = differentiated(terms, [x])
        return terms, on_x[: loss.n]


def critic_terms(
    critic: nn.Module, points: Batch, loss: CriticLoss, precision: torch.dtype
) -> Terms:
    """Return the critic's terms with their graph, those beside scores and slopes included."""
    with products(points.x.device, precision):
        scores, squares = score(critic, points.part(0, 2 * loss.n)), []
        if loss.rows is not None:
            squares = squared_gradient_norms(critic, points.part(*loss.rows))
        terms = loss(scores, squares)
        return terms if loss.beside is None else terms | loss.beside(critic)


def differentiated(terms: Terms, ends: Sequence[Tensor]) -> Found:
    """Return terms without their graph, and the gradient of their sum in ``ends``."""
    total = torch.stack(list(terms.values())).sum()
    found = torch.autograd.grad(total, ends, allow_unused=True, materialize_grads=True)
    return {name: value.detach() for name, value in terms.items()}, list(found)
