"""Input checks shared by every distance."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from surveyor.errors import InputError

Array = np.ndarray


def sample(values: ArrayLike, name: str, ndim: int = 2) -> Array:
    """Return ``values`` as a finite float64 array with ``ndim`` axes; (n,) is read as (n, 1)."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name}: not numeric ({error}); give a numeric array") from error
    if ndim == 2 and array.ndim == 1:
        array = array[:, None]
    elif ndim == 2 and array.ndim > 2:
        array = array.reshape(len(array), -1)
    elif ndim == 1 and array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != ndim:
        raise InputError(f"{name}: expected {ndim} axes, got shape {array.shape}")
    if array.size == 0:
        raise InputError(f"{name}: empty; give at least one point")
    if not np.isfinite(array).all():
        row = int(np.argwhere(~np.isfinite(array))[0][0])
        raise InputError(f"{name}: NaN or infinite entry in row {row}; remove or fill it")
    return array


def weights(values: ArrayLike | None, n: int, name: str) -> Array:
    """Return ``n`` weights that sum to one; uniform if ``values`` is None."""
    if values is None:
        return np.full(n, 1.0 / n)
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (n,):
        raise InputError(f"{name}: expected shape ({n},), got {array.shape}")
    if not np.isfinite(array).all() or (array < 0).any() or array.sum() <= 0:
        raise InputError(f"{name}: weights must be finite, at least 0, and not all 0")
    return np.asarray(array / array.sum())
