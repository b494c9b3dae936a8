"""An autoregressive generator of tables: each column given the earlier ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from surveyor.batch import Draws
from surveyor.data import Space
from surveyor.errors import InputError
from surveyor.generators import UNSEEN, Generator, Latent, TabularLikelihood, Walker
from surveyor.layers.initial import start
from surveyor.layers.smooth import SmoothLogits

ROUNDS = 3  # of calibration
FADE = 4  # frequencies above this start damped: fine detail is left to training


@dataclass(frozen=True)
class Autoregressive(Generator):
    """p(row) = prod_k p(code k | codes before k), one small net per column (Bengio, Bengio 2000).

    Each net has ``depth`` hidden layers of ``width`` units, with ``dropout`` during the warm start;
    later columns see a column of more than ``embedding`` codes through an embedding of that
    dimension. The logits of an ordered column of more than ``waves`` codes vary with rank like so
    many cosines (0: freely). The likelihood is tractable, so training can start from its maximum
    (``--warm-start``).
    """

    width: int = 64
    depth: int = 2
    embedding: int = 32
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

    def build(self, space: Space, latent: Latent) -> nn.Module:
        """Return the generator."""
        if not space.blocks:
            raise InputError("autoregressive: only for tables; use mlp or conv for other data")
        if latent.normal < len(space.blocks):
            raise InputError(
                f"autoregressive: {len(space.blocks)} columns need as many Gaussian entries of the "
                f"latent; give --latent-normal {len(space.blocks)} or more"
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
        seen = [min(size, net.embedding) for size in self.sizes]
        self.embeddings = nn.ModuleList(
            nn.Linear(size, net.embedding, bias=False) if size > net.embedding else nn.Identity()
            for size in self.sizes
        )
        self.columns = nn.ModuleList()
        biases = None if space.bias is None else torch.split(space.bias, self.sizes)
        ranks = None if space.ranks is None else torch.split(space.ranks, self.sizes)
        for k, size in enumerate(self.sizes):
            widths = [space.cond + sum(seen[:k]), *[net.width] * net.depth, size]
            if widths[0] == 0:
                widths = [1, size]  # no input: the column's marginal frequencies
            layers: list[Any] = [
                nn.Linear(a, b) for a, b in zip(widths[:-1], widths[1:], strict=True)
            ]
            start(layers, net.slope)
            apart = space.apart[k] if space.apart else None
            if apart is not None and len(layers) > 1 and 0 < net.waves < size:
                own = None if ranks is None else ranks[k]
                layers[-1] = SmoothLogits(net.width, size, net.waves, apart, own)
            if biases is not None:
                with torch.no_grad():
                    layers[-1].bias.copy_(biases[k])
            self.columns.append(nn.ModuleList(layers))
        self.pairs: list[list[tuple[int, str]]] = [[] for _ in self.sizes]
        for j, k, seen_pairs in space.pairs:
            name = f"pairs_{j}_{k}"
            self.register_buffer(name, UNSEEN * (1 - seen_pairs), persistent=False)
            self.pairs[k].append((j, name))
        for k, embedding in enumerate(self.embeddings):
            if isinstance(embedding, nn.Linear):
                _begin(embedding, None if ranks is None else ranks[k])

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return sampled one-hot blocks (n, codes)."""
        u = 0.5 * torch.erfc(-z[:, : len(self.sizes)] / (self.spread * 2**0.5))
        inputs: list[Tensor] = [] if cond is None else [cond]
        blocks: list[Tensor] = []
        for k in range(len(self.sizes)):
            odds = self._ruled_out(k, self._logits(k, inputs, z).float(), blocks).softmax(1)
            code = torch.searchsorted(odds.detach().cumsum(1), u[:, k : k + 1].contiguous())
            hot = torch.zeros_like(odds).scatter_(1, code.clamp_(max=odds.shape[1] - 1), 1.0)
            blocks.append(hot + odds - odds.detach() if odds.requires_grad else hot)
            inputs.append(self.embeddings[k](blocks[-1]))
        return torch.cat(blocks, dim=1)

    def log_likelihood(
        self, x: Tensor, cond: Tensor | None = None, draws: Draws | None = None
    ) -> Tensor:
        """Return log p (n,) of points that begin with the one-hot blocks divided by sqrt 2.

        A block of zeros is a value absent from training, and contributes ``UNSEEN``.
        """
        hot = x[:, : sum(self.sizes)] * 2**0.5
        masks: list[Tensor] = []
        if draws is not None and self.net.dropout > 0:
            kept = 1 - self.net.dropout
            for _ in range(self.net.depth):  # one mask for all columns: each draw costs time
                masks.append((draws.uniform(len(hot), self.net.width) < kept) / kept)
        inputs: list[Tensor] = [] if cond is None else [cond]
        total = hot.new_zeros(len(hot))
        blocks = torch.split(hot, self.sizes, dim=1)
        for k, block in enumerate(blocks):
            logits = self._ruled_out(k, self._logits(k, inputs, hot, masks).float(), blocks)
            total = total + (functional.log_softmax(logits, dim=1) * block).sum(1)
            total = total + UNSEEN * (1 - block.sum(1))
            inputs.append(self.embeddings[k](block))
        return total

    def walker(self) -> Walker:
        """Return the nets with products of weights and one-hot blocks replaced by look-ups."""
        return LookUps(self)

    def _width(self, k: int) -> int:
        return min(self.sizes[k], self.net.embedding)

    @torch.no_grad()
    def calibrate(
        self, shares: Sequence[Tensor], n: int, cond: Tensor | None, draws: Draws
    ) -> None:
        """Shift the biases column by column: bias += log(share / mean probability)."""
        inputs: list[Tensor] = [] if cond is None else [cond]
        blocks: list[Tensor] = []
        like = torch.empty(n, 1, device=next(self.parameters()).device)
        for k, share in enumerate(shares):
            last: Any = self.columns[k][-1]  # type: ignore[index]
            for _ in range(ROUNDS):
                made = self._ruled_out(k, self._logits(k, inputs, like), blocks).softmax(1).mean(0)
                shift = (share / made.clamp_min(1e-9)).clamp(0.2, 5).log()
                last.bias.add_(torch.where(share > 0, shift, 0.0))
            odds = self._ruled_out(k, self._logits(k, inputs, like), blocks).softmax(1)
            # Evenly spaced numbers in random order are less noisy than uniform draws.
            even = (torch.randperm(n, generator=draws.generator) + 0.5) / n
            code = torch.searchsorted(odds.cumsum(1), even.to(odds).unsqueeze(1))
            hot = torch.zeros_like(odds).scatter_(1, code.clamp_(max=odds.shape[1] - 1), 1.0)
            inputs.append(self.embeddings[k](hot))
            blocks.append(hot)

    def _ruled_out(self, k: int, logits: Tensor, blocks: Sequence[Tensor]) -> Tensor:
        """Return logits of column k, low where the codes of an earlier column rule a code out."""
        for j, name in self.pairs[k]:
            logits = logits + blocks[j] @ self.get_buffer(name)
        return logits

    def _logits(
        self, k: int, inputs: Sequence[Tensor], like: Tensor, masks: Sequence[Tensor] = ()
    ) -> Tensor:
        h = (
            torch.cat([s.to(like.dtype) for s in inputs], dim=1)
            if inputs
            else like.new_ones(len(like), 1)
        )
        layers: Any = self.columns[k]
        for number, layer in enumerate(layers[:-1]):
            h = functional.leaky_relu(layer(h), self.net.slope)
            h = h * masks[number] if masks else h
        logits: Tensor = layers[-1](h)
        return logits


