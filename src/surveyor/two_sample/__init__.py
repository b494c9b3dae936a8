"""Two-sample tests, one file each: whether two sets of rows come from one distribution."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from sklearn.decomposition import PCA

from surveyor.catalog import parts_in

FEWEST = 8  # rows per set
LEVEL = 0.05  # of all tests together
WIDEST = 512  # more columns without names are reduced to principal components
COMPONENTS = 64


@dataclass(frozen=True, eq=False)
class Samples:
    """Two sets of rows, as numbers.

    ``column(k)`` returns the finite values of column k in both sets, (n,) and (m,): numbers of an
    ordered column, codes from 0 of one that is ``categorical``, which ``label(k, code)`` names.
    ``points`` are rows of both in the space of a distance, (n', d) and (m', d), possibly fewer.
    """

    names: Sequence[str]
    categorical: Sequence[bool]
    column: Callable[[int], tuple[np.ndarray, np.ndarray]]
    rows: tuple[int, int]
    points: tuple[np.ndarray, np.ndarray]
    label: Callable[[int, int], str] = lambda k, code: f"value {code} of column {k + 1}"

    def some(self, most: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return at most ``most`` rows of each set, drawn at random, with all columns."""
        index = [some(n, most, seed) for n in self.rows]
        shape = len(self.names)
        sides = np.empty((len(index[0]), shape)), np.empty((len(index[1]), shape))
        for k in range(shape):
            for side, values, chosen in zip(sides, self.column(k), index, strict=True):
                side[:, k] = values[chosen]
        return sides


def of_points(a: np.ndarray, b: np.ndarray, what: str = "coordinate") -> Samples:
    """Return samples of points (n, d) and (m, d), whose coordinates are the columns.

    Of more than ``WIDEST`` coordinates the columns are ``COMPONENTS`` principal components of both
    sets pooled, which favour neither.
    """
    x, y = a, b
    if a.shape[1] > WIDEST:
        pooled = np.concatenate([a, b])
        count = min(COMPONENTS, *pooled.shape)
        rows = pooled[some(len(pooled), 10_000, 0)]
        model = PCA(count, svd_solver="randomized", random_state=0).fit(rows)
        x, y, what = model.transform(a), model.transform(b), "principal component"
    names = [f"{what} {k + 1}" for k in range(x.shape[1])]
    return Samples(
        names, [False] * len(names), lambda k: (x[:, k], y[:, k]), (len(a), len(b)), (a, b)
    )


@dataclass(frozen=True)
class Outcome:
    """What one test says of the null that both sets come from one distribution.

    Under it, P(``p_value`` <= t) is at most t. ``rows`` is how many rows of each set it used;
    ``witness`` says in words what it saw; ``parts`` are p-values of the columns, adjusted for
    their number, where it has them.
    """

    test: str
    p_value: float
    rows: tuple[int, int]
    witness: str
    parts: tuple[tuple[str, float], ...] = ()


class TwoSampleTest(ABC):
    """A test of the null that two sets of rows come from one distribution."""

    @abstractmethod
    def __call__(self, both: Samples, seed: int) -> Outcome | None:
        """Return the outcome; None where the test does not apply."""


@dataclass(frozen=True)
class Proof:
    """Several tests of one null, at one level together.

    ``p_value`` is Bonferroni's: the least of the tests' times their number. Under the null it is
    at most t with a probability of at most t, whatever the tests have in common.
    """

    outcomes: tuple[Outcome, ...]

    @cached_property
    def sharpest(self) -> Outcome:
        """Return the test with the least p-value."""
        return min(self.outcomes, key=lambda o: o.p_value)

    @property
    def p_value(self) -> float:
        """Return the p-value of all tests together."""
        return bonferroni([o.p_value for o in self.outcomes])

    @property
    def seen(self) -> str:
        """Return what the two sharpest tests saw, the second only where it proves it by itself.

        A classifier is often the sharpest and does not say where the difference is.
        """
        first, *rest = sorted(self.outcomes, key=lambda o: o.p_value)
        also = [o for o in rest[:1] if bonferroni([o.p_value] * len(self.outcomes)) <= LEVEL]
        return "; ".join(o.witness for o in (first, *also))


@cache
def two_sample_tests() -> dict[str, type[TwoSampleTest]]:
    """Return every test, by the name of its file."""
    return parts_in("surveyor.two_sample", TwoSampleTest)  # type: ignore[type-abstract]


def prove(both: Samples, seed: int = 0) -> Proof:
    """Run every test that applies.

    Raises:
        ValueError: a set has fewer than ``FEWEST`` rows.
    """
    if min(both.rows) < FEWEST:
        raise ValueError(f"each set needs at least {FEWEST} rows")
    made = (test()(both, seed) for test in two_sample_tests().values())
    return Proof(tuple(outcome for outcome in made if outcome is not None))


def bonferroni(p: Sequence[float]) -> float:
    """Return the p-value of several tests together: the least times their number, at most 1."""
    return min(1.0, len(p) * min(p))


def p_text(value: float) -> str:
    """Return a p-value in words."""
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def holm(p: np.ndarray) -> np.ndarray:
    """Return p-values (k,) adjusted for their number (Holm 1979).

    The smallest is multiplied by k, the next by k - 1, and so on, without decreasing.
    """
    order = np.argsort(p, kind="stable")
    scaled = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    adjusted = np.empty(len(p))
    adjusted[order] = scaled
    return adjusted


def some(n: int, most: int, seed: int) -> np.ndarray:
    """Return at most ``most`` of ``n`` row numbers, ascending."""
    return np.sort(np.random.default_rng(seed).permutation(n)[:most])
