"""Scores of rows, by likelihood and by the critic."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from surveyor import Model, fit
from surveyor.errors import InputError
from tests.conftest import mixed


def test_scores_are_one_a_row(table_run: Model) -> None:
    scores = table_run.score(mixed(37))
    assert scores.shape == (37,)
    assert np.isfinite(scores).all()


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A run on towns, the country that follows, and a word that is the town's nine times in ten."""
    return fit(
        town_rows(2000), tmp_path_factory.mktemp("runs") / "towns", steps=300, warm_start=1.0,
        batch=256, threads=1,
    )  # fmt: skip


def town_rows(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    town = rng.choice(["Oslo", "Bergen", "Rome"], n)
    word = np.where(rng.random(n) < 0.9, np.char.add("w", town), "wother")
    return pd.DataFrame(
        {"town": town, "country": np.where(town == "Rome", "Italy", "Norway"), "word": word}
    )


def test_a_likelihood_is_low_where_a_row_does_not_fit_together(towns: Model) -> None:
    rows = pd.DataFrame(
        {
            "town": ["Oslo", "Oslo", "Oslo", "Paris"],
            "country": ["Norway", "Norway", "Italy", "Norway"],
            "word": ["wOslo", "wRome", "wOslo", "wOslo"],
        }
    )
    usual, odd, broken, unseen = towns.score(rows)
    # log (1/3 .9), the model's probabilities within a tenth or so.
    assert usual == pytest.approx(np.log(0.3), abs=0.25)
    assert odd < usual - 3
    assert broken < usual - 10
    assert unseen < usual - 10


def test_scores_by_the_critic_are_the_critics(towns: Model) -> None:
    rows = town_rows(20)
    batch = towns.run.codec.batch(
        towns.run.codec.rows(towns.run.kind.files.read(rows)), np.arange(20)
    )
    with torch.no_grad():
        own = towns.run.game.score(batch).numpy()
    assert towns.score(rows, by="critic") == pytest.approx(own)


def test_a_likelihood_that_is_not_there_is_refused(toy_run: Model) -> None:
    points = {"x": np.zeros((3, 2))}
    with pytest.raises(InputError, match="has no likelihood"):
        toy_run.score(points, by="likelihood")
    with pytest.raises(InputError, match="did you mean 'critic'"):
        toy_run.score(points, by="critc")  # type: ignore[arg-type]  # wrong on purpose
