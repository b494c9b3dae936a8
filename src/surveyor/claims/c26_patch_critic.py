"""A critic of patches, and differences of different grain."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from surveyor.catalog import parse
from surveyor.claims import Claim, Evidence, Part
from surveyor.critics import critics
from surveyor.data import Space
from surveyor.training.lab import Points, measuring_critic

SIDE = 32
GRAINS = {
    "even": SIDE,
    "squares of 2": 2,
    "squares of 1": 1,
    "squares of 4": 4,
}  # patches are 4 apart
SIZES = (0.5, 2.0)
CASES = tuple(f"{grain}, length {size:g}" for grain in GRAINS for size in SIZES)


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
    parts = (
        Part(
            "the gap is the size of the difference, within a quarter",
            lambda f, case: abs(f[f"gap over W1, {case}"] - 1) < 0.25,
            CASES,
            "the squares are not as wide as the patches are apart, 4 pixels",
            tuple(case for case in CASES if not case.startswith("squares of 4")),
        ),
    )
    findings = (
        Part(
            "of a small difference in squares of 4 less than half is seen",
            lambda f, _: f["gap over W1, squares of 4, length 0.5"] < 0.5,
        ),
    )
    headline = "gap over W1, squares of 4, length 0.5"

    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Train patch critics between pictures and the same pictures changed."""
        draws = torch.Generator().manual_seed(seed)
        x = 0.3 * torch.randn(512, 1, SIDE, SIDE, generator=draws)
        given = torch.zeros(512, 1, SIDE, SIDE)
        values = np.zeros((len(GRAINS), len(SIZES)))
        for i, grain in enumerate(GRAINS.values()):
            sign = 1.0 - 2.0 * (torch.arange(SIDE) // grain % 2)
            pattern = sign[:, None] * sign[None, :]
            for j, size in enumerate(SIZES):
                moved = x + size * pattern / pattern.norm()
                values[i, j] = _measured(Points(moved, given), Points(x, given), quick, seed) / size
        return Evidence(
            {f"gap over W1, {k}": float(v) for k, v in zip(CASES, values.flat, strict=True)},
            dict(zip(GRAINS, values, strict=True)) | {"sizes": np.array(SIZES)},
        )

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
    critic = parse("patch:width=16", critics(), "critic").build(
        Space(shape, 0, shape, cond_shape=shape)
    )
    measuring_critic(
        high, low, critic, "gradient-penalty", count=5 if quick else 300, batch=16,
        rate=1e-3, seed=seed,
    )  # fmt: skip
    with torch.no_grad():
        scores: list[Tensor] = [critic(p.x, p.cond).mean() for p in (high, low)]
    return float(scores[0] - scores[1])
