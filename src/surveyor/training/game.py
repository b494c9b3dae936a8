"""The game: two nets, an objective, constraints, and the noise that both see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from surveyor.batch import Batch, Draws, Scores, joined, mean
from surveyor.catalog import text_of
from surveyor.critics import ChainCritic, chain
from surveyor.critics.chain import Chain, Terms, Weights
from surveyor.generators import Latent, Likelihood
from surveyor.lipschitz import Constraint, squared_gradient_norms
from surveyor.objectives import Objective
from surveyor.training.terms import Term
from surveyor.training.views import View
from surveyor.training.views.label_noise import LabelNoise
from surveyor.training.views.noise import noisy

Head = Callable[[Tensor, Draws], Tensor]


@dataclass(frozen=True)
class Shown:
    """What a critic is shown in one step, beside the points themselves: batches of ``n`` rows.

    ``at`` says for each constraint which of the batches its penalty looks at, ``slopes`` the rows
    from the first to the last of them.
    """

    n: int
    at: tuple[tuple[int, ...], ...]
    slopes: tuple[int, int] | None
    weights: tuple[Tensor | None, ...]
    group: Tensor | None


def critic_loss_and_grad(
    game: Game, shown: Shown, critic: Chain, x: Tensor, cond: Tensor | None
) -> tuple[Terms, list[Tensor | None]]:
    """Return a chain's critic loss and its gradient in the chain's weights."""

    def loss(scores: Tensor, squares: Tensor | None) -> Terms:
        return game.judged(shown, scores, [] if squares is None else [squares])

    return chain.critic_loss_and_grad(critic, x, cond, shown.slopes, loss, game.precision)


def generator_loss_and_grad_x(
    game: Game, shown: Shown, critic: Chain, x: Tensor, cond: Tensor | None
) -> tuple[Terms, Tensor]:
    """Return a chain's generator loss and its gradient in the fake points."""

    def loss(scores: Tensor, squares: Tensor | None) -> Terms:
        return game.answered(shown, scores)

    return chain.generator_loss_and_grad_x(critic, x, cond, (0, shown.n), loss, game.precision)


