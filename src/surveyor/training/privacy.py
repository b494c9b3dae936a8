"""Differential privacy: per-row gradients, clipped and summed with noise (DP-SGD).

A step includes every training row independently with probability q, clips the gradient of each
included row to the norm C, and estimates the mean gradient as

    (sum of clipped gradients + noise * C * N(0, I)) / (q n)

(Abadi et al. 2016). Training uses rows only through these sums, so anything computed from the nets
is as private as they are. Sums are rounded to a grid, and the noise is a discrete Gaussian on that
grid (``surveyor.privacy``), free of floating-point artefacts. The accountant assumes a sensitivity
of C (1 + ``SLACK``) plus the rounding; SLACK covers the float32 arithmetic of the gradients.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from surveyor.batch import Batch, Draws
from surveyor.critics import ChainCritic
from surveyor.critics.chain import Terms
from surveyor.data import Source
from surveyor.generators import Likelihood
from surveyor.layers.grouped import RowGradients
from surveyor.privacy import DEVIATION, CodecAccount, Spending, discrete_gaussian, poisson_sample
from surveyor.training.game import Game

CHUNK = 64  # rows whose gradients are in memory at the same time
SLACK = 1e-3  # of the norm
TermsAndGrads = tuple[Terms, list[Tensor]]
Layer = nn.Linear | RowGradients


@dataclass(frozen=True)
class Privacy:
    """(epsilon, delta) of a codec and ``updates`` steps, each with sampling rate ``rate``.

    ``noise`` is in multiples of the clipping norm ``norm``. ``codec`` is what the codec has spent.
    ``codec_epsilon`` and ``training_epsilon`` are the cost of either part by itself, at the same
    delta; together they cost less than their sum.
    """

    epsilon: float
    delta: float
    norm: float
    noise: float
    rate: float
    updates: int
    codec: CodecAccount | None = None
    codec_epsilon: float = 0.0
    training_epsilon: float = 0.0

    def critic_gradients(self, game: Game, source: Source, draws: Draws) -> TermsAndGrads:
        """Return E f(fake) - E f(real) and its private gradient in the critic.

        Gradients of generated rows are clipped too: not for privacy, but so that the gradient
        vanishes in expectation for equal distributions.
        """
        real = self.sample_rows(source).to(draws.device)
        n = round(self.rate * len(source))
        with torch.no_grad():
            fake = game.generate(n, sample_conditions(source, n, draws), draws)
            gap = (game.score(fake).mean() - game.score(real).mean()) / game.unit
        towards = self.clipped_sum(game.critic, fake)
        away = self.add_noise(self.clipped_sum(game.critic, real), len(source))
        found = [t / n - a for t, a in zip(towards, away, strict=True)]
        return {"critic objective": gap.nan_to_num()}, found

    def likelihood_gradients(self, game: Game, source: Source, draws: Draws) -> TermsAndGrads:
        """Return the negative mean log likelihood, and its private gradient in the generator."""
        assert isinstance(game.generator, Likelihood)
        real = self.sample_rows(source).to(draws.device)
        with torch.no_grad():
            value = -game.generator.log_likelihood(real.x, real.cond).mean()
        sums = self.clipped_sum(_Likelihood(game.generator), real)
        found = [-g for g in self.add_noise(sums, len(source))]
        return {"negative log likelihood": value.nan_to_num()}, found

    def sample_rows(self, source: Source) -> Batch:
        """Return the rows of a step, each included with probability ``rate``; there may be none."""
        return source.codec.batch(source.rows, source.index[poisson_sample(len(source), self.rate)])

    def clipped_sum(self, net: nn.Module, batch: Batch) -> list[Tensor]:
        """Return the sum over rows of the gradient of net(row), each clipped to ``norm``."""
        own = isinstance(net, (ChainCritic, _Likelihood))  # nets that do not mix rows
        factored = _factored(net, batch) if own else None
        if factored is None:
            return self._row_by_row(net, batch)
        squares = torch.zeros(len(batch), device=batch.x.device)
        for layer, (a, d) in factored.items():
            squares += _squares(layer, a, d)
        scale = self._scale(squares)
        sums = {id(p): torch.zeros_like(p) for p in net.parameters()}
        for layer, (a, d) in factored.items():
            parameters = layer.parameters(recurse=False)
            for p, found in zip(parameters, _weighted(layer, scale, a, d), strict=True):
                sums[id(p)] = found
        return [sums[id(p)] for p in net.parameters()]

    def _row_by_row(self, net: nn.Module, batch: Batch) -> list[Tensor]:
        own = {k: v.detach() for k, v in net.named_parameters()}
        rows = [batch.x] if batch.cond is None else [batch.x, batch.cond]

        def value(parameters: dict[str, Tensor], *row: Tensor) -> Tensor:
            shown = tuple(r.unsqueeze(0) for r in row)
            out: Tensor = torch.func.functional_call(net, parameters, shown)
            return out.sum()

        each: Callable[..., dict[str, Tensor]] = torch.func.vmap(
            torch.func.grad(value), in_dims=(None, *[0] * len(rows))
        )
        sums = [torch.zeros_like(v) for v in own.values()]
        for start in range(0, len(batch), CHUNK):
            found = each(own, *(r[start : start + CHUNK] for r in rows)).values()
            squares = torch.stack([g.reshape(len(g), -1).square().sum(1) for g in found]).sum(0)
            for total, g in zip(sums, found, strict=True):
                total += torch.einsum("n,n...->...", self._scale(squares), g)
        return sums

    def _scale(self, squares: Tensor) -> Tensor:
        return (self.norm / squares.sqrt().clamp_min(1e-12)).clamp(max=1)

    def add_noise(self, sums: Sequence[Tensor], n: int) -> list[Tensor]:
        """Return the sums with noise, divided by the expected number of rows, ``rate * n``.

        In steps of the grid, one row changes a sum by at most norm (1 + SLACK) / grain + sqrt d,
        with d the number of entries, which are rounded. The grain makes that DEVIATION / noise.
        """
        flat = torch.cat([s.detach().flatten().double().cpu() for s in sums]).numpy()
        grain = 1.0
        if self.noise > 0:
            steps = DEVIATION / self.noise - math.sqrt(len(flat))
            grain = self.norm * (1 + SLACK) / steps
            flat = np.rint(flat / grain) + discrete_gaussian(len(flat))
        found = torch.from_numpy(flat * (grain / (self.rate * n)))
        parts = torch.split(found, [s.numel() for s in sums])
        return [p.view(s.shape).to(s) for p, s in zip(parts, sums, strict=True)]


def _squares(layer: Layer, a: Tensor, d: Tensor) -> Tensor:
    if isinstance(layer, RowGradients):
        return layer.squares(a, d)
    # A linear layer's gradient at a row is d a', of norm |d| |a|: none need be materialised.
    return d.square().sum(1) * (a.square().sum(1) + (layer.bias is not None))


def _weighted(layer: Layer, scale: Tensor, a: Tensor, d: Tensor) -> list[Tensor]:
    if isinstance(layer, RowGradients):
        return layer.weighted(scale, a, d)
    d = scale.unsqueeze(1) * d
    return [d.T @ a, d.sum(0)][: len(list(layer.parameters()))]


def _factored(net: nn.Module, batch: Batch) -> dict[Layer, tuple[Tensor, Tensor]] | None:
    """Return every linear layer's input and the gradient in its output.

    None if a parameter belongs to no linear layer, or a layer is not used exactly once.
    """
    layers = [m for m in net.modules() if isinstance(m, (nn.Linear, RowGradients))]
    owned = {id(p) for layer in layers for p in layer.parameters(recurse=False)}
    if any(id(p) not in owned for p in net.parameters()):
        return None
    seen: list[tuple[Layer, Tensor, Tensor]] = []

    def keep(layer: nn.Module, given: tuple[Tensor, ...], out: Tensor) -> None:
        assert isinstance(layer, (nn.Linear, RowGradients))
        seen.append((layer, given[0].detach(), out))

    hooks = [layer.register_forward_hook(keep) for layer in layers]
    value = net(batch.x) if batch.cond is None else net(batch.x, batch.cond)
    for hook in hooks:
        hook.remove()
    once = len({id(layer) for layer, _, _ in seen}) == len(seen)
    if not once or any(isinstance(one, nn.Linear) and a.ndim != 2 for one, a, _ in seen):
        return None
    outputs = [out for _, _, out in seen]
    deltas = torch.autograd.grad(value.sum(), outputs, allow_unused=True, materialize_grads=True)
    return {layer: (a, d) for (layer, a, _), d in zip(seen, deltas, strict=True)}


class _Likelihood(nn.Module):
    def __init__(self, generator: Likelihood) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        return self.generator.log_likelihood(x, cond)


def sample_conditions(source: Source, n: int, draws: Draws) -> Tensor | None:
    """Return ``n`` embedded conditions, by the frequencies in the codec; no row is read."""
    conditions = source.codec.condition
    cond = conditions.embed(conditions.draw(n, draws))
    return None if cond is None else cond.to(draws.device)


def without_rows(source: Source, n: int, draws: Draws) -> Batch:
    """Return a batch of conditions only, for a generator step that must not use rows."""
    return Batch(torch.zeros(n, 1, device=draws.device), sample_conditions(source, n, draws))


def privacy_for(
    epsilon: float,
    delta: float | None,
    norm: float,
    batch: float,
    rows: int,
    updates: int,
    codec: CodecAccount | None = None,
) -> Privacy:
    """Return the privacy with the least noise that keeps codec and updates within ``epsilon``.

    ``batch`` is the expected number of rows of an update. ``delta`` defaults to 1 / (10 ``rows``).

    Raises:
        InputError: dp-accounting is not installed, or no noise is enough.
    """
    delta = 0.1 / rows if delta is None else delta
    spending = Spending(delta, min(1.0, batch / rows), updates, codec)
    noise = spending.least_noise(epsilon)
    alone = Spending(delta, spending.rate, updates).epsilon(noise)
    return Privacy(
        spending.epsilon(noise),
        delta,
        norm,
        noise,
        spending.rate,
        updates,
        codec,
        spending.epsilon(None) if codec is not None and codec.weight > 0 else 0.0,
        alone,
    )
