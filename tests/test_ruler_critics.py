"""The ruler's critics: proven slopes, and gaps close to the distance that is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from benchmarks.funnel import funnel

from surveyor.ruler import Budget, fit
from surveyor.ruler.cones import Cones
from surveyor.ruler.critic import Potential
from surveyor.ruler.folds import Folding, Folds
from surveyor.ruler.peaks import RATE, Climbing, Peaks, _gradients
from surveyor.training.optimizers.muon import Muon
from surveyor.transport import wasserstein_1_discrete
from tests.conftest import gaussian


def slope_between(critic: torch.nn.Module, x: np.ndarray, y: np.ndarray) -> float:
    with torch.no_grad():
        on_x, on_y = (critic(torch.as_tensor(p, dtype=torch.float32)).double() for p in (x, y))
    rise = (on_x - on_y).abs().numpy()
    return float((rise / np.linalg.norm(x - y, axis=1)).max())


def test_cones_reach_the_exact_distance_on_their_own_points_and_never_slope_above_one() -> None:
    a, b = gaussian(60, 3), gaussian(80, 3, 1.0, seed=1)
    critic = Cones(a, b)
    with torch.no_grad():
        gap = critic(torch.tensor(a)).mean() - critic(torch.tensor(b)).mean()
    assert float(gap) == pytest.approx(wasserstein_1_discrete(a, b), abs=1e-9)
    far = gaussian(4000, 3, seed=2) * 5
    assert slope_between(critic, far[:2000], far[2000:]) <= 1 + 1e-5  # scores of float32 points


@pytest.mark.parametrize("d", [1, 2, 40])
@pytest.mark.parametrize("family", [Climbing, Folding])
def test_every_family_rises_and_keeps_its_proven_slope(
    family: type[Climbing] | type[Folding], d: int
) -> None:
    torch.manual_seed(0)
    high, low = torch.randn(300, d) + 1, torch.randn(300, d)
    training = family(high, low, 30)
    gaps = []
    for step in range(30):
        made = training.made()
        with torch.no_grad():
            gaps.append(float(made(high).mean() - made(low).mean()))
        training.step(high, low, step)
    assert gaps[-1] > gaps[0]
    assert gaps[-1] <= wasserstein_1_discrete(high.numpy(), low.numpy()) * (1 + 1e-6)
    if isinstance(made, Folds):
        for weight in made.weights:
            singular = torch.linalg.svdvals(weight.double())
            assert torch.allclose(singular, torch.ones_like(singular), atol=1e-5)
    potential = Potential(made, torch.ones(d), 0.7, -1)
    near = 3 * torch.randn(2000, d).numpy()
    # Differences of float32 scores carry about 1e-6 over distances of a hundredth and more.
    assert slope_between(potential, near[:1000], near[1000:]) <= 1 + 1e-4


def test_peaks_are_a_maximum_of_cones_and_learn_by_autograds_gradients() -> None:
    torch.manual_seed(0)
    for d in (3, 20):
        a, c = torch.randn(7, d, requires_grad=True), torch.randn(7, requires_grad=True)
        high, low = torch.randn(9, d), torch.randn(12, d)
        soft = [0.3 * torch.logsumexp((c - torch.cdist(x, a)) / 0.3, 1) for x in (low, high)]
        expected = torch.autograd.grad(soft[0].mean() - soft[1].mean(), [a, c])
        for one, other in zip(_gradients(high, low, a, c, 0.3), expected, strict=True):
            assert torch.allclose(one, other, atol=1e-5)
    hard = Peaks(a.detach(), c.detach())(high)
    each = torch.stack([v - (high - p).norm(dim=1) for p, v in zip(a.detach(), c, strict=True)])
    assert torch.allclose(hard.float(), each.amax(0), atol=1e-5)


@pytest.mark.parametrize("scale", [1e-4, 0.1, 1.0])
def test_peaks_move_by_what_parts_the_points_and_come_to_rest(scale: float) -> None:
    torch.manual_seed(0)
    high, low = scale * (torch.randn(40, 2) + 1), scale * torch.randn(40, 2)
    training = Climbing(high, low, 20)
    peaks = training.values[0].clone()
    training.step(high, low, 0)
    moved = (training.values[0] - peaks).abs().max()
    # Adam begins by a step of the rate: at most sqrt 2 of it in one of two coordinates.
    assert 0 < float(moved) <= 1.5 * min(RATE, scale)
    peaks = training.values[0].clone()
    training.step(high, low, 20)
    assert torch.equal(training.values[0], peaks)


def test_peaks_of_a_single_place_have_no_distance_to_move_by() -> None:
    there = torch.ones(9, 3)
    training = Climbing(there, there, 4)
    assert (training.heat, training.rate) == (1, RATE)


def test_the_soft_maximum_cools_to_one_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    heats: list[float] = []

    def watched(high: Any, low: Any, a: Any, c: Any, heat: float) -> list[torch.Tensor]:
        heats.append(heat)
        return _gradients(high, low, a, c, heat)

    monkeypatch.setattr("surveyor.ruler.peaks._gradients", watched)
    training = Climbing(torch.randn(50, 2) + 1, torch.randn(50, 2), 20)
    for step in range(20):
        training.step(torch.randn(9, 2) + 1, torch.randn(9, 2), step)
    assert heats == sorted(heats, reverse=True)
    assert heats[-1] < 0.01 * heats[0] <= 0.01 * training.heat


@pytest.mark.parametrize("turned", [False, True])
def test_the_family_that_suits_the_data_wins(turned: bool) -> None:
    """Mass gathers at four points, of the high side or of the low one: cones are the truth."""
    pair, rng = funnel(4, 4, 3), np.random.default_rng(0)
    gathered, even = lambda n: pair.pairs(n, rng)[1], lambda n: pair.box(n, rng)
    budget = Budget(steps=1600, batch=64)
    made = fit(even, gathered, budget) if turned else fit(gathered, even, budget)
    assert isinstance(made.inner, Peaks)
    assert (float(made.gain) < 0) == turned


def test_a_narrow_distribution_within_a_wide_one_is_told_from_it() -> None:
    """Mass leaves for both sides, f = -|x|: transport's own cones see what short training misses."""
    rng = np.random.default_rng(0)
    critic = fit(
        lambda n: rng.uniform(size=(n, 1)), lambda n: 3 * rng.uniform(size=(n, 1)) - 1,
        Budget(steps=16, batch=32),
    )  # fmt: skip
    with torch.no_grad():
        x, y = (torch.linspace(a, b, 20_001).unsqueeze(1) for a, b in ((0, 1), (-1, 2)))
        gap = float(critic(x).mean() - critic(y).mean())
    assert 0.99 * 0.5 <= gap <= 0.5


