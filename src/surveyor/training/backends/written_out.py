"""A chain's gradients written out: one pass forward and one back (``critics/chain.py``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from surveyor.batch import Batch
from surveyor.critics import ChainCritic, chain
from surveyor.critics.chain import Chain, Terms, Weights
from surveyor.training.backends import Backend, TermsAndGrads
from surveyor.training.backends.autograd import Autograd
from surveyor.training.losses import CriticLoss, GeneratorLoss

OTHERS = Autograd()


def critic_loss_and_grad(
    loss: CriticLoss, critic: Chain, x: Tensor, cond: Tensor | None, precision: torch.dtype
) -> tuple[Terms, list[Tensor | None]]:
    """Return a chain's critic loss and its gradient in the chain's weights."""

    def result(scores: Tensor, squares: Tensor | None) -> Terms:
        return loss(scores, [] if squares is None else [squares])

    return chain.critic_loss_and_grad(critic, x, cond, loss.rows, result, precision)


def generator_loss_and_grad_x(
    loss: GeneratorLoss, critic: Chain, x: Tensor, cond: Tensor | None, precision: torch.dtype
) -> tuple[Terms, Tensor]:
    """Return a chain's generator loss and its gradient in the fake points."""

    def result(scores: Tensor, squares: Tensor | None) -> Terms:
        return loss(scores)

    return chain.generator_loss_and_grad_x(critic, x, cond, (0, loss.n), result, precision)


@dataclass(frozen=True)
class WrittenOut(Backend):
    """Written-out derivatives of a ``ChainCritic``; autograd for other critics and free terms."""

    critic_loss_and_grad: Callable[..., tuple[Terms, list[Tensor | None]]] = critic_loss_and_grad
    generator_loss_and_grad_x: Callable[..., tuple[Terms, Tensor]] = generator_loss_and_grad_x

    def critic(
        self, critic: nn.Module, points: Batch, loss: CriticLoss, precision: torch.dtype
    ) -> TermsAndGrads:
        """Return the terms, and the gradient in every parameter of the critic."""
        known = _chain(critic)
        if known is None or loss.free_terms is not None:
            return OTHERS.critic(critic, points, loss, precision)
        with torch.no_grad():
            x, cond = points.x, points.cond
            terms, found = self.critic_loss_and_grad(loss, known, x, cond, precision)
        return terms, _onto(list(critic.parameters()), known.weights, found)

    def generator(
        self, critic: nn.Module, points: Batch, loss: GeneratorLoss, precision: torch.dtype
    ) -> tuple[Terms, Tensor]:
        """Return the terms, and the gradient in the fake points."""
        known = _chain(critic)
        if known is None:
            return OTHERS.generator(critic, points, loss, precision)
        with torch.no_grad():
            x, cond = points.x.detach(), points.cond
            return self.generator_loss_and_grad_x(loss, known, x, cond, precision)


def _chain(critic: nn.Module) -> Chain | None:
    return critic.chain() if isinstance(critic, ChainCritic) else None


def _onto(
    parameters: Sequence[nn.Parameter], weights: Sequence[Weights], found: Sequence[Tensor | None]
) -> list[Tensor]:
    """Return the gradient in every parameter, given that in the weights computed from them."""
    every = [w for layer in weights for w in layer]
    pairs = [(w, g) for w, g in zip(every, found, strict=True) if w is not None and g is not None]
    own = {id(w): g for w, g in pairs if w.is_leaf}
    made = [(w, g) for w, g in pairs if not w.is_leaf]
    if made:
        left = [p for p in parameters if id(p) not in own]
        rest = torch.autograd.grad(
            [w for w, _ in made], left, [g for _, g in made],
            allow_unused=True, materialize_grads=True,
        )  # fmt: skip
        own |= {id(p): g for p, g in zip(left, rest, strict=True)}
    return [own[id(p)] if id(p) in own else torch.zeros_like(p) for p in parameters]
