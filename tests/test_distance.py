"""Two data sets compared: what moved is named, by drift and by the command."""

from __future__ import annotations

import numpy as np
import pytest

from surveyor.ruler import drift
from tests.conftest import gaussian, mixed


def test_the_moved_column_and_the_moved_row_are_named() -> None:
    a, b = mixed(300), mixed(300, seed=3)
    b["age"] += 40
    found = drift(a, b)
    assert found.columns[0].name == "age"
    assert found.columns[0].distance == pytest.approx(40, abs=3)
    assert "mean +" in found.columns[0].change
    points = gaussian(200, 2)
    points[17] = 50
    row = drift(points, gaussian(200, 2, seed=1)).rows[0]
    assert row.row == 17
    assert row.values == {"x0": "50", "x1": "50"}
    assert row.distance > 60


@pytest.mark.parametrize("turned", [False, True])
def test_how_far_rows_have_to_go_does_not_depend_on_the_order_of_a_file(turned: bool) -> None:
    """More rows than transport takes at once, equal sets, one of them sorted: all go a short way."""
    a, b = gaussian(1500, 2), gaussian(1500, 2, seed=1)
    b = b[np.argsort(b[:, 0])]
    first, second = (str(tmp_path / f"{name}.parquet") for name in "ab")
    found = drift(first, second, limit=64)
    assert found.columns[0].name == "x"
    assert found.columns[0].p_value == pytest.approx(0, abs=1e-6)
