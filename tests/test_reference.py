"""A saved reference: what it holds, what it refuses, and what is tested against it."""

from __future__ import annotations

import errno
import json
import struct
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import load, save
from safetensors.torch import save as save_torch

import surveyor
from surveyor import InputError
from surveyor.cli import main
from surveyor.data import Options
from surveyor.errors import Notice, NotWritten
from surveyor.kinds.table.summary import between, edges_of, merged
from surveyor.ruler.reference import against, read_reference, summarised, write_reference
from surveyor.two_sample.columns import kolmogorov_smirnov
from surveyor.two_sample.statistics import LEAST, Counts

LENIENT = Options(lenient=True)


def people(n: int, seed: int, higher: float = 0.0, related: float = 0.0) -> pd.DataFrame:
    """Return numbers with ties and gaps, dates and categories, of which two can be related."""
    rng = np.random.default_rng([seed, 5])
    height, noise = rng.normal(size=n), rng.normal(size=n)
    weight = related * height + np.sqrt(1 - related**2) * noise
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 40, n), "D")
    return pd.DataFrame(
        {
            "height": 170 + 10 * (height + higher),
            "weight": 70 + 9 * weight,
            "kids": rng.poisson(1.2, n),
            "income": np.where(rng.random(n) < 0.1, np.nan, rng.exponential(30, n)),
            "day": day,
            "town": rng.choice(["Oslo", "Rome", "Lima"], n, p=[0.6, 0.3, 0.1]),
        }
    )


def drift_of(first: pd.DataFrame, second: pd.DataFrame) -> Any:
    return against(summarised(first, LENIENT), second, ("first", "second"), LENIENT)


@pytest.fixture
def january(tmp_path: Path) -> Path:
    return surveyor.reference(people(1000, 1), tmp_path / "january.ref")


def test_the_same_rows_do_not_differ_and_what_differs_is_named(january: Path) -> None:
    same = surveyor.distance(january, people(1000, 1).sample(frac=1, random_state=0))
    assert same.p_value == 1
    assert (same.low, same.high) == (0, np.inf)
    assert np.isnan(same.ratio)
    assert "No difference seen" in surveyor.distance(january, people(800, 2)).verdict
    assert "the column height" in surveyor.distance(january, people(800, 3, higher=0.3)).verdict
    together = surveyor.distance(january, people(800, 4, related=0.4))
    assert "height and weight: correlation" in together.verdict
    assert "+0.3" in together.verdict or "+0.4" in together.verdict


def test_columns_say_how_they_changed_and_the_note_what_was_not_drift_of() -> None:
    later = people(900, 2)
    later["day"] += pd.Timedelta(days=20)
    later["kids"] += later["kids"] > 1
    later["town"] = later["town"].replace("Lima", "Quito")
    later.loc[:300, "income"] = np.nan
    found = drift_of(people(1000, 1), later)
    changes = {c.name: c for c in found.columns}
    assert found.columns[0].name == "day"
    assert "at most 2024-01-2" in changes["day"].change
    assert "at most 2: " in changes["kids"].change
    assert "missing 1" in changes["income"].change
    assert "other values +" in changes["town"].change
    assert "Lima -" in changes["town"].change
    assert all(changes[n].p_value < 0.001 for n in ("day", "kids", "income", "town"))
    assert changes["height"].p_value > 0.05
    assert "W1, the energy distance and a classifier were not measured" in found.note


def test_what_one_row_alone_has_is_not_in_the_file(tmp_path: Path) -> None:
    rows = people(600, 1)
    rows["note"] = ["common"] * 500 + [f"Zaphod{k}" for k in range(100)]
    rows["kind"] = pd.Categorical(["a"] * 590 + [f"Trillian{k}" for k in range(10)])
    rows["code"] = np.arange(600) * 7919 + 1_000_000
    rows.loc[5, "height"] = 987.125
    path = surveyor.reference(rows, tmp_path / "x.ref")
    content = path.read_bytes()
    assert b"common" in content
    assert b"Zaphod" not in content
    assert b"Trillian" not in content
    summary = read_reference(path).summary
    for column in summary.statistics.columns:
        assert all(n >= LEAST for n in column.counts[1:-1])
        if column.ordered:
            values = pd.to_numeric(rows[column.name]).to_numpy(float)
            values = values / 1e6 if column.name == "day" else values
            often = pd.Series(values).value_counts()
            rare = often[often < LEAST].index
            assert not np.isin(column.edges, rare).any()
            assert column.counts[-1] >= LEAST
            assert all(struct.pack("<d", v) not in content for v in rare if abs(v) > 1e-6)


