"""The game: generator and critic, an objective, constraints, and the losses of a step."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from surveyor.batch import Batch, Draws, joined, mean
from surveyor.critics import score
from surveyor.critics.chain import Terms
from surveyor.generators import Latent, Likelihood
from surveyor.lipschitz import Constraint
from surveyor.objectives import Objective
from surveyor.training.backends import Backend, TermsAndGrads, products
from surveyor.training.backends.autograd import critic_terms, gradients_of
from surveyor.training.backends.written_out import WrittenOut
from surveyor.training.losses import CriticLoss, GeneratorLoss, critic_loss
from surveyor.training.noise import Deviation, noisy
from surveyor.training.terms import AnyTerm
from surveyor.training.views import View
from surveyor.training.views.label_noise import LabelNoise

Head = Callable[[Tensor, Draws], Tensor]


@dataclass(frozen=True)
class Game:
    """Generator against critic; its losses are pure functions of parameters, batch and draws.

    ``head`` maps the generator's raw output to points. ``unit`` is the slope that the critic is
    constrained to (1/s for data scaled by s): losses are divided by it, so that optimizers see the
    same game in every unit. ``precision`` is that of matrix products in the losses; weights, sums
    and all measurements are float32. ``label_noise`` corrupts the labels of generated points: where
    a share of the real labels is wrong, an equal share of the generated ones must be
    (Thekumparampil et al. 2018). ``views`` are applied to real and generated points before the
    critic sees them in training; ``terms`` are added to the generator's objective. ``backend``
    computes gradients: by autograd, by the written-out pass, or compiled.
    """

    generator: nn.Module
    critic: nn.Module
    objective: Objective
    constraints: tuple[Constraint, ...]
    latent: Latent
    head: Head
    unit: float = 1.0
    precision: torch.dtype = torch.float32
    backend: Backend = field(default_factory=WrittenOut)
    label_noise: LabelNoise | None = None
    views: tuple[View, ...] = ()
    terms: tuple[AnyTerm, ...] = ()

    @property
    def device(self) -> torch.device:
        """Return the device of the nets."""
        return next(self.critic.parameters()).device

    def generate(
        self, n: int, cond: Tensor | None, draws: Draws, generator: nn.Module | None = None
    ) -> Batch:
        """Return ``n`` generated points, with the conditions that the critic sees with them."""
        net = self.backend.net(self.generator) if generator is None else generator
        z = self.latent.draw(n, draws)
        raw = net(z) if cond is None else net(z, cond)
        x = self.head(raw.float(), draws)
        if cond is not None and self.label_noise is not None:
            cond = self.label_noise(cond, draws)
        return Batch(x, cond)

    def score(self, batch: Batch) -> Tensor:
        """Return the critic's scores, (..., n)."""
        return score(self.critic, batch)

    def log_likelihood(
        self, real: Batch, draws: Draws | None = None, generator: nn.Module | None = None
    ) -> Tensor:
        """Return log p (n,) of points given their observed conditions.

        With label noise it is summed over the labels that may be the true ones.
        """
        net = self.generator if generator is None else generator
        assert isinstance(net, Likelihood)
        if self.label_noise is None or real.cond is None:
            return net.log_likelihood(real.x, real.cond, draws)
        parts = [
            weight + net.log_likelihood(real.x, cond, draws)
            for cond, weight in self.label_noise.truths(real.cond)
        ]
        return torch.stack(parts).logsumexp(0)

    def mean_score(self, batch: Batch) -> Tensor:
        """Return the critic's scores, (n,); for a committee, the mean over its members."""
        return self.score(batch).view(-1, len(batch)).mean(0)

    def auc(self, real: Batch, draws: Draws, noise: Deviation = 0.0) -> Tensor:
        """Return an estimate of P(f(x, c) > f(x', c)), x real, x' fake, ties counting half, ().

        Real and fake are compared row by row, under the same condition: a term of the critic that
        depends on the condition alone does not affect its objective.
        """
        with torch.no_grad():
            with self._products(real.x.device):
                fake = self.generate(len(real), real.cond, draws)
            gap = torch.sub(*[self.mean_score(self._seen(b, noise, draws)) for b in (real, fake)])
        return mean((1 + gap.sign()) / 2, real.weight)

    def critic_gradients(self, real: Batch, draws: Draws, noise: Deviation = 0.0) -> TermsAndGrads:
        """Return the terms whose sum the critic minimises, and the gradient of that sum."""
        points, loss = self._critic_step(real, draws, noise)
        return self.backend.critic(self.critic, points, loss, self.precision)

    def critic_loss(self, real: Batch, draws: Draws, noise: Deviation = 0.0) -> Terms:
        """Return the same terms, attached to the graph for autograd."""
        points, loss = self._critic_step(real, draws, noise)
        return critic_terms(self.critic, points, loss, self.precision)

    def _critic_step(self, real: Batch, draws: Draws, noise: Deviation) -> tuple[Batch, CriticLoss]:
        """Return the points that a critic step evaluates, and its loss there."""
        with self._products(real.x.device):
            with torch.no_grad():
                fake = self.generate(len(real), real.cond, draws)
            fake = Batch(fake.x, fake.cond, real.weight, real.group)
            real, fake = self._seen(real, noise, draws), self._seen(fake, noise, draws)
            return critic_loss(self.objective, self.constraints, self.unit, real, fake, draws)

    def generator_gradients(
        self, real: Batch, draws: Draws, noise: Deviation = 0.0
    ) -> TermsAndGrads:
        """Return the terms whose sum the generator minimises, and the gradient of that sum.

        The objective's gradient follows by the chain rule from its gradient in the fake points.
        """
        points, loss, extra = self._generator_step(real, draws, noise)
        terms, on_x = self.backend.generator(self.critic, points, loss, self.precision)
        ends = [points.x[: loss.n] if self.objective.pairs else points.x, *extra.values()]
        found = torch.autograd.grad(
            ends, list(self.generator.parameters()),
            [on_x, *map(torch.ones_like, extra.values())],
            allow_unused=True, materialize_grads=True,
        )  # fmt: skip
        return terms | {name: value.detach() for name, value in extra.items()}, list(found)

    def generator_loss(self, real: Batch, draws: Draws, noise: Deviation = 0.0) -> Terms:
        """Return the same terms, attached to the graph for autograd."""
        points, loss, extra = self._generator_step(real, draws, noise)
        with self._products(real.x.device):
            return loss(self.score(points)) | extra

    def _generator_step(
        self, real: Batch, draws: Draws, noise: Deviation
    ) -> tuple[Batch, GeneratorLoss, Terms]:
        """Return the points that a generator step evaluates, its loss there, and extra terms."""
        with self._products(real.x.device):
            made = self.generate(len(real), real.cond, draws)
            seen = [self._seen(Batch(made.x, made.cond, real.weight), noise, draws)]
            if self.objective.pairs:
                seen.append(self._seen(real, noise, draws))
        extra = self._extra(made, real, draws)
        loss = GeneratorLoss(self.objective, self.unit, len(real), real.weight, real.group)
        return joined(seen), loss, extra

    def warm_gradients(self, real: Batch, draws: Draws) -> TermsAndGrads:
        """Return the loss of a warm start, and its gradient in the generator.

        The loss is the negative mean log likelihood of real rows where the generator has a
        likelihood, otherwise the sum of ``terms``.
        """
        with self._products(real.x.device):
            if isinstance(self.generator, Likelihood):
                value = -mean(self.log_likelihood(real, draws), real.weight)
                terms = {"negative log likelihood": value}
            else:
                made = self.generate(len(real), real.cond, draws)
                terms = self._extra(made, real, draws)
        return gradients_of(terms, list(self.generator.parameters()))

    def _extra(self, made: Batch, real: Batch, draws: Draws) -> Terms:
        """Return the terms that do not involve the critic."""

        def likelihood(batch: Batch) -> Tensor:
            with self._products(batch.x.device):
                return self.log_likelihood(batch, draws)

        return {term.name: term.of(made, real, likelihood) for term in self.terms}

    def _seen(self, batch: Batch, noise: Deviation, draws: Draws) -> Batch:
        """Return points as the critic sees them in training: through the views, with noise."""
        for view in self.views:
            batch = view(batch, draws)
        return noisy(batch, noise, draws)

    def _products(self, device: torch.device) -> AbstractContextManager[object]:
        return products(device, self.precision)
