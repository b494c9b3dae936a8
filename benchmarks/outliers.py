"""Outliers: a generator of one point finds a median under W1, a mean under squared error."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import surveyor
from benchmarks.common import console, show, write
from benchmarks.page import Found, Section, grouped, median, table

SHARES = (0.0, 0.2, 0.4)
POINTS, STEPS, FAR = 4000, 1500, 10.0
COMMON: dict[str, Any] = {
    "steps": STEPS, "measure": f"w1:every={STEPS}", "threads": 1, "noise": "none", "critic_steps": 3,
    "latent": "gaussian:dimensions=1,spread=0.25",
}  # fmt: skip
OBJECTIVES: dict[str, dict[str, Any]] = {
    "W1": {"objective": "wasserstein", "constraint": "gradient-penalty"},
    "original GAN": {
        "objective": "minimax",
        "constraint": "gradient-penalty:target=0,points=both,weight=0.05",
    },
}


class Point(nn.Module):
    """A generator of one point, whatever the latent."""

    def __init__(self) -> None:
        super().__init__()
        self.at = nn.Parameter(torch.zeros(2))

    def forward(self, z: Tensor) -> Tensor:
        return self.at.expand(len(z), 2)


class Line(nn.Module):
    """One value for each condition: a regression."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(1, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))  # fmt: skip

    def forward(self, z: Tensor, cond: Tensor) -> Tensor:
        made: Tensor = self.net(cond)
        return made


def cloud(share: float, rng: np.random.Generator) -> np.ndarray:
    """Return a round cloud about (1, 2), a share of whose points lies about (1 + FAR, 2)."""
    x = rng.normal([1.0, 2.0], 1.0, (POINTS, 2))
    x[: round(share * POINTS)] += [FAR, 0.0]
    return rng.permutation(x).astype(np.float32)


def geometric_median(x: np.ndarray, rounds: int = 500) -> np.ndarray:
    """Return the point of least mean distance, by Weiszfeld's iteration."""
    at = np.median(x, axis=0)
    for _ in range(rounds):
        weight = 1 / np.maximum(np.linalg.norm(x - at, axis=1), 1e-9)
        at = (weight[:, None] * x).sum(0) / weight.sum()
    return np.asarray(at)


def point(share: float, seed: int) -> dict[str, Any]:
    x = cloud(share, np.random.default_rng([seed, round(100 * share)]))
    centre, best, found = np.array([1.0, 2.0]), geometric_median(x), {}
    found["mean (squared error)"] = x.mean(0)
    found["geometric median"] = best
    for name, options in OBJECTIVES.items():
        model = surveyor.fit(
            x, generator=Point(), seed=seed, generator_rate=5e-3, **COMMON, **options
        )
        found[name] = model.sample(4)[next(iter(model.sample(4)))][0]
    return {
        name: {
            "error": float(np.linalg.norm(at - centre)),
            "excess": float(np.linalg.norm(x - at, axis=1).mean() - np.linalg.norm(x - best, axis=1).mean()),
        }
        for name, at in found.items()
    }  # fmt: skip


def curve(share: float, seed: int) -> dict[str, float]:
    """Return the error of sin(3 c) learnt from values a share of which is FAR too large."""
    rng = np.random.default_rng([seed, 1, round(100 * share)])
    c = rng.uniform(-1, 1, POINTS)
    y = np.sin(3 * c) + rng.normal(0, 0.1, POINTS)
    y += np.where(rng.random(POINTS) < share, FAR, 0.0)
    grid = np.linspace(-0.95, 0.95, 39)
    truth, errors = np.sin(3 * grid), {}
    net = Line()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    inputs, targets = (torch.from_numpy(a).float().unsqueeze(1) for a in (c, y))
    generator = torch.Generator().manual_seed(seed)
    for _ in range(STEPS):
        take = torch.randint(0, POINTS, (256,), generator=generator)
        loss = (net(None, inputs[take]) - targets[take]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        told = net(None, torch.from_numpy(grid).float().unsqueeze(1)).squeeze(1).numpy()
    errors["squared error"] = float(np.abs(told - truth).mean())
    for name, options in OBJECTIVES.items():
        model = surveyor.fit(
            {"y": y[:, None].astype(np.float32), "c": c.astype(np.float32)}, condition=["c"],
            generator=Line(), seed=seed, **COMMON, **options,
        )  # fmt: skip
        values = [float(model.sample(1, {"c": float(g)})["y"][0, 0]) for g in grid]
        errors[name] = float(np.abs(np.array(values) - truth).mean())
    return errors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    given = parser.parse_args()
    runs: list[dict[str, Any]] = []
    for seed in given.seeds:
        for share in SHARES:
            runs.append({"seed": seed, "share": share, "point": point(share, seed), "curve": curve(share, seed)})  # fmt: skip
            console.print(runs[-1], highlight=False)
            write("outliers", {"far": FAR, "runs": runs})
    rows = []
    for share in SHARES:
        own = [r for r in runs if r["share"] == share]
        for name in own[0]["point"]:
            rows.append(("point", name, share, float(np.median([r["point"][name]["error"] for r in own]))))  # fmt: skip
        for name in own[0]["curve"]:
            rows.append(("curve", name, share, float(np.median([r["curve"][name] for r in own]))))
    show("Error under outliers", ("what", "method", "share", "error, median"), rows)


def section(found: Found) -> str:
    by = grouped(found["runs"], "share")
    rows = [
        [what, name, *(f"{median(runs, part, name, *more):.3f}" for runs in by.values())]
        for what, part, more in (("a point", "point", ("error",)), ("a curve", "curve", ()))
        for name in found["runs"][0][part]
    ]
    return (
        f"**Outliers** (`make bench-outliers`, medians of {len(next(iter(by.values())))} seeds): a share of the points lies {found['far']:g} "
        "deviations away, on one side. A generator of a single point under W1 finds the geometric median, which moves with the outliers "
        "much less than the mean does; a generator of a single value for each condition stays near the curve, sin 3c. The original GAN "
        "settles in the larger mode. Error against the clean centre or curve:\n\n"
        + table(["learnt", "by", *(f"{share:.0%}" for (share,) in by)], rows)
    )  # fmt: skip


SECTION = Section(240, section)


if __name__ == "__main__":
    main()
