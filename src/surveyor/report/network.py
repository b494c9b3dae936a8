"""Pages of one network: two distributions on its nodes, and its odd nodes."""

from __future__ import annotations

import numpy as np

from surveyor.networks import Network
from surveyor.networks.compare import NetworkDistance
from surveyor.networks.layout import positions
from surveyor.networks.oddity import Oddities
from surveyor.panels import Cell, Picture, Section, Table, Text
from surveyor.panels.graphs import Drawing, network_figure
from surveyor.report.pages import page

PARTS = 8  # of a network, named


def network_page(found: NetworkDistance, first: str, second: str) -> str:
    """Return the page of two distributions on a network; ``first`` and ``second`` name them."""
    network, moved = found.network, found.moved
    difference = found.masses[0].shares - found.masses[1].shares
    load = np.abs(moved.flow) * network.lengths
    potential = moved.potential - np.median(moved.potential)
    busy = {node for edge in found.busiest for node in edge[:2]}
    source, left = network_figure(
        Drawing(
            positions(network), network.edges, _scaled(np.abs(difference)), _scaled(load),
            {network.places[name]: name for name in sorted(busy)}, potential,
        )
    )  # fmt: skip
    picture = Picture(source, "the network, coloured by the potential", left)
    rows = tuple(
        (one, other, f"{share:.2%}", f"{share * length / found.w1:.2%}")
        for (one, other, share), length in zip(found.busiest, _busy_lengths(found), strict=True)
    )
    edges = Table(("from", "to", "mass", "of the cost"), rows, amounts=2)
    sections = [
        Section("The network", (picture, Text(COLOURS, note=True))),
        Section("Edges that carry most", (edges, Text(BUSIEST, note=True))),
        *_parts(network, found),
    ]
    return page(
        "network.html.j2", first=first, second=second, found=found, sections=sections,
        rows=" and ".join(f"{m.total:,}" for m in found.masses) if found.p_value else "",
        notes=network.notes,
    )  # fmt: skip


def odd_page(found: Oddities, name: str) -> str:
    """Return the page of the odd nodes of a network, which ``name`` names."""
    network = found.network
    scores = {"odd_links": np.maximum(found.odd_links, 0), "dense": found.dense.astype(float)}
    places, sections = positions(network), []
    for score, title in ODD.items():
        most = found.most(score)
        if not most:
            sections.append(Section(title, (Text("No node stands out."),)))
            continue
        marked = np.zeros(len(network.names))
        marked[most] = scores[score][most]
        links = np.isin(network.edges, most).any(1).astype(float) / 4
        source, left = network_figure(
            Drawing(
                places, network.edges, _scaled(marked), links,
                {node: network.names[node] for node in most},
            )
        )  # fmt: skip
        rows = tuple((network.names[v], f"{scores[score][v]:.3g}", found.reason(v)) for v in most)
        table = Table(("node", score, "why"), rows)
        picture = Picture(source, "the network with its oddest nodes marked", left)
        sections.append(Section(title, (picture, table, Text(NOTES[score], note=True))))
    return page("odd.html.j2", name=name, found=found, sections=sections, notes=network.notes)


def _scaled(values: np.ndarray) -> np.ndarray:
    return np.asarray(values / max(float(values.max()), 1e-300))


def _busy_lengths(found: NetworkDistance) -> list[float]:
    """Return the lengths of the busiest edges."""
    network = found.network
    length = {
        frozenset(map(int, edge)): float(w)
        for edge, w in zip(network.edges, network.lengths, strict=True)
    }
    return [length[frozenset(map(network.places.__getitem__, e[:2]))] for e in found.busiest]


def _parts(network: Network, found: NetworkDistance) -> list[Section]:
    """Return a table of the parts that are not connected, if there are several."""
    sizes = np.bincount(network.parts)
    if len(sizes) == 1:
        return []
    held = [np.bincount(network.parts, m.shares) for m in found.masses]
    first = {int(part): node for node, part in reversed(list(enumerate(network.parts)))}
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (f"that of {network.names[first[k]]}", float(sizes[k]), *(f"{h[k]:.2%}" for h in held))
        for k in range(min(PARTS, len(sizes)))
    )
    table = Table(("part", "nodes", "first", "second"), rows, amounts=2)
    note = f"{len(sizes):,} parts that are not connected; no mass moves between them."
    return [Section("Parts", (table, Text(note, note=True)))]


COLOURS = (
    "Colour: the potential, less its median; it falls along the way that mass takes, from where "
    "the first set has too much (red) to where it has too little (blue). Size of a node: how much "
    "the two shares differ there. Width of a dark edge: mass times length. Nodes that are near by "
    "shortest paths are drawn near, as far as a plane allows."
)
BUSIEST = (
    "Mass that the flow sends over the edge, as a share of all, and that mass times the edge's "
    "length, as a share of the flow's cost. Other flows may cost as little."
)
ODD = {
    "odd_links": "Links that lead where the neighbourhood does not",
    "dense": "Most densely joined",
}
NOTES = {
    "odd_links": (
        "odd_links: the evidence, in nats, that a node's links were led to random nodes, by a "
        "model learned from this network alone. Every network has an oddest node; no test says "
        "that these are errors."
    ),
    "dense": "dense: the largest h such that h links of the node each close at least h triangles.",
}
