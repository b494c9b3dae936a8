"""Pictures of graphs."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

import networkx as nx
import numpy as np
from PIL import Image, ImageDraw

from surveyor.kinds.graphs.graphs import Graph

ACROSS, CELL, MARGIN = 4, 150, 12  # graphs a line, pixels of each, and of its margin
COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#777777")
EDGE = "#999999"


def places(graph: Graph) -> np.ndarray:
    """Return a place in the unit square for each node, (nodes, 2), the same every time.

    Planar graphs that are connected are drawn by shortest distances (Kamada and Kawai 1989), large
    ones by forces (Fruchterman and Reingold 1991).
    """
    made = graph.networkx()
    start = nx.circular_layout(made)
    small = len(graph) <= 100 and len(graph) > 1 and nx.is_connected(made)
    layout = nx.kamada_kawai_layout(made, pos=start) if small else nx.spring_layout(made, seed=0)
    found = np.array([layout[k] for k in range(len(graph))]).reshape(-1, 2)
    least, most = found.min(0), found.max(0)
    return np.asarray((found - least) / max(float((most - least).max()), 1e-9))


def sheet(graphs: Sequence[Graph], across: int = ACROSS) -> str:
    """Return graphs as the data URI of an SVG, in which nothing can execute."""
    text = drawing(graphs, across)
    return "data:image/svg+xml;base64," + base64.b64encode(text.encode()).decode()


def drawing(graphs: Sequence[Graph], across: int = ACROSS) -> str:
    """Return graphs as an SVG; nodes are coloured by their labels, which pointing at them tells."""
    wide, high = CELL * across, CELL * -(-len(graphs) // across)
    colours = _colours(graphs)
    made = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" '
        f'viewBox="0 0 {wide} {high}">'
    ]
    for number, graph in enumerate(graphs):
        if not len(graph):
            continue
        at = _placed(graph, number, across)
        for k, j in graph.edges.tolist():
            (x1, y1), (x2, y2) = at[k], at[j]
            made.append(
                f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{EDGE}"/>'
            )
        for (x, y), label in zip(at, graph.nodes, strict=True):
            told = f"<title>{escape(', '.join(map(str, label)))}</title>" if label else ""
            made.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{_radius(graph)}" '
                f'fill="{colours[label]}">{told}</circle>'
            )
    return "".join([*made, "</svg>"])


def painting(graphs: Sequence[Graph], across: int = ACROSS) -> Image.Image:
    """Return graphs as a picture."""
    size = CELL * across, CELL * -(-len(graphs) // across)
    image, colours = Image.new("RGB", size, "white"), _colours(graphs)
    pen = ImageDraw.Draw(image)
    for number, graph in enumerate(graphs):
        if not len(graph):
            continue
        at, r = _placed(graph, number, across), _radius(graph)
        for k, j in graph.edges.tolist():
            pen.line([*at[k], *at[j]], fill=EDGE)
        for (x, y), label in zip(at, graph.nodes, strict=True):
            pen.ellipse([x - r, y - r, x + r, y + r], fill=colours[label])
    return image


def _placed(graph: Graph, number: int, across: int) -> np.ndarray:
    corner = np.array([number % across, number // across]) * CELL + MARGIN
    return np.asarray(corner + places(graph) * (CELL - 2 * MARGIN))


def _radius(graph: Graph) -> int:
    return 4 if len(graph) <= 30 else 3 if len(graph) <= 100 else 2


def _colours(graphs: Sequence[Graph]) -> dict[tuple[object, ...], str]:
    labels = sorted({label for graph in graphs for label in graph.nodes}, key=str)
    return {label: COLOURS[k % len(COLOURS)] for k, label in enumerate(labels)}
