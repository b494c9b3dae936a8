"""Modules of a person's own: what cannot be trained is said before the first step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import surveyor
from surveyor import InputError
from tests.conftest import QUICK, mixed

SOURCE = "toy:ring:200"
LATENT = 18  # of toys: 8 Gaussians and 10 signs
Given = tuple[str, nn.Module, str]


class Made(nn.Module):
    """A net of one layer, and what is done to its output."""

    def __init__(self, wide: int, high: int, then: Any) -> None:
        super().__init__()
        self.layer, self.then = nn.Linear(wide, high), then

    def forward(self, x: Tensor) -> Any:
        return self.then(self.layer(x))


def generator(then: Any) -> Made:
    return Made(LATENT, 2, then)


def critic(then: Any) -> Made:
    return Made(2, 1, then)


def raising(out: Tensor) -> Tensor:
    raise RuntimeError("a line\nand another")


class Uncopied(Made):
    def __deepcopy__(self, memo: object) -> Made:
        raise TypeError("holds a file")


class Blind(Made):
    """A critic that passes nothing back to its points."""

    def forward(self, x: Tensor) -> Any:
        return super().forward(x.detach())


def changed(module: nn.Module, **values: Any) -> nn.Module:
    for name, value in values.items():
        setattr(module, name, value)
    return module


WRONG: dict[str, Given] = {
    "points of another width": ("generator", generator(lambda x: x[:, :1]), "returns a tensor (16, 1); it must be (16, 2)"),
    "points that are flat": ("generator", generator(lambda x: x.flatten()), "it must be (16, 2)"),
    "one point": ("generator", generator(lambda x: x.mean(0)), "it must be (16, 2)"),
    "points in a tuple": ("generator", generator(lambda x: (x, x)), "returns a tuple"),
    "no points": ("generator", generator(lambda x: None), "returns a NoneType"),
    "points of NumPy": ("generator", generator(lambda x: x.detach().numpy()), "returns a ndarray"),
    "whole points": ("generator", generator(lambda x: x.long()), "returns int64"),
    "complex points": ("generator", generator(lambda x: x * 1j), "returns complex64"),
    "points that are NaN": ("generator", generator(lambda x: x / 0 * 0), "returns NaN"),
    "points without end": ("generator", generator(lambda x: x / 0), "returns NaN or infinity"),
    "points detached": ("generator", generator(lambda x: x.detach()), "is it detached"),
    "points that raise": ("generator", generator(raising), "fails on z (16, 18) (RuntimeError: a line and another)"),
    "another latent": ("generator", nn.Linear(7, 2), "fails on z (16, 18)"),
    "a batch counted on": ("generator", generator(lambda x: x.view(16, 2)), "fails on z (5, 18)"),
    "nothing done": ("generator", nn.Module(), "no parameters"),
    "a list of layers": ("generator", nn.ModuleList([nn.Linear(LATENT, 2)]), "fails on z"),
    "a generator of doubles": ("generator", generator(lambda x: x).double(), "is float64; give float32"),
    "a generator of halves": ("generator", generator(lambda x: x).half(), "is float16; give float32"),
    "a frozen generator": ("generator", generator(lambda x: x).requires_grad_(False), "'layer.weight' is frozen"),
    "a generator without parameters": ("generator", nn.Identity(), "no parameters"),
    "a generator of no shape": ("generator", nn.LazyLinear(2), "no shape yet"),
    "a generator of no device": ("generator", nn.Linear(LATENT, 2, device="meta"), "holds no values"),
    "a generator not to be copied": ("generator", Uncopied(LATENT, 2, lambda x: x), "cannot be copied (TypeError: holds a file)"),
    "two scores a row": ("critic", critic(lambda x: x.repeat(1, 2)), "returns a tensor (16, 2); it must be (16,)"),
    "one score": ("critic", critic(lambda x: x.mean()), "returns a tensor (); it must be (16,)"),
    "scores in a dictionary": ("critic", critic(lambda x: {"score": x}), "returns a dict"),
    "whole scores": ("critic", critic(lambda x: (x > 0).long()), "returns int64"),
    "scores that are NaN": ("critic", critic(lambda x: (x - x) / 0), "returns NaN"),
    "scores detached": ("critic", critic(lambda x: x.detach()), "is it detached"),
    "scores that raise": ("critic", critic(raising), "fails on x (16, 2) (RuntimeError: a line and another)"),
    "other points": ("critic", nn.Linear(3, 1), "fails on x (16, 2)"),
    "a frozen layer": ("critic", nn.Sequential(nn.Linear(2, 2).requires_grad_(False), nn.Linear(2, 1)), "'0.weight' is frozen"),
    "a critic without parameters": ("critic", nn.Flatten(), "no parameters"),
    "a critic of doubles": ("critic", critic(lambda x: x).double(), "is float64"),
    "a critic without slopes": ("critic", Blind(2, 1, lambda x: x), "critic: its training step fails (RuntimeError"),
    "a parameter set to nothing": ("critic", changed(critic(lambda x: x), layer=None), "no parameters"),
    "BatchNorm under a penalty": ("critic", nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)), "BatchNorm"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_modules_that_cannot_be_trained(name: str, tmp_path: Path) -> None:
    net, module, message = WRONG[name]
    given: dict[str, Any] = {net: module, "constraint": "gradient-penalty"}
    with pytest.raises(InputError) as told:
        surveyor.fit(SOURCE, tmp_path / "run", **QUICK, **given)
    assert message in str(told.value)
    assert net in str(told.value)
    assert "\n" not in told.value.problems[0]
    assert not list(tmp_path.iterdir())


RIGHT: dict[str, tuple[str, nn.Module]] = {
    "scores (n, 1)": ("critic", critic(lambda x: x)),
    "scores (n,)": ("critic", critic(lambda x: x[:, 0])),
    "a committee of scores": ("critic", critic(lambda x: torch.stack([x[:, 0], 2 * x[:, 0]]))),
    "scores of doubles": ("critic", critic(lambda x: x.double())),
    "a generator with BatchNorm": ("generator", nn.Sequential(nn.Linear(LATENT, 8), nn.BatchNorm1d(8), nn.Linear(8, 2))),
    "a generator that drops": ("generator", nn.Sequential(nn.Linear(LATENT, 8), nn.Dropout(), nn.Linear(8, 2))),
    "a generator that shares": ("generator", generator(torch.tanh)),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_modules_that_can(name: str, tmp_path: Path) -> None:
    given: Any = dict([RIGHT[name]])
    model = surveyor.fit(SOURCE, tmp_path / "run", **QUICK, **given)
    assert model.sample(7)["x"].shape == (7, 2)


def test_conditions_reach_modules_of_ones_own(tmp_path: Path) -> None:
    class Told(nn.Module):
        def __init__(self, wide: int, high: int) -> None:
            super().__init__()
            self.layer = nn.Linear(wide, high)

        def forward(self, x: Tensor, cond: Tensor) -> Tensor:
            made: Tensor = self.layer(torch.cat([x, cond], dim=1))
            return made

    frame = mixed(200)[["town", "age"]].dropna()
    said: dict[str, Any] = {**QUICK, "latent": "gaussian:dimensions=4", "batch": 12}
    said["condition"] = "town"
    with pytest.raises(InputError, match=r"generator: fails on z \(12, 4\), cond \(12, 4\)"):
        surveyor.fit(frame, tmp_path / "run", generator=nn.Linear(4, 8), **said)
    values = np.random.default_rng(0).normal(size=(200, 3))
    data = {"x": values, "label": np.arange(200) % 2}
    said["condition"] = "label"
    model = surveyor.fit(data, tmp_path / "run", generator=Told(6, 3), critic=Told(5, 1), **said)
    assert set(model.sample(9, {"label": 1})["label"]) == {1}


def test_a_trial_changes_neither_modules_nor_random_numbers(tmp_path: Path) -> None:
    net = nn.Sequential(nn.Linear(LATENT, 8), nn.BatchNorm1d(8), nn.Dropout(), nn.Linear(8, 2))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    refused = nn.Sequential(nn.Linear(2, 8), nn.Linear(8, 3))
    state = torch.get_rng_state()
    with pytest.raises(InputError, match="critic"):
        surveyor.fit(SOURCE, tmp_path / "run", generator=net, critic=refused, **QUICK)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert net.training
    assert torch.equal(torch.get_rng_state(), state)
    surveyor.fit(SOURCE, tmp_path / "run", generator=net, **QUICK)
    assert torch.equal(torch.get_rng_state(), state)
