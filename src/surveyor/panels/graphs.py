"""Networks drawn: nodes in colours, edges in widths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.collections import LineCollection

from surveyor.panels.drawing import FAKE, FLOOR, REAL, safe, svg
from surveyor.panels.style import Figure, drawn

NODES, EDGES = 20_000, 20_000  # at most drawn
RASTER = 3_000  # more than these are drawn as pixels


@dataclass(frozen=True, eq=False)
class Drawing:
    """What to draw of a network.

    Shapes: places (nodes, 2), edges (m, 2), ``colour`` (nodes,) numbers of two signs or None,
    ``size`` (nodes,) from 0 to 1, ``width`` (m,) from 0 to 1; ``named`` nodes are drawn with names.
    """

    places: np.ndarray
    edges: np.ndarray
    size: np.ndarray
    width: np.ndarray
    named: Mapping[int, str]
    colour: np.ndarray | None = None


@drawn
def network_figure(own: Drawing) -> tuple[str, str]:
    """Draw a network; return the figure, and what of it is not drawn, in words."""
    figure = Figure(figsize=(7.6, 6.4))
    axis = figure.subplots()
    nodes = _some(own.size, NODES, list(own.named))
    lines = _some(own.width, EDGES, [])
    wide = own.width[lines] > 0
    pixels = max(len(nodes), len(lines)) > RASTER
    for which, colour in ((lines[~wide], FLOOR), (lines[wide], REAL)):
        axis.add_collection(LineCollection(
            list(own.places[own.edges[which]]), linewidths=0.5 + 4 * own.width[which],
            colors=colour, alpha=0.6, rasterized=pixels, zorder=1,
        ))  # fmt: skip
    order = nodes[np.argsort(own.size[nodes], kind="stable")]
    x, y = own.places[order].T
    least = 3.0 if len(nodes) <= RASTER else 0.5
    area = least + 90 * own.size[order]
    if own.colour is None:
        colours = np.where(own.size[order] > 0, FAKE, FLOOR)
        axis.scatter(x, y, area, colours, linewidths=0, rasterized=pixels, zorder=2)
    else:
        most = max(float(np.abs(own.colour).max()), 1e-300)
        points = axis.scatter(
            x, y, area, own.colour[order], cmap="RdBu_r", vmin=-most, vmax=most,
            linewidths=0.2, edgecolors=FLOOR, rasterized=pixels, zorder=2,
        )  # fmt: skip
        figure.colorbar(points, ax=axis, shrink=0.5, label="potential, in lengths of edges")
    for node, name in own.named.items():
        axis.annotate(
            safe(name, 16), tuple(own.places[node]), (4, 4), textcoords="offset points", fontsize=7
        )
    axis.set(xticks=[], yticks=[], aspect="equal")
    axis.autoscale_view()
    for side in axis.spines.values():
        side.set_visible(False)
    return svg(figure), _left_out(len(nodes), len(own.size), len(lines), len(own.width))


def _some(weight: np.ndarray, most: int, always: list[int]) -> np.ndarray:
    """Return at most so many places: those of weight, the heaviest first, and others at random."""
    if len(weight) <= most:
        return np.arange(len(weight))
    random = np.random.default_rng(0).random(len(weight))
    chosen = np.lexsort((random, -np.where(weight > 0, weight, 0)))[:most]
    return np.union1d(chosen, np.array(always, dtype=np.int64))


def _left_out(nodes: int, of_nodes: int, edges: int, of_edges: int) -> str:
    if (nodes, edges) == (of_nodes, of_edges):
        return ""
    return (
        f"Drawn are {nodes:,} of {of_nodes:,} nodes and {edges:,} of {of_edges:,} edges: those "
        "that stand out, and others at random."
    )
