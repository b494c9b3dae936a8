"""Checks of vectors before training: constant columns, unequal scales, outliers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import torch

from surveyor.diagnostics.preflight import Setting
from surveyor.findings import Finding
from surveyor.kinds.vectors.codec import VectorCodec


def unequal_scales(s: Setting) -> Iterator[Finding]:
    """Warn of constant columns and unequal scales: the critic hardly sees narrow directions."""
    if cast(VectorCodec, s.data.codec).whitening is not None:
        return
    points = s.data.train.first(2000).x
    spread = points.std(0)
    constant = int((spread < 1e-6 * spread.max()).sum())
    if constant:
        yield Finding(
            "P10",
            "warn",
            f"{constant} of {len(spread)} columns are constant",
            "Drop them: they carry no information and make the nets wider",
        )
    values = torch.linalg.eigvalsh(torch.cov(points.T).reshape(len(spread), -1)).clamp(min=1e-12)
    live = values[values > 1e-9 * values.max()]
    if float(live.max() / live.min()) > 1e4:
        columns = float(spread.max() / spread[spread > 1e-6 * spread.max()].min())
        what = "columns differ in scale" if columns > 100 else "the data are strongly anisotropic"
        yield Finding(
            "P08",
            "warn",
            f"{what}: the widest direction is {float((live.max() / live.min()).sqrt()):.0f} times "
            "as wide as the narrowest, which the critic will hardly see",
            "Use --whiten, or choose units in which the columns have similar scales",
        )


def outliers(s: Setting) -> Iterator[Finding]:
    """Warn of outliers, which dominate the common scale."""
    furthest = float(s.data.train.first(20_000).x.abs().max())
    if furthest > 30:
        yield Finding(
            "P09",
            "warn",
            f"some entries lie {furthest:.0f} standard deviations from the mean",
            "Check those rows; clip them or take logarithms",
        )
