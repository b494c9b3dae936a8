"""CSV output for terminals and for spreadsheets, which run text that starts like a formula."""

from __future__ import annotations

import contextlib
import sys
from typing import Any

import numpy as np
import pandas as pd

from surveyor.cli.console import visible
from surveyor.errors import tell

AT_ONCE = 65_536
BEGINS = ("=", "+", "-", "@", "\t", "\r")


def formulas_told(made: Any, safe: bool, where: str) -> Any:
    """Give notice of text that a spreadsheet would run; if ``safe``, put ' before it instead."""
    parts: dict[str, pd.Series] = {}
    found = []
    for name, values in made.items():
        if np.ndim(values) == 1:
            runs = pd.Series(values).map(_runs).to_numpy(dtype=bool)
            if runs.any():
                found.append(f"{int(runs.sum()):,} of column {name}")
                own = pd.Series(values, dtype=object)
                parts[str(name)] = own.where(~runs, "'" + own.astype(str))
    names = [str(name) for name in made if _runs(name)]
    found += [f"the name {name}" for name in names]
    if found and not safe:
        tell(
            f"{where}: text that a spreadsheet would run as a formula: {', '.join(found)}; "
            "--safe-csv puts ' before it"
        )
    if not found or not safe:
        return made
    if isinstance(made, pd.DataFrame):
        changed = made.assign(**parts)
        return changed.rename(columns={name: f"'{name}" for name in names})
    return {f"'{k}" if k in names else k: np.asarray(parts.get(k, v)) for k, v in made.items()}


def _runs(value: object) -> bool:
    if not isinstance(value, str) or len(value) < 2 or not value.startswith(BEGINS):
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
    for start in range(0, len(frame), AT_ONCE):
        text = frame.iloc[start : start + AT_ONCE].to_csv(index=False, header=start == 0)
        if raw is None:
            sys.stdout.write(text)
        else:
            raw.write(text.encode())
