"""What a private run keeps and gives away of its rows besides gradients: counts with noise."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import stats

from surveyor import fit, load
from surveyor.api import prepare
from surveyor.batch import Draws
from surveyor.data.private import _merged, fit_private
from surveyor.data.values import Form, form_of
from surveyor.errors import InputError, Interrupted
from surveyor.privacy import DEVIATION, Counts, discrete_gaussian, noisy_counts, poisson_sample
from surveyor.privacy import noise as law
from surveyor.run import own_data, resume, start
from tests.conftest import mixed

pytest.importorskip("dp_accounting", reason="pip install 'surveyor[privacy]'")


SAID: dict[str, Any] = {
    "steps": 4,
    "batch": 64,
    "measure": "w1:rows=32",
    "threads": 1,
    "privacy": "gaussian:epsilon=1.0",
}
SURE = Counts(noise=3.0, threshold=20.0)  # noise that no test of ours fails by


def test_the_noise_is_a_discrete_gaussian() -> None:
    high, low, alias = law._table()
    share = (high.astype(float) + np.array(low, dtype=float) * 2.0**-64) / 2.0**48
    mass = share / len(share)
    np.add.at(mass, alias, (1 - share) / len(share))
    k = np.arange(-law.HALF, law.HALF)
    told = np.exp(-(k**2) / (2 * law.BASE**2))
    assert np.abs(mass - told / told.sum()).max() < 1e-12
    drawn = discrete_gaussian(400_000)
    # Four standard errors; a test on a fine grid would see digits of another law or joined wrongly.
    assert abs(drawn.mean()) < 4 * DEVIATION / np.sqrt(len(drawn))
    assert drawn.std() == pytest.approx(DEVIATION, rel=4 / np.sqrt(2 * len(drawn)))
    assert stats.kstest(drawn / DEVIATION, "norm").pvalue > 1e-4
    for digit in (law.STRIDE, law.STRIDE**2):
        counts = np.bincount(drawn % digit * 16 // digit, minlength=16)
        assert stats.chisquare(counts).pvalue > 1e-5


def test_rows_are_taken_at_the_rate() -> None:
    counts = [poisson_sample(10_000, 0.03).sum() for _ in range(50)]
    assert np.mean(counts) == pytest.approx(300, abs=4 * np.sqrt(300 / 50))
    assert poisson_sample(7, 1.0).all()
    assert not poisson_sample(7, 0.0).any()


def test_counts_have_the_noise_of_their_weight() -> None:
    counts = Counts(noise=8.0, threshold=0.0)
    zeros = np.zeros(40_000, dtype=int)
    assert counts.noisy(zeros).std() == pytest.approx(8, rel=0.02)
    assert counts.noisy(zeros, 0.25).std() == pytest.approx(16, rel=0.02)
    assert counts.noisy(zeros + 1000).mean() == pytest.approx(1000, abs=0.2)


def test_a_value_of_one_row_is_shown_as_rarely_as_the_account_says() -> None:
    counts, account = noisy_counts(1.0, 0.5, 100, 3.0, 2)
    alone = [len(counts.shown(np.ones(1, dtype=int))[0]) for _ in range(20_000)]
    each = account.shown / 2
    assert 0.5 * each < np.mean(alone) < each + 4 * np.sqrt(each / len(alone))


def odd(with_row: bool, n: int = 1500) -> pd.DataFrame:
    frame = mixed(n, seed=5).assign(code=[["a1", "b2", "c3"][k % 3] for k in range(n)])
    if with_row:
        row = {"town": "Ultima Thule", "income": 98_765_432.19, "age": 1234, "code": "zz9-zz9",
               "joined": pd.Timestamp("1871-03-18"), "visits": 4711}  # fmt: skip
        for name, value in row.items():
            frame[name] = frame[name].where(np.arange(n) != 17, value)
    return frame


MARKS = ("Ultima Thule", "zz9-zz9", "98765432", "1871-03-18", "4711", "1234")
ENDS = {"income": 98_765_432.19, "age": 1234.0, "visits": 4711.0}


@pytest.mark.parametrize("seed", range(5))
def test_no_trace_of_one_odd_row(seed: int, tmp_path: Path) -> None:
    told = ["code"] if seed % 2 else ["code", "member"]
    said = SAID | {
        "seed": seed,
        "condition": told,
        "group": "town",
        "privacy": "gaussian:epsilon=2.0",
    }
    file = tmp_path / "odd.csv"
    odd(True).to_csv(file, index=False)
    data, config = prepare(file if seed > 2 else odd(True), said)
    session = start(data, "", config, tmp_path / "run")
    list(session.records())
    model = load(tmp_path / "run")
    made = model.sample(3000, seed=seed)
    for name, end in ENDS.items():
        assert made[name].max() < end / 2
    assert pd.to_datetime(made["joined"]).min() > pd.Timestamp("1900-01-01")
    assert not set(MARKS) & set(made.astype(str).to_numpy().ravel())
    values = [np.float64(v).tobytes() for v in (*ENDS.values(), -3117744000.0)]
    for file in (tmp_path / "run").rglob("*"):
        content = file.read_bytes() if file.is_file() else b""
        assert not [m for m in MARKS[:4] if m.encode() in content], file
        assert not [v for v in values if v in content], file
    with pytest.raises(InputError, match="not a value seen in training"):
        model.sample(3, where={"code": "zz9-zz9"})


def test_the_whole_folder_of_a_run_with_an_odd_row_has_no_trace(tmp_path: Path) -> None:
    model = fit(odd(True), tmp_path / "run", **SAID)
    assert {f.name for f in (tmp_path / "run").rglob("*") if f.is_file()} == {
        "config.toml", "codec.json", "codec.safetensors", "generator.safetensors",
        "critic.safetensors", "state.safetensors", "evaluation.json",
    }  # fmt: skip
    kept = json.loads((tmp_path / "run" / "evaluation.json").read_text())
    assert set(kept) == {"privacy", "best_step", "steps"}
    assert model.evaluation["w1"].known > 0
    assert model.report(odd(True)) == tmp_path / "run.measured" / "report.html"
    for file in (tmp_path / "run").rglob("*"):
        content = file.read_bytes() if file.is_file() else b""
        assert not [m for m in MARKS[:4] if m.encode() in content], file
    shared = model.save(tmp_path / "shared")
    told = load(shared).evaluation
    assert told.figures == ()
    assert told.privacy is not None
    assert asdict(told.privacy) == kept["privacy"]
    assert len(load(shared).sample(5)) == 5


def test_the_folder_confirms_no_guess_of_a_row(tmp_path: Path) -> None:
    frame = mixed(600)
    data, config = prepare(frame, SAID | {"privacy": "gaussian:epsilon=2"})
    session = start(data, "", config, tmp_path / "run")
    other = frame.assign(town=frame["town"].to_numpy()[::-1])
    own_data(tmp_path / "run", other)  # other rows, and the folder cannot tell
    with pytest.raises(InputError, match="different data"):
        own_data(tmp_path / "run", frame.iloc[:-1])
    with pytest.raises(InputError, match="income"):
        own_data(tmp_path / "run", frame.drop(columns="income"))
    assert session.data.codec.account is not None


def test_an_interrupted_private_run_goes_on_with_its_own_codec(tmp_path: Path) -> None:
    frame = mixed(600)
    data, config = prepare(frame, SAID | {"privacy": "gaussian:epsilon=2"})
    session = start(data, "", config, tmp_path / "run")
    records = session.records()
    next(records)
    with pytest.raises(Interrupted):
        session._stop()
    session.release()
    codec = (tmp_path / "run" / "codec.json").read_bytes()
    again = resume(tmp_path / "run", own_data(tmp_path / "run", frame))
    assert [r.step for r in again.records()] == [2, 3, 4]
    account = again.finish().privacy
    assert account is not None
    assert account.updates == 4
    assert (tmp_path / "run" / "codec.json").read_bytes() == codec
    assert not (tmp_path / "run" / "history.jsonl").exists()


def test_two_codecs_of_one_table_differ_by_their_noise() -> None:
    one, two = (codec_of(mixed(3000), SAID).columns[3].frequency for _ in range(2))
    assert not np.array_equal(one, two)
    assert np.abs(one - two).max() < 0.1


def codec_of(data: Any, said: dict[str, Any]) -> Any:
    return prepare(data, said)[0].codec


def fitted(values: Any, counts: Counts = SURE) -> tuple[Any, np.ndarray]:
    series = pd.Series(values, name="x")
    column = fit_private("x", series, form_of("x", series), counts)
    codes = column.encode(series)
    return column, column.decode(codes, Draws(1)).to_numpy()


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e12])
@pytest.mark.parametrize("shift", [0.0, -3.0, 40.0])
def test_numbers_come_back_near_but_never_themselves(scale: float, shift: float) -> None:
    values = scale * (np.random.default_rng(0).normal(0, 1, 20_000) + shift)
    column, made = fitted(values)
    assert len(column.cells) > 20
    assert not set(values) & set(made)
    # The noise has no seed: of 900 fits the mean was .03 deviations, and .17 at most.
    assert np.abs(np.sort(values) - np.sort(made)).mean() < 0.3 * scale
    assert column.exact == 0


def test_whole_numbers_decimals_and_days_stay_such() -> None:
    rng = np.random.default_rng(1)
    _, whole = fitted(rng.integers(-300, 5000, 9000))
    assert (whole == np.round(whole)).all()
    _, cents = fitted(np.round(rng.lognormal(3, 1, 9000), 2))
    assert (np.round(cents, 2) == cents).all()
    assert len({len(str(v)) for v in cents}) > 1
    _, days = fitted(pd.Timestamp("2001-05-06") + pd.to_timedelta(rng.integers(0, 4000, 9000), "D"))
    assert (days == days.astype("datetime64[D]")).all()
    _, free = fitted(rng.normal(0, 1, 9000))
    assert (np.round(free, 9) != free).any()


def test_a_value_that_many_rows_have_is_shown_exactly_and_gaps_stay_empty() -> None:
    rng = np.random.default_rng(2)
    far = np.where(
        rng.random(20_000) < 0.5, rng.uniform(2, 3, 20_000), rng.uniform(400, 480, 20_000)
    )
    values = np.where(rng.random(20_000) < 0.3, 0.25, far)
    column, made = fitted(values)
    assert (made == 0.25).mean() == pytest.approx((values == 0.25).mean(), abs=1e-9)
    assert ((made > 5) & (made < 390)).mean() < 0.005
    assert column.frequency[0] == pytest.approx(0.3, abs=0.02)


def test_few_rows_still_tell_their_decimals() -> None:
    """The share of rows off a grid is read with the noise of its count: two deviations."""
    rng = np.random.default_rng(6)
    found = [fitted(np.round(rng.normal(50, 9, 400), 2))[0].grain for _ in range(40)]
    assert found.count(0.01) >= 32


def test_what_is_left_of_a_stretch_goes_to_the_cell_before_it() -> None:
    cells = [(0, 1, 10, 0), (1, 2, 10, 0), (2, 3, 4, 1), (5, 6, 9, 0)]
    made = _merged([np.array(side, dtype=float) for side in zip(*cells, strict=True)], 8)
    assert made.tolist() == [[0, 1, 10], [1, 3, 14], [5, 6, 9]]


def test_whole_numbers_that_are_told_of_are_labels_and_others_are_numbers() -> None:
    rng = np.random.default_rng(7)
    frame = pd.DataFrame({"level": rng.integers(0, 4, 3000), "stage": rng.integers(0, 4, 3000)})
    codec = codec_of(frame, SAID | {"condition": ["level"], "privacy": "gaussian:epsilon=3"})
    assert [c.kind for c in codec.condition.columns] == ["category"]
    assert [(c.name, c.kind) for c in codec.columns] == [("stage", "integer")]


def test_a_group_of_numbers_is_one_of_labels() -> None:
    frame = mixed(3000)[["town"]].assign(level=np.arange(3000) % 4)
    codec = codec_of(frame, SAID | {"group": "level", "privacy": "gaussian:epsilon=4"})
    assert codec.group.kind == "category"
    assert codec.group.labels == ("0", "1", "2", "3")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([True, False], pa.bool_()),
        (["u", "v"], pa.string()),
        (["u\0", "v"], pa.string()),
        ([3, 8], pa.int16()),
    ],
    ids=["truth", "words", "an end that is null", "numbers"],
)
def test_labels_come_back_in_their_arrow_type(values: list[Any], kind: Any) -> None:
    given = pd.Series(values * 500, name="x", dtype=pd.ArrowDtype(kind))
    form = replace(form_of("x", given), kind="category")
    column = fit_private("x", given, form, SURE)
    made = column.decode(column.encode(given), Draws(0))
    assert made.dtype == given.dtype
    assert made.tolist() == given.tolist()


def test_missing_values_are_one_more_value() -> None:
    values = pd.Series(np.random.default_rng(3).normal(0, 1, 5000), name="x")
    values[:1000] = np.nan
    column = fit_private("x", values, Form("number", "float64"), SURE)
    assert column.missing
    assert column.frequency[-1] == pytest.approx(0.2, abs=0.02)
    values[3:1000] = 1.0
    assert not fit_private("x", values, Form("number", "float64"), SURE).missing


def test_a_column_without_a_frequent_value_is_left_empty_and_told(tmp_path: Path) -> None:
    for values in ([f"code {k}" for k in range(500)], [1.5, 2.5], pd.to_datetime(["2020-01-01"])):
        column, made = fitted(values)
        assert pd.isna(made).all()
        assert column.size == 1
    frame = mixed(900)[["town", "member"]].assign(code=[f"code {k % 450}" for k in range(900)])
    data, config = prepare(frame, SAID | {"privacy": "gaussian:epsilon=4"})
    session = start(data, "", config, tmp_path / "run")
    assert "P18" in [f.code for f in session.findings if "'code'" in f.finding]
    list(session.records())
    assert load(tmp_path / "run").sample(9)["code"].isna().all()


def test_a_categorical_column_keeps_no_category_of_one_row(tmp_path: Path) -> None:
    frame = odd(True).astype({"town": "category", "code": "category"})
    data, config = prepare(frame, SAID | {"privacy": "gaussian:epsilon=2"})
    session = start(data, "", config, tmp_path / "run")
    list(session.records())
    made = load(tmp_path / "run").sample(200)
    assert isinstance(made["town"].dtype, pd.CategoricalDtype)
    assert set(made["code"].cat.categories) <= {"a1", "b2", "c3"}
    assert "Ultima Thule" not in (tmp_path / "run" / "codec.json").read_text()


def test_columns_that_follow_from_others_are_not_searched_for() -> None:
    town = np.random.default_rng(4).choice(["Oslo", "Rome"], 900)
    frame = pd.DataFrame({"town": town, "land": np.where(town == "Oslo", "N", "I")})
    assert codec_of(frame, {}).derived
    assert not codec_of(frame, SAID).derived


def test_vectors_say_nothing_of_one_that_is_far_away() -> None:
    points = np.random.default_rng(5).normal(3, 2, (2000, 2))
    points[11] = 98_765_432.19
    codec = codec_of({"x": points}, SAID | {"privacy": "gaussian:epsilon=4"})
    assert np.abs(codec.high).max() < 1000
    assert codec.mean == pytest.approx([3, 3], abs=0.7)
    assert 1 / codec.scale == pytest.approx(2, rel=0.3)


@pytest.mark.parametrize("delta", [0.1, 0.003])
def test_a_delta_by_which_rows_may_be_published_is_refused(delta: float) -> None:
    with pytest.raises(InputError, match=r"delta=.*whole rows"):
        prepare(mixed(600), SAID | {"privacy": f"gaussian:epsilon=1,delta={delta}"})
    assert (
        "delta=0.001"
        in prepare(mixed(600), SAID | {"privacy": "gaussian:epsilon=4,delta=1e-3"})[1].privacy
    )


def test_formulas_are_refused() -> None:
    rng = np.random.default_rng(6)
    formula = [f"{a}{n}{b}{m}" for a, b, n, m in zip(
        rng.choice(["Na", "K", "Ba", "Li"], 300), rng.choice(["Cl", "O", "S", "F"], 300),
        rng.integers(2, 9, 300), rng.integers(2, 9, 300), strict=True)]  # fmt: skip
    frame = pd.DataFrame({"formula": formula, "gap": rng.random(300)})
    with pytest.raises(InputError, match=r"'formula' of formulas .*drop formula"):
        prepare(frame, SAID)


def test_a_refused_option_spends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("surveyor.data.fits.noisy_counts", lambda *a: pytest.fail("spent"))
    with pytest.raises(InputError, match="patience"):
        prepare(mixed(300), SAID | {"measure": "w1:patience=3"})
