"""Every known mistake is found, and a sound setting is left alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import surveyor
from surveyor.api import prepare
from surveyor.build import game_of, plan_of
from surveyor.diagnostics import preflight
from surveyor.errors import InputError
from surveyor.kinds import kind_of
from tests.conftest import QUICK, WGAN, mixed

SOUND = {"batch": 64, "steps": 10, "threads": 1, **WGAN}
RNG = np.random.default_rng(0)
FAR = np.r_[RNG.normal(size=(5000, 2)), [[1e5, 0.0]] * 4]


def codes(source: Any, module: nn.Module | None = None, **said: Any) -> set[str]:
    data, config = prepare(source, SOUND | said)
    game = game_of(config, data.codec, critic=module)
    return {f.code for f in preflight(game, data, plan_of(config), kind_of(data.codec).checks)}


def test_a_sound_setting_has_no_findings() -> None:
    assert codes("toy:ring:2000") == set()


def frame(**columns: Any) -> pd.DataFrame:
    return mixed(600).assign(**columns)


CASES: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "unheld": ("P03", "toy:ring:2000", {"constraint": "none"}),
    "weight too small": ("P04", "toy:ring:2000", {"constraint": "gradient-penalty:weight=0.01"}),
    "weight too large": ("P04", "toy:ring:2000", {"constraint": "gradient-penalty:weight=1e5"}),
    "too lazy": ("P05", "toy:ring:2000", {"constraint": "gradient-penalty:every=64"}),
    "clip limit too small": ("P06", "toy:ring:2000", {"constraint": "clip:limit=1e-5"}),
    "clip limit too large": ("P06", "toy:ring:2000", {"constraint": "clip:limit=10"}),
    "too few critic steps": ("P07", "toy:ring:2000", {"constraint": "spectral", "critic_steps": 1}),
    "a slow critic": ("P07", "toy:ring:2000", {"critic_rate": 1e-6}),
    "anisotropic": ("P08", RNG.normal(size=(900, 2)) @ [[1e3, 1e3], [1, -1]], {}),
    "unscaled": ("P08", RNG.normal(size=(900, 2)) * [1, 1e4], {}),
    "extreme rows": ("P09", FAR[RNG.permutation(5004)], {}),
    "a constant vector column": ("P10", np.c_[RNG.normal(size=(900, 2)), np.ones(900)], {}),
    "a constant column": ("P10", frame(x=1), {}),
    "nothing but missing": ("P10", frame(x=None), {}),
    "many categories": ("P11", frame(x=[f"v{k % 100}" for k in range(600)]), {}),
    "an identifier": ("P12", frame(x=RNG.permutation(600)), {"type": ("x=number",)}),
    "too many parameters": ("P13", RNG.normal(size=(100, 2)), {"critic": "mlp:width=512"}),
    "few rows": ("P14", RNG.normal(size=(100, 2)), {}),
    "a large batch": ("P15", RNG.normal(size=(300, 2)), {"batch": 512}),
    "numbers and text": ("P16", frame(x=[["none", "few", str(k % 40)][k % 3] for k in range(600)]), {}),
    "dates of two forms": ("P16", frame(x=[["never", "soon", f"2020-01-{k % 20 + 10}"][k % 3] for k in range(600)]), {}),
    "a small group": ("P17", frame(x=["a"] * 590 + ["b"] * 10), {"group": "x"}),
    "relu": ("P02", "toy:ring:2000", {"critic": "mlp:slope=0"}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_mistake_is_found(name: str) -> None:
    code, source, said = CASES[name]
    assert code in codes(source, **said)


def test_few_categories_are_not_many_nor_are_numbers_categories() -> None:
    assert "P11" not in codes(frame(x=RNG.normal(size=600)))


def test_whitening_answers_anisotropy() -> None:
    source = RNG.normal(size=(900, 2)) @ [[1e3, 1e3], [1, -1]]
    assert "P08" not in codes(source, whiten=True)


def test_batch_norm_is_refused_under_a_penalty(tmp_path: Any) -> None:
    layers = nn.Linear(2, 8), nn.BatchNorm1d(8), nn.LeakyReLU(0.2), nn.Linear(8, 1)
    critic = nn.Sequential(*layers)
    assert "P01" in codes("toy:ring:2000", critic)
    with pytest.raises(InputError, match="BatchNorm"):
        surveyor.fit("toy:ring:400", tmp_path / "run", critic=critic, **QUICK | WGAN)
    assert not (tmp_path / "run").exists()


def test_batch_norm_does_break_the_gradient_of_one_sample() -> None:
    """The theorem behind P01: one sample's score moves when another sample does."""
    torch.manual_seed(0)
    x = torch.randn(8, 2)
    moved = torch.cat([x[:1], x[1:] + 1])
    batch, layer = nn.BatchNorm1d(2), nn.LayerNorm(2)
    assert not torch.allclose(batch(x)[0], batch(moved)[0])
    assert torch.allclose(layer(x)[0], layer(moved)[0])
