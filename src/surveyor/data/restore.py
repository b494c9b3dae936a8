"""Numbers and labels converted back to the type and spelling of the user's data."""

from __future__ import annotations

import datetime
import decimal
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from surveyor.data.spelling import offset_seconds
from surveyor.data.types import label_of
from surveyor.data.values import ARROW_TEXT, MICRO, TEXT, Form


def restored(numbers: np.ndarray, absent: np.ndarray, form: Form, name: str) -> pd.Series:
    """Return numbers or seconds (n,) as a series in the type and spelling of the user's data."""
    head, more = form.parts
    made: Any
    if head in (*TEXT, "arrow"):
        unique, places = np.unique(np.where(absent, 0.0, numbers), return_inverse=True)
    if head in TEXT and not more:
        texts = np.array([*form.scale.write(unique, form.spelling), None], dtype=object)
        made = pd.Series(texts[np.where(absent, len(unique), places)], dtype=object)
        made = made.astype(pandas_type(form.dtype))
    elif head == "object":
        natives = np.empty(len(unique) + 1, dtype=object)
        natives[:-1], natives[-1] = _natives(unique, form, more), None
        made = pd.Series(natives[np.where(absent, len(unique), places)], dtype=object)
    elif head == "arrow":
        made = _arrow(unique, np.where(absent, len(unique), places), form, more)
    elif head.startswith("datetime64"):
        whole = np.round(np.where(absent, 0, numbers) * MICRO).astype("datetime64[us]")
        made = pd.Series(np.where(absent, np.datetime64("NaT"), whole))
        made = (made.dt.tz_localize("UTC") if "," in head else made).astype(pandas_type(head))
    elif head.startswith("timedelta"):
        made = pd.Series(pd.to_timedelta(np.where(absent, np.nan, numbers), unit="s"))
        made = made.astype(pandas_type(head))
    elif absent.any():
        gap = pd.Series(np.where(absent, np.nan, numbers))
        made = gap.astype(pandas_type(_nullable(head)))
    else:
        made = pd.Series(numbers).astype(pandas_type(head))
    made.name = name
    result: pd.Series = made
    return result


def _natives(unique: np.ndarray, form: Form, what: str) -> list[Any]:
    what, _, zone = what.partition(":")
    if what == "decimal":
        return [decimal.Decimal(text) for text in form.scale.write(unique, form.spelling)]
    if what == "int":
        return [int(v) for v in unique]
    if what == "float":
        return [float(v) for v in unique]
    dates = [
        datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=round(v * MICRO))
        for v in unique
    ]
    if what == "date":
        return [d.date() for d in dates]
    if zone:
        stamps = pd.DatetimeIndex(dates).tz_localize("UTC").tz_convert(zone_named(zone))
        return [s.to_pydatetime() for s in stamps]
    return dates


def _arrow(unique: np.ndarray, places: np.ndarray, form: Form, text: str) -> pd.Series:
    type_ = arrow_type(text)
    inner = type_.value_type if pa.types.is_dictionary(type_) else type_
    if pa.types.is_decimal(inner):
        natives: list[Any] = [decimal.Decimal(f"{v:.{inner.scale}f}") for v in unique]
        values = pa.array([*natives, None], type=inner)
    elif str(inner) in ARROW_TEXT:
        texts = form.scale.write(unique, form.spelling)
        values = pa.array([*texts, None], type=pa.large_string())
    elif pa.types.is_temporal(inner):
        micros = np.round(unique * MICRO).astype("int64")
        plain = pa.array(
            np.append(micros, 0), pa.int64(), mask=np.arange(len(micros) + 1) == len(micros)
        )
        stamp = pa.timestamp("us", getattr(inner, "tz", None))
        fine = pa.duration("us") if pa.types.is_duration(inner) else stamp
        values = plain.cast(fine).cast(inner, safe=False)
    else:
        mask = np.arange(len(unique) + 1) == len(unique)
        plain = np.append(unique, 0).astype(inner.to_pandas_dtype())
        values = pa.array(plain, type=inner, mask=mask)
    taken = values.take(pa.array(places))
    return pd.Series(
        pd.array(
            taken.cast(type_) if inner == type_ else taken.dictionary_encode().cast(type_),
            dtype=pd.ArrowDtype(type_),
        )
    )


def label_array(natives: Sequence[Any], form: Form) -> Any:
    """Return labels, None where missing, as an array of the user's type."""
    head, more = form.parts
    if head == "category":
        own = pd.CategoricalDtype(pd.Index(form.categories, dtype=more), ordered=form.in_order)
        return pd.Categorical(natives, dtype=own)
    if head == "arrow":
        type_ = arrow_type(more)
        inner = type_.value_type if pa.types.is_dictionary(type_) else type_
        values = pa.array(natives, type=inner)
        if inner != type_:
            values = values.dictionary_encode().cast(type_)
        return pd.array(values, dtype=pd.ArrowDtype(type_))
    if head == "object":
        objects = np.empty(len(natives), dtype=object)
        objects[:] = natives
        return objects
    gap = any(v is None for v in natives)
    made = pd.Series(list(natives), dtype=object)
    return made.astype(pandas_type(_nullable(head) if gap else head)).array


def _nullable(dtype: str) -> str:
    """Return the nullable variant of a dtype."""
    if dtype.startswith(("int", "uint")):
        return dtype.replace("int", "Int").replace("uI", "UI")
    return "boolean" if dtype == "bool" else dtype


def arrow_type(text: str) -> pa.DataType:
    """Return the Arrow type whose ``str`` is ``text``.

    Raises:
        ValueError: unknown type.
    """
    if found := re.fullmatch(r"decimal(32|64|128|256)\((\d{1,2}), (-?\d{1,2})\)", text):
        return getattr(pa, f"decimal{found[1]}")(int(found[2]), int(found[3]))
    if found := re.fullmatch(r"timestamp\[(s|ms|us|ns)(?:, tz=([\w/+:-]{1,40}))?\]", text):
        return pa.timestamp(found[1], found[2])
    if found := re.fullmatch(
        r"dictionary<values=(.{1,60}), indices=(u?int\d+), ordered=([01])>", text
    ):
        index = pa.type_for_alias(found[2])
        return pa.dictionary(index, arrow_type(found[1]), ordered=found[3] == "1")
    try:
        return pa.type_for_alias({"halffloat": "float16"}.get(text, text))
    except (KeyError, ValueError) as error:
        raise ValueError(f"unknown Arrow type {text!r}") from error


def native_of(label: str, form: Form) -> Any:
    """Return the value that a label stands for, in the type of the column."""
    head, more = form.parts
    if head == "category":
        return next((v for v in form.categories if label_of(v) == label), label)
    kind = more if head in ("arrow", "object") else head
    if kind.lower().startswith("bool"):
        return label == "True"
    if kind.lower().startswith(("int", "uint", "float", "double")):
        number = float(label)
        return int(number) if number.is_integer() else number
    return label


def pandas_type(text: str) -> Any:
    """Return the pandas dtype that ``named`` gave this name."""
    if found := re.fullmatch(r"datetime64\[(\w+), (.+)\]", text):
        return pd.DatetimeTZDtype(found[1], zone_named(found[2]))  # type: ignore[arg-type]
    return text


def zone_named(text: str) -> Any:
    """Return the time zone of ``UTC+01:00``; other names unchanged."""
    if found := re.fullmatch(r"UTC([+-]\d\d:?\d\d)", text):
        return datetime.timezone(datetime.timedelta(seconds=offset_seconds(found[1])))
    return text
