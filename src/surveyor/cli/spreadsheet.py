"""CSV output, guarded against spreadsheets, which run text that looks like a formula."""

from __future__ import annotations

import contextlib
import sys
from typing import Any

import numpy as np
import pandas as pd

from surveyor.cli.console import visible
from surveyor.errors import notify

CHUNK = 65_536
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def guard_formulas(made: Any, safe: bool, where: str) -> Any:
    """Warn of text that a spreadsheet would run; if ``safe``, put ' before it instead."""
    escaped: dict[str, pd.Series] = {}
    found = []
    for name, values in made.items():
        if np.ndim(values) == 1:
            formulas = pd.Series(values).map(_is_formula).to_numpy(dtype=bool)
            if formulas.any():
                found.append(f"{int(formulas.sum()):,} of column {name}")
                own = pd.Series(values, dtype=object)
                escaped[str(name)] = own.where(~formulas, "'" + own.astype(str))
    names = [str(name) for name in made if _is_formula(name)]
    found += [f"the name {name}" for name in names]
    if found and not safe:
        notify(
            f"{where}: text that a spreadsheet would run as a formula: {', '.join(found)}; "
            "--safe-csv puts ' before it"
        )
    if not found or not safe:
        return made
    if isinstance(made, pd.DataFrame):
        changed = made.assign(**escaped)
        return changed.rename(columns={name: f"'{name}" for name in names})
    return {f"'{k}" if k in names else k: np.asarray(escaped.get(k, v)) for k, v in made.items()}


def _is_formula(value: object) -> bool:
    if not isinstance(value, str) or len(value) < 2 or not value.startswith(FORMULA_STARTS):
        return False
    with contextlib.suppress(ValueError):
        float(value)
        return False
    return True


def print_csv(frame: pd.DataFrame) -> None:
    """Print a table as UTF-8 in any locale; on a terminal without control characters."""
    if sys.stdout.isatty():
        for line in frame.to_csv(index=False).splitlines():
            print(visible(line))
        return
    raw = getattr(sys.stdout, "buffer", None)
    for start in range(0, len(frame), CHUNK):
        text = frame.iloc[start : start + CHUNK].to_csv(index=False, header=start == 0)
        if raw is None:
            sys.stdout.write(text)
        else:
            raw.write(text.encode())
