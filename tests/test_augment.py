"""Augmentation: the same for both sides, differentiable, and invertible in law."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from surveyor import fit
from surveyor.api import prepare
from surveyor.batch import Draws
from surveyor.build import game_of
from surveyor.errors import InputError
from surveyor.training.views.shift_mirror import ShiftMirror
from tests.conftest import QUICK


def test_a_picture_is_shifted_round_or_mirrored_and_nothing_else() -> None:
    x = torch.rand(300, 2, 16, 24)
    made = ShiftMirror(0.7).moved(x, Draws(0))
    moved = 0
    for one, other in zip(x, made, strict=True):
        known = [
            torch.roll(base, (i, j), (1, 2))
            for base in (one, one.flip(2))
            for i in range(-2, 3)
            for j in range(-3, 4)
        ]
        assert any(torch.equal(other, k) for k in known)
        moved += not torch.equal(other, one)
    # 1 - (1 - p + p / 35) (1 - p / 2) = .79; four deviations of 300 draws are .09.
    assert moved / 300 == pytest.approx(0.792, abs=0.09)
    assert torch.equal(ShiftMirror(0.0).moved(x, Draws(0)), x)


@pytest.mark.parametrize("p", [0.3, 0.7])
def test_what_agrees_afterwards_agreed_before(p: float) -> None:
    """The law of shifts and mirrors has no zero among its characters, so it can be undone."""
    n, side = 200_000, 16
    point = torch.zeros(1, 1, side, side)
    point[..., 3, 5] = 1
    seen = ShiftMirror(p).moved(point.expand(n, -1, -1, -1), Draws(1)).mean(0)[0]
    # Of a point at column 5 its mirror image lies at 10, each within 2 of its place.
    plain, mirror = seen[:, 3:8], seen[:, 8:13]
    assert float(mirror.sum()) == pytest.approx(p / 2, abs=0.006)
    law = torch.zeros(side, side)
    law[:, [14, 15, 0, 1, 2]] = (plain + mirror.flip(1)).roll(-3, 0)
    angle = 2 * torch.pi * torch.arange(side) / side
    kernel = (1 + 2 * angle.cos() + 2 * (2 * angle).cos()) / 5
    told = (1 - p) + p * kernel[:, None] * kernel
    assert float(told.min()) > 0
    # Four deviations of a mean of 200,000 numbers of size 1.
    assert torch.fft.fft2(law).real == pytest.approx(told, abs=0.009)


def test_the_generators_gradient_passes_through(tmp_path: Any) -> None:
    said = {
        **QUICK,
        "condition": ["digit"],
        "view": "shift-mirror:share=0.6",
        "precision": "float32",
    }
    data, config = prepare("example:digits", said)
    game = game_of(config, data.codec)
    real = data.train.draw(16, Draws(0))
    told, found = game.generator_gradients(real, Draws(1))
    terms = game.generator_loss(real, Draws(1))
    by_hand = torch.autograd.grad(
        torch.stack(list(terms.values())).sum(), list(game.generator.parameters())
    )
    assert float(told["generator objective"]) == pytest.approx(
        float(terms["generator objective"].detach()), abs=1e-5
    )
    for a, b in zip(found, by_hand, strict=True):
        assert torch.allclose(a, b, atol=1e-5)
    assert fit("example:digits", tmp_path / "run", **said).evaluation["w1"].known > 0


class Watching(torch.nn.Module):
    """A critic that keeps what it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[torch.Tensor] = []

    def forward(self, x: torch.Tensor, cond: torch.Tensor | None = None) -> torch.Tensor:
        self.seen.append(x.detach())
        return x.flatten(1).sum(1)


def test_the_critic_of_training_sees_both_sides_moved() -> None:
    said = {
        **QUICK,
        "condition": ["digit"],
        "view": "shift-mirror:share=0.7",
        "precision": "float32",
    }
    data, config = prepare("example:digits", said)
    game, real = game_of(config, data.codec), data.train.draw(200, Draws(0))
    shown = []
    for views in ((), game.views):
        critic = Watching()
        watched = replace(game, critic=critic, constraints=(), views=views)
        watched.critic_loss(real, Draws(1))
        watched.generator_loss(real, Draws(1))
        shown.append(torch.cat(critic.seen))
    assert torch.equal(shown[0][:200], real.x)
    # Four in five pictures move, as above; four deviations of 200 draws are .11.
    for before, after in zip(*(torch.split(x, 200) for x in shown), strict=True):
        moved = (before != after).flatten(1).any(1).float().mean()
        assert float(moved) == pytest.approx(0.79, abs=0.12)


def test_augmentation_is_for_pictures() -> None:
    with pytest.raises(InputError, match="only for pictures"):
        fit("toy:ring:200", view="shift-mirror:share=0.5", **QUICK)
    with pytest.raises(InputError, match=r"between 0 and \.7"):
        fit("example:digits", view="shift-mirror:share=0.9", **QUICK)
