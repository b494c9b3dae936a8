"""What the pages of results are made of: a benchmark's section, its row in README, Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

Found = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """A benchmark's row in README: its place among the others, and its cells.

    ``cells`` takes what the benchmark found, then what each of those in ``beside`` found.
    """

    place: int
    cells: Callable[..., list[str]]
    beside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """A benchmark's section of docs/results.md: its place among the others, and its text.

    The file of each benchmark names its own ``SECTION``.
    """

    place: int
    text: Callable[[Found], str]
    row: Row | None = None


def grouped(
    runs: Iterable[dict[str, Any]], *keys: str
) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
    """Return runs by the values of ``keys``, in the order they were first seen."""
    found: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for run in runs:
        found.setdefault(tuple(run[k] for k in keys), []).append(run)
    return found


def table(columns: list[str], rows: Iterable[list[str]]) -> str:
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def mean(runs: list[dict[str, Any]], key: str) -> float:
    return float(np.mean([r[key] for r in runs]))


def median(runs: list[dict[str, Any]], *keys: str) -> float:
    values: list[Any] = runs
    for key in keys:
        values = [v[key] for v in values]
    return float(np.median(values))


def cells(runs: list[dict[str, Any]], keys: dict[str, str]) -> list[str]:
    """Return how many runs there are, and the median of each key; a dash where one lacks it."""
    return [
        str(len(runs)),
        *(
            "-" if any(r.get(k) is None for r in runs) else format(median(runs, k), form)
            for k, form in keys.items()
        ),
    ]
