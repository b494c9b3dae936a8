"""Super-resolution in one dimension: the mean, or one of the answers."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure

from surveyor.batch import Batch, Draws
from surveyor.catalog import parse
from surveyor.claims import Claim, Evidence, Part
from surveyor.training.lab import Points, game_of, play, sampled
from surveyor.training.step import update
from surveyor.training.terms import terms as known


class OneSharpAnswer(Claim):
    """Squared error answers with the mean of all answers, the critic with one of them."""

    title = "Squared error gives the mean of the answers, the critic one of them"
    statement = (
        "Of two pixels a, b only the mean y is given, and the edge between them goes up or down: "
        "(a, b) = (y - 1, y + 1) or (y + 1, y - 1). Squared error is least for the flat (y, y), "
        "which never occurs: a blur. A generator against a critic that sees answer and question "
        "gives one sharp edge."
    )
    equation = "argmin_G E|G(y) − x|² = E[x | y];  W1(law of (G(y, z), y), law of (x, y)) = 0"
    source = "Ledig et al. 2017, figure 3; Mathieu, Couprie and LeCun 2016"
    parts = (
        Part(
            "squared error answers with the flat mean: an edge lower than .15",
            lambda f, _: f["mean height of the edge, squared error"] < 0.15,
        ),
        Part(
            "the critic answers with one edge: .85 to 1.15 high, sharp in more than .8 of answers",
            lambda f, _: (
                0.85 < f["mean height of the edge, critic"] < 1.15
                and f["share of sharp answers, critic"] > 0.8
            ),
        ),
        Part(
            "both edges are given, each at least one time in five",
            lambda f, _: 0.2 < f["share of answers that go up, critic"] < 0.8,
        ),
        Part(
            "the answers' mean is within .15 of the one given",
            lambda f, _: f["distance from the mean given, critic"] < 0.15,
        ),
    )
    headline = "mean height of the edge, critic"

    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Train the same net on squared error, and against a critic."""
        rng = np.random.default_rng(seed)
        y = rng.uniform(-1, 1, 4096)
        sign = rng.choice([-1.0, 1.0], 4096)
        x = np.stack([y - sign, y + sign], 1) + 0.05 * rng.normal(size=(4096, 2))
        points = Points(*(torch.tensor(v, dtype=torch.float32) for v in (x, y[:, None])))
        asked = torch.linspace(-1, 1, 500)[:, None]
        answers = {}
        for name in ("squared error", "critic"):
            game = game_of(points, latent=4, seed=seed)
            if name == "squared error":
                answers[name] = _regressed(game.generator, points, 100 if quick else 1000, seed)
            else:
                steps = play(
                    game, points, 150 if quick else 1500, 128, 2, 1e-3, 1e-3, hold=0.4, seed=seed
                )
                *_, (state, _) = steps
                answers[name] = sampled(game, state.average, 500, asked, seed).numpy()
        edges = {k: (v[:, 1] - v[:, 0]) / 2 for k, v in answers.items()}
        means = {k: np.abs(v.mean(1) - asked.squeeze(1).numpy()).mean() for k, v in answers.items()}
        up = float((edges["critic"] > 0).mean())
        return Evidence(
            {
                "mean height of the edge, squared error": float(
                    np.abs(edges["squared error"]).mean()
                ),
                "mean height of the edge, critic": float(np.abs(edges["critic"]).mean()),
                "share of sharp answers, critic": float((np.abs(edges["critic"]) > 0.7).mean()),
                "share of answers that go up, critic": up,
                "distance from the mean given, critic": float(means["critic"]),
            },
            edges | {"asked": asked.squeeze(1).numpy()},
        )

    def draw(self, found: Evidence, figure: Figure) -> None:
        """Draw the edges that each answers with."""
        axis = figure.subplots()
        c = found.curves
        axis.plot(c["asked"], c["critic"], ".", ms=3, color="#e4572e", label="critic")
        axis.plot(c["asked"], c["squared error"], ".", ms=3, color="#2a7f9e", label="squared error")
        for height in (-1, 1):
            axis.axhline(height, color="#8a94a6", ls="--")
        axis.set(xlabel="mean given", ylabel="half the edge, (b - a) / 2")
        axis.set_ylim(-1.3, 1.6)
        axis.legend(loc="upper center", markerscale=3, ncols=2)


def _regressed(net: torch.nn.Module, points: Points, count: int, seed: int) -> np.ndarray:
    """Return answers of a net trained on squared error."""
    loss = parse("reconstruction:weight=1,loss=l2", known(), "term")
    moves = torch.optim.Adam(net.parameters(), 1e-3)
    for step in range(count):
        draws = Draws(seed, step)
        real = points.draw(128, draws)
        made = Batch(net(draws.normal(128, 4), real.cond))
        terms = {loss.name: loss(made, real)}
        parameters = list(net.parameters())
        update(terms, torch.autograd.grad(terms[loss.name], parameters), net, moves, step + 1)
    with torch.no_grad():
        answers: torch.Tensor = net(
            Draws(seed, count).normal(500, 4), torch.linspace(-1, 1, 500)[:, None]
        )
    return answers.numpy()
