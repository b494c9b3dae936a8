"""Toy distributions in two dimensions with known modes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Array = np.ndarray


def ring(n: int, rng: np.random.Generator) -> Array:
    """Return 8 Gaussians of deviation .01 on the unit circle (PacGAN, Lin et al. 2018)."""
    return _mixture(ring_modes(), 0.01, n, rng)


def ring_modes() -> Array:
    """Return the 8 centres of ``ring``."""
    angle = 2 * np.pi * np.arange(8) / 8
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def grid(n: int, rng: np.random.Generator) -> Array:
    """Return 25 Gaussians of deviation .05 on a 5 x 5 grid of spacing 2 (PacGAN)."""
    return _mixture(grid_modes(), 0.05, n, rng)


def grid_modes() -> Array:
    """Return the 25 centres of ``grid``."""
    axis = np.arange(-4.0, 5.0, 2.0)
    return np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)


def eight_gaussians(n: int, rng: np.random.Generator) -> Array:
    """Return 8 Gaussians of deviation .02 on a circle of radius 2, over sqrt 2 (Gulrajani 2017)."""
    return _mixture(2 * ring_modes(), 0.02, n, rng) / 1.414


def twenty_five_gaussians(n: int, rng: np.random.Generator) -> Array:
    """Return 25 Gaussians of deviation .05 at spacing 2, over 2 sqrt 2 (Gulrajani 2017)."""
    return _mixture(grid_modes(), 0.05, n, rng) / 2.828


def swiss_roll(n: int, rng: np.random.Generator) -> Array:
    """Return a rolled-up sheet seen from its end, noise .25, over 7.5 (Gulrajani 2017)."""
    t = 1.5 * np.pi * (1 + 2 * rng.random(n))
    curve = np.stack([t * np.cos(t), t * np.sin(t)], axis=1)
    return (curve + 0.25 * rng.standard_normal((n, 2))) / 7.5


def parallel_lines(n: int, rng: np.random.Generator) -> Array:
    """Return points uniform on four upright segments of length 2, one apart."""
    line = rng.integers(0, 4, n) - 1.5
    return np.stack([line, rng.uniform(-1, 1, n)], axis=1)


def gaussian(n: int, rng: np.random.Generator) -> Array:
    """Return a correlated Gaussian with deviations 2 and .5 along its axes."""
    points = rng.standard_normal((n, 2)) * np.array([2.0, 0.5])
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    return np.asarray(points @ turn.T)


def point_masses(n: int, rng: np.random.Generator) -> Array:
    """Return three points, with probabilities .5, .3 and .2."""
    points = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 1.0]])
    return points[rng.choice(3, size=n, p=[0.5, 0.3, 0.2])]


TOYS: dict[str, Callable[[int, np.random.Generator], Array]] = {
    "ring": ring,
    "grid": grid,
    "eight-gaussians": eight_gaussians,
    "twenty-five-gaussians": twenty_five_gaussians,
    "swiss-roll": swiss_roll,
    "parallel-lines": parallel_lines,
    "gaussian": gaussian,
    "point-masses": point_masses,
}


def draw(name: str, n: int, rng: np.random.Generator) -> Array:
    """Return ``n`` fresh points (n, 2) of the named distribution."""
    return TOYS[name](n, rng)


def _mixture(centres: Array, sigma: float, n: int, rng: np.random.Generator) -> Array:
    chosen = centres[rng.integers(0, len(centres), n)]
    return np.asarray(chosen + sigma * rng.standard_normal((n, 2)))
