"""The trained critic: its estimate of W1, and its gradient norms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from surveyor.batch import Batch
from surveyor.diagnostics import PLACES
from surveyor.findings import Finding
from surveyor.measures import Figure, Figures, RunMeasure, SeenRun

STEEP = 1.5


@dataclass(frozen=True)
class Critic(RunMeasure):
    """The gap between held-out and generated rows, and the norm of the gradient in x.

    Gradient norms are relative to the constraint's target: 1 is on target.
    """

    def of_run(self, seen: SeenRun) -> Iterator[Figure]:
        """Yield ``critic_estimate``, ``gradient_norm`` by place, its maximum and the bound."""
        game, n = seen.game, seen.n
        held, fake, train = seen.held(n), seen.fake(n), seen.train(n)
        if game.objective.is_distance:
            on_held, on_fake, on_train = (score(seen, b) for b in (held, fake, train))
            unit = seen.codec.unit_name
            yield Figure("critic_estimate", on_held - on_fake, unit=unit, n=n)
            yield Figure(
                "critic_estimate_training", on_train - on_fake, unit=unit, n=n, rows="train"
            )
        for place in PLACES:
            yield Figure(
                "gradient_norm", seen.slopes.mean(place), better="floor", of=place, by="place", n=n
            )
        yield Figure("gradient_norm_max", seen.slopes.max(), better="lower", n=3 * n)
        bounds = [c.bound(game.critic) for c in game.constraints]
        bound = min((b for b in bounds if b is not None), default=None)
        yield Figure("proven_bound", None if bound is None else bound / game.unit, better="lower")

    def findings_of_run(self, figures: Figures, seen: SeenRun) -> Iterator[Finding]:
        """Yield a critic steeper than its target, and one that has begun to memorise."""
        yield from _steep(figures, seen)
        yield from _remembering(figures)


def score(seen: SeenRun, batch: Batch) -> float:
    """Return the critic's mean score."""
    with torch.no_grad():
        return float(seen.game.mean_score(batch.to(seen.game.device)).mean())


def _steep(figures: Figures, seen: SeenRun) -> Iterator[Finding]:
    steepest = figures["gradient_norm_max"].known
    if seen.game.objective.is_distance and steepest > STEEP:
        yield Finding(
            "R01",
            "warn",
            f"the critic's slope reaches {steepest:.2f} times its target, so its own estimate is "
            "not a lower bound on W1",
            "Trust the exact W1; raise the penalty weight if the estimate matters",
        )


def _remembering(figures: Figures) -> Iterator[Finding]:
    held, train = figures.get("critic_estimate"), figures.get("critic_estimate_training")
    floor = figures["w1"].floor or 0.0
    if held is None or train is None:
        return
    if train.known - held.known > max(0.5 * abs(train.known), 0.1 * floor):
        yield Finding(
            "R02",
            "warn",
            f"the critic's gap is {train.known:.3g} on training rows and {held.known:.3g} on "
            "held-out ones: it has begun to memorise",
            "Use more data, a narrower critic, or fewer steps",
        )
