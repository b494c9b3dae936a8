"""Measures of graphs: valid, unique, new; W1 and MMD of each descriptor; a classifier."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from surveyor.findings import Finding
from surveyor.kinds.graphs.codec import GraphCodec
from surveyor.kinds.graphs.comparison import compared
from surveyor.kinds.graphs.descriptors import DESCRIPTORS, SPANS, described
from surveyor.kinds.graphs.graphs import Graph
from surveyor.kinds.graphs.isomorphism import among, repeats
from surveyor.kinds.graphs.mmd import KERNELS, mmd
from surveyor.kinds.graphs.properties import have, shared_properties
from surveyor.measures import Figure, Figures, Measure, Seen
from surveyor.measures.wasserstein import REPEATS, noise
from surveyor.transport import wasserstein_1_discrete
from surveyor.two_sample import Samples

COUNTED = 1_000  # graphs that are counted
DESCRIBED = 1_000  # graphs a side whose descriptors are compared
FEW_VALID, FEW_DIFFERENT, FEW_NEW = 0.9, 0.8, 0.1
FAR = 2.0  # multiples of the floor from which a distance is named


@dataclass(frozen=True)
class Counts(Measure):
    """Which graphs are valid, different and new, up to the order of nodes.

    ``valid`` is the share with all the properties that every training graph has, out of connected,
    planar, without cycles and bipartite; ``unique`` the share of these that do not repeat an
    earlier one; ``new`` the share of different ones that are no training graph, or without any held
    out no real one; ``valid_unique_new`` the product. They say nothing of how close graphs are to
    real ones: random graphs are all new. Read them beside the distances.
    """

    def __call__(self, seen: Seen) -> Iterator[Figure]:
        """Yield the figures; floors are those of held-out graphs."""
        data = seen.data
        made = graphs_of(seen, seen.decoded(COUNTED))[:COUNTED]
        held = graphs_of(seen, data.held_out(len(data.holdout)))
        trained = graphs_of(seen, data.training(len(data.train)))
        names = shared_properties(trained)
        known = trained if seen.own else [*trained, *held]
        valid, unique, new = _shares(made, known, names)
        floors = _shares(held, known, names) if seen.own else (None, None, None)
        note, n = ", ".join(names), len(made)
        yield Figure("valid", valid, floors[0], "", "higher", n=n, note=note)
        yield Figure("unique", unique, floors[1], "", "higher", n=n)
        yield Figure("new", new, floors[2], "", "higher", n=n)
        yield Figure("valid_unique_new", valid * unique * new, None, "", "higher", n=n)

    def findings(self, figures: Figures, seen: Seen) -> Iterator[Finding]:
        """Yield samples that lack a property, repeat themselves, or repeat the training graphs."""
        valid, unique, new = (figures[name] for name in ("valid", "unique", "new"))
        if valid.known < FEW_VALID:
            yield Finding(
                "G01",
                "warn",
                f"{1 - valid.known:.1%} of the samples are not what all training graphs are: "
                f"{valid.note or 'graphs with nodes'}",
                "Train longer, or leave them out before use",
            )
        if unique.known < FEW_DIFFERENT * (unique.floor or 1.0):
            yield Finding(
                "G02",
                "warn",
                f"only {unique.known:.1%} of the valid samples are different from one another",
                "Train longer on the likelihood, or with a larger weight of it as an anchor",
            )
        if new.known < FEW_NEW * (1.0 if new.floor is None else new.floor):
            yield Finding(
                "G03",
                "warn",
                f"only {new.known:.1%} of the different samples are new",
                "The samples repeat the training graphs; train shorter or on more data",
            )


@dataclass(frozen=True)
class Distances(Measure):
    """W1 of each descriptor, and MMD^2 as published.

    For W1 the distance of two graphs is the mean absolute difference of their numbers: of a
    distribution, such as that of degrees, W1 between the two graphs' distributions.
    """

    def __call__(self, seen: Seen) -> Iterator[Figure]:
        """Yield ``distance`` and ``mmd`` by descriptor, floors averaged over training sets."""
        held, made, trained = drawn(seen, DESCRIBED)
        sides = [described(side) for side in (held, made, *trained)]
        for name, own in DESCRIPTORS.items():
            real, fake, *sets = (side[:, SPANS[name]] / len(own.columns) for side in sides)
            value, *floors = (
                wasserstein_1_discrete(real, x, metric="cityblock") for x in (fake, *sets)
            )
            kind = "integer" if own.whole else "number"
            yield Figure(
                "distance", value, float(np.mean(floors)), kind, "lower", name, "column",
                len(held), noise(floors),
            )  # fmt: skip
        for name in KERNELS:
            value, *floors = (mmd(name, held, side) for side in (made, *trained))
            yield Figure(
                "mmd", value, float(np.mean(floors)), "", "lower", name, "column", len(held),
                noise(floors),
            )  # fmt: skip

    def findings(self, figures: Figures, seen: Seen) -> Iterator[Finding]:
        """Yield the descriptors that are far from real ones although graphs are valid and new."""
        far = [
            f for f in figures.parts("distance", "column") if f.ratio is not None and f.ratio > FAR
        ]
        good = figures.get("valid_unique_new")
        if far and good is not None and good.known > 0.5:
            worst = max(far, key=lambda f: f.ratio or 0.0)
            yield Finding(
                "G04",
                "note",
                f"the samples are valid, different and new, but {worst.of} is {worst.ratio:.1f} "
                "times as far from held-out graphs as training graphs are",
                "Do not read the counts alone: train longer",
            )


def graphs_of(seen: Seen, rows: object) -> list[Graph]:
    """Return the graphs of rows as read or decoded."""
    codec = seen.codec
    assert isinstance(codec, GraphCodec)
    return codec.graphs_of(rows)  # type: ignore[arg-type]


def drawn(seen: Seen, most: int) -> tuple[list[Graph], list[Graph], list[list[Graph]]]:
    """Return held-out, generated and several sets of training graphs, as many of each."""
    data, rng = seen.data, np.random.default_rng(seen.seed)
    n = min(most, len(data.holdout), len(data.train))
    made = [graph for graph in graphs_of(seen, seen.decoded(n)) if len(graph)]
    n = max(1, min(n, len(made)))
    held = _shuffled(graphs_of(seen, data.held_out(n)), rng)
    sets = max(1, min(REPEATS, len(data.train) // n))
    trained = _shuffled(graphs_of(seen, data.training(sets * n)), rng)
    return held, made[:n], [trained[k * n : (k + 1) * n] for k in range(sets)]


def both(seen: Seen) -> tuple[Samples, Samples]:
    """Return held-out graphs against generated ones, and against training graphs."""
    codec = seen.codec
    assert isinstance(codec, GraphCodec)
    held, made, trained = drawn(seen, DESCRIBED)
    at = codec.metric_points
    points = [at(side).numpy() for side in (seen.held(seen.n), seen.fake(seen.n))]
    real = points[0], at(seen.train(seen.n)).numpy()
    first = compared(codec, held, made, (points[0], points[1]))
    return first, compared(codec, held, trained[0], real)


def _shares(graphs: list[Graph], known: list[Graph], names: tuple[str, ...]) -> tuple[float, ...]:
    """Return the shares of valid graphs, of different ones of these, and of new ones of those."""
    good = [g for g, sound in zip(graphs, have(graphs, names), strict=True) if sound]
    different = [g for g, again in zip(good, repeats(good), strict=True) if not again]
    new = len(different) - int(among(different, known).sum())
    return (
        len(good) / max(len(graphs), 1),
        len(different) / max(len(good), 1),
        new / max(len(different), 1),
    )


def _shuffled(graphs: list[Graph], rng: np.random.Generator) -> list[Graph]:
    """Return graphs in random order: they lie as in their files, which may be sorted."""
    return [graphs[k] for k in rng.permutation(len(graphs))]
