"""Exact W1 between finite samples under any ground metric, by network simplex."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import ot
from numpy.typing import ArrayLike
from scipy.spatial.distance import cdist

from surveyor.errors import InputError, SurveyorError
from surveyor.transport.checks import Array, sample, weights

Metric = str | Callable[[Array, Array], ArrayLike]


@dataclass(frozen=True)
class Transport:
    """An optimal coupling with its certificate.

    ``plan`` (n, m) moves the mass at ``cost``; ``u`` (n,) and ``v`` (m,) are the dual potentials,
    u_i + v_j <= c_ij. Their value sum(mu u) + sum(nu v) equals the cost, which proves optimality.
    """

    cost: float
    plan: Array
    u: Array
    v: Array


def ground_costs(a: Array, b: Array, metric: Metric = "euclidean") -> Array:
    """Return the (n, m) distances; ``metric`` is a name in SciPy's cdist or a function f(a, b)."""
    if callable(metric):
        costs = np.asarray(metric(a, b), dtype=np.float64)
    elif metric == "euclidean":
        # In high dimensions the expanded square, a matrix product, is many times faster; centring
        # keeps its rounding error near 1e-8 of the spread.
        if a.shape[1] < 16:
            return np.asarray(cdist(a, b))
        centre = a.mean(0)
        left = a - centre
        right = left if b is a else b - centre
        costs = left @ right.T  # in place from here on: the largest array of a comparison
        costs *= -2
        costs += np.einsum("ij,ij->i", left, left)[:, None]
        costs += np.einsum("ij,ij->i", right, right)
        np.sqrt(np.maximum(costs, 0, out=costs), out=costs)
    else:
        try:
            costs = np.asarray(cdist(a, b, metric))
        except ValueError as error:
            raise InputError(
                f"unknown ground metric {metric!r}; see SciPy's cdist for the names"
            ) from error
    if costs.shape != (len(a), len(b)):
        raise InputError(f"metric returned shape {costs.shape}, expected {(len(a), len(b))}")
    return costs


def transport(
    costs: ArrayLike, mu: ArrayLike | None = None, nu: ArrayLike | None = None
) -> Transport:
    """Solve min <P, C> subject to P 1 = mu, P' 1 = nu, P >= 0 exactly (network simplex, POT).

    Raises:
        InputError: the costs are not a finite matrix, or the weights do not fit it.
        SurveyorError: the solver stopped before the optimum.
    """
    c = np.ascontiguousarray(costs, dtype=np.float64)
    if c.ndim != 2 or c.size == 0 or not np.isfinite(c).all():
        raise InputError(f"costs must be a finite matrix, got shape {c.shape}")
    left, right = weights(mu, c.shape[0], "mu"), weights(nu, c.shape[1], "nu")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the log below has the solver's warning
        plan, log = ot.emd(left, right, c, numItermax=100_000_000, log=True)
    if log.get("warning"):
        raise SurveyorError(f"network simplex stopped early: {log['warning']}")
    return Transport(float(log["cost"]), plan, np.asarray(log["u"]), np.asarray(log["v"]))


def wasserstein_1_discrete(
    a: ArrayLike,
    b: ArrayLike,
    a_weight: ArrayLike | None = None,
    b_weight: ArrayLike | None = None,
    metric: Metric = "euclidean",
) -> float:
    """Return the exact W1 between two weighted samples, shapes (n, d) and (m, d).

    W1 = min over couplings P of sum_ij P_ij metric(a_i, b_j). The result is a distance only if
    ``metric`` is one (symmetric, with the triangle inequality); this is not checked.
    """
    left, right = sample(a, "a"), sample(b, "b")
    if left.shape[1] != right.shape[1]:
        raise InputError(
            f"a has {left.shape[1]} columns and b has {right.shape[1]}; they must agree"
        )
    return transport(ground_costs(left, right, metric), a_weight, b_weight).cost
