"""A judgement as lines of text: one line a figure, one cell a data set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from surveyor.judgement.judge import Judged, Judgement
from surveyor.measures import Figure
from surveyor.measures.verdict import proof

Find = Callable[[Judged], Figure | None]


@dataclass(frozen=True)
class Line:
    """A figure in words, its value between real and real, and its value in each data set.

    ``note`` says how to read it.
    """

    label: str
    real: str
    cells: tuple[str, ...]
    note: str


MEMORISING = {
    "closer_to_training": (
        "Nearest real row is one the maker saw",
        "0.5 is chance. Above it the rows follow those that the maker saw too closely.",
    ),
    "membership_auc": (
        "An attacker tells which rows the maker saw",
        "The AUC of an attack that looks for synthetic rows nearby: 0.5 is chance, 1 certainty.",
    ),
}


def summary(found: Judgement) -> list[Line]:
    """Return the lines, the most general first."""
    return list(_lines(found))


def _lines(found: Judgement) -> Iterator[Line]:
    rows = tuple(f"{one.rows:,}" for one in found)
    yield Line("Rows", f"{found.rows:,}", rows, "The rows of each file.")
    yield from _likeness(found)
    for name, label in found.labels.items():
        yield from _line(found, label, "", _of(name), four_digits)
    worst = "The rule that most rows break. Below, every rule."
    yield from _line(found, "Rows that break a rule of the data", worst, _worst_rule, percent)
    for name in dict.fromkeys(f.of for one in found for f in _parts(one, "contained")):
        label = f"Rows that equal a row of {name}"
        yield from _line(
            found, label, "Beside it, how many other real rows do.", _of("contained", name), percent
        )
    for name, (label, note) in MEMORISING.items():
        yield from _line(found, label, note, _of(name))
    if found.target is not None and "usefulness" not in found.labels:
        unit = next((f.unit for one in found if (f := _of("usefulness")(one))), "")
        note = (
            "Trees trained on synthetic rows, tested on real ones; beside it, trained on real "
            f"rows. {GUESS['AUC' in unit]}"
        )
        yield from _line(found, f"Usefulness: {unit}", note, _of("usefulness"))


GUESS = {True: "0.5 is a guess, 1 perfect.", False: "0 is the mean of all rows, 1 perfect."}


def _likeness(found: Judgement) -> Iterator[Line]:
    chances = tuple(_chance(one) for one in found)
    yield Line(
        "Chance of so large a difference between equal data",
        "–",
        chances,
        "The p-value of all tests together: at most 0.05 and a difference is proven.",
    )
    yield from _line(
        found,
        "W1, the distance to real rows",
        "The least mean distance over which rows must move to become real ones; beside it, the "
        "same between real rows and real rows (the floor). The nearer to the floor, the better.",
        _of("w1"),
        four_digits,
    )
    yield from _line(
        found,
        "A classifier tells real from synthetic (AUC)",
        "How often it is right about which of two rows is the real one: 0.5 is a guess.",
        _of("auc"),
    )
    yield from _line(
        found,
        "Pairs of columns that go together alike",
        "1 if every two columns are as closely related as in real rows.",
        _of("trends"),
    )


def _chance(one: Judged) -> str:
    p, *_ = proof(one.evaluation.by_name)
    return chance(p)


def _of(name: str, of: str = "") -> Find:
    return lambda one: one.evaluation.by_name.get(name, of)


def _parts(one: Judged, name: str) -> tuple[Figure, ...]:
    return one.evaluation.parts(name, "file")


def _worst_rule(one: Judged) -> Figure | None:
    rules = one.evaluation.parts("rule", "rule")
    return max(rules, key=lambda f: f.known - (f.floor or 0.0), default=None)


def _line(
    found: Judgement, label: str, note: str, find: Find, show: Callable[[float], str] | None = None
) -> Iterator[Line]:
    """Yield a line unless no data set has the figure; a floor of its own stands in the cell."""
    figures = [find(one) for one in found]
    text = show or three_decimals
    floors = [None if f is None or f.floor is None else text(f.floor) for f in figures]
    known = [floor for floor in floors if floor is not None]
    if all(f is None for f in figures):
        return
    real = known[0] if known else "–"
    cells = tuple(
        ("–" if f is None or f.value is None else text(f.value))
        + (f" (real {floor})" if floor is not None and floor != real else "")
        for f, floor in zip(figures, floors, strict=True)
    )
    yield Line(label, real, cells, note)


def four_digits(value: float) -> str:
    """Return a number with four digits."""
    return f"{value:.4g}"


def chance(p: float) -> str:
    """Return a p-value with three decimals."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def three_decimals(value: float) -> str:
    """Return a number with three decimals."""
    return f"{value:.3f}"


def percent(value: float) -> str:
    """Return a share in percent."""
    return f"{value:.1%}"
