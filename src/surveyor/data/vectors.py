"""Vectors: arrays of shape (n, d), in ``.npy``, ``.npz`` or memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from surveyor.batch import Batch, Draws
from surveyor.data import USUAL, Codec, Files, Options, Rows, Space, State, check_columns
from surveyor.data.arrays import Arrays, numeric_type, rank, read_arrays
from surveyor.data.columns import Column
from surveyor.data.conditions import Conditions, columns_restore, columns_state, fit_conditions
from surveyor.data.fits import Fits, account_of, account_state, fits_for
from surveyor.data.values import form_of
from surveyor.data.whiten import Whitening, fit_whitening
from surveyor.errors import InputError
from surveyor.privacy import CodecAccount


@dataclass(frozen=True, eq=False)
class VectorCodec(Codec):
    """x = (v - mean) s with one s for all columns, so that directions and ratios are kept.

    With whitening x = (v - mean) W, every direction at deviation 1, and distances are then in
    whitened units.
    """

    mean: np.ndarray
    scale: float
    dtype: str
    main: str
    conditions: Conditions
    low: np.ndarray
    high: np.ndarray
    whitening: Whitening | None = None
    group: Column | None = None
    account: CodecAccount | None = None

    kind = "vectors"

    @property
    def unit_name(self) -> str:  # type: ignore[override]
        """Return the unit of distances."""
        return "whitened units" if self.whitening else "the data's own units"

    @property
    def space(self) -> Space:
        """Return the shapes and the unit."""
        shape = (len(self.mean),)
        return Space(shape, self.conditions.width, shape, 1.0 if self.whitening else 1 / self.scale)

    def rows(self, raw: Any) -> Rows:
        """Check vectors and store them as float32."""
        arrays = read_arrays(raw)
        if arrays.main.ndim != 2 or arrays.main.shape[1] != len(self.mean):
            raise InputError(
                f"vectors of shape {arrays.main.shape[1:]} where the run was trained on "
                f"({len(self.mean)},); give the same columns"
            )
        return {"x": self.encoded(arrays.main)} | column_codes(arrays, self.conditions, self.group)

    def encoded(self, values: np.ndarray) -> np.ndarray:
        """Return vectors (n, d) in the critic's space."""
        centred = values.astype(np.float64) - self.mean
        if self.whitening is not None:
            return self.whitening.apply(centred).astype(np.float32)
        return np.asarray(centred * self.scale, dtype=np.float32)

    def points(self, rows: Rows, index: np.ndarray) -> Tensor:
        """Return rows as points."""
        return torch.from_numpy(np.ascontiguousarray(rows["x"][index]))

    def head(self, raw: Tensor, draws: Draws) -> Tensor:
        """Return the raw output: a vector needs no head."""
        return raw

    def decode(self, batch: Batch, codes: np.ndarray, draws: Draws) -> dict[str, np.ndarray]:
        """Return arrays by name: the vectors and their conditions."""
        x = batch.x.double().numpy()
        values = (self.whitening.undo(x) if self.whitening else x / self.scale) + self.mean
        dtype = np.dtype(self.dtype)
        if dtype.kind in "biu":
            values = np.clip(np.round(values), self.low, self.high)
        made = {self.main: values.astype(dtype)}
        return made | {n: s.to_numpy() for n, s in self.conditions.decode(codes, draws).items()}

    def delivered(self, batch: Batch, codes: np.ndarray, draws: Draws) -> Batch:
        """Return generated points as this reads what a user gets of them: rounded as data are."""
        made = self.encoded(self.decode(batch, codes, draws)[self.main])
        return Batch(self.points({"x": made}, np.arange(len(made))), batch.cond)

    def state(self) -> State:
        """Return what ``restore`` needs."""
        cond, arrays = self.conditions.state()
        groups, group_arrays = columns_state([] if self.group is None else [self.group], "group")
        meta = {
            "scale": self.scale,
            "dtype": self.dtype,
            "main": self.main,
            "conditions": cond,
            "group": groups,
            "whitened": self.whitening is not None,
            **account_state(self.account),
        }
        arrays |= {"mean": self.mean, "low": self.low, "high": self.high} | group_arrays
        if self.whitening is not None:
            arrays |= {"whiten": self.whitening.forward, "unwhiten": self.whitening.backward}
        return meta, arrays

    @classmethod
    def restore(cls, meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> VectorCodec:
        """Rebuild the codec."""
        whitening = Whitening(arrays["whiten"], arrays["unwhiten"]) if meta["whitened"] else None
        groups = columns_restore(meta["group"], arrays, "group")
        return cls(
            arrays["mean"],
            meta["scale"],
            numeric_type(meta["dtype"]),
            meta["main"],
            Conditions.restore(meta["conditions"], arrays),
            arrays["low"],
            arrays["high"],
            whitening,
            groups[0] if groups else None,
            account_of(meta),
        )


FEW_DIMENSIONS = 4
PLANE: Mapping[str, Any] = {
    "objective": "relativistic",
    "constraint": ("gradient-penalty:weight=0.025,points=both,target=0",),
    "generator": "mlp:width=128,depth=4",
    "critic": "mlp:width=128,depth=3,fourier=32",
    "latent_normal": 8,
    "latent_bits": 10,
    "latent_spread": 0.25,
    "steps": 9_000,
    "batch": 160,
    "critic_steps": 1,
    "optimizer": "adam:beta1=0,beta2=0.99,optimism=0.5,after=0.5",
    "critic_rate": 2e-3,
    "hold": 0.15,
    "final": 0.04,
    "critic_final": 0.105,
    "schedule": "exponential",
    "smooth": (0.6, 0.01, 0.78),
}


class Vectors(Files):
    """Arrays with one vector a row."""

    suffixes = (".npy", ".npz")

    def recognises(self, source: Any) -> bool:
        """Take arrays of at most two axes."""
        axes = rank(source)
        return axes is not None and axes <= 2

    def read(self, source: Any, options: Options = USUAL) -> Arrays:
        """Read and check the arrays."""
        if options.size is not None:
            raise InputError("--size: only for pictures")
        return read_arrays(source)

    def defaults(self, raw: Arrays, said: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what docs/defaults.md measured."""
        wide = raw.main.shape[1] > FEW_DIMENSIONS
        return {"latent_normal": max(16, raw.main.shape[1])} if wide else PLANE

    def take(self, raw: Arrays, index: np.ndarray) -> Arrays:
        """Return the chosen rows."""
        return raw.take(index)

    def together(self, a: Arrays, b: Arrays) -> Arrays:
        """Return both sets' rows."""
        return a.joined(b)

    def fit(self, raw: Arrays, options: Options) -> VectorCodec:
        """Fit mean, scale, conditions and, where asked, whitening."""
        values = raw.main.astype(np.float64)
        conditions, group, fits = fit_columns(raw, options, values.shape[1])
        mean, variance, low, high = np.transpose([fits.spread(column) for column in values.T])
        if not np.isfinite(variance).all() or variance.mean() > 1e300:
            raise InputError("vectors with values beyond 1e150; bring them to a usual unit")
        if variance.sum() == 0:
            raise InputError("every vector is the same; there is nothing to learn")
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
        """Write ``.npz``, ``.npy`` (vectors alone) or ``.csv``."""
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


def fit_columns(
    raw: Arrays, options: Options, spreads: int = 0
) -> tuple[Conditions, Column | None, Fits]:
    """Fit the condition and group columns of arrays; return what fits ``spreads`` others too."""
    known = list(raw.columns)
    problems = check_columns(options.condition, known, "--condition")
    if options.group is not None:
        problems += check_columns([options.group], known, "--group")
    problems += [
        f"--{name}: only for tables"
        for name in ("drop", "type", "missing")
        if getattr(options, name)
    ]
    if options.whiten and options.epsilon is not None:
        problems.append("--epsilon: leave --whiten out, it would look at rows without account")
    if problems:
        raise InputError(*problems)
    forms = {name: form_of(name, pd.Series(raw.columns[name])) for name in options.condition}
    fits = fits_for(options, len(raw), forms, spreads)
    group = None
    if options.group is not None:
        own = pd.Series(raw.columns[options.group])
        group = fits.group(options.group, own, form_of(options.group, own))
    return fit_conditions(raw.columns, options.condition, fits, forms), group, fits


def column_codes(arrays: Arrays, conditions: Conditions, group: Column | None) -> Rows:
    """Return the condition and group codes of arrays."""
    asked = [c.name for c in conditions.columns]
    problems = check_columns(asked, list(arrays.columns), "condition")
    if problems:
        raise InputError(*problems)
    rows = {"cond": conditions.encode(arrays.columns, len(arrays))}
    if group is not None and group.name in arrays.columns:
        rows["group"] = group.encode(pd.Series(arrays.columns[group.name]))
    return rows
