"""The panel of vectors: the two clouds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch

import surveyor.panels.drawing as draw
from surveyor.batch import Batch
from surveyor.kinds.vectors.codec import VectorCodec
from surveyor.panels import Panel, Picture, Section, Shown, Text

POINTS = 2000


@dataclass(frozen=True)
class Clouds(Panel):
    """Real and generated points in the plane or along the two widest directions of the data."""

    def __call__(self, shown: Shown) -> Iterator[Section]:
        """Yield both clouds; in the plane also the critic's level curves."""
        seen, codec = shown.seen, cast(VectorCodec, shown.seen.codec)
        n = min(POINTS, len(seen.data.holdout))
        real = seen.data.held_out(n).main.astype(float)
        points = seen.decoded(n)[codec.main].astype(float)
        if real.shape[1] == 1:
            return
        title, field = "The two clouds", None
        if real.shape[1] > 2:
            axes = np.linalg.svd(real - real.mean(0), full_matrices=False)[2][:2].T
            real, points = ((p - real.mean(0)) @ axes for p in (real, points))
            title += ", along the two widest directions of the real data"
        elif not codec.condition.columns:

            def field(p: np.ndarray) -> torch.Tensor:
                return seen.game.mean_score(
                    Batch(torch.from_numpy(codec.encoded(p))).to(seen.game.device)
                ).cpu()

        picture = Picture(draw.clouds(real, points, field), "real and generated points")
        yield Section(title, (picture, Text(LEVEL_CURVES_NOTE, note=True)))


LEVEL_CURVES_NOTE = (
    "If the data have two columns and no condition, the lines are level curves of the critic, "
    "whose gradient points from generated to real."
)
