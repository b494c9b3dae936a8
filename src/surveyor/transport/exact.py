"""Exact W1 between two samples with its standard error."""

from __future__ import annotations

import math

import numpy as np

from surveyor.transport.checks import Array
from surveyor.transport.discrete import ground_costs, transport


def exact_with_error(x: Array, y: Array) -> tuple[float, float]:
    """Return exact Euclidean W1 of samples (n, d) and (m, d), and its standard error."""
    return _line(x[:, 0], y[:, 0]) if x.shape[1] == 1 else _plane(x, y)


def _plane(x: Array, y: Array) -> tuple[float, float]:
    """W1 and its standard error, from the variance of the dual potentials (del Barrio 2019)."""
    solved = transport(ground_costs(x, y))
    variance = solved.u.var() / len(x) + solved.v.var() / len(y)
    return solved.cost, math.sqrt(variance)


def _line(x: Array, y: Array) -> tuple[float, float]:
    # On the line the optimal potential has slope sign(F_y - F_x), in closed form at every point.
    grid = np.sort(np.concatenate([x, y]))
    above = np.searchsorted(np.sort(x), grid, "right") / len(x)
    beside = np.searchsorted(np.sort(y), grid, "right") / len(y)
    steps = np.diff(grid)
    value = float((np.abs(above - beside)[:-1] * steps).sum())
    potential = np.concatenate([[0.0], np.cumsum(np.sign(beside - above)[:-1] * steps)])
    u, v = np.interp(x, grid, potential), np.interp(y, grid, potential)
    return value, math.sqrt(u.var() / len(x) + v.var() / len(y))