@dataclass(frozen=True)
class Game:
    """Generator against critic; its losses are pure functions of parameters, batch and draws.

    ``unit`` is the slope the critic is held to (1/s for data scaled by s): losses that are
    distances are divided by it, so that optimizers see the same game in every unit. ``precision``
    is that of the products in the losses; weights, sums and everything measured are float32.
    ``label_noise`` takes a generator's conditions to those that its points are shown under: where a
    share of the real labels is wrong, as many of the generated ones must be (Thekumparampil et al.
    2018). ``views`` are what both sides go through before the critic of training sees them;
    ``terms`` are what the generator minimises beside its objective.
    ``critic_loss_and_grad``, ``generator_loss_and_grad_x`` and ``forward`` (the generator) may be
    compiled ones.
    """

    generator: nn.Module
    critic: nn.Module
    objective: Objective
    constraints: tuple[Constraint, ...]
    latent: Latent
    head: Head
    unit: float = 1.0
    precision: torch.dtype = torch.float32
    critic_loss_and_grad: Callable[..., tuple[Terms, list[Tensor | None]]] = critic_loss_and_grad
    generator_loss_and_grad_x: Callable[..., tuple[Terms, Tensor]] = generator_loss_and_grad_x
    forward: nn.Module | None = None
    label_noise: LabelNoise | None = None
    views: tuple[View, ...] = ()
    terms: tuple[Term, ...] = ()

    @property
    def device(self) -> torch.device:
        """Return where the nets are."""
        return next(self.critic.parameters()).device

    def generate(
        self, n: int, cond: Tensor | None, draws: Draws, generator: nn.Module | None = None
    ) -> Batch:
        """Return ``n`` generated points, and the conditions they are shown under."""
        own = self.generator if self.forward is None else self.forward
        net = own if generator is None else generator
        z = self.latent.draw(n, draws)
        raw = net(z) if cond is None else net(z, cond)
        x = self.head(raw.float(), draws)
        if cond is not None and self.label_noise is not None:
            cond = self.label_noise(cond, draws)
        return Batch(x, cond)

    def score(self, batch: Batch) -> Tensor:
        """Return the critic's scores, (..., n)."""
        scores: Tensor = (
            self.critic(batch.x) if batch.cond is None else self.critic(batch.x, batch.cond)
        )
        return (scores.squeeze(-1) if scores.shape == (len(batch), 1) else scores).float()

    def opinion(self, batch: Batch) -> Tensor:
        """Return the critic's scores, of a committee their mean, (n,)."""
        return self.score(batch).view(-1, len(batch)).mean(0)

    def auc(self, real: Batch, draws: Draws, noise: float = 0.0) -> Tensor:
        """Return an estimate of P(f(x, c) > f(x', c)), x real, x' fake, a tie counting half, ().

        Row by row, since the two of a row share their condition: what the critic adds for a
        condition is no concern of its objective.
        """
        with torch.no_grad():
            with self._products(real.x.device):
                fake = self.generate(len(real), real.cond, draws)
            gap = torch.sub(*[self.opinion(self._seen(b, noise, draws)) for b in (real, fake)])
        return mean((1 + gap.sign()) / 2, real.weight)

    def critic_loss(self, real: Batch, draws: Draws, noise: float = 0.0) -> Terms:
        """Return the terms whose sum the critic minimises."""
        with self._products(real.x.device):
            shown, points = self._shown(real, draws, noise)
            n = len(real)
            scores, members = self.score(points.part(0, 2 * n)), []
            if shown.slopes is not None:
                members = squared_gradient_norms(self.critic, points.part(*shown.slopes))
            terms = self.judged(shown, scores, members)
            ends = [replace(points.part(k * n, k * n + n), weight=real.weight) for k in (0, 1)]
            for constraint in self.constraints:
                if constraint.beyond:
                    name = text_of(constraint).partition(":")[0]
                    value = constraint.term(self.critic, ends[0], ends[1], draws)
                    terms[name] = value / self.unit
            return terms

    def generator_loss(self, real: Batch, draws: Draws, noise: float = 0.0) -> Terms:
        """Return the terms whose sum the generator minimises."""
        with self._products(real.x.device):
            shown, fake, others = self._offered(real, draws, noise)
            terms = self.answered(shown, self.score(joined([fake, *others])))
        return terms | self._drawn(fake, real)

    def critic_gradients(
        self, real: Batch, draws: Draws, noise: float = 0.0
    ) -> tuple[Terms, list[Tensor]]:
        """Return ``critic_loss`` and the gradient of its sum in every parameter of the critic.

        A ``ChainCritic``'s is written out; autograd gives those of other critics.
        """
        parameters = list(self.critic.parameters())
        critic = self.critic.chain() if isinstance(self.critic, ChainCritic) else None
        if critic is None or any(c.beyond for c in self.constraints):
            return _by_autograd(self.critic_loss(real, draws, noise), parameters)
        with self._products(real.x.device):
            shown, points = self._shown(real, draws, noise)
        with torch.no_grad():
            terms, found = self.critic_loss_and_grad(self, shown, critic, points.x, points.cond)
        return terms, _onto(parameters, critic.weights, found)

    def generator_gradients(
        self, real: Batch, draws: Draws, noise: float = 0.0
    ) -> tuple[Terms, list[Tensor]]:
        """Return ``generator_loss`` and the gradient of its sum in the generator's parameters."""
        parameters = list(self.generator.parameters())
        critic = self.critic.chain() if isinstance(self.critic, ChainCritic) else None
        if critic is None:
            return _by_autograd(self.generator_loss(real, draws, noise), parameters)
        with self._products(real.x.device):
            shown, fake, others = self._offered(real, draws, noise)
        with torch.no_grad():
            points = joined([fake, *others])
            terms, on_x = self.generator_loss_and_grad_x(
                self, shown, critic, points.x.detach(), points.cond
            )
        drawn = self._drawn(fake, real)
        ends, gradients = [fake.x, *drawn.values()], [on_x, *map(torch.ones_like, drawn.values())]
        found = torch.autograd.grad(
            ends, parameters, gradients, allow_unused=True, materialize_grads=True
        )
        return terms | {name: value.detach() for name, value in drawn.items()}, list(found)

    def warm_gradients(self, real: Batch, draws: Draws) -> tuple[Terms, list[Tensor]]:
        """Return the loss of a warm start, and its gradient in the generator.

        Minus the mean log likelihood of real rows, or of a task the terms beside the objective.
        """
        if not isinstance(self.generator, Likelihood):
            with self._products(real.x.device):
                made = self.generate(len(real), real.cond, draws)
            return _by_autograd(self._drawn(made, real), list(self.generator.parameters()))
        with self._products(real.x.device):
            value = -mean(self.generator.log_likelihood(real.x, real.cond, draws), real.weight)
        return _by_autograd({"negative log likelihood": value}, list(self.generator.parameters()))

    def _shown(self, real: Batch, draws: Draws, noise: float) -> tuple[Shown, Batch]:
        """Return what a critic step looks at: real points, fake ones, and those of penalties."""
        with torch.no_grad():
            fake = self.generate(len(real), real.cond, draws)
        fake = Batch(fake.x, fake.cond, real.weight, real.group)
        real, fake = self._seen(real, noise, draws), self._seen(fake, noise, draws)
        batches = [real, fake]
        at: list[tuple[int, ...]] = []
        for constraint in self.constraints:
            wanted = constraint.penalised(real, fake, draws)
            batches += [b for b in wanted if not any(b is other for other in batches)]
            at.append(tuple(next(k for k, o in enumerate(batches) if o is b) for b in wanted))
        looked = sorted({k for places in at for k in places})
        n = len(real)
        slopes = (looked[0] * n, (looked[-1] + 1) * n) if looked else None
        shown = Shown(n, tuple(at), slopes, tuple(b.weight for b in batches), real.group)
        return shown, joined(batches)

    def _offered(self, real: Batch, draws: Draws, noise: float) -> tuple[Shown, Batch, list[Batch]]:
        """Return what a generator step looks at: fake points, and real ones where needed."""
        made = self.generate(len(real), real.cond, draws)
        fake = self._seen(Batch(made.x, made.cond, real.weight), noise, draws)
        others = [self._seen(real, noise, draws)] if self.objective.pairs else []
        return Shown(len(real), (), None, (real.weight,), real.group), fake, others

    def _seen(self, batch: Batch, noise: float, draws: Draws) -> Batch:
        """Return points as the critic of training sees them."""
        for view in self.views:
            batch = view(batch, draws)
        return noisy(batch, noise, draws)

    def _drawn(self, made: Batch, real: Batch) -> Terms:
        """Return the terms beside the objective."""
        return {term.name: term(made, real) for term in self.terms}

    def judged(self, shown: Shown, scores: Tensor, members: Sequence[Tensor]) -> Terms:
        """Return the critic's terms from scores (..., n) and each member's squared slopes."""
        n, weights = shown.n, shown.weights
        on_real, on_fake = scores[..., :n], scores[..., n : 2 * n]
        told = Scores(on_real, on_fake, weights[0], weights[1], shown.group)
        terms = {"critic objective": self.objective.critic(told) / self.unit}
        for constraint, at in zip(self.constraints, shown.at, strict=True):
            if at and shown.slopes is not None:
                starts = [k * n - shown.slopes[0] for k in at]
                costs = [
                    constraint.cost([m[s : s + n] for s in starts], [weights[k] for k in at])
                    for m in members
                ]
                name = text_of(constraint).partition(":")[0]
                terms[name] = torch.stack(costs).sum() / self.unit
        return terms

    def answered(self, shown: Shown, scores: Tensor) -> Terms:
        """Return the generator's terms from scores (..., n) of fake points, then real ones."""
        n = shown.n
        on_fake = scores[..., :n]
        on_real = scores[..., n:].detach() if self.objective.pairs else on_fake
        told = Scores(on_real, on_fake, shown.weights[0], shown.weights[0], shown.group)
        return {"generator objective": self.objective.generator(told) / self.unit}

    def _products(self, device: torch.device) -> AbstractContextManager[object]:
        if self.precision == torch.float32:
            return nullcontext()
        # The cache would keep a weight that was first seen without a gradient, and lose its own.
        return torch.autocast(device.type, self.precision, cache_enabled=False)


def _by_autograd(terms: Terms, parameters: Sequence[nn.Parameter]) -> tuple[Terms, list[Tensor]]:
    total = torch.stack(list(terms.values())).sum()
    found = torch.autograd.grad(total, parameters, allow_unused=True, materialize_grads=True)
    return {name: value.detach() for name, value in terms.items()}, list(found)


def _onto(
    parameters: Sequence[nn.Parameter], weights: Sequence[Weights], found: Sequence[Tensor | None]
) -> list[Tensor]:
    """Return the gradient in every parameter from that in the weights computed from them."""
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
