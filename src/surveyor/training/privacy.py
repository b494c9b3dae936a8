"""Differential privacy: gradients of rows clipped, summed and noised (Abadi et al. 2016).

A step takes every training row with probability q, independently; clips the gradient of each
taken row to the norm C; and moves by

    (sum of clipped gradients + noise * C * N(0, I)) / (q n).

Only these sums see training rows, so that whatever is made of the nets is as private as they are.
A sum is rounded to a grid and its noise is a discrete Gaussian on that grid (``surveyor.privacy``),
which keeps the noise's own floating point out of it. The accountant is told of a sum that moves by
C (1 + ``SLACK``) and the rounding: SLACK is for the arithmetic of the gradients, of float32.
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
from surveyor.privacy import DEVIATION, CodecAccount, Spending, discrete_gaussian, taken
from surveyor.training.game import Game

AT_ONCE = 64  # rows whose gradients are in memory together
SLACK = 1e-3  # of the norm
Found = tuple[Terms, list[Tensor]]


@dataclass(frozen=True)
class Privacy:
    """(epsilon, delta) of ``updates`` steps that see rows: ``noise`` in multiples of ``norm``.

    ``codec`` is what the codec has spent of it. ``codec_epsilon`` and ``training_epsilon`` are what
    either part costs alone, at the same delta; together they cost less than their sum.
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

    def critic_gradients(self, game: Game, source: Source, draws: Draws) -> Found:
        """Return E f(fake) - E f(real) and its private gradient in the critic.

        Generated rows are clipped as well: not for privacy, but so that equal distributions pull
        equally.
        """
        real = self.taken(source).to(draws.device)
        n = round(self.rate * len(source))
        with torch.no_grad():
            fake = game.generate(n, asked(source, n, draws), draws)
            gap = (game.score(fake).mean() - game.score(real).mean()) / game.unit
        towards = self.clipped(game.critic, fake)
        away = self.noised(self.clipped(game.critic, real), len(source))
        found = [t / n - a for t, a in zip(towards, away, strict=True)]
        return {"critic objective": gap.nan_to_num()}, found

    def likelihood_gradients(self, game: Game, source: Source, draws: Draws) -> Found:
        """Return minus the mean log likelihood, and its private gradient in the generator."""
        assert isinstance(game.generator, Likelihood)
        real = self.taken(source).to(draws.device)
        with torch.no_grad():
            value = -game.generator.log_likelihood(real.x, real.cond).mean()
        sums = self.clipped(_Likelihood(game.generator), real)
        found = [-g for g in self.noised(sums, len(source))]
        return {"negative log likelihood": value.nan_to_num()}, found

    def taken(self, source: Source) -> Batch:
        """Return the rows of a step, each with probability ``rate``: sometimes none."""
        return source.codec.batch(source.rows, source.index[taken(len(source), self.rate)])

    def clipped(self, net: nn.Module, batch: Batch) -> list[Tensor]:
        """Return the sum over rows of the gradient of net(row), each of norm at most ``norm``."""
        own = isinstance(net, (ChainCritic, _Likelihood))  # in which rows do not see each other
        factored = _factored(net, batch) if own else None
        if factored is None:
            return self._row_by_row(net, batch)
        # A linear layer's gradient at a row is d a', of norm |d| |a|: no row's is written out.
        squares = torch.zeros(len(batch), device=batch.x.device)
        for layer, (a, d) in factored.items():
            squares += d.square().sum(1) * (a.square().sum(1) + (layer.bias is not None))
        scale = self._scale(squares).unsqueeze(1)
        sums = {id(p): torch.zeros_like(p) for p in net.parameters()}
        for layer, (a, d) in factored.items():
            sums[id(layer.weight)] = (scale * d).T @ a
            if layer.bias is not None:
                sums[id(layer.bias)] = (scale * d).sum(0)
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
        for start in range(0, len(batch), AT_ONCE):
            found = each(own, *(r[start : start + AT_ONCE] for r in rows)).values()
            squares = torch.stack([g.reshape(len(g), -1).square().sum(1) for g in found]).sum(0)
            for total, g in zip(sums, found, strict=True):
                total += torch.einsum("n,n...->...", self._scale(squares), g)
        return sums

    def _scale(self, squares: Tensor) -> Tensor:
        return (self.norm / squares.sqrt().clamp_min(1e-12)).clamp(max=1)

    def noised(self, sums: Sequence[Tensor], n: int) -> list[Tensor]:
        """Return sums with noise, over the number of rows that are taken on average.

        In steps of the grid a sum moves by at most norm (1 + SLACK) / grain + sqrt d, the rounding
        of d numbers included; the grain makes that DEVIATION / noise.
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


def _factored(net: nn.Module, batch: Batch) -> dict[nn.Linear, tuple[Tensor, Tensor]] | None:
    """Return every linear layer's input and the gradient in its output, (n, ...) each.

    None where a weight is no linear layer's, or a layer is used other than once.
    """
    layers = [m for m in net.modules() if isinstance(m, nn.Linear)]
    owned = {id(p) for layer in layers for p in layer.parameters(recurse=False)}
    if any(id(p) not in owned for p in net.parameters()):
        return None
    seen: list[tuple[nn.Linear, Tensor, Tensor]] = []

    def keep(layer: nn.Module, given: tuple[Tensor, ...], out: Tensor) -> None:
        assert isinstance(layer, nn.Linear)
        seen.append((layer, given[0].detach(), out))

    hooks = [layer.register_forward_hook(keep) for layer in layers]
    value = net(batch.x) if batch.cond is None else net(batch.x, batch.cond)
    for hook in hooks:
        hook.remove()
    if len({id(layer) for layer, _, _ in seen}) < len(seen) or any(a.ndim != 2 for _, a, _ in seen):
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


def asked(source: Source, n: int, draws: Draws) -> Tensor | None:
    """Return ``n`` conditions by their frequencies: those of the codec, not of rows taken."""
    conditions = source.codec.condition
    cond = conditions.embed(conditions.draw(n, draws))
    return None if cond is None else cond.to(draws.device)


def without_rows(source: Source, n: int, draws: Draws) -> Batch:
    """Return a batch of conditions alone, for a generator's step that may see no row."""
    return Batch(torch.zeros(n, 1, device=draws.device), asked(source, n, draws))


def private(
    epsilon: float,
    delta: float | None,
    norm: float,
    batch: int,
    rows: int,
    updates: int,
    codec: CodecAccount | None = None,
) -> Privacy:
    """Return the least noise with which codec and ``updates`` steps stay within ``epsilon``.

    ``delta`` is a tenth of one over the number of rows where it is not given.

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
