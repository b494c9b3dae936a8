"""Shared fixtures and data: quick runs, a table, Gaussian points."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from surveyor import Model, fit

QUICK: dict[str, Any] = {
    "steps": 6,
    "batch": 16,
    "measure_every": 2,
    "measure_rows": 32,
    "threads": 1,
}


WGAN: dict[str, Any] = {"objective": "wasserstein", "constraint": "gradient-penalty"}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def mixed(n: int = 240, seed: int = 0) -> pd.DataFrame:
    """Return a table with every kind of column, missing values and awkward names."""
    rng = np.random.default_rng(seed)
    town = rng.choice(["Oslo", "Rome", "<b>Köln</b>", "$x_1$"], n, p=[0.5, 0.3, 0.15, 0.05])
    frame = pd.DataFrame(
        {
            "town": town,
            "age": rng.integers(18, 90, n),
            "income": np.where(rng.random(n) < 0.3, 0.0, np.round(rng.lognormal(8, 1, n), 2)),
            "member": rng.random(n) < 0.4,
            "joined": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, n), "D"),
            "visits": pd.array(rng.integers(0, 9, n), dtype="Int64"),
        }
    )
    frame.loc[rng.random(n) < 0.2, "income"] = np.nan
    frame.loc[rng.random(n) < 0.1, "visits"] = pd.NA
    frame.loc[rng.random(n) < 0.1, "town"] = None
    frame.loc[rng.random(n) < 0.1, "joined"] = pd.NaT
    return frame


@pytest.fixture(scope="session")
def table_run(tmp_path_factory: pytest.TempPathFactory) -> Model:
    torch.set_num_threads(1)
    path = tmp_path_factory.mktemp("runs") / "table"
    return fit(mixed(600), path, condition=["town"], group="member", **QUICK)


@pytest.fixture(scope="session")
def digits_run(tmp_path_factory: pytest.TempPathFactory) -> Model:
    torch.set_num_threads(1)
    path = tmp_path_factory.mktemp("runs") / "digits"
    return fit("example:digits", path, condition=["digit"], **QUICK)


@pytest.fixture(scope="session")
def toy_run(tmp_path_factory: pytest.TempPathFactory) -> Model:
    torch.set_num_threads(1)
    return fit("toy:ring:600", tmp_path_factory.mktemp("runs") / "toy", **QUICK | WGAN)


def gaussian(n: int, d: int, shift: float = 0.0, seed: int = 0) -> np.ndarray:
    """Return points of a standard Gaussian, shifted along the first axis."""
    points = np.random.default_rng(seed).normal(size=(n, d))
    points[:, 0] += shift
    return points
