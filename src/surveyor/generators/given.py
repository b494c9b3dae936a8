"""Rows of codes given some of their columns, drawn from the likelihood of a trained generator.

A generator that draws column by column knows p(code k | codes before k); given other columns, codes
have the density p(row) / p(given columns). It is sampled without training again: by particles
(sequential Monte Carlo; Gordon et al. 1993), whose distribution tends to the exact one with their
number, and refined by Gibbs sampling (Geman, Geman 1984), which draws a column from its exact
distribution given all others and leaves the exact one as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from surveyor.batch import Draws
from surveyor.generators.likelihood import Walker

AT_ONCE = 2**17  # rows in one evaluation
RESAMPLE = 0.5  # effective share of the particles below which they are resampled
NEVER = -1e30

Allowed = Mapping[int, Tensor]
"""The codes that each column may have: (rows, codes) or (1, codes), true where allowed."""


@dataclass(frozen=True)
class Particles:
    """Rows of ``codes`` (rows, each, columns) of equal weight, and the conditions each began with.

    ``origin`` (rows, each) are indices of the conditions; ``log_p`` (rows,) estimates the log
    probability of what was allowed.
    """

    codes: Tensor
    log_p: Tensor
    origin: Tensor


@torch.no_grad()
def particles(
    walker: Walker, rows: int, each: int, allowed: Allowed, cond: Tensor | None, draws: Draws
) -> Particles:
    """Return ``each`` rows for every one of ``rows`` sets of allowed codes.

    Conditions are (rows * each, c), those of a row next to each other; where they differ within a
    row, they are drawn with the codes.
    """
    n, columns = rows * each, len(walker.sizes)
    codes = torch.zeros(n, columns, dtype=torch.int64)
    weights = torch.zeros(rows, each)
    evidence = torch.zeros(rows)
    origin = torch.arange(n)
    last = max(allowed, default=-1)
    for k in range(columns):
        odds = _in_parts(walker, k, codes, None if cond is None else cond[origin])
        log_p = odds.log_softmax(1)
        if k in allowed:
            log_p = log_p.view(rows, each, -1).masked_fill(~allowed[k].unsqueeze(1), NEVER)
            weights = weights + log_p.logsumexp(2)
            log_p = log_p.view(n, -1)
        codes[:, k] = drawn(log_p, draws.uniform(n, 1))
        if k in allowed:
            share = weights.softmax(1)
            effective = 1 / (share.square().sum(1) * each)
            if k == last or bool((effective < RESAMPLE).any()):
                evidence += weights.logsumexp(1) - torch.tensor(float(each)).log()
                chosen = _resampled(share, draws.uniform(rows, 1))
                codes, origin = codes[chosen], origin[chosen]
                weights = torch.zeros(rows, each)
    return Particles(codes.view(rows, each, columns), evidence, origin.view(rows, each))


def _resampled(share: Tensor, u: Tensor) -> Tensor:
    """Return indices of all particles, drawn with ``share`` (rows, each), in even steps."""
    rows, each = share.shape
    at = (torch.arange(each) + u) / each
    chosen = torch.searchsorted(share.double().cumsum(1), at.double()).clamp_(max=each - 1)
    return (chosen + each * torch.arange(rows).unsqueeze(1)).view(-1)


def drawn(log_p: Tensor, u: Tensor) -> Tensor:
    """Return codes (n,) drawn with log odds (n, codes), given ``u`` (n, 1) uniform in [0, 1)."""
    odds = (log_p - log_p.amax(1, keepdim=True)).exp().cumsum(1)
    code = torch.searchsorted(odds, (u * odds[:, -1:]).contiguous(), right=True).squeeze(1)
    return code.clamp_(max=log_p.shape[1] - 1)


@torch.no_grad()
def full_conditional(walker: Walker, k: int, codes: Tensor, cond: Tensor | None) -> Tensor:
    """Return log p(code of column k | all other columns), (n, sizes[k]), exactly.

    Every code of the column is put into the row, and the likelihood of the row evaluated from
    there on.
    """
    n, size = len(codes), walker.sizes[k]
    found = torch.empty(n, size)
    step = max(1, AT_ONCE // size)
    for start in range(0, n, step):
        part = slice(start, start + step)
        own, given = codes[part], None if cond is None else cond[part]
        log_p = walker.logits(k, own, given).log_softmax(1)
        if k + 1 < len(walker.sizes):
            every = own.repeat_interleave(size, dim=0)
            every[:, k] = torch.arange(size).repeat(len(own))
            wide = None if given is None else given.repeat_interleave(size, dim=0)
            for j in range(k + 1, len(walker.sizes)):
                odds = walker.logits(j, every, wide).log_softmax(1)
                log_p = log_p + odds.gather(1, every[:, j : j + 1]).view(len(own), size)
        found[part] = log_p.log_softmax(1)
    return found


@torch.no_grad()
def gibbs(
    walker: Walker, codes: Tensor, allowed: Allowed, cond: Tensor | None, draws: Draws
) -> Tensor:
    """Return codes (n, columns) after a sweep: each column is drawn anew given all others.

    Columns of which a row allows a single code stay; of columns not in ``allowed`` all rows are
    drawn.
    """
    codes = codes.clone()
    n = len(codes)
    for k, size in enumerate(walker.sizes):
        own = allowed.get(k, torch.ones(1, size, dtype=torch.bool)).expand(n, size)
        free = (own.sum(1) > 1).nonzero().squeeze(1)
        if not len(free):
            continue
        given = None if cond is None else cond[free]
        log_p = full_conditional(walker, k, codes[free], given).masked_fill(~own[free], NEVER)
        codes[free, k] = drawn(log_p, draws.uniform(len(free), 1))
    return codes


def _in_parts(walker: Walker, k: int, codes: Tensor, cond: Tensor | None) -> Tensor:
    parts = [slice(start, start + AT_ONCE) for start in range(0, len(codes), AT_ONCE)]
    made = [walker.logits(k, codes[p], None if cond is None else cond[p]) for p in parts]
    return torch.cat(made)
