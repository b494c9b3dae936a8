"""Pairs with a known W1 and a known critic: MinFunnel (Korotin, Kolesov, Burnaev 2022).

u(x) = min_n (|x - a_n| + b_n). x is uniform in the box [-2.5, 2.5]^D; y lies on the ray from its
cone's centre through x, at t^8 where x is at t of the way to the ray's end. Mass moves along rays
of u, so W1 = E|x - y|, and -u is the best critic with y high and x low.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BOX, POWER = 2.5, 8


@dataclass(frozen=True, eq=False)
class Funnel:
    """Centres ``a`` (N, D) and offsets ``b`` (N,)."""

    a: np.ndarray
    b: np.ndarray

    def cone(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return each point's cone and its distance to that centre."""
        squares = (x**2).sum(1)[:, None] + (self.a**2).sum(1) - 2 * x @ self.a.T
        distance = np.sqrt(np.maximum(squares, 0))
        n = (distance + self.b).argmin(1)
        return n, np.linalg.norm(x - self.a[n], axis=1)

    def box(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return ``n`` points x."""
        return rng.uniform(-BOX, BOX, (n, self.a.shape[1]))

    def pairs(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return ``n`` points x and the points y that they move to."""
        x = self.box(n, rng)
        own, s = self.cone(x)
        a, b = self.a[own], self.b[own]
        v = (x - a) / s[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            end = (np.where(v > 0, BOX - a, -BOX - a) / v).min(1)
            # |a + s v - a_m| + b_m = s + b has one root, if any.
            c = b[:, None] - self.b
            d2 = (a**2).sum(1)[:, None] + (self.a**2).sum(1) - 2 * a @ self.a.T
            dv = (a * v).sum(1)[:, None] - v @ self.a.T
            root = (d2 - c**2) / (2 * (c - dv))
        root[~(c - dv > 0)] = np.inf
        root[np.arange(n), own] = np.inf
        end = np.minimum(end, root.min(1)).clip(min=s)
        return x, a + v * ((s / end) ** POWER * end)[:, None]

    def slope(self, y: np.ndarray) -> np.ndarray:
        """Return the gradient of -u, (n, D)."""
        n, s = self.cone(y)
        return np.asarray((self.a[n] - y) / np.maximum(s, 1e-12)[:, None])

    def w1(self, rng: np.random.Generator, n: int = 200_000) -> float:
        """Return E|x - y| from ``n`` pairs."""
        total = 0.0
        for size in [20_000] * (n // 20_000):
            x, y = self.pairs(size, rng)
            total += np.linalg.norm(x - y, axis=1).sum()
        return total / (n // 20_000 * 20_000)


def funnel(d: int, count: int, seed: int) -> Funnel:
    """Draw a funnel in which every cone owns part of the box."""
    rng = np.random.default_rng([seed, d, count])
    a = rng.uniform(-BOX, BOX, (count, d))
    b = rng.normal(0, 0.1, count)
    x = rng.uniform(-BOX, BOX, (50_000, d))
    while True:
        made = Funnel(a, b - b.mean())
        owned = np.bincount(made.cone(x)[0], minlength=count)
        own_centre = made.cone(a)[0] == np.arange(count)
        if owned.min() >= 0.1 * len(x) / count / 10 and own_centre.all():
            return made
        poor = (owned < 0.1 * len(x) / count / 10) | ~own_centre
        b = 0.8 * b
        a[poor] = rng.uniform(-BOX, BOX, (int(poor.sum()), d))
