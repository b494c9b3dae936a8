"""What is done after training is tried before the first step, and changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from surveyor import api
from surveyor.cli import main
from surveyor.data.restore import restored
from surveyor.errors import InputError
from surveyor.kinds.table.files import Table
from surveyor.panels import drawing as figures
from tests.conftest import QUICK, mixed


def sizes(n: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame({"length": rng.normal(size=n), "colour": rng.choice(["red", "blue"], n)})


def test_a_column_that_cannot_be_written_is_named_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = Table.write

    def fails(self: Table, samples: pd.DataFrame, path: Path) -> None:
        if "colour" in samples and path.suffix == ".parquet":
            raise OverflowError("of this kind\nnothing is known")
        plain(self, samples, path)

    monkeypatch.setattr(Table, "write", fails)
    sizes().to_csv(tmp_path / "sizes.csv", index=False)
    asked = ["train", str(tmp_path / "sizes.csv"), "--out", str(tmp_path / "run"), "--steps", "2"]
    assert main(asked) == 2
    told = capsys.readouterr().err
    assert "column 'colour': writing samples" in told
    assert "of this kind nothing is known" in told
    assert "--drop colour" in told
    assert not (tmp_path / "run").exists()


def test_a_column_that_cannot_be_decoded_is_named_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(numbers: Any, absent: Any, form: Any, name: str) -> pd.Series:
        if name == "width":
            raise OverflowError("too wide")
        return restored(numbers, absent, form, name)

    monkeypatch.setattr("surveyor.data.columns.restored", fails)
    wide = sizes().assign(width=np.arange(60) / 7)
    with pytest.raises(InputError, match=r"column 'width': writing samples.*drop width"):
        api.fit(wide, tmp_path / "run", **QUICK)


def test_a_column_that_no_figure_shows_is_named_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = figures._numbers

    def fails(axis: Any, column: Any, *sides: pd.Series) -> None:
        if column.name == "length":
            raise ValueError("no ticks")
        plain(axis, column, *sides)

    monkeypatch.setattr(figures, "_numbers", fails)
    with pytest.raises(InputError, match=r"column 'length': the report.*no ticks.*drop length"):
        api.fit(sizes(), tmp_path / "run", **QUICK)
    assert not (tmp_path / "run").exists()


def test_a_failure_of_no_single_column_is_told_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: Any, **options: Any) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr("surveyor.report.rehearsal.assess", fails)
    with pytest.raises(InputError, match=r"^the evaluation.*by nothing.*report this as a bug"):
        api.fit(np.random.default_rng(0).normal(size=(40, 3)), tmp_path / "run", **QUICK)


@pytest.mark.parametrize("kind", ["table", "vectors", "pictures"])
def test_a_run_is_the_same_with_and_without_its_rehearsal(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = np.random.default_rng(0).integers(0, 255, (40, 8, 8)).astype(np.uint8)
    data, options = {
        "table": (mixed(120), {"condition": ["town"], "group": "member"}),
        "vectors": ("toy:ring:200", {"critic": "mlp:width=8", "constraint": "spectral"}),
        "pictures": (pictures, {}),
    }[kind]
    if kind == "vectors":
        options |= {"objective": "wasserstein"}  # type: ignore[operator]
    api.fit(data, tmp_path / "with", **QUICK, **options)  # type: ignore[arg-type]
    monkeypatch.setattr(api, "rehearse", lambda session: None)
    api.fit(data, tmp_path / "without", **QUICK, **options)  # type: ignore[arg-type]
    for name in ("generator.safetensors", "critic.safetensors", "history.jsonl", "evaluation.json"):
        assert (tmp_path / "with" / name).read_bytes() == (tmp_path / "without" / name).read_bytes()
