"""Vectors: arrays of shape (n, d) in ``.npy``, ``.npz`` or memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from surveyor.data import DEFAULT_OPTIONS, Files, Options
from surveyor.data.array_columns import fit_columns
from surveyor.data.arrays import Arrays, rank, read_arrays
from surveyor.data.whiten import fit_whitening
from surveyor.errors import InputError
from surveyor.kinds.vectors.codec import VectorCodec

FEW_DIMENSIONS = 4


PLANE_DEFAULTS: Mapping[str, Any] = {
    "objective": "relativistic",
    "constraint": ("gradient-penalty:weight=0.025,points=both,target=0",),
    "generator": "mlp:width=128,depth=4",
    "critic": "mlp:width=128,depth=3,fourier=32",
    "latent": "gaussian:dimensions=8,bits=10,spread=0.25",
    "steps": 9_000,
    "batch": 160,
    "critic_steps": 1,
    "optimizer": "adam:beta1=0,beta2=0.99,optimism=0.5,after=0.5",
    "critic_rate": 2e-3,
    "schedule": "exponential:hold=0.15,final=0.04,critic_final=0.105",
    "noise": "anneal:start=0.6,end=0.01,until=0.78",
}


class Vectors(Files):
    """Arrays with one vector per row."""

    suffixes = (".npz", ".npy")
    outputs = (".csv",)

    def recognises(self, source: Any) -> bool:
        """Return whether ``source`` is an array of at most two axes."""
        axes = rank(source)
        return axes is not None and axes <= 2

    def read(self, source: Any, options: Options = DEFAULT_OPTIONS) -> Arrays:
        """Read and check the arrays."""
        if options.size is not None:
            raise InputError("--size: only for pictures; leave it out")
        return read_arrays(source)

    def defaults(self, raw: Arrays, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the defaults measured in docs/defaults.md."""
        width = raw.main.shape[1]
        if width <= FEW_DIMENSIONS:
            return PLANE_DEFAULTS
        return {"latent": f"gaussian:dimensions={max(16, width)}"}

    def take(self, raw: Arrays, index: np.ndarray) -> Arrays:
        """Return the chosen rows."""
        return raw.take(index)

    def columns(self, raw: Arrays) -> list[str]:
        """Return the names of the arrays of labels."""
        return list(raw.columns)

    def concatenate(self, a: Arrays, b: Arrays) -> Arrays:
        """Return the rows of both sets."""
        return a.joined(b)

    def fit(self, raw: Arrays, options: Options) -> VectorCodec:
        """Fit the mean, the scale, the conditions and, if asked for, the whitening."""
        values = raw.main.astype(np.float64)
        conditions, group, fits = fit_columns(raw, options, values.shape[1])
        mean, variance, low, high = np.transpose([fits.spread(column) for column in values.T])
        if not np.isfinite(variance).all() or variance.mean() > 1e300:
            raise InputError("vectors with values beyond 1e150; rescale them")
        if variance.sum() == 0:
            raise InputError("all vectors are equal; there is nothing to learn")
        whitening = fit_whitening(values - mean) if options.whiten else None
        scale = float(1 / np.sqrt(variance.mean()))
        return VectorCodec(
            mean,
            scale,
            str(raw.main.dtype),
            raw.main_name,
            conditions,
            low,
            high,
            whitening,
            group,
            fits.account,
        )

    def write(self, samples: dict[str, np.ndarray], path: Path) -> None:
        """Write ``.npz``, ``.npy`` (only the vectors) or ``.csv``."""
        name = path.name.lower()
        main, *rest = samples
        if name.endswith(".npz"):
            with path.open("wb") as file:
                np.savez(file, **samples)  # type: ignore[arg-type]
        elif name.endswith(".csv"):
            frame = pd.DataFrame(samples[main]).add_prefix(f"{main}_")
            frame.assign(**{k: samples[k] for k in rest}).to_csv(path, index=False)
        else:
            with path.open("wb") as file:  # numpy adds a second suffix to .NPY
                np.save(file, samples[main])
