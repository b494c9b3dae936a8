"""Autograd, for any critic and penalty; a gradient penalty is differentiated twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from surveyor.batch import Batch
from surveyor.critics import score
from surveyor.critics.chain import Terms
from surveyor.lipschitz import squared_gradient_norms
from surveyor.training.backends import Backend, TermsAndGrads, products
from surveyor.training.losses import CriticLoss, GeneratorLoss


@dataclass(frozen=True)
class Autograd(Backend):
    """PyTorch's own derivatives."""

    def critic(
        self, critic: nn.Module, points: Batch, loss: CriticLoss, precision: torch.dtype
    ) -> TermsAndGrads:
        """Return the terms, and the gradient in every parameter of the critic."""
        terms = critic_terms(critic, points, loss, precision)
        return gradients_of(terms, list(critic.parameters()))

    def generator(
        self, critic: nn.Module, points: Batch, loss: GeneratorLoss, precision: torch.dtype
    ) -> tuple[Terms, Tensor]:
        """Return the terms, and the gradient in the fake points."""
        x = points.x.detach().requires_grad_(True)
        with products(x.device, precision):
            terms = loss(score(critic, Batch(x, points.cond)))
        terms, (on_x,) = gradients_of(terms, [x])
        return terms, on_x[: loss.n]


def critic_terms(
    critic: nn.Module, points: Batch, loss: CriticLoss, precision: torch.dtype
) -> Terms:
    """Return all terms of the critic, free terms included, attached to the graph."""
    with products(points.x.device, precision):
        scores, squares = score(critic, points.part(0, 2 * loss.n)), []
        if loss.rows is not None:
            squares = squared_gradient_norms(critic, points.part(*loss.rows))
        terms = loss(scores, squares)
        return terms if loss.free_terms is None else terms | loss.free_terms(critic)


def gradients_of(terms: Terms, ends: Sequence[Tensor]) -> TermsAndGrads:
    """Return the detached terms, and the gradient of their sum in ``ends``."""
    total = torch.stack(list(terms.values())).sum()
    found = torch.autograd.grad(total, ends, allow_unused=True, materialize_grads=True)
    return {name: value.detach() for name, value in terms.items()}, list(found)
