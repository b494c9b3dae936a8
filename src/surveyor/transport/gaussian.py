"""Closed forms between Gaussians; W1 and W2 differ, so each name states the order."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from surveyor.errors import InputError


def wasserstein_1_gaussians(mean_a: float, sd_a: float, mean_b: float, sd_b: float) -> float:
    """Return W1 between N(mean_a, sd_a^2) and N(mean_b, sd_b^2) on the line.

    The monotone map moves a point by N(m, s^2), m = mean_a - mean_b, s = |sd_a - sd_b|, so
    W1 = E|N(m, s^2)| = s sqrt(2/pi) exp(-m^2 / 2 s^2) + m erf(m / (s sqrt 2)), a folded normal.

    Raises:
        InputError: a standard deviation is below zero.
    """
    if sd_a < 0 or sd_b < 0:
        raise InputError(f"standard deviations must be at least 0, got {sd_a} and {sd_b}")
    m, s = mean_a - mean_b, abs(sd_a - sd_b)
    if s == 0:
        return abs(m)
    spread = s * math.sqrt(2 / math.pi) * math.exp(-(m**2) / (2 * s**2))
    return spread + m * math.erf(m / (s * math.sqrt(2)))


def wasserstein_2_gaussians(
    mean_a: ArrayLike, cov_a: ArrayLike, mean_b: ArrayLike, cov_b: ArrayLike
) -> float:
    """Return W2 (not W1) between two Gaussians in d dimensions.

    W2^2 = |m_a - m_b|^2 + tr(A + B - 2 (A^1/2 B A^1/2)^1/2) (Olkin and Pukelsheim 1982).
    Shapes (d,) and (d, d). E|x - y| <= W2, so it is an upper bound on W1.
    """
    m_a, m_b = np.atleast_1d(mean_a).astype(float), np.atleast_1d(mean_b).astype(float)
    a, b = np.atleast_2d(cov_a).astype(float), np.atleast_2d(cov_b).astype(float)
    if a.shape != b.shape or a.shape != (len(m_a), len(m_a)) or m_a.shape != m_b.shape:
        raise InputError(
            f"shapes do not match: means {m_a.shape}, {m_b.shape}; covariances {a.shape}, {b.shape}"
        )
    values, vectors = np.linalg.eigh(a)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ b @ root).clip(0)).sum()
    squared = float(((m_a - m_b) ** 2).sum() + np.trace(a) + np.trace(b) - 2 * cross)
    return math.sqrt(max(squared, 0.0))
