"""Samples of any number, written a part at a time."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import surveyor.run as runs
from surveyor import Model, fit
from surveyor.cli import main
from surveyor.data.bounds import refuse_beyond_memory
from surveyor.kinds.table.files import Table
from tests.conftest import QUICK, mixed

SUFFIXES = (".csv", ".csv.gz", ".parquet", ".arrow")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    frame = mixed(240)
    frame["kind"] = pd.Categorical(np.where(frame["age"] > 40, "old", "young"))
    return fit(frame, tmp_path_factory.mktemp("parts") / "run", **QUICK)


def in_parts_of(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (runs.sampling, runs):
        monkeypatch.setattr(module, "PART", size)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_parts_are_written_one_below_the_other(suffix: str, model: Model, tmp_path: Path) -> None:
    parts = [model.sample(n, seed=n) for n in (30, 1, 17)]
    Table().write_parts(iter(parts), tmp_path / f"parts{suffix}")
    Table().write(pd.concat(parts, ignore_index=True), tmp_path / f"whole{suffix}")
    one, other = (read(tmp_path / f"{name}{suffix}") for name in ("parts", "whole"))
    pd.testing.assert_frame_equal(one, other)


def read(path: Path) -> pd.DataFrame:
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    if path.suffix == ".arrow":
        return pd.read_feather(path)
    return pd.read_csv(path)


def test_a_compressed_file_depends_on_its_rows_alone(model: Model, tmp_path: Path) -> None:
    made = model.sample(20)
    for name in ("a", "b"):
        Table().write(made, tmp_path / f"{name}.csv.gz")
    one, other = ((tmp_path / f"{name}.csv.gz").read_bytes() for name in ("a", "b"))
    assert one == other
    assert gzip.decompress(one).decode() == made.to_csv(index=False)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_more_samples_than_a_part_go_to_the_file_in_parts(
    suffix: str, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as asked for, never more than a part in memory, none of them a copy of a part."""
    sizes: list[int] = []
    draw = runs.sampling.draw_samples

    def counted(run: Any, n: int, *rest: Any, **more: Any) -> Any:
        sizes.append(n)
        return draw(run, n, *rest, **more)

    in_parts_of(100, monkeypatch)
    monkeypatch.setattr(runs.sampling, "draw_samples", counted)
    path = tmp_path / f"many{suffix}"
    assert main(["sample", str(model.run.path), "-n", "250", "-o", str(path)]) == 0
    assert sizes == [100, 100, 50]
    rows = read(path)
    assert len(rows) == 250
    assert not rows[:100].reset_index(drop=True).equals(rows[100:200].reset_index(drop=True))
    first = tmp_path / f"first{suffix}"
    assert main(["sample", str(model.run.path), "-n", "100", "-o", str(first)]) == 0
    same = read(first)
    pd.testing.assert_frame_equal(rows[:100].astype(object), same.astype(object), check_dtype=False)


def test_a_condition_holds_in_every_part(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_parts_of(60, monkeypatch)
    path = tmp_path / "some.csv"
    command = [
        "sample",
        str(model.run.path),
        "-n",
        "150",
        "--where",
        "member=True",
        "-o",
        str(path),
    ]
    assert main(command) == 0
    rows = pd.read_csv(path)
    assert len(rows) == 150
    assert rows["member"].all()


def test_a_file_of_parts_is_complete_or_not_there(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_parts_of(60, monkeypatch)
    path = tmp_path / "some.csv"
    path.write_text("kept")
    impossible = ["--where", "age=20", "--where", "joined=2020-01-05", "--where", "income=0"]
    monkeypatch.setattr(runs.sampling, "MOST", 4000)
    monkeypatch.setattr(runs.sampling, "RARE", 0.0)
    command = ["sample", str(model.run.path), "-n", "150", *impossible, "-o", str(path)]
    assert main([*command, "--overwrite"]) == 2
    assert path.read_text() == "kept"
    assert [p.name for p in tmp_path.iterdir()] == ["some.csv"]


def test_memory_is_not_asked_for_the_whole(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(
        runs.sampling, "refuse_beyond_memory", lambda size, *rest: asked.append(size)
    )
    parts = runs.draw_parts(model.run, 10**9, {}, 0)
    assert len(next(parts)) == runs.PART
    assert not asked or max(asked) < 2**30
    refuse_beyond_memory(1, "nothing", "nothing")
