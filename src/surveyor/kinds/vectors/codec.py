"""The codec of vectors: to points of the critic's space, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from surveyor.batch import Batch, Draws
from surveyor.data import Codec, Rows, Space, State
from surveyor.data.array_columns import column_codes
from surveyor.data.arrays import numeric_type, read_arrays
from surveyor.data.columns import Column
from surveyor.data.conditions import Columns, columns_restore, columns_state
from surveyor.data.fits import account_of, account_state
from surveyor.data.whiten import Whitening
from surveyor.errors import InputError
from surveyor.privacy import CodecAccount


@dataclass(frozen=True, eq=False)
class VectorCodec(Codec):
    """x = (v - mean) s with one s for all columns, which preserves directions and ratios.

    With whitening x = (v - mean) W, where every direction has standard deviation 1; distances are
    then in whitened units.
    """

    mean: np.ndarray
    scale: float
    dtype: str
    main: str
    condition: Columns
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
        return Space(shape, self.condition.width, shape, 1.0 if self.whitening else 1 / self.scale)

    def rows(self, raw: Any) -> Rows:
        """Check vectors and store them as float32."""
        arrays = read_arrays(raw)
        if arrays.main.ndim != 2 or arrays.main.shape[1] != len(self.mean):
            raise InputError(
                f"vectors of shape {arrays.main.shape[1:]}, but ({len(self.mean)},) is expected; "
                "give the same columns"
            )
        return {"x": self.encoded(arrays.main)} | column_codes(arrays, self.condition, self.group)

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
        """Return the raw output; a vector needs no head."""
        return raw

    def decode(self, batch: Batch, codes: np.ndarray, draws: Draws) -> dict[str, np.ndarray]:
        """Return arrays by name: the vectors and their conditions."""
        x = batch.x.double().numpy()
        values = (self.whitening.undo(x) if self.whitening else x / self.scale) + self.mean
        dtype = np.dtype(self.dtype)
        if dtype.kind in "biu":
            values = np.clip(np.round(values), self.low, self.high)
        made = {self.main: values.astype(dtype)}
        return made | {n: s.to_numpy() for n, s in self.condition.decode(codes, draws).items()}

    def round_trip(self, batch: Batch, codes: np.ndarray, draws: Draws) -> Batch:
        """Return generated points decoded and encoded again: rounded as the data are."""
        made = self.encoded(self.decode(batch, codes, draws)[self.main])
        return Batch(self.points({"x": made}, np.arange(len(made))), batch.cond)

    def state(self) -> State:
        """Return what ``restore`` needs."""
        cond, arrays = self.condition.state()
        groups, group_arrays = columns_state([] if self.group is None else [self.group], "group")
        meta = {
            "scale": self.scale,
            "dtype": self.dtype,
            "main": self.main,
            "condition": cond,
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
            Columns.restore(meta["condition"], arrays),
            arrays["low"],
            arrays["high"],
            whitening,
            groups[0] if groups else None,
            account_of(meta),
        )
