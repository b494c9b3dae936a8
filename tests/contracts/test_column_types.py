"""One suite that every type of column runs through, on the cells that the type itself names."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from surveyor.batch import Draws
from surveyor.data import Options
from surveyor.data.columns import Column
from surveyor.data.private import fit_private
from surveyor.data.types import Cells, ColumnType, Fit, Scale, column_types
from surveyor.data.values import Form
from surveyor.data.where import read_selection
from surveyor.errors import InputError
from surveyor.kinds import kinds
from surveyor.kinds.table.codec import TableCodec
from surveyor.privacy import noisy_counts

ALL = sorted(column_types())
TABLE = kinds()["table"].files
ROWS = 60


@pytest.fixture(params=ALL)
def own(request: pytest.FixtureRequest) -> ColumnType:
    return column_types()[request.param]


def asked(own: ColumnType) -> tuple[str, ...]:
    """Return how a person says that a column is of the type; one that is never asked for, nothing."""
    return (f"c={own.name}",) if own.choosable else ()


def written(own: ColumnType, path: Path, odd: str = "") -> Path:
    """Write a table of the type's cells, one row in four of them missing, beside a number."""
    cells = [*own.samples, ""] * ROWS
    cells[7] = odd or cells[7]
    frame = pd.DataFrame({"c": cells[:ROWS], "n": np.arange(ROWS) % 7})
    frame.to_csv(path, index=False)
    return path


def codec_of(path: Path, options: Options) -> tuple[TableCodec, np.ndarray]:
    """Fit a codec to a file; return it and the codes of its rows, (n, columns)."""
    raw = TABLE.read(path, options)
    codec = TABLE.fit(TABLE.select(raw, np.arange(len(raw))), options)
    assert isinstance(codec, TableCodec)
    return codec, codec.rows(raw)["codes"].astype(int)


def restored(codec: TableCodec) -> TableCodec:
    meta, arrays = codec.state()
    return TableCodec.restore(json.loads(json.dumps(meta)), arrays)


def decoded(codec: TableCodec, codes: np.ndarray) -> pd.DataFrame:
    free = codes[:, : len(codec.free)]
    return codec.decode_blocks(free, np.zeros((len(codes), 0), np.int32), Draws(3))


@pytest.mark.parametrize("said", [True, False], ids=["asked for", "guessed"])
def test_a_file_that_is_read_and_written_is_the_same(
    own: ColumnType, said: bool, tmp_path: Path
) -> None:
    path = written(own, tmp_path / "in.csv")
    codec, codes = codec_of(path, Options(type=asked(own) if said else ()))
    made = codec.reassembled(codec.as_text(decoded(codec, codes)))
    TABLE.write(made, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == path.read_text()


def test_restored_from_its_state_it_decodes_alike(own: ColumnType, tmp_path: Path) -> None:
    codec, codes = codec_of(written(own, tmp_path / "in.csv"), Options(type=asked(own)))
    again = restored(codec)
    pd.testing.assert_frame_equal(decoded(again, codes), decoded(codec, codes))
    assert [c.form for c in again.columns] == [c.form for c in codec.columns]
    assert again.forms["c"].type.family == codec.forms["c"].type.family


def test_no_cell_is_lost_it_is_a_value_or_named_with_its_line(
    own: ColumnType, tmp_path: Path
) -> None:
    path = written(own, tmp_path / "in.csv", odd="~odd~")
    problem, cell = "", None
    try:
        codec, codes = codec_of(path, Options(type=asked(own)))
        cell = codec.reassembled(decoded(codec, codes))["c"].iloc[7]
    except InputError as error:
        problem = str(error)
    named = "line 9" in problem and "'~odd~'" in problem
    assert named or cell == "~odd~"
    assert named or not own.ordered
    assert not (named and own.literal)


def test_values_keep_the_numbers_of_their_rows(own: ColumnType) -> None:
    points = [0.0, np.nan, 1.0] if own.ordered else [own.samples[0], None, own.samples[-1]]
    made = own.to_pandas(pd.Series(points, index=[7, 3, 5]))
    assert made.index.tolist() == [7, 3, 5]
    assert made.isna().tolist() == [False, True, False]


def test_other_rows_are_read_as_those_of_the_run(own: ColumnType, tmp_path: Path) -> None:
    path = written(own, tmp_path / "in.csv")
    codec, codes = codec_of(path, Options(type=asked(own)))
    raw = TABLE.reopen(path, restored(codec))
    assert (codec.rows(raw)["codes"] == codes).all()


def test_every_value_can_be_asked_for(own: ColumnType, tmp_path: Path) -> None:
    codec, codes = codec_of(written(own, tmp_path / "in.csv"), Options(type=asked(own)))
    made = codec.as_text(decoded(codec, codes))
    for column in codec.columns:
        values = made[column.name]
        for value in values.dropna().unique():
            found = read_selection(column, str(value)).matches(values)
            assert found[values.astype(str) == str(value)].all()
            assert not found[values.isna()].any()


def test_cells_are_read_alike_in_any_order_and_none_of_its_own_is_odd(own: ColumnType) -> None:
    cells = [Cells(dict.fromkeys(own.samples[::step], 20), from_text_file=True) for step in (1, -1)]
    fits = [own.fit(c) for c in cells]
    assert fits[0] == fits[1]
    assert (fits[0].odd, fits[0].unreadable) == ((), None)
    assert own.fit(Cells({})).odd == ()
    for c in cells:
        if alike := own.matching(c):
            fit = own.guess(alike, c)
            assert isinstance(fit, Fit)
            assert (fit.kind, fit.spelling, fit.odd) == (fits[0].kind, fits[0].spelling, ())


def test_with_differential_privacy_values_are_of_the_type(own: ColumnType) -> None:
    fit = own.fit(Cells(dict.fromkeys(own.samples, 20)))
    form = Form(fit.kind, "object", fit.spelling)
    values = pd.Series(list(own.samples) * 1000, name="c")
    counts, _ = noisy_counts(5.0, 1e-5, len(values), 5.0, 1)
    column = fit_private("c", values, form, counts)
    made = column.decode(np.arange(200) % column.size, Draws(0))
    meta, arrays = column.state()
    again = Column.restore(json.loads(json.dumps(meta)), arrays)
    pd.testing.assert_series_equal(again.decode(np.arange(200) % column.size, Draws(0)), made)
    if isinstance(form.type, Scale):
        assert column.form.kind == fit.kind
        low, high = column.range
        assert (column.numbers(made) >= low).all()
        assert (column.numbers(made) <= high).all()
    else:
        assert set(map(str, made)) == set(own.samples)
