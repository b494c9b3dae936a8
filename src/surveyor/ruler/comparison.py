"""A bracket of W1 between two data sets: a critic of proven slope below, exact transport above."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from surveyor.errors import InputError
from surveyor.ruler.cones import Cones
from surveyor.ruler.critic import Budget, Draw, Potential, fitted
from surveyor.transport import sliced_wasserstein_1, wasserstein_1_line
from surveyor.transport.checks import Array, sample
from surveyor.transport.exact import exact_with_error
from surveyor.two_sample import LEVEL, Outcome, Proof, Samples, of_points, p_text, prove

Method = Literal["auto", "exact", "critic", "sliced"]
METHODS = ("auto", "exact", "critic", "sliced")
LIMIT = 2048  # rows per set for exact transport
FRESH = 20_000  # rows drawn from a callable in place of a data set
WIDE = 1024  # entries of a point in a table; of wider ones half as many rows
REPEATS = 4  # random subsamples over which value and floor are averaged below ENOUGH rows
ENOUGH = 1024


@dataclass(frozen=True)
class Comparison:
    """W1 between two data sets, in the unit of the data, with what is needed to interpret it.

    ``value`` is W1 between samples of ``n`` rows each; ``floor`` is the same measure between two
    samples of ``n`` rows of the first set, the value without any difference at that size.
    ``low`` and ``high`` bracket the W1 of the populations. ``low`` is the gap of a critic of proven
    slope ``bound`` on held-out rows, less 1.96 standard errors: a lower bound by duality. ``high``
    is the larger of ``value`` and exact transport on all rows used, plus 1.96 standard errors; both
    are biased upwards. The nominal level of each end is 97.5%, and it holds if many rows carry the
    difference. If only a few do, ``high`` is too low more often, and the sample cannot show it:
    what is rarer than one row in n may be absent. Measured rates of ``high`` too low: a shift of 1
    between normal sets, at most 3%; a share of .01 against .02, 14% with 200 rows, 3% with 500;
    .2% of rows moved by 100, 31% with 500 rows, 6% with 2,000.
    ``p_value`` is that of all two-sample tests together, under the null that both sets come from
    one distribution; ``tests`` are their outcomes.
    ``gradient_norm_max`` is the critic's largest measured gradient norm; ``critic`` is the module,
    (n, d) to (n,), with high scores on the first set. With the method ``critic``, ``value`` is its
    gap and ``floor`` its mean absolute gap between parts of the first set. With the method
    ``reference``, which has no rows to measure W1 on, they are not a number, ``low`` is 0 and
    ``high`` infinite.
    """

    value: float
    floor: float
    low: float
    high: float
    p_value: float
    method: str
    n: int
    rows: tuple[int, int]
    bound: float | None = None
    gradient_norm_max: float | None = None
    critic: nn.Module | None = field(default=None, repr=False, compare=False)
    tests: tuple[Outcome, ...] = ()

    @property
    def ratio(self) -> float:
        """Return value / floor; infinite if only the floor is 0."""
        if self.floor > 0 or math.isnan(self.floor):
            return self.value / self.floor
        return 1.0 if self.value == 0 else math.inf

    @property
    def verdict(self) -> str:
        """Return a sentence on whether the two sets differ, and which test shows it best."""
        n, m = self.rows
        how = f"{p_text(self.p_value)}, with {n:,} and {m:,} rows"
        if self.p_value > LEVEL:
            return f"No difference seen ({how}), which does not prove that there is none."
        probably = "" if self.p_value <= 0.01 else "probably "
        seen = f" What shows it best: {Proof(self.tests).seen}." if self.tests else ""
        return f"The two {probably}differ ({how}).{seen}"

    def numbers(self) -> dict[str, Any]:
        """Return all fields but the critic, with ratio and verdict, for JSON."""
        left_out = ("critic", "tests")
        fields = {k: getattr(self, k) for k in self.__dataclass_fields__ if k not in left_out}
        tests = [
            {"test": t.test, "p_value": t.p_value, "rows": t.rows, "witness": t.witness}
            for t in self.tests
        ]
        return fields | {"tests": tests, "ratio": self.ratio, "verdict": self.verdict}


def compare(
    a: Array | Draw,
    b: Array | Draw,
    method: Method = "auto",
    seed: int = 0,
    limit: int = LIMIT,
    budget: Budget | None = None,
    watch: Callable[[int, int], None] | None = None,
    samples: Samples | None = None,
) -> Comparison:
    """Measure W1 between two sets (n, d) and (m, d), or between ``draw(n) -> (n, d)`` callables.

    The two-sample tests take ``samples``, by default the coordinates of the rows.

    ``auto`` and ``exact``: transport by network simplex on at most ``limit`` rows per set (on all
    rows in one dimension); the lower bound comes from cones on the dual potentials of half the
    rows, evaluated on the other half. ``critic``: the lower bound comes from a critic trained
    within ``budget``. ``sliced``: the mean over random directions, for very many columns; no lower
    bound. ``watch`` is called with (step, steps).

    Raises:
        InputError: the shapes do not agree, an entry is not finite, or a set has fewer than 8 rows.
    """
    if method not in METHODS:
        raise InputError(f"--method {method}: unknown; known: {', '.join(METHODS)}")
    rng = np.random.default_rng(seed)
    left, right = _both(a, b, rng)
    line = left.shape[1] == 1
    both = samples or of_points(left, right)
    proof = prove(both, seed)
    n = min(len(left) // 2, len(right), len(left) if line else limit)
    trained = method == "critic"
    measured = Comparison(
        value=0.0 if trained else _repeated(left, right, n, method, rng),
        floor=0.0 if trained else _repeated(left, None, n, method, rng),
        low=0.0,
        high=math.inf,
        p_value=proof.p_value,
        method=method if method != "auto" else "exact",
        n=n,
        rows=both.rows,
        tests=proof.outcomes,
    )
    if method == "sliced":
        return measured
    most = None if line else limit
    cost, error = exact_with_error(left[:most], right[:most])
    measured = replace(measured, high=max(cost, measured.value) + 1.96 * error)
    (fit_a, held_a), (fit_b, held_b) = _halves(a, left, rng), _halves(b, right, rng)
    critic: Cones | Potential
    if trained:
        sources = [_source(x, fit, rng) for x, fit in ((a, fit_a), (b, fit_b))]
        critic = _trained(sources, budget or Budget(seed=seed), watch)
    else:
        critic = Cones(fit_a[:limit], fit_b[:limit])
    gap, error = _gap(critic, held_a, held_b)
    if trained:
        n = min(len(held_a) // 2, len(held_b))
        floor, high = _own_gap(critic, held_a, n, rng), max(gap, measured.high)
        measured = replace(measured, value=gap, floor=floor, high=high, n=n)
    return replace(
        measured,
        low=max(0.0, gap - 1.96 * error),
        bound=critic.bound,
        gradient_norm_max=_steepest(critic, held_a, held_b, rng),
        critic=critic,
    )


def _both(a: Array | Draw, b: Array | Draw, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return both sets' rows in random order, of one width and not too few."""
    left, right = (_rows(x, name, rng) for x, name in ((a, "a"), (b, "b")))
    if left.shape[1] != right.shape[1]:
        raise InputError(
            f"a has {left.shape[1]} columns and b has {right.shape[1]}; they must agree"
        )
    if min(len(left), len(right)) < 8:
        raise InputError(f"each set needs at least 8 rows, got {len(left)} and {len(right)}")
    return left, right


