"""The page of a judgement of synthetic data sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from surveyor.judgement import Judged, Judgement, summary
from surveyor.judgement.summary import chance, percent
from surveyor.kinds import kind_of
from surveyor.measures import Figure
from surveyor.measures.figures import By
from surveyor.panels import Cell, Section, Table, Text
from surveyor.report.pages import page

Show = Callable[[float], str]
PAIRS = 6  # the weakest of each data set


def judge_page(found: Judgement) -> str:
    """Return the page, self-contained."""
    return page(
        "judge.html.j2",
        found=found,
        lines=summary(found),
        sections=[*_tables(found), *_pictures(found)],
    )


def _tables(found: Judgement) -> Iterator[Section]:
    """Yield the tables of figures by part, one column a data set."""
    yield from _side_by_side(found, "Tests", "p_value", "test", TESTS, chance)
    yield from _side_by_side(found, "Rules of the data", "rule", "rule", RULES, percent)
    yield from _side_by_side(found, "Columns", "distance", "column", COLUMNS)
    yield from _side_by_side(found, "Pairs of columns", "agreement", "pair", PAIRS_NOTE)
    yield from _side_by_side(found, "By label", "asked", "label", "")


def _side_by_side(
    found: Judgement, title: str, name: str, by: By, note: str, show: Show | None = None
) -> Iterator[Section]:
    sets = [{f.of: f for f in one.evaluation.parts(name, by)} for one in found]
    order = list(dict.fromkeys(of for figures in sets for of in figures))
    if name == "rule":
        order.sort(key=lambda of: -max(_value(figures.get(of)) for figures in sets))
    if name == "agreement":
        order = list(dict.fromkeys(of for figures in sets for of in list(figures)[:PAIRS]))
    if not order:
        return
    known = [next(f[of] for f in sets if of in f) for of in order]
    floors = any(f.floor is not None for f in known)
    units = any(f.unit for f in known)
    rows = tuple(
        (
            of,
            *((one.unit,) if units else ()),
            *((_cell(one.floor, show),) if floors else ()),
            *(_cell(None if of not in f else f[of].value, show) for f in sets),
        )
        for of, one in zip(order, known, strict=True)
    )
    head = ("", *(("kind",) if units else ()), *(("real rows",) if floors else ()))
    table = Table((*head, *(one.name for one in found)), rows)
    yield Section(title, (table, *((Text(note, note=True),) if note else ())))


def _value(figure: Figure | None, missing: float = 0.0) -> float:
    return missing if figure is None or figure.value is None else figure.value


def _cell(value: float | None, show: Show | None) -> Cell:
    return value if show is None or value is None else show(value)


def _pictures(found: Judgement) -> Iterator[Section]:
    """Yield each data set drawn beside the real rows."""
    for one in found:
        yield from _drawn(one)


def _drawn(one: Judged) -> Iterator[Section]:
    for section in kind_of(one.sets.codec).comparison_panels(one.sets):
        yield replace(section, title=f"{one.name} beside real rows")


TESTS = (
    "How often two samples of equal data would differ as much. The least of them, times their "
    "number, is the chance in the table above."
)
RULES = "Found in real rows, and confirmed on others. The shares are those of rows that break them."
COLUMNS = (
    "Ordered columns: W1 in the column's own unit (seconds for dates). Categories: the share of "
    "rows that would have to change. Real rows: the same between real rows and real rows."
)
PAIRS_NOTE = (
    "The pairs that go together least as in real rows: 1 is best. A dash: not among the weakest "
    "pairs of that data set."
)
