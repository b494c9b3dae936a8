"""A critic of patches, and differences of different grain."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from surveyor.claims import Claim, Evidence
from surveyor.data import Space
from surveyor.nets.patch import Patch
from surveyor.training.lab import Points, measuring_critic

SIDE = 32
GRAINS = {
    "even": SIDE,
    "squares of 2": 2,
    "squares of 1": 1,
    "squares of 4": 4,
}  # patches are 4 apart
SIZES = (0.5, 2.0)


class PatchCritic(Claim):
    """Under the penalty a patch critic sees the size of a difference, not its grain."""

    title = "A PatchGAN critic under the penalty sees how large a difference is, coarse or fine"
    statement = (
        "Pictures are changed by a fixed pattern of length 1/2 or 2: evenly, or in squares of "
        "2, 1 or 4 pixels of alternating sign. W1 is the pattern's length whatever its grain. A "
        "critic of patches that see 18 pixels, held to slope 1 as one function of the picture, "
        "should measure that for each: it is no detector of fine texture alone, and its gap grows "
        "with the size."
    )
    equation = "f = Σ_p s_p / √P, |∇f| ≤ 1;  E f(x + d) − E f(x) → |d|"
    source = "Isola et al. 2017; Gulrajani et al. 2017; the library's patch critic"

    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Train patch critics between pictures and the same pictures changed."""
        draws = torch.Generator().manual_seed(seed)
        x = 0.3 * torch.randn(512, 1, SIDE, SIDE, generator=draws)
        given = torch.zeros(512, 1, SIDE, SIDE)
        sizes = SIZES if not quick else SIZES[1:]
        values = np.zeros((len(GRAINS), len(sizes)))
        for i, grain in enumerate(GRAINS.values()):
            sign = 1.0 - 2.0 * (torch.arange(SIDE) // grain % 2)
            pattern = sign[:, None] * sign[None, :]
            for j, size in enumerate(sizes):
                moved = x + size * pattern / pattern.norm()
                values[i, j] = _measured(Points(moved, given), Points(x, given), quick, seed) / size
        return Evidence(
            {
                "gap over W1, least": float(values.min()),
                "gap over W1, largest": float(values.max()),
            },
            dict(zip(GRAINS, values, strict=True)) | {"sizes": np.array(sizes)},
        )

    def holds(self, found: Evidence) -> bool:
        """Within a quarter of W1 for each, across sizes and grains."""
        least, largest = found.figures.values()
        return least > 0.75 and largest < 1.25

    def draw(self, found: Evidence, figure: Figure) -> None:
        """Draw the gap of each grain over the size."""
        axis = figure.subplots()
        for name in GRAINS:
            axis.plot(found.curves["sizes"], found.curves[name], "o-", label=name)
        axis.axhline(1, color="#8a94a6", ls="--")
        axis.set(xlabel="size of the difference", ylabel="gap / W1", ylim=(-0.1, 1.2))
        axis.legend()


def _measured(high: Points, low: Points, quick: bool, seed: int) -> float:
    shape = (1, SIDE, SIDE)
    torch.manual_seed(seed)
    critic = Patch(width=32).critic(Space(shape, 0, shape, given=shape))
    measuring_critic(
        high, low, critic, "gradient-penalty", count=15 if quick else 200, batch=32,
        rate=1e-3, seed=seed,
    )  # fmt: skip
    with torch.no_grad():
        scores: list[Tensor] = [critic(p.x, p.cond).mean() for p in (high, low)]
    return float(scores[0] - scores[1])
