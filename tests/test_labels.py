"""Labels under which points are shown, and rows of every group alike."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from surveyor.api import prepare
from surveyor.batch import Draws
from surveyor.build import game_of
from surveyor.errors import InputError
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