def test_edges_part_numbers_evenly_and_equal_none_of_them() -> None:
    rng = np.random.default_rng(0)
    for values in (
        rng.normal(size=5000),
        rng.integers(0, 5000, 5000) * 1.0,
        rng.poisson(2, 5000) + 0.0,
    ):
        edges = edges_of(values)
        assert (np.diff(edges) > 0).all()
        assert not np.isin(edges, values).any()
        bins = np.searchsorted(edges, values)
        for k in range(len(edges) + 1):
            inside = values[bins == k]
            assert len(inside) <= 2 * 5000 / 128 or len(set(inside)) == 1
    assert not len(edges_of(np.full(100, 3.0)))
    assert between(3.14159, 3.14201) == 3.142
    assert between(1.0, np.nextafter(1.0, 2.0)) is None
    assert between(100.0, 101.0) == 100.5


def test_bins_with_few_rows_are_merged_and_edges_that_few_rows_equal_left_out() -> None:
    found = Counts("x", True, np.array([3, 30, 5, 40, 25, 9]), np.array([1.0, 2.0, 3.0, 4.0]))
    kept = merged(found, np.array([0, 0, 7, LEAST]))
    assert kept.edges.tolist() == [1.0]
    assert kept.counts.tolist() == [3, 30, 79]
    assert merged(found, np.zeros(4)).edges.tolist() == [1.0, 3.0]
    just = Counts("x", True, np.array([0, LEAST, LEAST]), np.array([1.0]))
    assert merged(just, np.zeros(1)).edges.tolist() == [1.0]


@pytest.mark.parametrize("higher", [0.0, 0.2, 1.0])
def test_numbers_are_tested_nearly_as_with_all_rows_and_never_more_sharply(higher: float) -> None:
    a, b = people(2000, 1), people(1500, 2, higher)
    found = next(c for c in drift_of(a, b).columns if c.name == "height")
    _, exact = kolmogorov_smirnov(a["height"].to_numpy(), b["height"].to_numpy())
    assert exact - 0.03 <= found.difference <= exact + 1e-12


def many_labels(n: int, seed: int) -> pd.DataFrame:
    """Return categories that each are as frequent as a label must be to be named."""
    rng = np.random.default_rng([seed, 6])
    labels = rng.integers(0, n // LEAST, n)
    return pd.DataFrame({"label": [f"v{k}" for k in labels], "x": rng.normal(size=n)})


@pytest.mark.parametrize("sizes", [(60, 60), (400, 80), (100, 1000)])
def test_equal_sets_are_rejected_at_most_at_the_level(sizes: tuple[int, int]) -> None:
    """At level .05 more than 12 of 100 are rejected once in some 700 suites."""
    hits = 0
    for seed in range(100):
        a, b = people(sizes[0], 2 * seed), people(sizes[1], 2 * seed + 1)
        hits += drift_of(a, b).comparison.p_value <= 0.05
    assert hits <= 12


def test_labels_that_are_named_for_being_frequent_by_chance_do_not_count_as_a_difference() -> None:
    hits = 0
    for seed in range(30):
        a, b = many_labels(4000, 2 * seed), many_labels(4000, 2 * seed + 1)
        hits += drift_of(a, b).comparison.p_value <= 0.05
    assert hits <= 6


def meta_of(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    meta: dict[str, Any] = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["surveyor"])
    return meta


def rewritten(path: Path, **changes: Any) -> None:
    meta = meta_of(path) | changes
    path.write_bytes(save(load(path.read_bytes()), {"surveyor": json.dumps(meta)}))


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)


