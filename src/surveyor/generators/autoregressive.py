"""An autoregressive generator of tables: each column given the earlier ones."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from surveyor.batch import Draws
from surveyor.data import Space
from surveyor.errors import InputError
from surveyor.generators import UNSEEN, Generator, Latent, TabularLikelihood, Walker
from surveyor.layers.grouped import Earlier, Grouped
from surveyor.layers.initial import start
from surveyor.layers.smooth import SmoothLogits

ROUNDS = 3  # of calibration
FADE = 4  # frequencies above this start damped: fine detail is left to training


@dataclass(frozen=True)
class Autoregressive(Generator):
    """p(row) = prod_k p(code k | codes before k), one small net per column (Bengio, Bengio 2000).

    Each net has ``depth`` hidden layers of ``width`` units, with ``dropout`` during the warm start.
    It sees an earlier column through an embedding of few dimensions, which leaves little to learn
    by heart: ``embedding``, or log2 of the number of codes where that is more. The logits of an
    ordered column of more than ``waves`` codes vary with rank like so many cosines (0: freely). The
    likelihood is tractable, so training can start from its maximum (``--warm-start``).
    """

    width: int = 96
    depth: int = 3
    embedding: int = 4
    dropout: float = 0.1
    slope: float = 0.2
    waves: int = 24

    def __post_init__(self) -> None:
        if self.waves < 0:
            raise InputError("autoregressive: waves: give at least 0")
        if min(self.width, self.depth, self.embedding) < 1:
            raise InputError("autoregressive: width, depth and embedding: give at least 1 of each")
        if not 0 <= self.dropout < 1:
            raise InputError(
                f"autoregressive: dropout {self.dropout}: give a number from 0, below 1"
            )

    def dimensions(self, size: int) -> int:
        """Return the dimensions in which later columns see a column of ``size`` codes."""
        return min(size, max(self.embedding, math.ceil(math.log2(size))))

    def build(self, space: Space, latent: Latent) -> nn.Module:
        """Return the generator."""
        if not space.blocks:
            raise InputError("autoregressive: only for tables; use mlp or conv for other data")
        if latent.dimensions < len(space.blocks):
            raise InputError(
                f"autoregressive: {len(space.blocks)} columns need as many Gaussian dimensions of "
                f"the latent; give --latent=gaussian:dimensions={len(space.blocks)} or more"
            )
        return AutoregressiveGenerator(self, space, latent.spread)


class AutoregressiveGenerator(TabularLikelihood):
    """(z, cond) -> one-hot blocks (n, codes), block k drawn from entry k of the latent.

    The code is the quantile of the column's distribution at Phi(z_k / spread); the backward pass
    uses the gradient of the probabilities (straight-through, Bengio et al. 2013).
    """

    def __init__(self, net: Autoregressive, space: Space, spread: float) -> None:
        super().__init__()
        self.sizes, self.net, self.spread = list(space.blocks), net, spread
        earlier = self.sizes[:-1]
        self.widths = [net.dimensions(size) for size in earlier]
        self.embeddings = nn.ModuleList(
            nn.Linear(size, width, bias=False) if size > width else nn.Identity()
            for size, width in zip(earlier, self.widths, strict=True)
        )
        columns = len(self.sizes)
        self.seen = [space.cond + sum(self.widths[:k]) for k in range(columns)]
        self.first = Earlier(self.seen, net.width, net.slope)
        self.hidden = nn.ModuleList(
            Grouped(columns, net.width, net.width, net.slope) for _ in range(net.depth - 1)
        )
        self.heads = nn.ModuleList()
        biases = None if space.bias is None else torch.split(space.bias, self.sizes)
        ranks = [None] * columns if space.ranks is None else torch.split(space.ranks, self.sizes)
        for k, size in enumerate(self.sizes):
            apart = space.apart[k] if space.apart else None
            head: Any = nn.Linear(net.width, size)
            start([head], net.slope)
            if apart is not None and 0 < net.waves < size:
                head = SmoothLogits(net.width, size, net.waves, apart, ranks[k])
            if biases is not None:
                with torch.no_grad():
                    head.bias.copy_(biases[k])
            self.heads.append(head)
        self.pairs: list[list[tuple[int, str]]] = [[] for _ in self.sizes]
        for j, k, seen_pairs in space.pairs:
            name = f"pairs_{j}_{k}"
            self.register_buffer(name, UNSEEN * (1 - seen_pairs), persistent=False)
            self.pairs[k].append((j, name))
        for k, embedding in enumerate(self.embeddings):
            if isinstance(embedding, nn.Linear):
                _begin(embedding, ranks[k])

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return sampled one-hot blocks (n, codes)."""
        u = 0.5 * torch.erfc(-z[:, : len(self.sizes)] / (self.spread * 2**0.5))
        if not torch.is_grad_enabled():
            walker = LookUps(self)
            places = walker.draw(u, cond) + walker.offsets
            return u.new_zeros(len(u), sum(self.sizes)).scatter_(1, places, 1.0)
        # One weight per column, so that their gradients are put together once.
        nets = [layer.weight.unbind() for layer in self._layers]
        biases = [layer.bias.unbind() for layer in self._layers]
        inputs, blocks = [z[:, :0] if cond is None else cond], list[Tensor]()
        for k in range(len(self.sizes)):
            x = torch.cat([s.to(z.dtype) for s in inputs], dim=1)
            h = functional.linear(x, nets[0][k][:, : self.seen[k]], biases[0][k])
            for weights, shifts in zip(nets[1:], biases[1:], strict=True):
                h = torch.addmm(shifts[k], self._active(h), weights[k])
            logits = self.heads[k](self._active(h)).float()
            odds = self._ruled_out(k, logits, blocks).softmax(1)
            code = torch.searchsorted(odds.detach().cumsum(1), u[:, k : k + 1].contiguous())
            hot = torch.zeros_like(odds).scatter_(1, code.clamp_(max=odds.shape[1] - 1), 1.0)
            blocks.append(hot + odds - odds.detach())
            inputs += [embed(blocks[-1]) for embed in self.embeddings[k : k + 1]]
        return torch.cat(blocks, dim=1)

    def log_likelihood(
        self, x: Tensor, cond: Tensor | None = None, draws: Draws | None = None
    ) -> Tensor:
        """Return log p (n,) of points that begin with the one-hot blocks divided by sqrt 2.

        A block of zeros is a value absent from training, and contributes ``UNSEEN``.
        """
        hot = x[:, : sum(self.sizes)] * 2**0.5
        blocks = torch.split(hot, self.sizes, dim=1)
        inputs = [hot[:, :0] if cond is None else cond]
        inputs += [embed(b) for embed, b in zip(self.embeddings, blocks, strict=False)]
        h = self.first(torch.cat([s.to(hot.dtype) for s in inputs], dim=1))
        h = self._active(h, draws)
        for layer in self.hidden:
            h = self._active(layer(h), draws)
        total = hot.new_zeros(len(hot))
        ends = zip(blocks, self.heads, h.unbind(), strict=True)  # gradients put together once
        for k, (block, head, own) in enumerate(ends):
            logits = self._ruled_out(k, head(own).float(), blocks)
            total = total + (functional.log_softmax(logits, dim=1) * block).sum(1)
            total = total + UNSEEN * (1 - block.sum(1))
        return total

    def walker(self) -> Walker:
        """Return the nets with products of embeddings and one-hot blocks replaced by look-ups."""
        return LookUps(self)

    @property
    def _layers(self) -> Iterable[Any]:
        return [self.first, *self.hidden]

    def _active(self, h: Tensor, draws: Draws | None = None) -> Tensor:
        """Return the activations (..., n, width), with dropout if there are draws."""
        h = functional.leaky_relu(h, self.net.slope)
        if draws is None or self.net.dropout == 0:
            return h
        kept = 1 - self.net.dropout  # one mask for all columns: each draw costs time
        return h * ((draws.uniform(h.shape[-2], h.shape[-1]) < kept) / kept)

    @torch.no_grad()
    def calibrate(
        self, shares: Sequence[Tensor], n: int, cond: Tensor | None, draws: Draws
    ) -> None:
        """Shift the biases column by column: bias += log(share / mean probability)."""
        walker = self.walker()
        codes = torch.zeros(n, len(shares), dtype=torch.int64, device=shares[0].device)
        for k, share in enumerate(shares):
            head: Any = self.heads[k]
            logits = walker.logits(k, codes, cond)
            for _ in range(ROUNDS):
                made = logits.softmax(1).mean(0)
                shift = (share / made.clamp_min(1e-9)).clamp(0.2, 5).log()
                shift = torch.where(share > 0, shift, 0.0)
                head.bias.add_(shift)
                logits += shift
            odds = logits.softmax(1).cumsum(1)
            # Evenly spaced numbers in random order are less noisy than uniform draws.
            even = (torch.randperm(n, generator=draws.generator) + 0.5) / n
            code = torch.searchsorted(odds, even.to(odds).unsqueeze(1)).squeeze(1)
            codes[:, k] = code.clamp_(max=odds.shape[1] - 1)

    def _ruled_out(self, k: int, logits: Tensor, blocks: Sequence[Tensor]) -> Tensor:
        """Return logits of column k, low where the codes of an earlier column rule a code out."""
        for j, name in self.pairs[k]:
            logits = logits + blocks[j] @ self.get_buffer(name)
        return logits


