"""Final numbers against what they are by definition: signs, units, floors, precision of products."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from surveyor.api import prepare
from surveyor.build import game_of
from surveyor.data import Data, Options
from surveyor.data.fitting import fit_column
from surveyor.generators import Likelihood
from surveyor.kinds.assess import assess
from surveyor.kinds.images.answers.quality import ssim
from surveyor.kinds.loading import load as load_data
from surveyor.measures import SeenRun
from surveyor.measures.columns import table_fidelity
from surveyor.measures.features import precision_recall
from surveyor.measures.ruler import RowRuler
from surveyor.measures.two_sample import as_delivered
from surveyor.options import configure
from surveyor.training import Game, Measurement
from surveyor.training.records import best_of
from tests.conftest import WGAN

SMALL: dict[str, Any] = {
    "critic": "mlp:width=8,depth=1",
    "generator": "mlp:width=8,depth=1",
    **WGAN,
}


class First(torch.nn.Module):
    """A critic that returns a multiple of the first coordinate."""

    def __init__(self, slope: float = 1.0) -> None:
        super().__init__()
        self.slope = torch.nn.Parameter(torch.tensor(slope))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.slope * x[:, 0]


class Plane(torch.nn.Module):
    """A generator of two standard Gaussians, moved."""

    def __init__(self, shift: float = 0.0) -> None:
        super().__init__()
        self.shift = shift

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return z[:, :2] + torch.tensor([self.shift, 0.0])


def plane(factor: float = 1.0, rows: int = 1000, **options: Any) -> tuple[Data, Game]:
    points = factor * np.random.default_rng(0).normal(size=(rows, 2))
    data = load_data(points, Options())
    return data, game_of(configure({**SMALL, **options}, {}), data.codec)


def test_the_critics_estimate_is_positive_where_it_prefers_real_points() -> None:
    data, game = plane()
    found = RowRuler(replace(game, critic=First()), data.train, data.holdout, 200, 0, 1.0)(
        Plane(-3.0)
    )
    # Real points at 0, generated ones at -3, f = x: the gap is 3, of 133 rows to .4.
    assert found.critic_estimate == pytest.approx(3, abs=0.5)
    assert found.critic_estimate_training == pytest.approx(3, abs=0.5)


def test_every_distance_is_in_the_users_unit() -> None:
    one, other = (
        assess(SeenRun(game, Plane(0.5), data, 0, 100))
        for data, game in (plane(), plane(factor=1000.0))
    )
    for name in ("w1", "w1_self"):
        for field in ("value", "floor", "spread"):
            if (own := getattr(one[name], field)) is not None:
                assert getattr(other[name], field) == pytest.approx(1000 * own, rel=1e-3)
    assert other["w1"].ratio == pytest.approx(one["w1"].ratio, rel=1e-3)


@pytest.mark.parametrize("asked", [5, 10_000])
def test_transport_takes_as_many_rows_as_asked_for_and_there_are(asked: int) -> None:
    data, game = plane(rows=100)
    few = min(asked, len(data.holdout), len(data.train))
    assert SeenRun(game, Plane(), data, 0, asked).n == few
    assert assess(SeenRun(game, Plane(), data, 0, asked))["w1"].n == few


def test_points_are_told_apart_together_with_the_number_they_were_made_for() -> None:
    rng = np.random.default_rng(0)
    given = {"x": rng.normal(size=(400, 2)), "age": rng.uniform(20, 60, 400)}
    data = load_data(given, Options(condition=("age",)))
    game = game_of(configure({**SMALL, "condition": ("age",)}, {}), data.codec)
    for samples in as_delivered(SeenRun(game, game.generator, data, 0, 50)):
        held, other = samples.points
        assert held.shape == other.shape == (len(data.holdout), 3)
        assert held[:, :2] == pytest.approx(given["x"][data.holdout.index], abs=1e-5)


def test_a_proven_bound_is_per_slope_asked_for() -> None:
    """Critics are held to 1 / s for data scaled by s."""
    data, game = plane(1000.0, constraint="orthogonal", critic="mlp:width=8,depth=2")
    found = assess(SeenRun(game, Plane(), data, 0, 64))
    own = min(b for c in game.constraints if (b := c.bound(game.critic)) is not None)
    assert found["proven_bound"].value == pytest.approx(own / game.unit)
    assert game.unit != pytest.approx(1)


def test_the_floor_is_over_different_training_rows() -> None:
    data, game = plane()
    floors = RowRuler(game, data.train, data.holdout, 100, 0, 1.0).floors
    assert len(set(floors)) == len(floors) == 3


def test_numbers_are_those_of_full_products_whatever_training_used() -> None:
    data, game = plane()
    rough = replace(game, precision=torch.bfloat16)
    one, other = (assess(SeenRun(g, game.generator, data, 0, 100)) for g in (game, rough))
    assert one == other


def test_half_of_a_samples_spread_decides_between_steps() -> None:
    """W1 less half the samples' own W1: narrow samples gain less than by the whole of it."""

    def step(k: int, w1: float, own: float) -> Measurement:
        return Measurement(k, w1, 0, 0, own, None, None, 0, 0)

    wide, near = step(1, 1.5, 1.0), step(2, 1.2, 0.6)  # 1.0 and .9 by half; .5 and .6 by the whole
    assert best_of([wide, near]) is near
    assert best_of([step(1, 1.0, 0.2), step(2, 1.2, 0.8)]).step == 2  # .9, .8; w1 alone says 1


