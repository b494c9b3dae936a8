"""One suite that every objective runs through."""

from __future__ import annotations

import math

import pytest
import torch

from surveyor.batch import Scores
from surveyor.catalog import text_of
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


def soft(t: float) -> float:
    return math.log1p(math.exp(t))


REAL, FAKE = (0.25, 3.0), (-2.0, 0.5)
VALUES = {
    # Hinge: (.75 + 0) / 2 for real, (0 + 1.5) / 2 for fake.
    "hinge": (0.375 + 0.75, 0.75),
    "minimax:saturating=false": (
        (soft(-0.25) + soft(-3.0) + soft(-2.0) + soft(0.5)) / 2, (soft(2.0) + soft(-0.5)) / 2,
    ),
    "minimax:saturating=true": (
        (soft(-0.25) + soft(-3.0) + soft(-2.0) + soft(0.5)) / 2, -(soft(-2.0) + soft(0.5)) / 2,
    ),
    # Differences of real and fake row by row: 2.25 and 2.5.
    "relativistic": ((soft(-2.25) + soft(-2.5)) / 2, (soft(2.25) + soft(2.5)) / 2),
    "wasserstein": (-0.75 - 1.625, 0.75),
}  # fmt: skip


@pytest.mark.parametrize("objective", ALL, ids=str)
def test_both_losses_at_known_scores(objective: Objective) -> None:
    scores = Scores(torch.tensor(REAL), torch.tensor(FAKE))
    critic, generator = VALUES[text_of(objective)]
    assert float(objective.critic(scores)) == pytest.approx(critic, rel=1e-6)
    assert float(objective.generator(scores)) == pytest.approx(generator, rel=1e-6)


@pytest.mark.parametrize("objective", ALL, ids=str)
def test_a_generators_rows_weigh_what_they_are_told(objective: Objective) -> None:
    real, fake = torch.tensor([*REAL, 1.0]), torch.tensor([*FAKE, -1.5])
    index, weight = torch.tensor([0, 0, 0, 1, 2]), torch.tensor([3.0, 1, 1])
    often = objective.generator(Scores(real[index], fake[index]))
    weighed = objective.generator(Scores(real, fake, weight, weight))
    assert float(weighed) == pytest.approx(float(often), rel=1e-6)
    assert float(weighed) != pytest.approx(float(objective.generator(Scores(real, fake))), rel=0.01)


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
