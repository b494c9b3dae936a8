"""A critic on the nodes of a power grid."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from surveyor.claims import Claim, Evidence, Part
from surveyor.transport import wasserstein_1_graph

# The IEEE 14-bus system, a part of the American Electric Power system of 1962: bus, bus, reactance.
LINES = np.array([
    (1, 2, .05917), (1, 5, .22304), (2, 3, .19797), (2, 4, .17632), (2, 5, .17388),
    (3, 4, .17103), (4, 5, .04211), (4, 7, .20912), (4, 9, .55618), (5, 6, .25202),
    (6, 11, .19890), (6, 12, .25581), (6, 13, .13027), (7, 8, .17615), (7, 9, .11001),
    (9, 10, .08450), (9, 14, .27038), (10, 11, .19207), (12, 13, .19988), (13, 14, .34802),
])  # fmt: skip
EDGES, LENGTHS = LINES[:, :2].astype(int) - 1, LINES[:, 2]
# Loads in MW, the distribution that the generator learns.
LOADS = np.array([0, 21.7, 94.2, 47.8, 7.6, 11.2, 0, 0, 29.5, 9, 3.5, 6.1, 13.5, 14.9])
PLACES = np.array([
    (0, 2), (1, 0), (4, 0), (4, 2), (2, 2), (2, 4), (5, 2.6), (6, 2.6), (5, 4), (4, 4.6), (3, 5),
    (1, 5), (2, 6), (4, 6),
])  # fmt: skip
SHOWN = 11  # the bus whose tampering the picture shows: 12


class GraphMetric(Claim):
    """Bounds on the edges alone make the critic's value exact W1 under shortest paths."""

    title = "On a graph the critic is bounded on the edges alone, and its value is exactly W1"
    statement = (
        "A critic that gives every node a number, with |f(u) - f(v)| at most the edge's length on "
        "every edge, reaches W1 under shortest paths. On a real power grid a generator over its "
        "buses learns the distribution of load from such a critic, trained under a penalty on the "
        "edges; and where load has been added at one bus the critic is highest there."
    )
    equation = "max Σ f (μ − ν), |f(u) − f(v)| ≤ w_uv on edges  =  W1 under shortest paths"
    source = "Beckmann 1952; Peyré and Cuturi 2019, section 6.3; grid: IEEE 14-bus test system"
    parts = (
        Part(
            "three exact rulers of the graph agree to rounding",
            lambda f, _: f["largest difference of three exact rulers"] < 1e-8,
        ),
        Part(
            "a critic held on the edges alone reaches W1 within 2%",
            lambda f, _: 0.98 < f["trained critic over W1"] < 1.02,
        ),
        Part(
            "a generator over the nodes learns from it: less than a twentieth of W1 is left",
            lambda f, _: f["generator: W1 at the end over the start"] < 0.05,
        ),
        Part(
            "where load has been added the critic is highest, at each of 14 buses",
            lambda f, _: f["tampered buses of 14 at which the critic is highest"] == 14,
        ),
    )

    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Compare the rulers, train critic and generator, and look for tampered buses."""
        rng = np.random.default_rng(seed)
        load = LOADS / LOADS.sum()
        other = rng.dirichlet(np.ones(14))
        exact = [
            wasserstein_1_graph(EDGES, LENGTHS, load, other, method)
            for method in ("dual", "beckmann", "paths")
        ]
        count = 300 if quick else 3000
        potential = _potential(load, other, count)
        value = float(potential @ (load - other))
        logits = _generator(load, count)
        made = torch.softmax(logits, 0).numpy()
        pointed = [_potential(_tampered(load, bus), load, count // 5) for bus in range(14)]
        hits = sum(int(f.argmax() == bus) for bus, f in enumerate(pointed))
        start = wasserstein_1_graph(EDGES, LENGTHS, load, np.full(14, 1 / 14))
        end = wasserstein_1_graph(EDGES, LENGTHS, load, made)
        return Evidence(
            {
                "largest difference of three exact rulers": float(np.ptp(exact)),
                "trained critic over W1": value / exact[0],
                "generator: W1 at the end over the start": end / start,
                "tampered buses of 14 at which the critic is highest": float(hits),
            },
            {"load": load, "made": made, "pointed": pointed[SHOWN]},
        )

    def draw(self, found: Evidence, figure: Figure) -> None:
        """Draw load and what is generated, and the critic that looks for tampering."""
        c = found.curves
        left, right = figure.subplots(1, 2)
        for axis, values, title in (
            (left, c["made"] - c["load"], "generated less real load"),
            (right, c["pointed"], "the critic, load added at the bus in the circle"),
        ):
            for u, v in EDGES:
                axis.plot(*PLACES[[u, v]].T, color="#8a94a6", lw=1, zorder=1)
            limit = 0.02 if axis is left else None
            drawn = axis.scatter(
                *PLACES.T, c=values, cmap="coolwarm", s=120, zorder=2,
                vmin=None if limit is None else -limit, vmax=limit,
            )  # fmt: skip
            for k, place in enumerate(PLACES):
                axis.annotate(str(k + 1), place, fontsize=6, ha="center", va="center")
            axis.set(title=title, xticks=[], yticks=[])
            figure.colorbar(drawn, ax=axis)
        right.plot(*PLACES[SHOWN], "o", ms=17, mfc="none", color="#1f2d3d")


def _tampered(load: np.ndarray, bus: int) -> np.ndarray:
    """Return the load with a tenth of it added at one bus."""
    seen = load.copy()
    seen[bus] += 0.1
    return np.asarray(seen / seen.sum())


def _ascend(
    f: Tensor,
    gap: Tensor,
    moves: torch.optim.Optimizer,
    weight: float,
    edges: np.ndarray = EDGES,
    sizes: np.ndarray = LENGTHS,
) -> None:
    """Move the potential f (nodes,) once: gap . f less the penalty on the edges."""
    lengths = torch.tensor(sizes)
    steep = (f[edges[:, 0]] - f[edges[:, 1]]).abs() / lengths
    loss = -(gap * f).sum() + weight * (lengths * (steep - 1).clamp(min=0).square()).sum()
    (f.grad,) = torch.autograd.grad(loss, f)
    moves.step()


def trained(
    p: np.ndarray,
    q: np.ndarray,
    count: int,
    weight: float = 100.0,
    rate: float = 1e-2,
    edges: np.ndarray = EDGES,
    lengths: np.ndarray = LENGTHS,
) -> np.ndarray:
    """Return a critic (nodes,) trained between p and q under the penalty on a graph's edges."""
    f = torch.zeros(len(p), dtype=torch.float64, requires_grad=True)
    moves = torch.optim.Adam([f], rate)
    gap = torch.tensor(p - q)
    for step in range(count):
        moves.param_groups[0]["lr"] = rate * (1 - step / count)
        _ascend(f, gap, moves, weight, edges, lengths)
    return np.asarray(f.detach().numpy())


