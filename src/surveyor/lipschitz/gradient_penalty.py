"""The gradient penalty in all its variants, as fields of one class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn

from surveyor.batch import Batch, Draws, mean
from surveyor.errors import InputError
from surveyor.findings import Finding
from surveyor.lipschitz import NormPenalty

FAR = 1e3  # weight of the condition relative to x in a matching


@dataclass(frozen=True)
class GradientPenalty(NormPenalty):
    """weight / target * E[(|grad f(x)| - target)^2], two-sided or one-sided.

    ``points``: ``between`` real and fake, x = e x_real + (1 - e) x_fake with one e per sample
    (Gulrajani et al. 2017); ``real``; ``fake``; ``both``, the sum of the last two.
    ``side``: ``one`` penalises only slopes above the target (Petzka et al. 2018), ``two`` both.
    ``target`` is the target slope. For data scaled by s it is 1/s, so that f is in the user's
    unit; the codec sets it if it is ``auto``. The factor 1/target makes ``weight`` independent of
    the unit. With target 0 the term is weight * E|grad f|^2: R1 at real points, R2 at fake ones
    (Mescheder et al. 2018, whose gamma is 2 ``weight``).
    ``every`` applies the penalty every k steps with k times the weight (lazy regularisation,
    Karras et al. 2020).
    ``pairs`` chooses the endpoints of the lines in ``between``: the real and the generated point
    in the same row of the batch (``drawn``), or in the cheapest matching of the batch
    (``optimal``; rows weigh equally, and the condition weighs far more than x). Matched lines are
    shorter and closer to those of the optimal coupling, along which the best critic's slope is 1.
    ``groups`` gives every group of ``--group`` the same total weight, so that the slope is held in
    the smallest group as in the largest.

    The gradient is with respect to x (n, ...) for each fixed condition. A penalty proves no
    bound; ``bound`` is the product of the layers' norms after training.
    """

    per_sample: ClassVar[bool] = True
    lags: ClassVar[bool] = False

    weight: float = 10.0
    points: Literal["between", "real", "fake", "both"] = "between"
    side: Literal["one", "two"] = "one"
    target: float | None = None
    every: int = 1
    groups: bool = False
    pairs: Literal["drawn", "optimal"] = "drawn"

    def problems(self, chosen: Mapping[str, Any]) -> Iterator[str]:
        """Ask for the column of the groups."""
        if self.groups and chosen["group"] is None:
            yield (
                "--constraint=gradient-penalty:groups=true: which groups? name their column with "
                "--group"
            )

    def __post_init__(self) -> None:
        problems = []
        if not 0 <= self.weight < float("inf"):
            problems.append(f"gradient-penalty: weight {self.weight}: give a number from 0")
        if self.target is not None and not 0 <= self.target < float("inf"):
            problems.append(f"gradient-penalty: target {self.target}: give a number from 0")
        if self.every < 1:
            problems.append(f"gradient-penalty: every {self.every}: give at least 1")
        for name, known in (
            ("points", ("between", "real", "fake", "both")),
            ("side", ("one", "two")),
            ("pairs", ("drawn", "optimal")),
        ):
            if getattr(self, name) not in known:
                problems.append(
                    f"gradient-penalty: {name} {getattr(self, name)!r}; known: {', '.join(known)}"
                )
        if self.pairs == "optimal" and self.points != "between":
            problems.append(
                f"gradient-penalty: pairs=optimal joins real and generated points; points="
                f"{self.points} has no lines"
            )
        if problems:
            raise InputError(*problems)

    def with_target(self, unit: float) -> GradientPenalty:
        """Return the penalty for a critic whose scores are in ``unit`` (1/s).

        An open target becomes ``unit``. With target 0 the weight is divided by ``unit`` instead, so
        that penalty and gap keep their proportion in every unit.
        """
        if self.target == 0:
            return replace(self, weight=self.weight / unit)
        return self if self.target is not None else replace(self, target=unit)

    def penalised(self, real: Batch, fake: Batch, draws: Draws) -> list[Batch]:
        """Return the points to penalise; an empty list on the steps that a lazy penalty skips."""
        if draws.step % self.every:
            return []
        if self.groups and real.group is not None:
            even = _even(real.group, real.weight)
            real, fake = (replace(b, weight=even, group=real.group) for b in (real, fake))
        if self.points == "between":
            if self.pairs == "optimal":
                fake = matched(real, fake)
            e = draws.uniform(len(real), *[1] * (real.x.ndim - 1))
            return [Batch(torch.lerp(fake.x, real.x, e.to(real.x)), real.cond, real.weight)]
        return {"real": [real], "fake": [fake], "both": [real, fake]}[self.points]

    def checks(self, critic: nn.Module) -> Iterator[Finding]:
        """Yield a weight far outside the working range, and a penalty applied too rarely."""
        usual = "Weights from 1 to 100 have worked; 10 is usual"
        if self.target != 0 and self.weight < 0.1:
            yield Finding(
                "P04",
                "warn",
                f"penalty weight {self.weight:g} is too small to hold the slope",
                usual,
            )
        elif self.target != 0 and self.weight > 1000:
            yield Finding(
                "P04",
                "warn",
                f"penalty weight {self.weight:g} flattens the critic and loses modes",
                usual,
            )
        if self.every > 16:
            yield Finding(
                "P05",
                "warn",
                f"the penalty is applied every {self.every} steps only",
                "Up to 16 is common (Karras et al. 2020)",
            )

    def cost(self, squares: Sequence[Tensor], weights: Sequence[Tensor | None]) -> Tensor:
        """Return the penalty, a scalar that can be differentiated again."""
        terms = [mean(self.excess(s), w) for s, w in zip(squares, weights, strict=True)]
        return torch.stack(terms).sum() * (self.weight * self.every)

    def excess(self, squares: Tensor) -> Tensor:
        """Return the unweighted penalty of |grad f|^2, shape (n,)."""
        target = 1.0 if self.target is None else self.target
        if target == 0:
            # The square root has no derivative at 0, and is not needed.
            return squares
        norm = (squares + (1e-6 * target) ** 2).sqrt()
        over = norm - target
        return (over if self.side == "two" else over.clamp(min=0)).square() / target


@torch.no_grad()
def matched(real: Batch, fake: Batch) -> Batch:
    """Return the generated points reordered to match ``real`` at least cost.

    The matching minimises the sum of |x_real - x_fake| over the batch, within equal conditions
    where possible. If any point is not finite, the order stays.
    """
    costs = torch.cdist(real.x.flatten(1), fake.x.flatten(1))
    if not bool(costs.isfinite().all()):
        return fake
    if real.cond is not None and fake.cond is not None:
        apart = torch.cdist(real.cond.flatten(1), fake.cond.flatten(1))
        costs = costs + FAR * (1 + costs.max()) * apart
    _, order = linear_sum_assignment(costs.double().cpu().numpy())
    return Batch(fake.x[torch.from_numpy(order).to(fake.x.device)], real.cond)


def _even(group: Tensor, weight: Tensor | None) -> Tensor:
    """Return row weights (n,) with the same sum in every group."""
    weight = torch.ones(len(group), device=group.device) if weight is None else weight
    _, own = torch.unique(group, return_inverse=True)
    sums = torch.zeros(int(own.max()) + 1, device=group.device).index_add_(0, own, weight)
    return weight / sums[own] / len(sums)
