"""Labels under which points are shown, and rows of every group alike."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from surveyor import fit
from surveyor.api import prepare
from surveyor.batch import Draws
from surveyor.build import game_of
from surveyor.data.conditions import Columns
from surveyor.data.fitting import fit_column
from surveyor.errors import InputError
from surveyor.generators import Likelihood
from surveyor.training.views.label_noise import LabelNoise
from tests.conftest import QUICK, labelled, mixed


def test_generated_points_are_shown_under_labels_as_wrong_as_the_real_ones() -> None:
    data, config = prepare(labelled(), QUICK | {"condition": ["label"], "label_noise": 0.4})
    game = game_of(config, data.codec)
    codes = np.repeat(np.arange(4), 5000)[:, None]
    cond = data.codec.condition.embed(codes)
    with torch.no_grad():
        shown = game.generate(20_000, cond, Draws(0)).cond
    assert cond is not None
    assert shown is not None
    assert torch.equal(shown.sum(1), cond.sum(1))
    told = np.zeros((4, 4))
    np.add.at(told, (codes[:, 0], shown.argmax(1).numpy()), 1 / 5000)
    # .6 are right, and the rest falls on the three others alike; four deviations of 5,000 draws.
    expected = np.full((4, 4), 0.4 / 3) + np.eye(4) * (0.6 - 0.4 / 3)
    assert told == pytest.approx(expected, abs=0.028)


@pytest.mark.parametrize(
    ("said", "told"),
    [({"label_noise": 0.2}, "no labels"), ({"label_noise": 0.95, "condition": ["label"]}, "at most 0.9")],
)  # fmt: skip
def test_label_noise_without_labels_is_refused(said: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        data, config = prepare(labelled(), QUICK | said)
        game_of(config, data.codec)


def test_balanced_rows_are_of_every_group_alike() -> None:
    frame = mixed(600)
    frame["side"] = np.where(np.arange(600) < 540, "large", "small")
    data, _ = prepare(frame, QUICK | {"group": "side"})
    source = replace(data.train, balance=True)
    group = source.draw(8000, Draws(0)).group
    assert group is not None
    # Four deviations of a share of 8,000.
    assert float(group.float().mean()) == pytest.approx(0.5, abs=0.023)
    small = source.index[source.rows["group"][source.index] == 1]
    drawn = source.draw(8000, Draws(1))
    rows = data.codec.batch(source.rows, small).x
    seen = drawn.x[drawn.group == 1]
    assert len(torch.unique(seen, dim=0)) == len(torch.unique(rows, dim=0))
    assert torch.equal(torch.unique(seen, dim=0), torch.unique(rows, dim=0))


def test_balance_without_groups_is_refused() -> None:
    with pytest.raises(InputError, match="group"):
        prepare(mixed(100), QUICK | {"balance": True})


def noisy(n: int, share: float, seed: int) -> pd.DataFrame:
    """Return rows whose ``x`` follows their true label, and labels of which a share is wrong."""
    rng = np.random.default_rng(seed)
    true = rng.integers(0, 3, n)
    wrong = rng.random(n) < share
    told = np.where(wrong, (true + rng.integers(1, 3, n)) % 3, true)
    return pd.DataFrame({"x": rng.normal(4.0 * true, 0.5), "label": np.array(list("abc"))[told]})


LIKELY = QUICK | {
    "condition": ["label"], "label_noise": 0.3, "generator": "autoregressive:width=16,depth=2",
    "warm_start": 1.0, "warm_rate": 0.01, "batch": 250,
}  # fmt: skip


def test_a_likelihood_under_label_noise_sums_over_the_true_labels() -> None:
    """p(x | observed) = sum_y P(y | observed) p(x | y), for equally frequent labels."""
    data, config = prepare(noisy(600, 0.3, 0), LIKELY)
    game = game_of(config, data.codec)
    assert isinstance(game.generator, Likelihood)
    batch = data.train.first(40)
    balanced = replace(data.codec.condition.columns[0], frequency=np.full(3, 1 / 3))
    noise = LabelNoise(Columns((balanced,)), 0.3)
    eye = torch.eye(3) / 2**0.5
    likely = [game.generator.log_likelihood(batch.x, e.expand(40, 3)).exp() for e in eye]
    assert batch.cond is not None
    seen = batch.cond.argmax(1)
    parts = [p * torch.where(seen == y, 0.7, 0.15) for y, p in enumerate(likely)]
    found = replace(game, label_noise=noise).log_likelihood(batch)
    torch.testing.assert_close(found, torch.stack(parts).sum(0).log())


def test_odds_of_true_labels_follow_from_the_frequencies_of_observed_ones() -> None:
    """Bayes' rule for two labels: 80% and 20% true, a tenth of both told wrong."""
    told = 0.8 * 0.9 + 0.2 * 0.1
    column = replace(fit_column("y", pd.Series(list("ab"))), frequency=np.array([told, 1 - told]))
    noise = LabelNoise(Columns((column,)), 0.1)
    cond = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]) / 2**0.5
    odds = torch.stack([weight.exp() for _, weight in noise.truths(cond)], dim=1)
    a, b = 0.8 * 0.9 / told, 0.8 * 0.1 / (1 - told)
    expected = torch.tensor([[a, 1 - a], [b, 1 - b], [0.8, 0.2]])
    torch.testing.assert_close(odds, expected, rtol=1e-5, atol=1e-5)  # kept in float32
    assert noise.combinations == 2


def test_a_table_is_learnt_through_the_noise_of_its_labels() -> None:
    rows = noisy(4000, 0.3, 1)
    right = {}
    for share in (0.0, 0.3):
        model = fit(rows, **(LIKELY | {"label_noise": share, "steps": 400}))
        made = model.sample(1500)
        means = np.array([4.0 * "abc".index(v) for v in made["label"]])
        right[share] = float((np.abs(made["x"] - means) < 2).mean())
    assert right[0.3] > 0.95
    assert right[0.0] < 0.8  # it learns that three labels in ten are others


@pytest.mark.parametrize(
    ("said", "told"),
    [({"condition": ["label", "city", "member"]}, "at most 64"), ({"privacy": "gaussian:epsilon=3"}, "not with privacy")],
)  # fmt: skip
def test_a_likelihood_that_cannot_sum_over_labels_is_refused(
    said: dict[str, Any], told: str
) -> None:
    rows = noisy(400, 0.3, 2)
    rows["city"] = [f"c{k % 20}" for k in range(400)]
    rows["member"] = [f"m{k % 7 % 2}" for k in range(400)]
    with pytest.raises(InputError, match=told):
        usual = {k: v for k, v in LIKELY.items() if k != "measure"}
        data, config = prepare(rows, usual | said)
        game_of(config, data.codec)
