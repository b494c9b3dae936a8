"""The codec of pictures: to points of the critic's space, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from surveyor.batch import Batch, Draws
from surveyor.data import Codec, Rows, Space, State
from surveyor.data.array_columns import column_codes
from surveyor.data.arrays import Arrays, numeric_type, read_arrays
from surveyor.data.columns import Column
from surveyor.data.conditions import Columns, Condition, columns_restore, columns_state
from surveyor.data.fits import account_of, account_state
from surveyor.data.whiten import Whitening
from surveyor.errors import InputError
from surveyor.kinds.images.pairs import Pairs
from surveyor.kinds.images.reading import read_pictures
from surveyor.kinds.point import Point
from surveyor.privacy import CodecAccount

OUTER_SLOPE = 0.1  # slope of the head outside [-1, 1]


@dataclass(frozen=True, eq=False)
class ImageCodec(Codec):
    """Channels first, x = 2 p / top - 1 in [-1, 1]; distances are measured in p / top, in [0, 1].

    With whitening x = (v - mean) W over all pixels.
    """

    size: tuple[int, ...]
    top: float
    dtype: str
    main: str
    condition: Condition
    whitening: Whitening | None = None
    mean: np.ndarray | None = None
    group: Column | None = None
    account: CodecAccount | None = None

    kind = "images"

    @property
    def unit_name(self) -> str:  # type: ignore[override]
        """Return the unit of distances."""
        return "whitened units" if self.whitening else "pixel values from 0 to 1, over all pixels"

    @property
    def channels(self) -> int:
        """Return 1 for grey, 3 for RGB."""
        return 1 if len(self.size) == 2 else self.size[2]

    @property
    def space(self) -> Space:
        """Return the shapes and the unit."""
        shape = (self.channels, *self.size[:2])
        unit = 1.0 if self.whitening else 0.5
        given = self.condition
        return Space(shape, given.width, shape, unit, cond_shape=given.picture)

    @property
    def scale(self) -> int | None:
        """Return how much larger an answer is than the picture given; None if it is not."""
        given = self.condition.picture
        return self.size[0] // given[1] if given and given[1] < self.size[0] else None

    def rows(self, raw: Any) -> Rows:
        """Check pictures, and what they answer if they are pairs; their dtype does not change."""
        if isinstance(self.condition, Point):
            if not isinstance(raw, Pairs):
                raise InputError("the run was trained on pairs; give pairs, not pictures alone")
            given = self.condition.rows(raw.given)
            return {"given": given} | self._pictures(raw.target, Columns())
        assert isinstance(self.condition, Columns)
        return self._pictures(raw, self.condition)

    def _pictures(self, raw: Any, columns: Columns) -> Rows:
        own = raw if isinstance(raw, Arrays) else replace(read_arrays(raw), white=self.top)
        arrays = read_pictures(own)
        if arrays.main.shape[1:] != self.size:
            raise InputError(
                f"pictures of {arrays.main.shape[1:]}, but {self.size} is expected; "
                "resize them or convert their mode"
            )
        kinds = np.dtype(self.dtype).kind, arrays.main.dtype.kind
        if (kinds[0] == "f") != (kinds[1] == "f") or float(arrays.main.max()) > self.top:
            raise InputError(
                f"pictures of {arrays.main.dtype} up to {arrays.main.max():g}, but "
                f"{self.dtype} up to {self.top:g} is expected; bring them to the same scale"
            )
        return {"x": arrays.main} | column_codes(arrays, columns, self.group)

    def points(self, rows: Rows, index: np.ndarray) -> Tensor:
        """Return rows as points."""
        pixels = torch.from_numpy(rows["x"][index].astype(np.float32))
        x = pixels.mul_(2 / self.top).sub_(1)
        x = x.unsqueeze(1) if x.ndim == 3 else x.permute(0, 3, 1, 2).contiguous()
        if self.whitening is None or self.mean is None:
            return x
        flat = self.whitening.apply(x.flatten(1).double().numpy() - self.mean)
        return torch.from_numpy(flat.astype(np.float32)).view_as(x)

    def head(self, raw: Tensor, draws: Draws) -> Tensor:
        """Return tanh(raw), or raw itself if whitened.

        For answers, return raw within [-1, 1] and a slope of ``OUTER_SLOPE`` outside. An answer
        starts from the picture given, whose white is at the edge: tanh would pass hardly any
        gradient there, and without a bound the game drives values out of range.
        """
        if self.whitening is not None:
            return raw
        if self.condition.drawable:
            return raw.tanh()
        inside = raw.clamp(-1, 1)
        return inside + OUTER_SLOPE * (raw - inside)

    def decode(self, batch: Batch, codes: np.ndarray, draws: Draws) -> dict[str, np.ndarray]:
        """Return arrays by name: the pictures, in the dtype of the data, and their conditions."""
        x = batch.x
        if self.whitening is not None and self.mean is not None:
            flat = self.whitening.undo(x.flatten(1).double().numpy()) + self.mean
            x = torch.from_numpy(flat).view_as(x)
        pixels = x.add(1).mul(self.top / 2).clamp(0, self.top)
        pixels = pixels.squeeze(1) if len(self.size) == 2 else pixels.permute(0, 2, 3, 1)
        if np.dtype(self.dtype).kind in "biu":
            pixels = pixels.round()
        made = {self.main: pixels.numpy().astype(self.dtype)}
        return made | {n: s.to_numpy() for n, s in self.condition.decode(codes, draws).items()}

    def round_trip(self, batch: Batch, codes: np.ndarray, draws: Draws) -> Batch:
        """Return generated points decoded and encoded again: rounded as the data are."""
        made = self.decode(batch, codes, draws)[self.main]
        return Batch(self.points({"x": made}, np.arange(len(made))), batch.cond)

    def state(self) -> State:
        """Return what ``restore`` needs."""
        cond, arrays = self.condition.state()
        groups, group_arrays = columns_state([] if self.group is None else [self.group], "group")
        meta = {
            "size": list(self.size),
            "top": self.top,
            "dtype": self.dtype,
            "main": self.main,
            "condition": cond,
            "group": groups,
            "whitened": self.whitening is not None,
            **account_state(self.account),
        }
        if self.whitening is not None and self.mean is not None:
            arrays |= {
                "whiten": self.whitening.forward,
                "unwhiten": self.whitening.backward,
                "mean": self.mean,
            }
        return meta, arrays | group_arrays

    @classmethod
    def restore(cls, meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> ImageCodec:
        """Rebuild the codec."""
        whitening = Whitening(arrays["whiten"], arrays["unwhiten"]) if meta["whitened"] else None
        groups = columns_restore(meta["group"], arrays, "group")
        return cls(
            tuple(meta["size"]),
            meta["top"],
            numeric_type(meta["dtype"]),
            meta["main"],
            _condition(meta["condition"], arrays),
            whitening,
            arrays.get("mean"),
            groups[0] if groups else None,
            account_of(meta),
        )


def _condition(meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Condition:
    return (Point if "of" in meta else Columns).restore(meta, arrays)
