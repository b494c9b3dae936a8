"""Values of a column: their kind, as numbers, and back in the type the user gave."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from surveyor.errors import InputError

ColumnKind = Literal["category", "boolean", "integer", "number", "date"]


def infer(name: str, present: pd.Series) -> ColumnKind:
    """Return the kind of a column from its values that are present."""
    if len(present) == 0 or isinstance(present.dtype, pd.CategoricalDtype):
        return "category"
    what = pd.api.types.infer_dtype(present, skipna=True)
    if what == "boolean":
        return "boolean"
    if what == "complex":
        raise InputError(f"column {name!r}: complex numbers are not supported; split or drop it")
    if what in ("integer", "floating", "mixed-integer-float", "decimal"):
        return _number_kind(present)
    if what.startswith("date") or (what == "string" and _dates(present)):
        return "date"
    return "category"


def _number_kind(present: pd.Series) -> ColumnKind:
    if pd.api.types.is_integer_dtype(present):
        return "integer"
    values = present.to_numpy(dtype=np.float64)
    finite = values[np.isfinite(values)]
    return "integer" if len(finite) and (finite == np.round(finite)).all() else "number"


def _dates(present: pd.Series) -> bool:
    first = present.iloc[:20].astype(str)
    if not first.str.fullmatch(
        r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?"
    ).all():
        return False
    return bool(_timestamps(present).notna().all())


def zoned(text: pd.Series) -> bool:
    """Return whether text dates name a time zone."""
    return bool(text.iloc[:20].astype(str).str.contains(r":.*(?:Z|[+-]\d{2}:?\d{2})$").any())


def _timestamps(values: pd.Series) -> pd.Series:
    if values.dtype.kind == "M" or isinstance(values.dtype, pd.DatetimeTZDtype):
        return pd.to_datetime(values)
    # Text without a zone is taken as it stands; all zones become one.
    return pd.to_datetime(values, errors="coerce", format="ISO8601", utc=True)


def numeric(values: pd.Series, kind: ColumnKind, name: str) -> np.ndarray:
    """Return an ordered column as float64, NaN where missing; dates as seconds since 1970.

    Raises:
        InputError: text in a column of numbers, with the first such row.
    """
    if kind == "date":
        dates = _timestamps(values)
        _refuse_text(values, dates, name, "date")
        if getattr(dates.dt, "tz", None) is not None:
            dates = dates.dt.tz_convert("UTC").dt.tz_localize(None)
        seconds = dates.astype("datetime64[us]").astype("int64").to_numpy() / 1e6
        return np.where(dates.isna(), np.nan, seconds)
    numbers = pd.to_numeric(values, errors="coerce")
    _refuse_text(values, numbers, name, "number")
    return numbers.to_numpy(dtype=np.float64, na_value=np.nan)


def _refuse_text(values: pd.Series, read: pd.Series, name: str, what: str) -> None:
    bad = (read.isna() & values.notna()).to_numpy()
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(
            f"column {name!r}, row {row}: {str(values.iloc[row])[:40]!r} is not a {what}; "
            "correct it or leave it empty"
        )


def restored(
    values: np.ndarray, absent: np.ndarray, kind: ColumnKind, dtype: str, name: str
) -> pd.Series:
    """Return values as a series of the dtype that the user gave."""
    made: Any
    if kind == "date":
        whole = np.round(values * 1e6).astype("datetime64[us]")
        made = pd.Series(np.where(absent, np.datetime64("NaT"), whole), name=name)
        made = _dated(made, absent, dtype)
    elif kind in ("integer", "number"):
        made = pd.Series(np.where(absent, np.nan, values) if absent.any() else values, name=name)
        if not (absent.any() and dtype.startswith(("int", "uint"))):
            made = made.astype(dtype)
    else:
        made = pd.Series(values, name=name, dtype=object)
        if dtype.lower().startswith(("int", "uint", "float")):
            # A label that was a number; text would not turn into an integer beside a gap.
            made = pd.to_numeric(made)
        if not (absent.any() and (dtype == "bool" or dtype.startswith(("int", "uint")))):
            made = made.astype(dtype)
    result: pd.Series = made
    return result


def _dated(dates: Any, absent: np.ndarray, dtype: str) -> Any:
    if dtype.startswith("datetime64"):
        zoned = "," in dtype
        return (dates.dt.tz_localize("UTC") if zoned else dates).astype(dtype)
    dtype, _, zone = dtype.partition(",")
    days = not zone and (dates.dropna() == dates.dropna().dt.normalize()).all()
    text = dates.dt.strftime("%Y-%m-%d" if days else "%Y-%m-%dT%H:%M:%S" + "Z" * bool(zone))
    return text.astype(object).where(~absent, None).astype(dtype)


def label_of(value: Any) -> str:
    """Return a category's value as its label; whole numbers without a decimal point."""
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)