def test_with_a_likelihood_a_step_must_be_clearly_worse_to_be_passed_over() -> None:
    def step(k: int, w1: float, loss: float | None) -> Measurement:
        return Measurement(k, w1, 1, 0.1, 0, None, None, 0, 0, log_loss=loss)

    assert best_of([step(1, 1.0, 9.0), step(2, 1.25, 9.9)]).step == 2
    assert best_of([step(1, 1.0, 9.0), step(2, 1.35, 8.0)]).step == 1
    assert best_of([step(1, 1.0, None), step(2, 1.25, None)]).step == 1


def test_the_log_loss_is_that_of_all_validation_rows() -> None:
    data, config = prepare("example:wine", {"condition": ["target"]})
    game = game_of(config, data.codec)
    ruler = RowRuler(game, data.train, data.validation, 20, 0, 1.0)
    rows = data.validation.first(len(data.validation))
    game.generator.eval()
    assert isinstance(game.generator, Likelihood)
    expected = -game.generator.log_likelihood(rows.x, rows.cond).mean()
    assert ruler(game.generator).log_loss == pytest.approx(expected.item(), rel=1e-5)
    _, plain = plane()
    assert RowRuler(plain, data.train, data.holdout, 20, 0, 1.0).log_loss(plain.generator) is None


def test_trends_are_half_the_difference_of_correlations() -> None:
    x = np.arange(100.0) + 0.5
    rising, falling = pd.DataFrame({"a": x, "b": x}), pd.DataFrame({"a": x, "b": -x})
    columns = tuple(fit_column(str(n), pd.concat([rising, falling])[n]) for n in rising)
    found = table_fidelity(columns, falling, rising, rising)
    assert found.trends == pytest.approx(1 - 2 / 2)
    flat = rising.assign(b=np.where(np.arange(100) % 2, x, x[::-1]))
    rank = np.corrcoef(flat["a"].rank(), flat["b"].rank())[0, 1]
    assert table_fidelity(columns, flat, rising, rising).trends == pytest.approx(1 - (1 - rank) / 2)


def test_near_is_within_the_third_nearest_neighbour() -> None:
    """Four points on a line at 0, 1, 2, 3: the third neighbour of 0 lies 3 away, that of 1 two."""
    real = np.array([[0.0], [1.0], [2.0], [3.0]])
    assert precision_recall(np.array([[-2.9], [5.9], [0.0], [1.0]]), real)[0] == 1
    assert precision_recall(np.array([[-3.1], [6.1], [0.0], [1.0]]), real)[0] == 0.5


def test_structural_similarity_is_that_of_its_definition() -> None:
    generator = torch.Generator().manual_seed(0)
    a, b = (
        torch.rand(2, 1, 11, 11, generator=generator) * 0.06 for _ in range(2)
    )  # contrast near c2
    line = torch.exp(-((torch.arange(11) - 5.0) ** 2) / (2 * 1.5**2))
    w = torch.outer(line, line) / line.sum() ** 2
    expected = []
    for x, y in zip((a[:, 0] + 1) / 2, (b[:, 0] + 1) / 2, strict=True):
        mx, my = (w * x).sum(), (w * y).sum()
        vx, vy, both = (
            (w * (x - mx) ** 2).sum(),
            (w * (y - my) ** 2).sum(),
            (w * (x - mx) * (y - my)).sum(),
        )
        c1, c2 = 1e-4, 9e-4
        expected.append(
            (2 * mx * my + c1) * (2 * both + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
        )
    assert ssim(a, b) == pytest.approx(float(torch.stack(expected).mean()), abs=1e-4)