def _rows(x: Array | Draw, name: str, rng: np.random.Generator) -> Array:
    if callable(x):
        return sample(x(FRESH), name)
    rows = sample(x, name)
    return rows[rng.permutation(len(rows))]


def _halves(x: Array | Draw, rows: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return rows to fit a critic on, and held-out rows to evaluate it on."""
    if callable(x):
        return rows, sample(x(FRESH), "draws")
    return rows[: len(rows) // 2], rows[len(rows) // 2 :]


def _source(x: Array | Draw, fit: Array, rng: np.random.Generator) -> tuple[Draw, Draw]:
    """Return a sampler of training rows, and one of rows for choosing between critics."""
    if callable(x):
        return x, x
    split = len(fit) - len(fit) // 4

    def of(rows: Array) -> Draw:
        return lambda n: rows[rng.integers(0, len(rows), n)]

    return of(fit[:split]), of(fit[split:])


def _repeated(a: Array, b: Array | None, n: int, method: Method, rng: np.random.Generator) -> float:
    """Return W1 between ``n`` rows of ``a`` and of ``b``, or between disjoint rows of ``a``."""
    values = []
    for _ in range(1 if n >= ENOUGH else REPEATS):
        order = rng.permutation(len(a))
        x = a[order[:n]]
        y = a[order[n : 2 * n]] if b is None else b[rng.permutation(len(b))[:n]]
        if method == "sliced":
            values.append(sliced_wasserstein_1(x, y, seed=0)[0])
        elif a.shape[1] == 1:
            values.append(wasserstein_1_line(x[:, 0], y[:, 0]))
        else:
            values.append(exact_with_error(x, y)[0])
    return float(np.mean(values))


def _trained(
    sources: list[tuple[Draw, Draw]], budget: Budget, watch: Callable[[int, int], None] | None
) -> Potential:
    (a, judge_a), (b, judge_b) = sources
    for step, made in enumerate(fitted(a, b, budget, (judge_a, judge_b)), 1):
        if watch is not None and made is None:
            watch(step, budget.steps)
    assert made is not None
    return made


@torch.no_grad()
def _scores(critic: nn.Module, x: Array) -> Array:
    parts = [critic(torch.as_tensor(part, dtype=torch.float32)) for part in _parts(x)]
    return np.asarray(torch.cat(parts).double())


def _parts(x: Array, size: int = 2048) -> list[Array]:
    return [x[k : k + size] for k in range(0, len(x), size)]


def _gap(critic: nn.Module, a: Array, b: Array) -> tuple[float, float]:
    on_a, on_b = _scores(critic, a), _scores(critic, b)
    error = math.sqrt(on_a.var() / len(on_a) + on_b.var() / len(on_b))
    return float(on_a.mean() - on_b.mean()), error


def _own_gap(critic: nn.Module, a: Array, n: int, rng: np.random.Generator) -> float:
    scores = _scores(critic, a)
    gaps = []
    for _ in range(20):
        order = rng.permutation(len(scores))
        gaps.append(abs(scores[order[:n]].mean() - scores[order[n : 2 * n]].mean()))
    return float(np.mean(gaps))


def _steepest(critic: nn.Module, a: Array, b: Array, rng: np.random.Generator) -> float:
    n = min(len(a), len(b), 1024, max(64, 1_000_000 // a.shape[1]))
    e = rng.uniform(size=(n, 1))
    points = np.concatenate([a[:n], b[:n], e * a[:n] + (1 - e) * b[:n]])
    x = torch.as_tensor(points, dtype=torch.float32).requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(x).sum(), x)
    return float(gradient.norm(dim=1).max())
