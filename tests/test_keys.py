"""Columns of keys: recognised, never learnt, and written anew."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from surveyor import Model, fit, load
from surveyor.cli import main
from surveyor.errors import InputError
from surveyor.kinds.table.surrogates import is_key
from surveyor.kinds.table.templates import template_of
from tests.conftest import QUICK

N = 400


def identifiers(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    heads = [f"{a}-{b}-" for a in ("CA", "US") for b in (2015, 2016, 2017)]
    numbers = rng.choice(np.arange(100_000, 170_000), N, replace=False)
    uuids = (uuid.UUID(int=int.from_bytes(rng.bytes(16), "big"), version=4) for _ in range(N))
    return pd.DataFrame(
        {
            "row_id": rng.permutation(N) + 1,
            "order": [f"{rng.choice(heads)}{k}" for k in numbers],
            "mail": [f"p{k}.{rng.integers(99)}@mail.org" for k in range(N)],
            "uuid": [str(u) for u in uuids],
            "phone": [f"+1 ({a}) 555-{b:04d}" for a, b in rng.integers(200, 999, (N, 2))],
            "x": rng.normal(size=N).round(2),
            "y": rng.choice(list("abc"), N),
        }
    ).drop_duplicates("phone", ignore_index=True)


KEYS = ("row_id", "order", "mail", "uuid", "phone")
PATTERNS = {
    "row_id": r"\d+",
    "order": r"(CA|US)-201[567]-\d{6}",
    "mail": r"[^@]+@[a-z.]+",
    "uuid": r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    "phone": r"\+1 \(\d{3}\) \d{3}-\d{4}",
}


@pytest.fixture(scope="module", params=["csv", "parquet"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A model of a file; CSV and Parquet recognise keys in two ways."""
    path = tmp_path_factory.mktemp("keys") / f"rows.{request.param}"
    rows = identifiers()
    rows.to_csv(path, index=False) if request.param == "csv" else rows.to_parquet(path)
    fit(path, **QUICK, out=path.parent / "run")
    return load(path.parent / "run")


def test_new_keys_are_distinct_in_the_pattern_and_not_in_the_data(model: Model) -> None:
    made, real = model.sample(3000), identifiers()
    assert list(made.columns) == list(real.columns)
    for name in KEYS:
        texts = made[name].astype(str)
        assert texts.is_unique
        assert not texts.isin(real[name].astype(str)).any()
        assert texts.str.fullmatch(PATTERNS[name]).all()
        assert pd.api.types.is_integer_dtype(made[name].dtype) == (name == "row_id")


def test_nothing_of_a_key_is_learnt(model: Model) -> None:
    told = " ".join(model.report().read_text().split())
    assert "Keys, not learnt and new in samples: row_id, order, mail, uuid, phone." in told
    learnt = {c.name for c in model.run.codec.selectable}
    assert learnt == {"x", "y"}
    for problem in ({"row_id": 3}, {"mail": "p1.5@mail.org"}):
        with pytest.raises(InputError, match="a key, which is never learnt"):
            model.sample(5, where=problem)


def test_keys_go_on_over_the_parts_of_a_file(
    model: Model, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("surveyor.run.sampling.PART", 70)
    monkeypatch.setattr("surveyor.run.PART", 70)
    path = tmp_path / "made.csv"
    assert main(["sample", str(model.run.path), "-n", "200", "-o", str(path)]) == 0
    made = pd.read_csv(path)
    assert made["row_id"].tolist() == list(range(made["row_id"][0], made["row_id"][0] + 200))
    assert all(made[name].is_unique for name in KEYS)


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        (["INV-9", "INV-10", "INV-104"], "INV-105"),
        ([f"A{k:05d}" for k in range(200)], "A00200"),
        ([f"{k:04d}" for k in range(5000)], "5000"),
        ([f"{k:04d}" for k in range(9900)], "9900"),
        ([f"+1 998 828-{k:04d}" for k in range(5000, 7500)], "+1 998 828-7500"),
    ],
)
def test_the_first_new_key_follows_the_largest(cells: list[str], first: str) -> None:
    template = template_of(cells)
    assert template is not None
    assert template.text(0) == first


@pytest.mark.parametrize("cells", [["hello", "world"], ["one fine day", "a 2nd", "3"], ["a b", ""]])
def test_words_have_no_pattern(cells: list[str]) -> None:
    assert template_of(cells) is None


