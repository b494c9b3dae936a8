"""Arrow's types: plain columns for training, and the forms that restore the types in samples."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from surveyor.data.values import ARROW_TEXT, Form
from surveyor.errors import notify

MICRO, VIEW = "us", "string_view"


def to_pandas(table: pa.Table) -> pd.DataFrame:
    """Return a table with plain types: numbers, truth values, text and datetimes."""
    return pd.DataFrame(
        {str(n): _series(table.column(k)) for k, n in enumerate(table.schema.names)}
    )


def _series(column: pa.ChunkedArray) -> Any:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _series(column.cast(kind.value_type))
    if pa.types.is_decimal(kind):
        return column.cast(pa.float64(), safe=False).to_pandas()
    if pa.types.is_date(kind):
        return column.cast(pa.timestamp(MICRO)).to_pandas()
    if pa.types.is_timestamp(kind):
        plain = column.cast(pa.timestamp(MICRO, kind.tz), safe=False)
        return plain.cast(pa.timestamp(MICRO, "UTC" if kind.tz else None)).to_pandas()
    if pa.types.is_duration(kind):
        return column.cast(pa.duration(MICRO), safe=False).to_pandas()
    if pa.types.is_float16(kind):
        return column.to_pandas().astype("float32")
    if str(kind) in (*ARROW_TEXT, VIEW):
        return pd.Series(pd.array(column.cast(pa.string()), dtype=pd.ArrowDtype(pa.string())))
    if column.null_count and pa.types.is_integer(kind):
        name = ("UInt" if pa.types.is_unsigned_integer(kind) else "Int") + str(kind.bit_width)
        values = pc.fill_null(column, 0).to_pandas().astype(name)
        return values.mask(column.is_null().to_pandas())
    if column.null_count and pa.types.is_boolean(kind):
        return column.to_pandas().astype("boolean")
    return column.to_pandas()


def declared(schema: pa.Schema) -> dict[str, Form]:
    """Return the forms of the columns whose type ``to_pandas`` loses."""
    found = {str(f.name): form_of(f.type) for f in schema}
    return {name: form for name, form in found.items() if form is not None}


def name_of(kind: pa.DataType) -> str:
    """Return the dtype that samples of a type have; pandas cannot index text of type view."""
    return "arrow:large_string" if str(kind) == VIEW else f"arrow:{kind}"


def is_plain(kind: pa.DataType) -> bool:
    """Return whether pandas has a type of the same values."""
    tests = pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_string
    return any(test(kind) for test in tests)


def form_of(kind: pa.DataType) -> Form | None:
    """Return the form of a type that ``to_pandas`` loses; None for any other."""
    name = name_of(kind)
    if pa.types.is_dictionary(kind):
        return Form("category", name)
    if pa.types.is_decimal(kind):
        return Form("number", name)
    if pa.types.is_date(kind):
        return Form("date", name)
    if pa.types.is_timestamp(kind):
        zone = kind.tz
        if zone and zone[:1] in "+-":
            zone = f"UTC{zone}"
        return Form(
            "date", f"datetime64[{kind.unit}, {zone}]" if zone else f"datetime64[{kind.unit}]"
        )
    if pa.types.is_duration(kind):
        return Form("number", f"timedelta64[{kind.unit}]")
    if pa.types.is_float16(kind) or str(kind) in ("large_string", VIEW):
        what = "number" if pa.types.is_float16(kind) else "category"
        return Form(what, name)
    return None


def table_of(samples: pd.DataFrame) -> pa.Table:
    """Return samples as an Arrow table, with text of pandas as plain strings.

    A column of both numbers and text becomes text, with a notice: Arrow has no type for both.
    """
    both = [n for n in samples if _is_mixed(samples[n])]
    if both:
        notify(f"column {both[0]!r}: numbers and text, all written as text")
        samples = samples.assign(**{str(n): samples[n].map(str, na_action="ignore") for n in both})
    table = pa.Table.from_pandas(samples, preserve_index=False)
    for k, (name, dtype) in enumerate(samples.dtypes.items()):
        large = pa.types.is_large_string(table.schema.field(k).type)
        if large and not isinstance(dtype, pd.ArrowDtype):
            table = table.set_column(k, str(name), table.column(k).cast(pa.string()))
    return _readable(table)


def _readable(table: pa.Table) -> pa.Table:
    """Return a table whose pandas metadata name only types that pandas can look up."""
    metadata = json.loads(table.schema.metadata[b"pandas"])
    for column in metadata["columns"]:
        try:
            pd.api.types.pandas_dtype(column["numpy_type"])
        except (TypeError, ValueError, NotImplementedError):
            column["numpy_type"] = "object"
    return table.replace_schema_metadata({"pandas": json.dumps(metadata)})


def _is_mixed(values: pd.Series) -> bool:
    inferred = pd.api.types.infer_dtype(values, skipna=True) if values.dtype == object else ""
    return inferred in ("mixed", "mixed-integer")
