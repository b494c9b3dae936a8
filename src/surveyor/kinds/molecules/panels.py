"""The panel of molecules: structures beside real ones, nearest training molecules, properties."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL.Image import Image

import surveyor.panels.drawing as draw
from surveyor.kinds.molecules import chemistry
from surveyor.kinds.molecules.comparison import numbered, property_columns, smiles_of
from surveyor.kinds.molecules.measures import DESCRIBED, drawn
from surveyor.kinds.molecules.sheets import picture, sheet
from surveyor.measures import SeenRun
from surveyor.panels import Panel, Picture, Section, Shown, Table, Text

SHOWN = 20  # structures of each kind
WITH_NEAREST = 6  # generated structures shown with their nearest training molecule
AMONG = 20_000  # training molecules among which it is looked for
AT_ONCE = 2_000

LABELS = {
    "valid": "Valid: one molecule each",
    "unique": "Different from one another, of the valid ones",
    "new": "New: no training molecule, of the different ones",
    "valid_unique_new": "Valid, different and new: the product",
    "found": "Held-out molecules, of the different ones",
    "tanimoto": "W1 under Tanimoto's distance",
}


@dataclass(frozen=True)
class Structures(Panel):
    """Real and generated structures, the nearest training molecules, counts and properties."""

    def __call__(self, shown: Shown) -> Iterator[Section]:
        """Yield structures, and the figures of properties."""
        seen = shown.seen
        held, made, _ = drawn(seen, DESCRIBED)
        blocks: list[Picture | Table | Text] = [
            Picture(sheet(held[:SHOWN]), "real molecules", "Real, held out"),
            Picture(
                sheet(made[:SHOWN]), "generated molecules", "Generated, uncurated", beside=True
            ),
        ]
        if shown.evaluation.privacy is None:
            blocks += _nearest(seen, np.unique(made.astype(str))[:: max(1, len(made) // 50)])
        figures = [(LABELS[name], shown.evaluation.by_name.get(name)) for name in LABELS]
        rows = tuple((label, f.value, f.floor) for label, f in figures if f is not None)
        blocks += [Table(("", "generated", "held out"), rows), Text(COUNTS_NOTE, note=True)]
        yield Section("Molecules", tuple(blocks))
        yield _properties(shown, held, made)
        yield from _as_asked(shown)


def _properties(shown: Shown, held: np.ndarray, made: np.ndarray) -> Section:
    tables = numbered(held), numbered(made)
    drawing, _ = draw.marginals(property_columns(*tables), *tables)
    distances = shown.evaluation.parts("distance", "column")
    labels = {name: own.label for name, own in chemistry.PROPERTIES.items()}
    rows = tuple((f.of, labels.get(f.of, ""), f.value, f.floor) for f in distances)
    return Section(
        "Properties",
        (
            Picture(drawing, "distributions of properties"),
            Text("Grey: held out. Orange: generated.", note=True),
            Table(("property", "", "W1", "floor"), rows),
            Text(
                "W1 is in each property's own unit; the floor is that of real molecules.", note=True
            ),
        ),
    )


def _as_asked(shown: Shown) -> Iterator[Section]:
    figures = shown.evaluation.parts("asked", "column")
    if not figures:
        return
    rows = tuple(
        (f.of, "mean error" if f.better == "lower" else "share read so", f.value, f.floor)
        for f in figures
    )
    table = Table(("column", "", "generated", "held out"), rows)
    yield Section("Columns and what is read from the molecules", (table, Text(ASKED, note=True)))


def _nearest(seen: SeenRun, made: np.ndarray) -> Iterator[Picture]:
    """Yield some generated molecules above the nearest training molecule of each."""
    some = made[:WITH_NEAREST]
    trained = smiles_of(seen.data.training(AMONG))
    own = chemistry.fingerprints(some)
    least, at = np.full(len(some), np.inf), np.zeros(len(some), dtype=int)
    for start in range(0, len(trained), AT_ONCE):
        prints = chemistry.fingerprints(trained[start : start + AT_ONCE])
        apart = chemistry.tanimoto_distances(own, prints)
        closer = apart.min(1) < least
        at[closer] = start + apart.argmin(1)[closer]
        least[closer] = apart.min(1)[closer]
    legends = [*[""] * len(some), *(f"{1 - d:.2f}" for d in least)]
    caption = (
        f"Above: generated molecules. Below each: the most similar of {len(trained):,} training "
        "molecules, with Tanimoto's similarity of their atoms' surroundings (1: all are alike)."
    )
    pair = sheet([*some, *trained[at]], legends, len(some))
    yield Picture(pair, "generated molecules above their nearest training molecules", caption)


def preview(seen: SeenRun) -> tuple[str, Image]:
    """Return a sheet of samples."""
    return "samples.png", picture(smiles_of(seen.decoded(SHOWN)))


COUNTS_NOTE = (
    "More of the samples are new the less a generator has learnt, so read that share beside the "
    "distances. Held-out molecules among the samples were not seen in training: they are a sign of "
    "learning. Tanimoto's distance is 1 less the share of atoms' surroundings, of up to two bonds, "
    "that two molecules have in common."
)
ASKED = (
    "Boosted trees, trained on training molecules, read each column from a molecule's properties "
    "and parts. Held out: how far they err on real molecules. Generated: how far a sample's "
    "column is from what is read from it; it cannot be expected to be less."
)