def test_e_mails_of_a_reserved_domain_are_not_made_again() -> None:
    template = template_of([f"user{k}@Example.com" for k in range(50)])
    assert template is not None
    assert template.text(0) == "user1@example.org"


def test_random_text_patterns_give_new_keys() -> None:
    """Texts with a fixed seed; 'none of them real' is asked of any alphabet and density."""
    rng = np.random.default_rng(3)
    for letters, places, n in [("0123456789", 5, 900), ("0123ABCD", 8, 500), ("01", 14, 120)]:
        cells = list({"".join(rng.choice(list(letters), places)) for _ in range(n)})
        template = template_of(cells)
        assert template is not None
        made = [template.text(k) for k in range(len(cells))]
        assert len({*made, *cells}) == 2 * len(cells)


def test_numbers_are_keys_if_chance_or_name_say_so() -> None:
    assert is_key("n", 1000, 1000, span=2000)
    assert not is_key("n", 1000, 1000, span=10**6)
    assert not is_key("n", 999, 1000, span=2000)
    assert is_key("customerId", 50, 50, span=10**9)
    assert is_key("order_id", 50, 50, span=10**9)
    assert not is_key("humid", 50, 50, span=10**9)
    assert not is_key("year", 30, 30, span=30)


def test_identifiers_beyond_2_53_stay_exact() -> None:
    rows = identifiers()[["x", "y"]].assign(id=np.arange(len(identifiers())) + 2**60)
    made = fit(rows, **QUICK).sample(10)
    assert made["id"].tolist() == [2**60 + len(rows) + k for k in range(10)]


def test_a_type_overrules_what_is_recognised() -> None:
    rows = identifiers()[["row_id", "mail", "x"]]
    made = fit(rows, type=("row_id=number,mail=text",), **QUICK).sample(50)
    assert made["row_id"].between(1, N).all()
    assert made["mail"].isna().all()


def test_repeated_identifiers_are_keys_only_if_declared() -> None:
    rows = identifiers()[["order", "x"]].iloc[np.arange(300) // 2].reset_index(drop=True)
    assert set(fit(rows, **QUICK).sample(50)["order"]) <= set(rows["order"])
    made = fit(rows, type=("order=key",), **QUICK).sample(50)
    assert made["order"].is_unique


def test_keys_can_be_missing() -> None:
    rows = identifiers()[["mail", "x"]]
    rows.loc[:99, "mail"] = None
    made = fit(rows, **QUICK).sample(4000)["mail"]
    assert made.isna().mean() == pytest.approx(100 / len(rows), abs=0.03)
    assert made.dropna().is_unique


def test_every_problem_with_keys_is_told_at_once() -> None:
    rows = identifiers()[["row_id", "mail", "x", "y"]]
    with pytest.raises(InputError) as error:
        fit(rows, condition=("row_id",), group="mail", **QUICK)
    assert [p.split(":")[0] for p in error.value.problems] == [
        "--condition row_id",
        "--group mail",
    ]
    with pytest.raises(InputError, match="row_id is a key"):
        fit(rows, rule=("row_id >= 1",), **QUICK)
    with pytest.raises(InputError, match="would tell of the keys"):
        fit(rows, privacy="gaussian:epsilon=3", steps=4, threads=1)
    with pytest.raises(InputError, match="no common pattern"):
        fit(rows.assign(note=[f"n{k % 7} {'x' * k}" for k in range(len(rows))]), type=("note=key",))


def test_free_text_is_refused_with_remedies() -> None:
    rows = identifiers()[["x"]]
    words = [" ".join(re.findall("..", f"{k * 7919:x}")) for k in range(len(rows))]
    rows = rows.assign(note=words)
    with pytest.raises(InputError, match="drop note, return it empty with type note=text"):
        fit(rows, **QUICK)
    assert fit(rows, type=("note=text",), **QUICK).sample(20)["note"].isna().all()


def test_keys_are_left_out_of_comparisons(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    a, b = (identifiers(seed) for seed in (0, 1))
    b["row_id"] += 10_000
    for name, rows in (("a", a), ("b", b)):
        rows[["row_id", "x", "y"]].to_csv(tmp_path / f"{name}.csv", index=False)
    assert main(["distance", str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]) == 0
    out = capsys.readouterr()
    assert "row_id', a key of its table" in out.err
    assert "row_id" not in out.out
