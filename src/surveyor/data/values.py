"""How a column is read: its type and spelling, and its values as numbers."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from surveyor.data.types import ColumnType, Scale, column_type
from surveyor.errors import InputError

TEXT = ("object", "str", "string")
ARROW_TEXT = ("string", "large_string")
MICRO = 1_000_000
EXACT = 2**53  # float64 represents every whole number up to this one


@dataclass(frozen=True)
class Form:
    """How a column is read, and the type and spelling in which samples are returned.

    ``kind`` names a column type. ``dtype`` is the name of a pandas dtype, ``arrow:TYPE`` for a type
    that only Arrow has, or ``object:TYPE`` for Python objects. ``spelling`` is the template or
    format of numbers and dates that were text; ``absent`` are the words of a text column that stood
    for a missing value. ``categories`` are all those of a categorical column, in their order.
    """

    kind: str
    dtype: str
    spelling: str = ""
    absent: tuple[str, ...] = ()
    categories: tuple[Any, ...] = ()
    in_order: bool = False

    @cached_property
    def type(self) -> ColumnType:
        """Return the type that ``kind`` names.

        Raises:
            InputError: unknown type.
        """
        return column_type(self.kind)

    @property
    def scale(self) -> Scale:
        """Return the type of an ordered column."""
        assert isinstance(self.type, Scale)
        return self.type

    @property
    def ordered(self) -> bool:
        """Return whether the values have an order and a distance."""
        return self.type.ordered

    @property
    def textual(self) -> bool:
        """Return whether the values come back as text."""
        head, more = self.parts
        return (head in TEXT and not more) or more in ARROW_TEXT

    @property
    def parts(self) -> tuple[str, str]:
        """Return ``arrow``, ``object`` or ``category`` and what follows, or a dtype and ""."""
        head, _, more = self.dtype.partition(":")
        return (head, more) if head in ("arrow", "object", "category") else (self.dtype, "")


def form_of(name: str, values: pd.Series) -> Form:
    """Return the form of a column that is not text.

    Raises:
        InputError: an unsupported type; the message says what to convert it to.
    """
    dtype, present = values.dtype, values.dropna()
    if isinstance(dtype, pd.CategoricalDtype):
        return _categorical(name, values)
    if isinstance(dtype, (pd.PeriodDtype, pd.IntervalDtype)):
        what = "periods" if isinstance(dtype, pd.PeriodDtype) else "intervals"
        raise InputError(f"column {name!r}: has {what}; convert them to text with .astype(str)")
    if isinstance(dtype, pd.SparseDtype):
        raise InputError(f"column {name!r}: sparse; make it dense with column.sparse.to_dense()")
    what = pd.api.types.infer_dtype(present, skipna=True)
    if isinstance(dtype, np.dtype) and dtype.kind == "O" and len(present):
        return _objects(name, present, what)
    own = f"arrow:{dtype.pyarrow_dtype}" if isinstance(dtype, pd.ArrowDtype) else named(dtype)
    if isinstance(dtype, pd.DatetimeTZDtype) or dtype.kind in "Mm":
        return Form("date" if dtype.kind == "M" else "number", own)
    if pd.api.types.is_bool_dtype(dtype):
        return Form("boolean", own)
    if dtype.kind == "c":
        raise InputError(f"column {name!r}: complex numbers are not supported; split or drop it")
    if dtype.kind in "iuf" or what == "decimal":
        return Form(_whole(present, pd.api.types.is_integer_dtype(dtype)), own)
    if what in ("date", "datetime", "datetime64"):
        return Form("date", own)
    if what in ("empty", "string") or len(present) == 0:
        return Form("category", own)
    raise InputError(f"column {name!r}: has {what} values; convert them to text or numbers")


def _categorical(name: str, values: pd.Series) -> Form:
    categories = values.cat.categories
    natives = tuple(v.item() if isinstance(v, np.generic) else v for v in categories)
    if any(not isinstance(v, (str, bool, int, float)) for v in natives):
        raise InputError(
            f"column {name!r}: categories such as {str(natives[0])!r} are not text, numbers "
            "or booleans; convert them to text with .astype(str)"
        )
    inner = named(categories.dtype)
    return Form("category", f"category:{inner}", "", (), natives, bool(values.cat.ordered))


OBJECTS: dict[str, str] = {
    "decimal": "number", "integer": "integer", "floating": "number",
    "mixed-integer-float": "number", "date": "date", "datetime": "date", "datetime64": "date",
    "boolean": "boolean", "string": "category", "mixed-integer": "category", "mixed": "category",
}  # fmt: skip


def _objects(name: str, present: pd.Series, what: str) -> Form:
    if what not in OBJECTS:
        raise InputError(
            f"column {name!r}: has {what} values such as {str(present.iloc[0])[:40]!r}; convert "
            "them to text, numbers or dates, or drop the column"
        )
    kind = OBJECTS[what]
    if kind == "category":
        scalars = (str, bool, int, float, np.generic)
        odd = [v for v in present if not isinstance(v, scalars)]
        if odd:
            raise InputError(
                f"column {name!r}: has values that are not text or numbers, such as "
                f"{str(odd[0])[:40]!r}; convert them to text, or drop the column"
            )
        return Form("category", "object")
    if what == "decimal":
        places = {max(0, -int(v.as_tuple().exponent)) for v in present if v.is_finite()}
        template = f"{{.{places.pop()}f}}" if len(places) == 1 else "{s}"
        return Form("number", "object:decimal", template)
    if what in ("datetime", "datetime64"):
        zones = {str(getattr(v, "tzinfo", None)) for v in present}
        if len(zones) > 1:
            raise InputError(
                f"column {name!r}: dates in several time zones; convert them to one with "
                "pd.to_datetime(column, utc=True)"
            )
        zone = zones.pop()
        return Form("date", "object:datetime" + ("" if zone == "None" else f":{zone}"))
    if kind in ("integer", "number"):
        return Form(
            _whole(present, what == "integer"), f"object:{'int' if kind == 'integer' else 'float'}"
        )
    return Form(kind, f"object:{what}")


def _whole(present: pd.Series, integers: bool) -> str:
    if integers:
        return "integer"
    values = present.to_numpy(dtype=np.float64, na_value=np.nan)
    finite = values[np.isfinite(values)]
    # Every float beyond EXACT is whole, so that being whole says nothing.
    small = len(finite) > 0 and np.abs(finite).max() <= EXACT
    return "integer" if small and (finite == np.round(finite)).all() else "number"


def named(dtype: Any) -> str:
    """Return a dtype's name, with a fixed offset written as ``UTC+01:00``."""
    if not isinstance(dtype, pd.DatetimeTZDtype):
        return str(dtype)
    zone = getattr(dtype.tz, "key", None) or getattr(dtype.tz, "zone", None)
    if zone is None:
        path = re.search(r"zoneinfo/([\w+/-]+)", repr(dtype.tz))
        zone = path[1] if path else None
    if zone is None:
        offset = dtype.tz.utcoffset(datetime.datetime(2000, 1, 1))
        minutes = int(offset.total_seconds()) // 60
        zone = f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    return f"datetime64[{dtype.unit}, {zone}]"


