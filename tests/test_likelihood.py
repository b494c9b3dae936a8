"""A likelihood is what a generator can do: training, scores and privacy ask for nothing more."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from surveyor import fit, load
from surveyor.api import Model
from surveyor.batch import Draws
from surveyor.build import game_of
from surveyor.errors import InputError
from surveyor.generators import Latent, Likelihood
from surveyor.kinds import kinds
from surveyor.objectives.wasserstein import Wasserstein
from surveyor.run import trained_on
from surveyor.run.preparing import prepare
from surveyor.training import Game
from surveyor.training.calibration import calibrate, marginal_gap
from surveyor.training.privacy import Privacy
from surveyor.training.terms.anchor import Anchor
from tests.conftest import QUICK, mixed

WIDTH = 3


class Normal(Likelihood):
    """x = mean + deviation z: the likelihood is a Gaussian's, and so are its maxima."""

    def __init__(self) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.ones(WIDTH))
        self.spread = nn.Parameter(torch.zeros(WIDTH))

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        return self.mean + self.spread.exp() * z[:, :WIDTH]

    def log_likelihood(
        self, x: Tensor, cond: Tensor | None = None, draws: Draws | None = None
    ) -> Tensor:
        z = (x - self.mean) / self.spread.exp()
        return -(z.square() / 2 + self.spread).sum(1) - WIDTH * math.log(2 * math.pi) / 2


def rows(n: int = 400) -> np.ndarray:
    rng = np.random.default_rng(5)
    return (rng.normal(size=(n, WIDTH)) * [1.0, 3.0, 0.5] + [4.0, 0.0, -2.0]).astype(np.float32)


def test_a_warm_start_finds_the_maximum_of_any_likelihood_and_rows_are_scored_by_it(
    tmp_path: Path,
) -> None:
    x = rows()
    said = QUICK | {
        "steps": 400, "warm_start": 1.0, "warm_rate": 0.05, "batch": 300, "measure": "w1:every=400,rows=32",
        "ema_decay": 0, "latent": f"gaussian:dimensions={WIDTH}",
    }  # fmt: skip
    model = fit(x, tmp_path / "run", generator=Normal(), **said)
    made = model.sample(20_000)["x"]
    # Batches of 300 leave the maximum to about a twentieth of a deviation.
    assert made.mean(0) == pytest.approx(x.mean(0), abs=0.1 * 3)
    assert made.std(0) == pytest.approx(x.std(0), rel=0.1)
    codec = model.run.codec
    points = codec.points(codec.rows(kinds()["vectors"].files.read(x)), np.arange(5))
    generator = model.run.game.generator
    assert isinstance(generator, Likelihood)
    with torch.no_grad():
        told = generator.log_likelihood(points).numpy()
    for run in (model, load(tmp_path / "run", generator=Normal())):
        assert run.score(x, by="likelihood")[:5] == pytest.approx(told, abs=1e-5)
        assert run.score(x)[:5] == pytest.approx(told, abs=1e-5)


class Wide(Normal):
    def log_likelihood(
        self, x: Tensor, cond: Tensor | None = None, draws: Draws | None = None
    ) -> Tensor:
        return super().log_likelihood(x).unsqueeze(1).expand(-1, WIDTH)


class Blind(Normal):
    def log_likelihood(
        self, x: Tensor, cond: Tensor | None = None, draws: Draws | None = None
    ) -> Tensor:
        raise KeyError("nowhere")


@pytest.mark.parametrize(
    ("generator", "told"),
    [
        (Wide(), r"log_likelihood: returns a tensor \(16, 3\); it must be \(16,\)"),
        (Blind(), "log_likelihood fails \\(KeyError: 'nowhere'\\)"),
    ],
)
def test_a_likelihood_of_ones_own_is_tried_before_the_first_step(
    generator: Normal, told: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=told):
        fit(rows(), tmp_path / "run", generator=generator, **QUICK)


def test_private_gradients_of_any_likelihood_are_clipped_row_by_row() -> None:
    data, _ = prepare(rows(), {"seed": 0})
    game = Game(Normal(), nn.Linear(WIDTH, 1), Wasserstein(), (), Latent(WIDTH), lambda raw, _: raw)
    norm = 0.1
    privacy = Privacy(1.0, 1e-5, norm, 0.0, 1.0, 1)
    _, found = privacy.likelihood_gradients(game, data.train, Draws(0))
    x = data.train.first(len(data.train)).x
    # Of a standard normal at mean 1: d log p / d mean = x - 1, d log p / d log deviation = (x - 1)^2 - 1.
    rowwise = torch.cat([x - 1, (x - 1).square() - 1], dim=1)
    clipped = rowwise * (norm / rowwise.norm(dim=1, keepdim=True)).clamp(max=1)
    assert torch.cat(found).numpy() == pytest.approx(-clipped.mean(0).numpy(), abs=1e-5)


def test_calibration_brings_a_table_to_the_shares_of_its_training_rows() -> None:
    data, config = prepare(mixed(400), {"seed": 0})
    codec, blocks = data.codec, data.codec.space.blocks
    hot = data.train.first(len(data.train)).x[:, : sum(blocks)] * 2**0.5
    for share, block in zip(codec.shares, torch.split(hot, list(blocks), dim=1), strict=True):
        assert share.numpy() == pytest.approx(block.mean(0).numpy(), abs=1e-4)
    game = game_of(config, codec)
    for p in game.generator.parameters():
        nn.init.normal_(p, std=0.2)
    without = marginal_gap(game, data.train, 0)
    calibrate(game, codec, 0)
    # 16,384 rows are drawn to measure it: of a column of fifty codes that leaves about .02.
    assert marginal_gap(game, data.train, 0) < 0.04 < 0.15 < without


def test_an_anchor_adds_the_gradient_of_the_likelihood_to_that_of_the_game(
    table_run: Model,
) -> None:
    data, trained = trained_on(table_run.run, mixed(600)), table_run.run.game
    net, critic = (copy.deepcopy(m).requires_grad_() for m in (trained.generator, trained.critic))
    game, real = replace(trained, generator=net, critic=critic), data.train.draw(16, Draws(0))
    anchored = replace(game, terms=(Anchor(0.3),))
    terms, found = anchored.generator_gradients(real, Draws(1))
    alone, own = game.generator_gradients(real, Draws(1))
    loss = -game.log_likelihood(real).mean()
    assert float(terms["anchor"]) == pytest.approx(0.3 * float(loss.detach()), rel=0.3)
    assert set(terms) == {*alone, "anchor"}
    nothing = replace(game, terms=(Anchor(0.0),)).generator_gradients(real, Draws(1))[1]
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(nothing, own, strict=True))
    moved = [a - b for a, b in zip(found, own, strict=True)]
    parameters = list(game.generator.parameters())
    down = torch.autograd.grad(loss, parameters, allow_unused=True, materialize_grads=True)
    pairs = list(zip(moved, down, strict=True))
    along = sum(float((m * g).sum()) for m, g in pairs)
    norms = [math.sqrt(sum(float(t.square().sum()) for t in ts)) for ts in zip(*pairs, strict=True)]
    assert along > 0.8 * norms[0] * norms[1]  # not equal: dropout


def test_an_anchor_needs_a_likelihood_and_no_privacy() -> None:
    with pytest.raises(InputError, match="anchor: the generator has no likelihood"):
        fit(mixed(), generator="mlp", warm_start=0, term=("anchor",), **QUICK)
    with pytest.raises(InputError, match="anchor: not with"):
        fit(mixed(), term=("anchor",), privacy="gaussian:epsilon=3", **QUICK)
