"""Noise on both sides of the critic, annealed and adapted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from surveyor.batch import Draws
from surveyor.streams import Stream
from surveyor.training import State, steps
from surveyor.training.noise import Noise
from surveyor.training.noise.adaptive import EVERY, RAMP, Adaptive
from surveyor.training.noise.anneal import Anneal
from tests.conftest import built, labelled


@pytest.mark.parametrize(("shift", "level"), [(0.0, 0.0), (50.0, 1.0)])
def test_adapted_noise_goes_to_its_end_where_the_critic_tells_nothing(
    shift: float, level: float
) -> None:
    said = {"noise": "adaptive:start=0.2,end=0.01,until=1", "objective": "wasserstein"}
    data, game, plan, _ = built(steps=60, generator_rate=1e-9, batch=128, **said)
    game = replace(game, generator=Apart(data.train, shift))
    state = State.start(game, plan)
    state.noise = 0.5
    told = [r.noise for r in steps(game, data.train, plan, state)]
    assert state.noise == level
    assert told[-1] == pytest.approx(0.01 if level == 0 else 0.2)


def test_noise_adapts_by_what_the_critic_tells_within_a_condition() -> None:
    """A critic may add anything for a condition; a pooled AUC would be near one half."""
    data, game, *_ = built(labelled(), condition=["label"], batch=256)

    class Critic(torch.nn.Module):
        def forward(self, x: torch.Tensor, cond: torch.Tensor) -> torch.Tensor:
            return x.sum(1) + 1e4 * cond.argmax(1)

    real = data.train.draw(256, Draws(0))
    shifted = replace(game, critic=Critic(), head=lambda raw, draws: real.x - 1)
    assert shifted.auc(real, Draws(1)) == 1
    equal = replace(game, critic=Critic(), head=lambda raw, draws: real.x)
    assert equal.auc(real, Draws(1)) == 0.5  # ties


def test_adapted_noise_takes_its_share_of_training_from_end_to_end() -> None:
    noise = Adaptive(0.3, 0.01, 0.5, 0.7)
    level, looks = 0.0, 0
    while level < 1:
        level, looks = noise.next_level(level, 0.71, 1000), looks + 1
    assert looks * EVERY == pytest.approx(RAMP * 1000, abs=EVERY)
    assert noise.next_level(level, 0.69, 1000) < level == noise.next_level(level, 0.71, 1000) == 1
    # A critic that only just reaches it has told enough.
    assert noise.next_level(0.5, 0.7, 1000) == noise.next_level(0.5, 0.69, 1000) < 0.5
    assert [noise.at(0.1, v) for v in (1.0, 0.0)] == [0.3, pytest.approx(0.01)]
    assert noise.due(4, 1000)
    assert not noise.due(5, 1000)
    assert not noise.due(500, 1000)
    assert not Anneal(0.3).due(4, 1000)


class Apart(torch.nn.Module):
    """A generator of real points, shifted along every axis."""

    def __init__(self, source: Any, shift: float) -> None:
        super().__init__()
        self.source, self.shift = source, torch.nn.Parameter(torch.tensor(shift))

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        own = self.source.draw(len(z), Draws(int(z.sum().abs() * 1e6), 1, Stream.SAMPLE)).x
        return torch.as_tensor(own + self.shift)


def test_noise_falls_to_its_end() -> None:
    noise = Anneal(0.3, 0.01, 0.5)
    values = [noise.at(t / 10) for t in range(11)]
    assert values[0] == pytest.approx(0.3)
    assert noise.at(0.4999) == pytest.approx(0.01, rel=0.01)
    assert values[5:] == [0] * 6
    assert values == sorted(values, reverse=True)
    assert Noise().at(0.3) == 0