def numeric(values: pd.Series, form: Form, name: str) -> np.ndarray:
    """Return an ordered column as float64, NaN where missing; dates as seconds since 1970.

    Raises:
        InputError: text in a column of numbers or dates, with the first such row.
    """
    if isinstance(values.dtype, (pd.CategoricalDtype, pd.ArrowDtype)):
        values = values.astype(object)
    missing = values.isna().to_numpy()
    if pd.api.types.is_timedelta64_dtype(values.dtype):
        return np.where(missing, np.nan, values.dt.total_seconds())
    if isinstance(values.dtype, pd.DatetimeTZDtype) or values.dtype.kind == "M":
        return np.where(missing, np.nan, _seconds(values))
    if values.dtype.kind in "iufb":
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    codes, unique = pd.factorize(values)
    found, good = _read(list(unique), form)
    if not good.all():
        row = int(np.argmax(np.isin(codes, np.flatnonzero(~good))))
        raise InputError(
            f"column {name!r}, row {row}: {str(values.iloc[row])[:40]!r} is not a "
            f"{form.type.singular}; correct it or leave it empty"
        )
    result: np.ndarray = np.append(found, np.nan)[codes]
    return result


def _read(unique: Sequence[Any], form: Form) -> tuple[np.ndarray, np.ndarray]:
    """Return objects as numbers, and which were read."""
    found, good = np.full(len(unique), np.nan), np.ones(len(unique), dtype=bool)
    texts = [k for k, v in enumerate(unique) if isinstance(v, str)]
    if texts:
        spelt = [unique[k] for k in texts]
        found[texts], good[texts] = form.scale.read(spelt, form.spelling)
        absent = np.isin(spelt, form.absent)
        good[np.array(texts)[absent]] = True
    for k, value in enumerate(unique):
        if isinstance(value, str):
            continue
        if isinstance(value, datetime.timedelta):
            found[k] = value.total_seconds()
        elif isinstance(value, (datetime.date, np.datetime64)):
            found[k] = _seconds(pd.Series([value]))[0]
        else:
            try:
                found[k] = float(value)
            except (TypeError, ValueError):
                good[k] = False
    return found, good


def _seconds(values: pd.Series) -> np.ndarray:
    """Return datetimes as seconds since 1970 in UTC."""
    if values.dtype == object:
        plain = [
            v.astimezone(datetime.UTC).replace(tzinfo=None) if getattr(v, "tzinfo", None) else v
            for v in values
        ]
        micros = np.array(plain, dtype="datetime64[us]")
    else:
        if getattr(values.dtype, "tz", None) is not None:
            values = values.dt.tz_convert("UTC").dt.tz_localize(None)
        micros = values.to_numpy().astype("datetime64[us]")
    return np.asarray(micros.astype("int64") / MICRO)
