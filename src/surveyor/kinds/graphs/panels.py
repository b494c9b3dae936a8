"""The panel of graphs: pictures beside real ones, counts, distances by descriptor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from PIL.Image import Image

import surveyor.panels.drawing as draw
from surveyor.kinds.graphs.comparison import number_columns, numbered
from surveyor.kinds.graphs.descriptors import DESCRIPTORS
from surveyor.kinds.graphs.drawing import painting, sheet
from surveyor.kinds.graphs.measures import DESCRIBED, drawn, graphs_of
from surveyor.measures import Figure, SeenRun
from surveyor.panels import Panel, Picture, Section, Shown, Table, Text

SHOWN = 12  # pictures of each kind
CLEAR = 2.0  # floors of MMD are multiples of their noise from here on; below, no ratio is told

LABELS = {
    "valid": "Valid: with what all training graphs have",
    "unique": "Different from one another, of the valid ones",
    "new": "New: no training graph, of the different ones",
    "valid_unique_new": "Valid, different and new: the product",
}


@dataclass(frozen=True)
class Pictures(Panel):
    """Real and generated graphs, counts, and distances by descriptor."""

    def __call__(self, shown: Shown) -> Iterator[Section]:
        """Yield pictures, and the figures of descriptors."""
        held, made, _ = drawn(shown.seen, DESCRIBED)
        figures = [(LABELS[name], shown.evaluation.by_name.get(name)) for name in LABELS]
        rows = tuple((label, f.value, f.floor) for label, f in figures if f is not None)
        valid = shown.evaluation.by_name.get("valid")
        shared = (
            "" if valid is None or not valid.note else f"All training graphs are: {valid.note}. "
        )
        yield Section(
            "Graphs",
            (
                Picture(sheet(held[:SHOWN]), "real graphs", "Real, held out"),
                Picture(
                    sheet(made[:SHOWN]), "generated graphs", "Generated, uncurated", beside=True
                ),
                Table(("", "generated", "held out"), rows),
                Text(shared + COUNTS_NOTE, note=True),
            ),
        )
        tables = numbered(held), numbered(made)
        picture, _ = draw.marginals(number_columns(*tables), *tables)
        yield Section(
            "Descriptors",
            (
                Picture(picture, "distributions of numbers"),
                Text("Grey: held out. Orange: generated.", note=True),
                _distances(shown),
                Text(DISTANCE_NOTE, note=True),
                _published(shown),
                Text(MMD_NOTE, note=True),
            ),
        )


def _distances(shown: Shown) -> Table:
    figures = shown.evaluation.parts("distance", "column")
    rows = tuple((f.of, DESCRIPTORS[f.of].unit, f.value, f.floor, f.ratio) for f in figures)
    return Table(("descriptor", "", "W1", "floor", "ratio"), rows)


def _published(shown: Shown) -> Table:
    figures = shown.evaluation.parts("mmd", "column")
    rows = tuple((f.of, f.value, f.floor, f.spread, _ratio(f)) for f in figures)
    return Table(("descriptor", "MMD²", "floor", "spread of the floor", "ratio"), rows)


def _ratio(figure: Figure) -> float | None:
    """Return the ratio to the floor; None where the floor is not clear of its own noise."""
    floor, spread = figure.floor, figure.spread
    if floor is None or spread is None or floor < CLEAR * spread:
        return None
    return figure.ratio


def preview(seen: SeenRun) -> tuple[str, Image]:
    """Return a sheet of samples."""
    return "samples.png", painting(graphs_of(seen, seen.decoded(SHOWN)))


COUNTS_NOTE = (
    "Graphs are compared up to the order of their nodes. These shares say nothing of how close the "
    "samples are to real graphs: random graphs are different and new as well. Read them beside the "
    "distances."
)
DISTANCE_NOTE = (
    "W1 between held-out and generated graphs. Two graphs are as far apart as W1 between their "
    "distributions over nodes (degree, clustering) or eigenvalues of the normalised Laplacian "
    "(spectrum), or as the mean difference of their numbers; the floor is that of training graphs."
)
MMD_NOTE = (
    "Maximum mean discrepancies with the kernels of DiGress, for comparison with papers. They "
    "depend on the number of graphs, so that only ratios to the floor compare; where the floor is "
    "within its own spread there is none."
)
