"""Smooth logits: what they can express, and what they cannot learn by heart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from surveyor import fit
from surveyor.api import prepare
from surveyor.batch import Draws
from surveyor.build import game_of
from surveyor.generators import Likelihood
from surveyor.layers.smooth import FADE, SmoothLogits
from surveyor.training.privacy import Privacy, _Likelihood
from tests.conftest import QUICK, mixed

RANKS = torch.tensor([0.05, 0.15, 0.35, 0.55, 0.75, 0.95, float("nan")])


def layer(waves: int = 3) -> SmoothLogits:
    torch.manual_seed(0)
    return SmoothLogits(5, 7, waves, [2, 6], RANKS)


def test_logits_are_levels_and_cosines_of_ranks() -> None:
    net, h = layer(), torch.randn(4, 5)
    w = h @ net.weight
    for code in (0, 1, 3, 4, 5):
        waves = sum(
            w[:, j - 1] * torch.cos(torch.pi * j * RANKS[code]) * FADE / (FADE + j)
            for j in range(1, 4)
        )
        torch.testing.assert_close(net(h)[:, code], net.bias[code] + waves)
    torch.testing.assert_close(net(h)[:, 6], net.bias[6] + w[:, 4])  # no rank: a term of its own


def test_neighbours_differ_by_no_more_than_the_slope_of_the_cosines() -> None:
    net, h = layer(8), torch.randn(100, 5)
    w = (h @ net.weight)[:, :8].detach()
    j = torch.arange(1, 9)
    slope = (w.abs() * torch.pi * j * FADE / (FADE + j)).sum(1)
    tilt = (net(h) - net.bias).detach()
    assert ((tilt[:, 4] - tilt[:, 3]).abs() <= slope * (RANKS[4] - RANKS[3]) + 1e-5).all()


def test_spikes_move_alone() -> None:
    net, h = layer(), torch.randn(4, 5)
    before = net(h).detach()
    with torch.no_grad():
        net.weight[:, 3] += 1.0
    moved = (net(h) - before).abs().detach() > 1e-6
    assert moved[:, 2].all()
    assert not moved[:, [0, 1, 3, 4, 5, 6]].any()


def test_a_smooth_dependence_is_learnt_better_from_few_rows() -> None:
    """y = sin(x) and noise, 500 rows: log loss of held-out rows with and without cosines."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-3, 3, 625)
    frame = pd.DataFrame({"x": x, "y": np.sin(x) + rng.normal(0, 0.2, 625)})
    found = {}
    for waves in (0, 24):
        model = fit(
            frame,
            generator=f"autoregressive:waves={waves}",
            warm_start=1.0,
            steps=300,
            batch=100,
            threads=1,
            seed=1,
        )
        found[waves] = -model.score(frame_of(600)).mean()
    assert found[24] < found[0] - 0.05


def frame_of(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(9)
    x = rng.uniform(-2.9, 2.9, n)
    return pd.DataFrame({"x": x, "y": (np.sin(x) + rng.normal(0, 0.2, n)).clip(-1.4, 1.4)})


@pytest.mark.parametrize("waves", [0, 3])
def test_gradients_of_rows_are_those_of_single_rows(waves: int) -> None:
    """The norms of a private step come from the layers' inputs alone, cosines or not."""
    data, config = prepare(mixed(200), {"generator": f"autoregressive:waves={waves}", **QUICK})
    game = game_of(config, data.codec)
    assert isinstance(game.generator, Likelihood)
    batch, net = data.train.draw(12, Draws(0)), _Likelihood(game.generator)
    private = Privacy(1.0, 1e-5, 0.1, 0.0, 1.0, 1)
    sums = private.clipped_sum(net, batch)
    rows = private._row_by_row(net, batch)
    for a, b in zip(sums, rows, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)  # sums of 12 in two orders
