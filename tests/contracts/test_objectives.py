"""One suite that every objective runs through."""

from __future__ import annotations

import math

import pytest
import torch

from surveyor.batch import Scores
from surveyor.objectives import Objective, objectives
from surveyor.objectives.minimax import Minimax
from surveyor.objectives.wasserstein import Wasserstein

ALL: list[Objective] = [cls() for cls in objectives().values()] + [Minimax(saturating=True)]


@pytest.mark.parametrize("objective", ALL, ids=str)
def test_the_critic_wants_real_above_fake(objective: Objective) -> None:
    real, fake = torch.zeros(8, requires_grad=True), torch.zeros(8, requires_grad=True)
    objective.critic(Scores(real, fake)).backward()
    assert real.grad is not None
    assert fake.grad is not None
    assert float(real.grad.max()) < 0 < float(fake.grad.min())


@pytest.mark.parametrize("objective", ALL, ids=str)
def test_the_generator_wants_fake_higher(objective: Objective) -> None:
    fake = torch.zeros(8, requires_grad=True)
    objective.generator(Scores(torch.zeros(8), fake)).backward()
    assert fake.grad is not None
    assert float(fake.grad.max()) < 0


@pytest.mark.parametrize("objective", ALL, ids=str)
def test_weights_of_one_change_nothing_and_double_weights_count_twice(objective: Objective) -> None:
    torch.manual_seed(0)
    real, fake = torch.randn(4), torch.randn(4)
    plain = objective.critic(Scores(real, fake))
    ones = objective.critic(Scores(real, fake, torch.ones(4), torch.ones(4)))
    assert float(plain) == pytest.approx(float(ones))
    index = torch.tensor([0, 0, 1, 2, 3])
    weight = torch.tensor([2.0, 1, 1, 1])
    twice = objective.critic(Scores(real[index], fake[index]))
    weighted = objective.critic(Scores(real, fake, weight, weight))
    assert float(twice) == pytest.approx(float(weighted), rel=1e-5)


@pytest.mark.parametrize("objective", ALL, ids=str)
def test_a_committee_counts_as_its_mean(objective: Objective) -> None:
    torch.manual_seed(0)
    real, fake = torch.randn(3, 5), torch.randn(3, 5)
    whole = objective.critic(Scores(real, fake))
    single = [float(objective.critic(Scores(r, f))) for r, f in zip(real, fake, strict=True)]
    assert float(whole) == pytest.approx(sum(single) / 3, rel=1e-5)


def test_the_wasserstein_gap() -> None:
    scores = Scores(torch.tensor([3.0, 5.0]), torch.tensor([1.0, 1.0]))
    assert float(Wasserstein().critic(scores)) == -3.0
    assert float(Wasserstein().generator(scores)) == -1.0


def test_an_undecided_discriminator_costs_two_log_two() -> None:
    zero = torch.zeros(4)
    assert float(Minimax().critic(Scores(zero, zero))) == pytest.approx(2 * math.log(2))


def test_the_saturating_generator_has_no_gradient_where_it_is_found_out() -> None:
    slope = {}
    for saturating in (False, True):
        fake = torch.full((1,), -20.0, requires_grad=True)
        Minimax(saturating).generator(Scores(fake, fake)).backward()
        assert fake.grad is not None
        slope[saturating] = abs(float(fake.grad))
    assert slope[True] < 1e-8
    assert slope[False] == pytest.approx(1)
