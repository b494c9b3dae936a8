"""Rows given some of their columns: the law of the likelihood, rare values, holes, predictions."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from surveyor import Model, fit
from surveyor.batch import Draws
from surveyor.cli import main
from surveyor.data import Space
from surveyor.errors import InputError, Notice
from surveyor.generators import Latent, Walker
from surveyor.generators.autoregressive import Autoregressive, AutoregressiveGenerator
from surveyor.generators.given import full_conditional, gibbs, particles
from tests.conftest import QUICK, mixed

SIZES = [3, 4, 5, 2]
EVERY = torch.tensor(list(itertools.product(*map(range, SIZES))))


def net(cond: int = 0) -> AutoregressiveGenerator:
    """Return nets with strong dependence, for rows with 120 values in all."""
    torch.manual_seed(0)
    total = sum(SIZES)
    space = Space((total,), cond, (total,), 1.0, torch.zeros(total), tuple(SIZES))
    made = Autoregressive(width=16, waves=0).build(space, Latent(8))
    assert isinstance(made, AutoregressiveGenerator)
    with torch.no_grad():
        for weights in made.parameters():
            weights.mul_(2).add_(0.2 * torch.randn_like(weights))
    return made


@torch.no_grad()
def law(walker: Walker, cond: Tensor | None = None) -> Tensor:
    """Return p of every row (120,)."""
    given = None if cond is None else cond.expand(len(EVERY), -1)
    odds = [walker.logits(k, EVERY, given).log_softmax(1) for k in range(len(SIZES))]
    picked = [o.gather(1, EVERY[:, k : k + 1]).squeeze(1) for k, o in enumerate(odds)]
    return torch.stack(picked).sum(0).exp()


def shares(codes: Tensor) -> Tensor:
    """Return how often every row occurs among codes (n, columns), (120,)."""
    radix = torch.tensor([40, 10, 2, 1])
    return torch.bincount(codes.reshape(-1, 4) @ radix, minlength=120) / len(codes.reshape(-1, 4))


def apart(p: Tensor, q: Tensor) -> float:
    """Return the total variation between two laws."""
    return float((p - q).abs().sum() / 2)


ALLOWED = {1: torch.tensor([[True, False, False, True]]), 3: torch.tensor([[False, True]])}
HELD = ALLOWED[1][0][EVERY[:, 1]] & ALLOWED[3][0][EVERY[:, 3]]


@pytest.mark.parametrize("cond", [0, 2])
def test_particles_follow_the_law_given_what_is_allowed(cond: int) -> None:
    walker, n = net(cond).walker(), 100_000
    given = torch.tensor([[0.5, -1.0]]) if cond else None
    p = law(walker, given)
    assert float(p.sum()) == pytest.approx(1, abs=1e-5)
    wide = None if given is None else given.expand(n, -1)
    made = particles(walker, 1, n, ALLOWED, wide, Draws(0))
    true = p * HELD / (p * HELD).sum()
    assert apart(shares(made.codes[0]), true) < 0.03
    assert apart(p, true) > 0.3
    assert float(made.log_p.exp()) == pytest.approx(float((p * HELD).sum()), rel=0.05)


def test_conditions_are_drawn_with_the_rows() -> None:
    """Two conditions, equally frequent before: after, as often as each gives what is allowed."""
    walker, n = net(2).walker(), 100_000
    pair = torch.tensor([[2.0, 0.0], [0.0, -2.0]])
    made = particles(walker, 1, n, ALLOWED, pair[torch.arange(n) % 2], Draws(1))
    odds = torch.stack([(law(walker, own[None]) * HELD).sum() for own in pair])
    share = (made.origin % 2 == 0).float().mean()
    assert float(share) == pytest.approx(float(odds[0] / odds.sum()), abs=0.02)


def test_the_full_conditional_is_exact() -> None:
    walker = net().walker()
    p = law(walker).view(*SIZES)
    for k in range(len(SIZES)):
        found = full_conditional(walker, k, EVERY, None).exp()
        others = tuple(j for j in range(len(SIZES)) if j != k)
        true = (p / p.sum(k, keepdim=True)).permute(*others, k)
        rows = EVERY[:, list(others)]
        torch.testing.assert_close(found, true[rows[:, 0], rows[:, 1], rows[:, 2]])


def test_a_sweep_leaves_the_law_and_what_is_fixed() -> None:
    walker, n = net().walker(), 60_000
    p = law(walker)
    true = p * HELD / (p * HELD).sum()
    codes = EVERY[torch.multinomial(true, n, replacement=True, generator=Draws(2).generator)]
    moved = gibbs(walker, codes, ALLOWED, None, Draws(3))
    assert apart(shares(moved), true) < 0.03
    assert float((moved != codes).any(1).float().mean()) > 0.2
    fixed = {k: torch.nn.functional.one_hot(codes[:, k], s).bool() for k, s in enumerate(SIZES)}
    assert torch.equal(gibbs(walker, codes, fixed, None, Draws(4)), codes)


def test_each_row_gets_particles_of_its_own() -> None:
    walker = net().walker()
    allowed = {3: torch.eye(2, dtype=torch.bool)[torch.arange(40) % 2]}
    made = particles(walker, 40, 2000, allowed, None, Draws(5))
    assert torch.equal(made.codes[:, :, 3], (torch.arange(40) % 2)[:, None].expand(-1, 2000))
    p = law(walker)
    for value in (0, 1):
        own = EVERY[:, 3] == value
        assert apart(shares(made.codes[value::2]), p * own / (p * own).sum()) < 0.03


N = 3000


def shops() -> pd.DataFrame:
    """A town decides the price; a size of which 1 in 500 is huge; gross = net + tax."""
    rng = np.random.default_rng(0)
    town = rng.choice(["Rome", "Oslo", "Bern"], N, p=[0.6, 0.3, 0.1])
    net = (rng.gamma(9, 5, N) + 60 * (town == "Bern") + 30 * (town == "Oslo")).round(2)
    tax = (net * rng.choice([0.1, 0.2], N)).round(2)
    size = np.where(np.arange(N) % 500 == 0, "huge", rng.choice(["s", "m"], N))
    return pd.DataFrame(
        {
            "id": np.arange(N) + 1,
            "town": town,
            "net": net,
            "tax": tax,
            "gross": (net + tax).round(2),
            "size": size,
            "open": rng.random(N) < 0.5,
        }
    )


@pytest.fixture(scope="module")
def model() -> Model:
    return fit(shops(), steps=250, warm_start=1.0, threads=1, seed=0)


def test_a_rare_value_is_drawn_without_rejection(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("surveyor.run.sampling.MOST", 10_000)
    made = model.sample(3000, where={"size": "huge", "town": "Bern"})
    assert len(made) == 3000
    assert (made["size"] == "huge").all()
    assert (made["town"] == "Bern").all()
    assert ((made["net"] + made["tax"] - made["gross"]).abs() < 1e-6).all()
    assert made["net"].nunique() > 300
    assert made["net"].mean() == pytest.approx(105, abs=12)


def test_what_never_goes_together_is_refused() -> None:
    rows = shops()[["town", "size", "net"]].assign(
        land=lambda t: t["town"].map({"Rome": "IT", "Oslo": "NO", "Bern": "CH"})
    )
    pairs = fit(rows, steps=40, warm_start=1.0, threads=1, seed=0)
    with pytest.raises(InputError, match="never go together"):
        pairs.sample(10, where={"town": "Rome", "land": "NO"})


def test_holes_are_filled_and_all_else_stays(model: Model) -> None:
    rows = shops().iloc[:400]
    holes = rows.copy()
    gone = np.random.default_rng(1).random(rows.shape) < 0.2
    gone[:, 0] = False
    for k, name in enumerate(rows):
        holes[name] = holes[name].astype(object).mask(gone[:, k]).infer_objects()
    made = model.impute(holes)
    assert list(made.columns) == list(rows.columns)
    assert not made.isna().any().any()
    for k, name in enumerate(rows):
        assert (made[name][~gone[:, k]] == rows[name][~gone[:, k]]).all()
    several = model.impute(holes, draws=3)
    assert several["draw"].value_counts().tolist() == [400] * 3
    first, second = (several[several["draw"] == d]["net"].to_numpy() for d in (1, 2))
    assert (first[~gone[:, 2]] == second[~gone[:, 2]]).all()
    assert (first[gone[:, 2]] != second[gone[:, 2]]).any()


@pytest.mark.parametrize("lost", ["net", "tax", "gross"])
def test_what_a_sum_says_is_filled_in_exactly(model: Model, lost: str) -> None:
    rows = shops().iloc[:200]
    made = model.impute(rows.assign(**{lost: np.nan}))
    np.testing.assert_allclose(made[lost], rows[lost], atol=1e-6)  # cents, as float64


def test_what_follows_from_a_hole_tells_it() -> None:
    """A land has one town: of two columns that follow from each other, one says the other."""
    lands = {"Rome": "IT", "Oslo": "NO", "Bern": "CH"}
    rows = shops()[["town", "size"]].assign(land=lambda t: t["town"].map(lands))
    own = fit(rows, steps=20, warm_start=1.0, threads=1, seed=0)
    for lost in ("town", "land"):
        made = own.impute(rows.iloc[:100].assign(**{lost: None}))
        assert (made[lost] == rows[lost].iloc[:100]).all()
        told = own.predict(rows.iloc[:100], lost)
        assert (told[lost] == rows[lost].iloc[:100]).all()


def test_a_filled_label_is_better_than_the_most_frequent_one(model: Model) -> None:
    rows = shops().iloc[:800]
    made = model.impute(rows.assign(town=None))
    assert (made["town"] == rows["town"]).mean() > (rows["town"] == "Rome").mean() + 0.1


def test_draws_have_the_law_that_a_prediction_tells(model: Model) -> None:
    row = shops().iloc[[11]].assign(town=None)
    told = model.predict(row, "town")
    draws = model.impute(pd.concat([row] * 500, ignore_index=True), draws=1)
    for town in ("Rome", "Oslo", "Bern"):
        share = (draws["town"] == town).mean()
        assert share == pytest.approx(float(told[f"p({town})"].iloc[0]), abs=0.09)


def test_predictions_are_probabilities_and_quantiles(model: Model) -> None:
    rows = shops().iloc[:300]
    told = model.predict(rows.drop(columns="town"), "town")
    labels = np.array(["Bern", "Oslo", "Rome"])
    odds = told[[f"p({town})" for town in labels]].to_numpy()
    np.testing.assert_allclose(odds.sum(axis=1), 1, atol=1e-5)  # sums in float32
    assert (told["town"] == labels[odds.argmax(axis=1)]).all()
    truth = rows["town"].to_numpy()[:, None] == labels
    assert float(((odds - truth) ** 2).sum(axis=1).mean()) < 0.45
    numbers = model.predict(rows.assign(net=None, tax=None, gross=None), "net")
    low, middle, high = (numbers[c] for c in ("net: 5%", "net", "net: 95%"))
    assert ((low <= middle) & (middle <= high)).all()
    inside = (rows["net"] >= low) & (rows["net"] <= high)
    assert 0.8 < inside.mean() <= 0.99


def test_a_prediction_does_not_look_at_the_target(model: Model) -> None:
    rows = shops().iloc[:50]
    other = rows.assign(town="Rome")
    pd.testing.assert_frame_equal(model.predict(rows, "town"), model.predict(other, "town"))


def test_values_never_seen_are_kept_and_told(model: Model) -> None:
    rows = shops().iloc[:60].assign(size="gigantic", net=1e6, tax=None)
    with pytest.warns(Notice, match=r"'size': 60 values not seen in training"):
        made = model.impute(rows)
    assert (made["size"] == "gigantic").all()
    assert (made["net"] == 1e6).all()


@pytest.mark.parametrize(
    ("target", "problem"),
    [("twon", "did you mean 'town'"), ("gross", "by a rule"), ("id", "unknown column")],
)
def test_what_cannot_be_predicted_is_told(model: Model, target: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        model.predict(shops(), target)


def test_a_column_that_is_not_there_is_named(model: Model) -> None:
    with pytest.raises(InputError, match="no column 'tax', 'size'; add it, empty where unknown"):
        model.impute(shops().drop(columns=["tax", "size"]))


def test_only_a_likelihood_fills_holes() -> None:
    other = fit(mixed(), generator="mlp", **QUICK)
    with pytest.raises(InputError, match="generator autoregressive"):
        other.impute(mixed())
    points = np.random.default_rng(0).normal(size=(60, 2))
    vectors = fit(points, **QUICK)
    with pytest.raises(InputError, match=r"only for tables|likelihood of rows"):
        vectors.impute(points)


def test_a_missing_condition_of_the_run_is_named() -> None:
    rows = shops()[["town", "net", "size"]]
    given = fit(rows, condition=("town",), **QUICK)
    made = given.impute(rows.assign(size=None).iloc[:50])
    assert not made.isna().any().any()
    empty = fit(rows.assign(town=rows["town"].mask(rows.index < 99)), condition=("town",), **QUICK)
    with pytest.warns(Notice, match=r"'town': 20 values missing; a condition of the run"):
        assert empty.impute(rows.iloc[:20].assign(town=None))["town"].isna().all()
    with pytest.raises(
        InputError, match=r"'town': a condition of the run, missing or unknown in 1"
    ):
        given.impute(rows.iloc[:50].assign(town=lambda t: t["town"].where(t.index != 3)))


def test_files_are_filled_and_predicted(model: Model, tmp_path: Path) -> None:
    run = str(model.save(tmp_path / "run"))
    rows: Any = shops().iloc[:80].assign(size=None, extra="kept")
    rows.to_csv(tmp_path / "rows.csv", index=False)
    out = tmp_path / "out.csv"
    assert main(["impute", run, str(tmp_path / "rows.csv"), "-o", str(out)]) == 0
    made = pd.read_csv(out)
    assert list(made.columns) == list(rows.columns)
    assert set(made["size"]) <= {"s", "m", "huge"}
    assert (made["extra"] == "kept").all()
    assert made["net"].tolist() == rows["net"].tolist()
    assert main(["impute", run, str(tmp_path / "rows.csv"), "-o", str(out)]) == 2
    said = ["--target", "town", "-o", str(tmp_path / "said.csv")]
    assert main(["predict", run, str(tmp_path / "rows.csv"), *said]) == 0
    assert len(pd.read_csv(tmp_path / "said.csv")) == 80