class LookUps(Walker):
    """The nets of a generator, with each column's embeddings as rows of one table."""

    def __init__(self, generator: AutoregressiveGenerator) -> None:
        self.net, self.sizes = generator, generator.sizes
        first, widths, cond = generator.first, generator.widths, generator.seen[0]
        self.most, device = max(widths, default=0), first.weight.device
        self.offsets = torch.tensor([0, *self.sizes[:-1]]).cumsum(0).to(device)
        with torch.no_grad():
            self.table = first.weight.new_zeros(sum(self.sizes[:-1]), self.most)
            parts = zip(torch.split(self.table, self.sizes[:-1]), generator.embeddings, strict=True)
            for width, (part, e) in zip(widths, parts, strict=True):
                eye = torch.eye(width, device=device)
                part[:, :width] = e.weight.T if isinstance(e, nn.Linear) else eye
            # Weights of entries that an embedding lacks are 0.
            kept = (torch.arange(self.most) < torch.tensor(widths).unsqueeze(-1)).flatten()
            weights = first.weight.new_zeros(*first.weight.shape[:2], len(kept))
            weights[:, :, kept.to(device)] = first.weight[:, :, cond:]
            self.weights, self.conditions = weights.transpose(1, 2), first.weight[:, :, :cond]

    @torch.no_grad()
    def logits(self, k: int, codes: Tensor, cond: Tensor | None) -> Tensor:
        """Return the output of net k, with pairs ruled out that never occur together."""
        net = self.net
        seen = functional.embedding(codes[:, :k] + self.offsets[:k], self.table).flatten(1)
        h = torch.addmm(net.first.bias[k], seen, self.weights[k, : k * self.most])
        if cond is not None:
            h = torch.addmm(h, cond, self.conditions[k].T)
        layers: Any = net.hidden
        for layer in layers:
            h = torch.addmm(layer.bias[k], net._active(h), layer.weight[k])
        logits: Tensor = net.heads[k](net._active(h)).float()
        for j, name in net.pairs[k]:
            logits += net.get_buffer(name)[codes[:, j]]
        return logits


@torch.no_grad()
def _begin(embedding: nn.Linear, ranks: Tensor | None) -> None:
    """Initialise with noise; ordered codes with cosines of their rank, alike for near codes."""
    nn.init.normal_(embedding.weight)
    if ranks is None:
        return
    known = ranks.isfinite()
    waves = torch.arange(1, len(embedding.weight) + 1).unsqueeze(1)
    smooth = torch.cos(torch.pi * waves * ranks[known]) * 2**0.5 * (FADE / (FADE + waves))
    embedding.weight[:, known] = smooth
