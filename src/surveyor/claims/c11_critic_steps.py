"""How often the critic moves for each step of the generator."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure

from surveyor.claims import Claim, Evidence, Figures, Part
from surveyor.data.toy import eight_gaussians
from surveyor.training.lab import BITS, SEEING, Points, game_of, gap, play, sampled
from surveyor.transport import wasserstein_1_discrete


def _closest(figures: Figures) -> float:
    return min(figures[f"W1 at equal updates, {count}"] for count in ("1", "2"))


class CriticSteps(Claim):
    """More critic steps bring the estimate closer, and leave the generator fewer."""

    title = (
        "More critic steps for each generator step: a better signal, at a cost; a faster critic "
        "does as well"
    )
    statement = (
        "The critic must keep up with the generator for its gap to mean anything. With more critic "
        "steps the gap comes closer to W1. One step at a higher rate of the critic (two time "
        "scales) does as well as several. At an equal number of updates in all, many critic steps "
        "leave the generator too few."
    )
    equation = "error = |gap / W1 − 1| over the second half of training; outcome = exact W1"
    source = "Arjovsky et al. 2017 (n = 5); Heusel et al. 2017 (two time scales)"
    parts = (
        Part(
            "a better signal: the estimate's error falls from 1 to 5 to 20 critic steps",
            lambda f, _: (
                f["error of the estimate, 1"]
                > f["error of the estimate, 5"]
                > f["error of the estimate, 20"]
            ),
        ),
        Part(
            "at a cost: at equal updates samples come closest with one or two",
            lambda f, count: f[f"W1 at equal updates, {count}"] > _closest(f),
            ("5", "10", "20"),
        ),
        Part(
            "one step at a higher rate does as well as five",
            lambda f, _: (
                f["error of the estimate, 1, fast critic"] <= f["error of the estimate, 5"]
            ),
        ),
    )
    findings = (
        Part(
            "with one or two steps the estimate is off by more than .3, and samples come closest",
            lambda f, count: f[f"error of the estimate, {count}"] > 0.3,
            ("1", "2"),
        ),
    )
    headline = "error of the estimate, 20"

    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Train with 1 to 20 critic steps and the same number of updates in all."""
        rng = np.random.default_rng(seed)
        x = torch.tensor(eight_gaussians(6000, rng), dtype=torch.float32)
        points, held = Points(x[500:]), Points(x[:500])
        updates = 63 if quick else 2400
        plans = {"1": (1, 2e-3), "2": (2, 2e-3), "5": (5, 2e-3), "10": (10, 2e-3),
                 "20": (20, 2e-3), "1, fast critic": (1, 8e-3)}  # fmt: skip
        errors, outcomes = [], []
        for count, rate in plans.values():
            steps = updates // (count + 1)
            game = game_of(points, critic=SEEING, latent=BITS, seed=seed)
            seen = []
            for state, record in play(game, points, steps, 128, count, rate, 2e-3, seed=seed):
                last = state
                late = record.step > steps // 2 and record.step % max(1, steps // 12) == 0
                if late:
                    made = sampled(game, game.generator, 500, seed=seed)
                    exact = wasserstein_1_discrete(held.x.numpy(), made.numpy())
                    seen.append(abs(gap(game.critic, held, Points(made)) / exact - 1))
            errors.append(float(np.median(seen)))
            made = sampled(game, last.average, 1000, seed=seed)
            outcomes.append(wasserstein_1_discrete(x[:1000].numpy(), made.numpy()))
        return Evidence(
            {f"error of the estimate, {k}": e for k, e in zip(plans, errors, strict=True)}
            | {f"W1 at equal updates, {k}": o for k, o in zip(plans, outcomes, strict=True)},
            {"errors": np.array(errors), "outcomes": np.array(outcomes)},
        )

    def draw(self, found: Evidence, figure: Figure) -> None:
        """Draw error and outcome for each number of steps."""
        left, right = figure.subplots(1, 2)
        names = ["1", "2", "5", "10", "20", "1, fast"]
        left.bar(names, found.curves["errors"], color="#2a7f9e")
        left.set(ylabel="error of the estimate", xlabel="critic steps")
        right.bar(names, found.curves["outcomes"], color="#e4572e")
        right.set(ylabel="W1 at equal updates", xlabel="critic steps")
