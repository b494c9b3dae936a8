"""Whitening: every direction brought to the same spread before training, and back after."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Whitening:
    """z = v W with W = C^-1/2 (ZCA, Bell and Sejnowski 1997), v = z W^-1; both (d, d)."""

    forward: np.ndarray
    backward: np.ndarray

    def apply(self, centred: np.ndarray) -> np.ndarray:
        """Return (n, d) whitened."""
        return np.asarray(centred @ self.forward)

    def undo(self, white: np.ndarray) -> np.ndarray:
        """Return (n, d) as it was."""
        return np.asarray(white @ self.backward)


def fit_whitening(centred: np.ndarray, smallest: float = 1e-6) -> Whitening:
    """Fit to centred rows (n, d); directions below ``smallest`` of the largest variance are
    treated as having that variance, so that constant directions stay finite.
    """
    values, vectors = np.linalg.eigh(np.cov(centred.T).reshape(centred.shape[1], -1))
    values = np.maximum(values, smallest * values.max())
    forward = (vectors / np.sqrt(values)) @ vectors.T
    return Whitening(forward, (vectors * np.sqrt(values)) @ vectors.T)