class LookUps(Walker):
    """The nets of a generator; the first layer of each adds up rows of a table.

    Row ``offsets[j]`` + c is the product of the weights with code c of column j.
    """

    def __init__(self, generator: AutoregressiveGenerator) -> None:
        self.net, self.sizes = generator, generator.sizes
        self.offsets = torch.tensor([0, *self.sizes[:-1]]).cumsum(0)
        self.tables: list[Tensor] = []
        nets: Any = generator.columns
        with torch.no_grad():
            for k in range(len(self.sizes)):
                first = nets[k][0]
                widths = [generator._width(j) for j in range(k)]
                parts = torch.split(first.weight, [first.in_features - sum(widths), *widths], dim=1)
                rows = [
                    (part @ e.weight if isinstance(e, nn.Linear) else part).T
                    for part, e in zip(parts[1:], generator.embeddings, strict=False)
                ]
                self.tables.append(torch.cat(rows) if rows else first.weight.T)
        self.offsets = self.offsets.to(self.tables[0].device)

    @torch.no_grad()
    def logits(self, k: int, codes: Tensor, cond: Tensor | None) -> Tensor:
        """Return the output of net k, with pairs ruled out that never occur together."""
        nets: Any = self.net.columns
        first, *rest = nets[k]
        if k > 0:
            places = codes[:, :k] + self.offsets[:k]
            h = functional.embedding_bag(places, self.tables[k], mode="sum").add_(first.bias)
        else:
            h = first.bias.repeat(len(codes), 1)
        if cond is not None:
            h.addmm_(cond, first.weight[:, : cond.shape[1]].T)
        elif k == 0:
            h += self.tables[0]
        for layer in rest:
            h = layer(functional.leaky_relu(h, self.net.net.slope, inplace=True))
        for j, name in self.net.pairs[k]:
            h += self.net.get_buffer(name)[codes[:, j]]
        return h


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
