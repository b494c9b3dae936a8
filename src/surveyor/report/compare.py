"""The page of a comparison of two data sets."""

from __future__ import annotations

import surveyor.panels.drawing as draw
from surveyor.kinds import kind_of
from surveyor.report.pages import page
from surveyor.ruler import Drift


def compare_page(found: Drift, first: str, second: str) -> str:
    """Return the page of a comparison; ``first`` and ``second`` name the data sets."""
    c = found.comparison
    return page(
        "compare.html.j2",
        first=first,
        second=second,
        c=c,
        unit=found.unit,
        columns=found.columns,
        rows=found.rows,
        bracket=draw.bracket(c.low, c.high, c.value, c.floor),
        sections=list(kind_of(found.codec).comparison_panels(found.sets)),
    )
