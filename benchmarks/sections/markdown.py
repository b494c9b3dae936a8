"""What sections of results are made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np


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
