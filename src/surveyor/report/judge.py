"""The page of a judgement of synthetic data sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from surveyor.judgement import Judged, Judgement, summary
from surveyor.judgement.summary import chance, percent
from surveyor.kinds import kind_of
from surveyor.measures import Figure
from surveyor.measures.figures import By
from surveyor.panels import Cell, Section, Table, Text
from surveyor.report.pages import page
from surveyor.ruler.moved import amount

Show = Callable[[Figure, float], str]
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
    parts = partial(_side_by_side, found)
    yield from parts("Tests", "p_value", "test", TESTS, lambda f, p: chance(p))
    yield from parts("Rules of the data", "rule", "rule", RULES, lambda f, share: percent(share))
    yield from parts("Columns", "distance", "column", COLUMNS, lambda f, far: amount(f.unit, far))
    yield from parts("Pairs of columns", "agreement", "pair", PAIRS_NOTE, plain)
    yield from parts("By label", "asked", "label", "", lambda f, share: percent(share))


def _side_by_side(
    found: Judgement, title: str, name: str, by: By, note: str, show: Show
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
    rows = tuple(
        (
            WORDS.get(of, of) if by == "test" else of,
            *((_cell(one, one.floor, show),) if floors else ()),
            *(_cell(one, f[of].value if of in f else None, show) for f in sets),
        )
        for of, one in zip(order, known, strict=True)
    )
    head = ("", *(("real rows",) if floors else ()), *(one.name for one in found))
    table = Table(head, rows, amounts=len(head) - 1)
    yield Section(title, (table, *((Text(note, note=True),) if note else ())))


def plain(figure: Figure, value: float) -> str:
    """Return a number with three decimals."""
    return f"{value:.3f}"


def _value(figure: Figure | None, missing: float = 0.0) -> float:
    return missing if figure is None or figure.value is None else figure.value


def _cell(figure: Figure, value: float | None, show: Show) -> Cell:
    return None if value is None else show(figure, value)


def _pictures(found: Judgement) -> Iterator[Section]:
    """Yield each data set drawn beside the real rows."""
    for one in found:
        yield from _drawn(one)


def _drawn(one: Judged) -> Iterator[Section]:
    for section in kind_of(one.sets.codec).comparison_panels(one.sets):
        yield replace(section, title=f"{one.name} beside real rows")


WORDS = {
    "classifier": "a classifier, on rows that it has not seen",
    "columns": "every column by itself",
    "pairs": "every pair of columns",
    "energy": "rows as a whole (energy distance)",
    "rules": "rules of the data",
}
TESTS = (
    "How often two samples of equal data would differ as much. The least of them, times their "
    "number, is the chance in the table above."
)
RULES = "Found in real rows, and confirmed on others. The shares are those of rows that break them."
COLUMNS = (
    "How far values must move on average to be distributed as in the real rows; of categories, how "
    "many rows would have to change. Real rows: the same between real rows and real rows."
)
PAIRS_NOTE = (
    "The pairs that go together least as in real rows: 1 is best. A dash: not among the weakest "
    "pairs of that data set."
)
