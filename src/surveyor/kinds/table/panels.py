"""Panels of tables: columns, formulas, and pairs of columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import surveyor.panels.drawing as draw
from surveyor.data.coordinates import Coordinates
from surveyor.kinds.table.codec import TableCodec
from surveyor.kinds.table.measures import frames
from surveyor.panels import Panel, Picture, Section, Shown, Table, Text

SHOWN = 10  # of the weakest pairs


@dataclass(frozen=True)
class Columns(Panel):
    """Every column's real and generated values, and its distance."""

    def __call__(self, shown: Shown) -> Iterator[Section]:
        """Yield the columns, each kind of formula, and the weakest pairs."""
        codec, told = cast(TableCodec, shown.seen.codec), shown.evaluation
        made, held, _ = frames(shown.seen)
        picture, left = draw.marginals(codec.columns, held, made)
        more = f" {left} more columns are in the table below." if left else ""
        rows = tuple((f.of, f.unit, f.value, f.floor) for f in told.parts("distance", "column"))
        blocks: list[Picture | Text | Table] = [
            Picture(picture, "marginal distributions"),
            Text(f"Grey: held out. Orange: generated.{more}", note=True),
            Table(("column", "kind", "distance", "floor"), rows),
            Text(UNITS, note=True),
        ]
        if derived := _followers(codec):
            said = "Found to follow from another column, and kept rather than learnt: "
            blocks.append(Text(f"{said}{', '.join(derived)}."))
        if gap := told.by_name.get("marginals"):
            blocks.append(
                Text(
                    "Calibration to the training rows' frequencies brought the columns' mean "
                    f"difference from rows kept for choices from "
                    f"{told['marginals', 'before calibration'].known:.4g} to {gap.known:.4g} "
                    "(share of rows that would have to change a value)."
                )
            )
        yield Section("Columns", tuple(blocks))
        for name in codec.formulas:
            yield from _formulas(shown, name)
        agreed = told["trends"]
        said = (
            f"Pair trends agree to {agreed.known:.4g}; real against real to "
            f"{agreed.known_floor:.4g}. The weakest:"
        )
        weakest = tuple((f.of, f.value) for f in told.parts("agreement", "pair")[:SHOWN])
        if weakest:
            yield Section("Pairs of columns", (Text(said), Table(("pair", "agreement"), weakest)))


def coordinates(codec: TableCodec, raw: tuple[Any, Any]) -> Coordinates:
    """Return both tables as they are, and their columns."""
    return Coordinates((raw[0].frame, raw[1].frame), codec.columns)


UNITS = (
    "Ordered columns: W1 in the column's own unit (seconds for dates). Categories: the share of "
    "rows that would have to change."
)
SAID = {
    "neutral": "neutral in charge, by common oxidation states",
    "unique": "different from one another",
    "new": "not among the training formulas",
}


def _formulas(shown: Shown, name: str) -> Iterator[Section]:
    found = [(said, shown.evaluation.by_name.get(what, name)) for what, said in SAID.items()]
    rows = tuple((said, f.value, f.floor) for said, f in found if f is not None)
    count = next((f.n for _, f in found if f is not None), 0)
    if rows:
        note = (
            f"Shares of {count} formulas each. Alloys carry no charges and fail the first rule, "
            "so it says something only beside the real share. These are formulas as the "
            "generator makes them; of those that surveyor sample returns as many are neutral as "
            "of the training rows'."
        )
        table = Table(("", "generated", "held out"), rows)
        yield Section(f"Formulas: {name}", (table, Text(note, note=True)))


def _followers(codec: TableCodec) -> list[str]:
    made = codec.columns[len(codec.free) :]
    return [
        f"{column.name} from {codec.columns[derived.parent].name}"
        for column, derived in zip(made, codec.derived, strict=True)
    ]
