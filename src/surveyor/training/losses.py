"""The losses of critic and generator, as functions of scores and gradient norms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from surveyor.batch import Batch, Draws, Scores, joined
from surveyor.catalog import name_of
from surveyor.critics.chain import Rows, Terms
from surveyor.lipschitz import Constraint, NormPenalty, TermPenalty
from surveyor.objectives import Objective

FreeTerms = Callable[[nn.Module], Terms]


@dataclass(frozen=True)
class CriticLoss:
    """The critic's objective and penalties, divided by the unit.

    Points are batches of ``n`` rows: real, fake, and any others that penalties need. ``at`` lists,
    for each constraint, the batches at which it needs |grad_x f|^2; ``rows`` is the range of rows
    that spans them, None where no penalty needs any. ``weights`` are the row weights of each batch.
    ``free_terms`` computes the terms that are not functions of scores and gradient norms.
    """

    objective: Objective
    constraints: tuple[Constraint, ...]
    unit: float
    n: int
    at: tuple[tuple[int, ...], ...]
    rows: Rows | None
    weights: tuple[Tensor | None, ...]
    group: Tensor | None
    free_terms: FreeTerms | None = None

    def __call__(self, scores: Tensor, squares: Sequence[Tensor]) -> Terms:
        """Return the terms from scores (..., m) and each member's |grad_x f|^2 at ``rows``."""
        n, weights = self.n, self.weights
        real, fake = scores[..., :n], scores[..., n : 2 * n]
        both = Scores(real, fake, weights[0], weights[1], self.group)
        terms = {"critic objective": self.objective.critic(both) / self.unit}
        for constraint, at in zip(self.constraints, self.at, strict=True):
            if isinstance(constraint, NormPenalty) and at and self.rows is not None:
                starts = [k * n - self.rows[0] for k in at]
                costs = [
                    constraint.cost([m[s : s + n] for s in starts], [weights[k] for k in at])
                    for m in squares
                ]
                terms[name_of(constraint)] = torch.stack(costs).sum() / self.unit
        return terms


@dataclass(frozen=True)
class GeneratorLoss:
    """The generator's objective over the unit, on ``n`` fake points (and real ones if it pairs)."""

    objective: Objective
    unit: float
    n: int
    weight: Tensor | None
    group: Tensor | None

    def __call__(self, scores: Tensor) -> Terms:
        """Return the terms from scores (..., m)."""
        fake = scores[..., : self.n]
        real = scores[..., self.n :].detach() if self.objective.pairs else fake
        both = Scores(real, fake, self.weight, self.weight, self.group)
        return {"generator objective": self.objective.generator(both) / self.unit}


def critic_loss(
    objective: Objective,
    constraints: tuple[Constraint, ...],
    unit: float,
    real: Batch,
    fake: Batch,
    draws: Draws,
) -> tuple[Batch, CriticLoss]:
    """Return the points that a critic step evaluates, and its loss there."""
    batches = [real, fake]
    at: list[tuple[int, ...]] = []
    for constraint in constraints:
        wanted = []
        if isinstance(constraint, NormPenalty):
            wanted = constraint.penalised(real, fake, draws)
        batches += [b for b in wanted if not any(b is other for other in batches)]
        at.append(tuple(next(k for k, o in enumerate(batches) if o is b) for b in wanted))
    used, n = sorted({k for places in at for k in places}), len(real)
    rows = (used[0] * n, (used[-1] + 1) * n) if used else None
    weights = tuple(b.weight for b in batches)
    free = [c for c in constraints if isinstance(c, TermPenalty)]

    def free_terms(critic: nn.Module) -> Terms:
        return {name_of(c): c.penalty(critic, real, fake, draws) / unit for c in free}

    loss = CriticLoss(
        objective, constraints, unit, n, tuple(at), rows, weights, real.group,
        free_terms if free else None,
    )  # fmt: skip
    return joined(batches), loss
