"""The panel of tables: columns, formulas, and pairs of columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import surveyor.panels.drawing as draw
from surveyor.data.coordinates import Coordinates
from surveyor.kinds.table.codec import TableCodec
from surveyor.kinds.table.measures import frames
from surveyor.measures import Evaluation, SeenRun
from surveyor.panels import Panel, Picture, Section, Shown, Table, Text

SHOWN = 10  # pairs of columns with the weakest agreement


@dataclass(frozen=True)
class Columns(Panel):
    """The real and generated values of columns, their distances, and pairs of columns."""

    def __call__(self, shown: Shown) -> Iterator[Section]:
        """Yield the columns, each column of formulas, and the weakest pairs."""
        codec, evaluation = cast(TableCodec, shown.seen.codec), shown.evaluation
        made, held, _ = frames(shown.seen)
        picture, left = draw.marginals(codec.measured, held, made)
        more = f" The table below has {left} more columns." if left else ""
        distances = evaluation.parts("distance", "column")
        rows = tuple((f.of, f.unit, f.value, f.floor) for f in distances)
        blocks: list[Picture | Text | Table] = [
            Picture(picture, "marginal distributions"),
            Text(f"Grey: held out. Orange: generated.{more}", note=True),
            Table(("column", "kind", "distance", "floor"), rows),
            Text(UNITS_NOTE, note=True),
        ]
        if derived := _derived(codec):
            enforced = "Columns that follow from another, enforced rather than learnt: "
            blocks.append(Text(f"{enforced}{', '.join(derived)}."))
        if gap := evaluation.by_name.get("marginals"):
            before = evaluation["marginals", "before calibration"].known
            blocks.append(
                Text(
                    "Calibration to the frequencies of the training rows changed the mean "
                    "difference between the columns and those of the validation rows from "
                    f"{before:.4g} to {gap.known:.4g} (share of rows that would have to change a "
                    "value)."
                )
            )
        if keys := [own.name for own in codec.surrogates]:
            blocks.append(Text(f"Keys, not learnt and new in samples: {', '.join(keys)}."))
        yield Section("Columns", tuple(blocks))
        yield from _rules(evaluation, codec, shown.seen)
        for name in codec.formulas:
            yield from _formulas(shown, name)
        trends = evaluation["trends"]
        summary = (
            f"Agreement of pairwise trends: {trends.known:.4g}; real against real: "
            f"{trends.known_floor:.4g}. The weakest pairs:"
        )
        weakest = tuple((f.of, f.value) for f in evaluation.parts("agreement", "pair")[:SHOWN])
        if weakest:
            table = Table(("pair", "agreement"), weakest)
            yield Section("Pairs of columns", (Text(summary), table))


def coordinates(codec: TableCodec, raw: tuple[Any, Any]) -> Coordinates:
    """Return both tables unchanged, with their columns."""
    return Coordinates((raw[0].frame, raw[1].frame), codec.columns)


UNITS_NOTE = (
    "Ordered columns: W1 in the column's own unit (seconds for dates and times). Categories: the "
    "share of rows that would have to change."
)
LABELS = {
    "neutral": "neutral in charge, by common oxidation states",
    "unique": "different from one another",
    "new": "not among the training formulas",
}


def _formulas(shown: Shown, name: str) -> Iterator[Section]:
    found = [(label, shown.evaluation.by_name.get(what, name)) for what, label in LABELS.items()]
    rows = tuple((label, f.value, f.floor) for label, f in found if f is not None)
    count = next((f.n for _, f in found if f is not None), 0)
    if rows:
        note = (
            f"Shares of {count} formulas each. Alloys have no charges and count as not neutral, so "
            "compare the first share with that of held-out formulas. These are formulas before any "
            "filter; surveyor sample returns as large a share of neutral formulas as the training "
            "rows have."
        )
        table = Table(("", "generated", "held out"), rows)
        yield Section(f"Formulas: {name}", (table, Text(note, note=True)))


def _rules(evaluation: Evaluation, codec: TableCodec, seen: SeenRun) -> Iterator[Section]:
    """Yield the rules of the data, those most broken first, and those that are kept."""
    found = sorted(evaluation.parts("rule", "rule"), key=lambda f: -f.known)
    parts: list[Text | Table] = []
    if found:
        rows = tuple((f.of, f"{f.known:.1%}", f"{f.known_floor:.1%}") for f in found)
        note = Text(
            "Found in training rows, and confirmed on training rows that they were not found in. "
            "The shares are those of rows that break a rule.",
            note=True,
        )
        parts += [Table(("rule", "generated", "held out"), rows), note]
    if (found or codec.rejected_rules) and (kept := codec.kept_rules):
        parts.append(Text(f"Kept in every row, by construction: {'; '.join(kept)}."))
    if rejected := codec.rejected_rules:
        so_few = "; too few, so the figures are of all" if seen.lacking else ", here as in samples"
        parts.append(
            Text(
                f"Kept in every row, by rejection: {'; '.join(rejected)}. {seen.obeying:.1%} of "
                f"generated rows are kept{so_few}."
            )
        )
    if parts:
        yield Section("Rules", tuple(parts))


def _derived(codec: TableCodec) -> list[str]:
    made = codec.columns[len(codec.free) :]
    return [
        f"{column.name} from {codec.columns[derived.parent].name}"
        for column, derived in zip(made, codec.derived, strict=True)
    ]
