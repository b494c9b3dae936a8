"""Eigenvalues of small games: closed forms, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from surveyor.batch import Batch
from surveyor.claims.c27_dynamics import Affine, Parabola, Place, dirac
from surveyor.diagnostics.dynamics import dynamics, losses
from surveyor.errors import InputError
from surveyor.training.lab import Points, game_of


@pytest.mark.parametrize(("gamma", "motion"), [(0.0, "centre"), (1.0, "spiral"), (2.5, "node")])
def test_the_dirac_game_moves_as_its_weight_says(gamma: float, motion: str) -> None:
    found = dirac(gamma)
    assert found.motion() == motion
    assert found.force == 0
    assert found.values.sum().real == pytest.approx(-gamma)
    assert np.prod(found.values).real == pytest.approx(1)


def test_a_quadratic_game_has_the_jacobian_of_its_matrix() -> None:
    torch.manual_seed(0)
    a, b = (nn.Linear(3, 1, bias=False).double() for _ in range(2))
    m = torch.randn(6, 6, dtype=torch.float64)
    m = m + m.T
    both = [a.weight, b.weight]

    def energy() -> torch.Tensor:
        w = torch.cat([p.flatten() for p in both])
        return 0.5 * w @ m @ w

    found = dynamics(energy, lambda: -energy(), a, b)
    sign = np.diag([-1.0] * 3 + [1.0] * 3)
    assert np.allclose(found.jacobian, sign @ m.numpy())
    assert found.force > 0
    whole, multipliers = found.steps(0.1, 0.2, 2)
    first, second = np.eye(6), np.eye(6)
    first[:3] += 0.1 * found.jacobian[:3]
    second[3:] += 0.2 * found.jacobian[3:]
    assert np.allclose(whole, second @ first @ first)
    assert (np.diff(np.abs(multipliers)) <= 1e-12).all()


@pytest.mark.parametrize("points", ["real", "fake", "between", "both"])
def test_the_jacobian_is_that_of_finite_differences(points: str) -> None:
    torch.manual_seed(0)
    data = Points(torch.randn(8, 1))
    penalty = f"gradient-penalty:points={points},side=two"
    game = game_of(data, Affine(), Parabola(), penalty, latent=1)
    nets = [net.double() for net in (game.critic, game.generator)]
    for p in (p for net in nets for p in net.parameters()):
        p.data.normal_().add_(0.5)
    z = torch.randn(8, 1, dtype=torch.float64)
    parts = losses(game, Batch(data.x.double()), z)
    found = dynamics(*parts, *nets)
    every = [p for net in nets for p in net.parameters()]

    def force() -> np.ndarray:
        pairs = zip(parts, nets, strict=True)
        return np.concatenate(
            [
                -g.numpy()
                for loss, net in pairs
                for g in torch.autograd.grad(loss(), list(net.parameters()))
            ]
        )

    columns = []
    for p in every:
        p.data.add_(1e-5)
        up = force()
        p.data.sub_(2e-5)
        columns.append((up - force()) / 2e-5)
        p.data.add_(1e-5)
    # Finite differences: measured 3e-10 off.
    assert np.allclose(found.jacobian, np.stack(columns, 1), atol=1e-8)


def test_a_bias_of_the_critic_is_no_motion() -> None:
    points = Points(torch.zeros(8, 1))
    line = nn.Linear(1, 1)
    nn.init.zeros_(line.weight)
    critic = nn.Sequential(line, nn.Flatten(0)).double()
    for gamma, motion in ((1.0, "spiral"), (3.0, "node")):
        penalty = f"gradient-penalty:target=0,points=real,weight={gamma / 2}"
        game = game_of(points, Place(0.0), critic, penalty, latent=1)
        own = losses(game, Batch(points.x.double()), torch.zeros(4, 1))
        assert dynamics(*own, critic, game.generator.double()).motion() == motion


def test_a_game_of_nets_is_linearised_and_a_large_one_refused() -> None:
    points = Points(torch.randn(16, 2))
    small = game_of(points, "mlp:width=4,depth=1", "mlp:width=4,depth=1", latent=2)
    z = torch.randn(16, 2)
    found = dynamics(*losses(small, Batch(points.x), z), small.critic, small.generator)
    n = sum(p.numel() for net in (small.critic, small.generator) for p in net.parameters())
    assert found.jacobian.shape == (n, n)
    large = game_of(points, latent=2)
    with pytest.raises(InputError, match="at most 4,000"):
        dynamics(*losses(large, Batch(points.x), z), large.critic, large.generator)