def _potential(p: np.ndarray, q: np.ndarray, count: int) -> np.ndarray:
    """Return a critic trained between p and q, scaled to the edges' bounds."""
    found = trained(p, q, count)
    steepest = (np.abs(found[EDGES[:, 0]] - found[EDGES[:, 1]]) / LENGTHS).max()
    return np.asarray(found / max(1.0, steepest))


def _generator(load: np.ndarray, count: int) -> Tensor:
    """Return logits over the nodes, trained against a critic that moves with them."""
    f = torch.zeros(len(load), dtype=torch.float64, requires_grad=True)
    logits = torch.zeros(len(load), dtype=torch.float64, requires_grad=True)
    moves = torch.optim.Adam([f], 1e-2, (0.0, 0.9)), torch.optim.Adam([logits], 1e-2, (0.0, 0.9))
    average = logits.detach().clone()
    for step in range(count):
        for each in moves:
            each.param_groups[0]["lr"] = 1e-2 * (1 - step / count)
        for _ in range(3):
            gap = torch.tensor(load) - torch.softmax(logits, 0).detach()
            _ascend(f, gap, moves[0], 10.0)
        score = -(torch.softmax(logits, 0) * f.detach()).sum()
        (logits.grad,) = torch.autograd.grad(score, logits)
        moves[1].step()
        average.lerp_(logits.detach(), max(0.01, 1 / (step + 1)))
    return average
