"""Options and numbers that cannot be."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from surveyor.catalog import parse
from surveyor.critics import critics
from surveyor.errors import Diverged, InputError
from surveyor.lipschitz.certificate import certify
from surveyor.options import Config, dumps, loads
from surveyor.options import resolve as resolve_options
from surveyor.run import load
from surveyor.training.step import update
from tests.folders.conftest import new


@pytest.mark.parametrize(
    ("name", "value"),
    [("minutes", float("inf")), ("minutes", 1e300), ("steps", 10**400), ("batch", 2**40),
     ("critic_rate", float("inf")), ("ema_decay", float("nan")), ("view", [1.0]),
     ("condition", {"a": 1}), ("threads", 10**6)],
)  # fmt: skip
def test_options_are_finite_and_bounded(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=name) as caught:
        resolve_options({name: value})
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("name", "value"),
    [("noise", "anneal:start=inf"), ("term", ["reconstruction:weight=nan"]),
     ("schedule", "cosine:hold=2"), ("latent", "gaussian:dimensions=1000000000"),
     ("measure", "w1:rows=1000000000"), ("privacy", "gaussian:epsilon=-1"),
     ("latent", "none"), ("objective", "none")],
)  # fmt: skip
def test_parts_of_a_configuration_are_finite_and_bounded(name: str, value: Any) -> None:
    content = tomllib.loads(dumps(Config(), "data.csv"))
    assert loads(content, "config.toml") == (Config(), "data.csv")
    content["run"][name] = value
    with pytest.raises(InputError, match=r"^config\.toml: "):
        loads(content, "config.toml")


@pytest.mark.parametrize("text", ["committee:members=1001", "mlp:slope=nan", "mlp:fourier_scale=inf", "patch:halvings=99999999999", "mlp:depth=" + "9" * 5000])  # fmt: skip
def test_fields_of_parts_are_finite_and_bounded(text: str) -> None:
    with pytest.raises(InputError):
        parse(text, critics(), "critic")


def test_a_divergence_names_a_layer_only_where_there_is_one() -> None:
    net = nn.Linear(2, 1)
    gradients = [torch.zeros_like(p) for p in net.parameters()]
    optimizer = torch.optim.SGD(net.parameters(), lr=1.0)
    with pytest.raises(Diverged, match="term 'penalty' is inf"):
        update({"penalty": torch.tensor(torch.inf)}, gradients, net, optimizer, 3)


def test_a_measurement_that_is_not_finite_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = new(tmp_path / "run")
    with pytest.raises(Diverged, match="not finite"):
        for record in session.records():
            if record.step == 3:
                monkeypatch.setattr(session.ruler, "floors", [float("nan")])
    assert [m.step for m in load(tmp_path / "run").history] == [2]


def test_a_critic_that_is_no_number_has_no_certificate() -> None:
    first = nn.Linear(2, 3)
    critic = nn.Sequential(first, nn.ReLU(), nn.Linear(3, 1))
    assert certify(critic) is not None
    with torch.no_grad():
        first.weight[0, 0] = torch.nan
    assert certify(critic) is None