def test_a_critic_is_trained_where_exact_transport_may_not_win() -> None:
    rng = np.random.default_rng(3)
    narrow, wide = rng.normal(0, 1, (64, 1)), rng.normal(0, 3, (64, 1))
    given = (lambda n: narrow[np.arange(n) % 64], lambda n: wide[np.arange(n) % 64])
    few = Budget(8, 64)
    assert isinstance(fit(*given, few).inner, Cones)
    assert isinstance(fit(*given, few, solved=False).inner, Folds | Peaks)


def test_a_critic_finds_a_shift_exactly() -> None:
    """Two intervals 3 apart: W1 is 3, and f = x reaches it."""
    rng = np.random.default_rng(0)
    critic = fit(
        lambda n: 3 + rng.uniform(size=(n, 1)), lambda n: rng.uniform(size=(n, 1)),
        Budget(steps=100, batch=64),
    )  # fmt: skip
    x = torch.as_tensor(rng.uniform(size=(5000, 1)), dtype=torch.float32)
    with torch.no_grad():
        gap = float((critic(x + 3) - critic(x)).mean())
    assert 0.99 * 3 <= gap <= 3


def test_muon_moves_orthogonal_matrices_along_their_manifold() -> None:
    torch.manual_seed(0)
    target = torch.nn.init.orthogonal_(torch.empty(6, 10))
    w = torch.nn.Parameter(torch.nn.init.orthogonal_(torch.empty(6, 10)))
    optimizer = Muon(manifold=True).over([w], 0.05)
    first = float((w.detach() - target).norm())
    for _ in range(200):
        w.grad = w.detach() - target
        optimizer.step()
        gram = w.detach() @ w.detach().T
        # One round of Newton-Schulz after a step of .05 leaves the square of the step.
        assert float((gram - torch.eye(6)).abs().max()) < 0.02
    assert float((w.detach() - target).norm()) < 0.1 * first


@pytest.mark.parametrize("d", [2, 16])
@pytest.mark.parametrize("count", [4, 64])
def test_funnels_have_the_distance_and_the_critic_they_claim(d: int, count: int) -> None:
    made = funnel(d, count, seed=1)
    x, y = made.pairs(300, np.random.default_rng(2))
    moved = np.linalg.norm(x - y, axis=1).mean()
    # The pairing is optimal: transport between the same points finds nothing shorter.
    assert wasserstein_1_discrete(x, y) == pytest.approx(moved, rel=1e-9)

    def u(p: np.ndarray) -> np.ndarray:
        own, s = made.cone(p)
        return np.asarray(s + made.b[own])

    assert (u(x) - u(y)).mean() == pytest.approx(moved, rel=1e-9)
    clear = y[made.cone(y)[1] > 1e-4]  # nearer to a centre a step would cross it
    assert np.allclose((u(clear) - u(clear + 1e-6 * made.slope(clear))) / 1e-6, 1, atol=1e-3)