def enlarged(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(10**9)


DAMAGE: dict[str, tuple[Any, str]] = {
    "truncated": (lambda p: p.write_bytes(p.read_bytes()[:-100]), "its header says"),
    "empty": (lambda p: p.write_bytes(b""), "truncated, or not a tensor file"),
    "text": (lambda p: p.write_text("height,weight\n1,2\n"), "not a tensor file"),
    "one bit": (flipped, "digest"),
    "huge": (enlarged, "more than the limit"),
    "another type": (lambda p: p.write_bytes(save_torch({"counts": torch.zeros(3).bfloat16()}, {"surveyor": '{"version": 1}'})), "damaged"),
    "weights": (lambda p: p.write_bytes(save({"w": np.zeros(3)})), "not a reference"),
    "another version": (lambda p: rewritten(p, version=9), "of version 9, but this Surveyor reads version 1"),
    "another kind": (lambda p: rewritten(p, kind="sounds"), "digest"),
    "a link": (lambda p: (p.rename(p.with_suffix(".own")), p.symlink_to(p.with_suffix(".own"))), "a link"),
}  # fmt: skip


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_or_foreign_reference_is_refused_in_one_line(what: str, january: Path) -> None:
    damage, says = DAMAGE[what]
    damage(january)
    with pytest.raises(InputError) as error:
        surveyor.distance(january, people(100, 2))
    (line,) = error.value.problems
    assert says in line
    assert str(january) in line
    assert "make it again with surveyor reference" in line


def test_a_forged_digest_does_not_help(january: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("surveyor.ruler.reference._digest", lambda *_: "same")
    known = meta_of(january)
    columns = [dict(c, edges=c["edges"] + 1) for c in known["columns"]]
    changes: tuple[dict[str, Any], ...]
    changes = ({"columns": columns}, {"kind": "sounds"}, {"columns": []}, {"pair_rows": -1})
    for change in changes:
        own = january.with_name("forged.ref")
        own.write_bytes(january.read_bytes())
        rewritten(own, digest="same", **change)
        with pytest.raises(InputError, match="damaged"):
            read_reference(own)


def test_a_reference_reads_back_as_it_was_written(january: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.ref"
    write_reference(read_reference(january), again)
    assert again.read_bytes() == january.read_bytes()


def test_other_columns_are_each_named(january: Path) -> None:
    other = people(100, 2).drop(columns=["kids", "town"]).assign(age=1.0)
    with pytest.raises(InputError) as error:
        surveyor.distance(january, other)
    said = "\n".join(error.value.problems)
    assert len(error.value.problems) == 3
    assert all(f"'{name}'" in said for name in ("kids", "town", "age"))
    left = surveyor.distance(january, other, drop=["kids", "town", "age"])
    assert {n for n, _ in left.tests[0].parts} == {"height", "weight", "income", "day"}


def test_columns_left_out_of_the_reference_are_left_out_of_others(tmp_path: Path) -> None:
    rows = people(200, 1).assign(who=[f"u{k}" for k in range(200)])
    with pytest.warns(Notice, match="left out: column 'who'"):
        path = surveyor.reference(rows, tmp_path / "x.ref", drop=["town"])
    found = surveyor.distance(path, people(200, 1).assign(who="somebody"))
    assert found.p_value == 1


def test_dates_as_text_are_read_as_dates_and_other_types_are_named(
    january: Path, tmp_path: Path
) -> None:
    people(300, 2).to_csv(tmp_path / "b.csv", index=False)
    assert surveyor.distance(january, tmp_path / "b.csv").p_value > 0.05
    people(300, 2).assign(height="tall").to_csv(tmp_path / "c.csv", index=False)
    with pytest.raises(InputError, match="'tall' is not a valid number"):
        surveyor.distance(january, tmp_path / "c.csv")


def test_values_written_otherwise_are_told(january: Path) -> None:
    other = people(300, 2)
    other["town"] = other["town"].str.upper()
    with pytest.warns(Notice, match="no value of column 'town' is one of the reference"):
        assert surveyor.distance(january, other).p_value < 0.001


REFUSED: dict[str, tuple[list[str], str]] = {
    "no rows for W1": (["january.ref", "b.csv", "--method", "exact"], "--method exact: W1 needs rows"),
    "a page": (["january.ref", "b.csv", "--html", "x.html"], "--html: a page shows rows"),
    "a limit": (["january.ref", "b.csv", "--fail-above", "1"], "--fail-above: W1 needs rows"),
    "the wrong way round": (["b.csv", "january.ref"], "give it first"),
    "too few rows": (["january.ref", "few.csv"], "few.csv: 49 rows, too few"),
    "no such reference": (["no.ref", "b.csv"], "no.ref: no such file"),
    "vectors": (["january.ref", "v.npy"], "v.npy: vectors"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_a_reference_cannot_do_is_said(
    what: str, january: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(january.parent)
    people(200, 2).to_csv("b.csv", index=False)
    people(49, 2).to_csv("few.csv", index=False)
    np.save("v.npy", np.zeros((60, 3)) + np.arange(60)[:, None])
    words, says = REFUSED[what]
    assert main(["distance", *words]) == 2
    assert says in capsys.readouterr().err
    assert not Path("x.html").exists()


def test_the_command_writes_a_reference_and_tests_against_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    people(400, 1).to_csv("a.csv", index=False)
    people(400, 2, higher=1).to_csv("b.csv", index=False)
    assert main(["reference", "a.csv", "-o", "a.ref"]) == 0
    assert "a.ref: 6 columns of 400 rows" in capsys.readouterr().out
    before = Path("a.ref").read_bytes()
    assert main(["reference", "b.csv", "-o", "a.ref"]) == 2
    assert Path("a.ref").read_bytes() == before
    capsys.readouterr()
    assert main(["distance", "a.ref", "b.csv"]) == 0
    assert "The two differ" in capsys.readouterr().out
    assert main(["distance", "a.ref", "b.csv", "--json"]) == 0
    numbers = json.loads(capsys.readouterr().out)
    assert numbers["p_value"] < 0.001
    assert numbers["columns"][0]["name"] == "height"
    assert main(["reference", "a.csv", "-o", "b.ref", "--overwrite"]) == 0
    assert Path("b.ref").read_bytes() == before


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (people(49, 1), "49 rows, too few for a reference"),
        (np.zeros((60, 3)), "only of tables"),
        ("x.ref", "is a reference already"),
    ],
)
def test_what_has_no_reference_is_said(source: Any, says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=says):
        surveyor.reference(source, tmp_path / "x.ref")


def test_no_damage_is_taken_for_a_reference(january: Path) -> None:
    whole, rng = january.read_bytes(), np.random.default_rng(0)
    for _ in range(60):
        content = bytearray(whole)
        at = int(rng.integers(len(content)))
        content[at] ^= 1 << int(rng.integers(8))
        january.write_bytes(content[: at + 1] if rng.random() < 0.3 else content)
        with pytest.raises(InputError) as error:
            read_reference(january)
        assert len(error.value.problems) == 1


def every_type(seed: int, n: int = 200) -> pd.DataFrame:
    """Return a column of almost every type of pandas, some without anything to count."""
    rng = np.random.default_rng([seed, 7])
    gap = rng.random(n) < 0.2
    hours = pd.to_timedelta(rng.integers(0, 1000, n), "h")
    return pd.DataFrame(
        {
            "flag": rng.random(n) < 0.3,
            "flag or none": pd.Series(rng.random(n) < 0.5).astype("boolean").mask(gap),
            "whole or none": pd.Series(rng.integers(0, 9, n)).astype("Int64").mask(gap),
            "decimal": [Decimal(int(v)) / 100 for v in rng.integers(0, 1000, n)],
            "zone": pd.Timestamp("2024-01-01", tz="Europe/Oslo") + hours,
            "day": (pd.Timestamp("2024-01-01") + hours).date,
            "constant": 3.0,
            "empty": None,
            "large": rng.normal(size=n) * 1e300,
            "ordered": pd.Categorical(rng.choice(["lo", "hi"], n), ["lo", "hi", "never"]),
            "mixed": pd.Series(["a" if g else 1 for g in gap], dtype=object),
            "formula": rng.choice(["NaCl", "H2O", "Fe2O3", "SiO2"], n),
            "money": [f"${v:.2f}" for v in rng.exponential(10, n)],
        }
    )


@pytest.mark.filterwarnings("ignore::surveyor.errors.Notice")
def test_every_type_of_column_is_summarised(tmp_path: Path) -> None:
    rows = every_type(1)
    path = surveyor.reference(rows, tmp_path / "x.ref")
    same = surveyor.distance(path, rows)
    assert same.p_value == 1
    assert surveyor.distance(path, every_type(2)).p_value > 0.01
    assert {"zone", "decimal", "ordered", "formula", "money"} <= {n for n, _ in same.tests[0].parts}
    rows.to_csv(tmp_path / "x.csv", index=False)
    assert surveyor.distance(path, tmp_path / "x.csv").p_value == 1


def test_a_reference_is_written_whole_or_not_at_all(
    january: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Path) -> None:
        raise OSError(errno.ENOSPC, "no space")

    before = january.read_bytes()
    monkeypatch.setattr("surveyor.writing._sync", full)
    with pytest.raises(NotWritten, match="the disk is full"):
        surveyor.reference(people(300, 2), january, overwrite=True)
    assert [p.read_bytes() for p in january.parent.iterdir()] == [before]
