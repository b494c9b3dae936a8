"""Sliced W1: an estimate from random directions, cheap at any size."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from surveyor.errors import InputError
from surveyor.transport.checks import sample
from surveyor.transport.line import wasserstein_1_columns


def sliced_wasserstein_1(
    a: ArrayLike, b: ArrayLike, directions: int = 256, seed: int = 0
) -> tuple[float, float]:
    """Return the mean and the maximum over random unit directions of the projected W1.

    SW1 = E_theta W1(<theta, a>, <theta, b>) (Bonneel et al. 2015). Projections are 1-Lipschitz,
    so both numbers are lower bounds on W1(a, b); the mean estimates SW1, not W1.
    Shapes (n, d) and (m, d).
    """
    left, right = sample(a, "a"), sample(b, "b")
    if left.shape[1] != right.shape[1]:
        raise InputError(
            f"a has {left.shape[1]} columns and b has {right.shape[1]}; they must agree"
        )
    if directions < 1:
        raise InputError(f"directions must be at least 1, got {directions}")
    theta = np.random.default_rng(seed).standard_normal((left.shape[1], directions))
    theta /= np.linalg.norm(theta, axis=0)
    values = wasserstein_1_columns(left @ theta, right @ theta)
    return float(values.mean()), float(values.max())
