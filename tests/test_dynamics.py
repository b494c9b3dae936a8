"""Eigenvalues of small games: closed forms, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from surveyor.batch import Batch
from surveyor.claims.c27_dynamics import dirac
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
