"""Rows that any tool has made, judged by real ones."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_digits

import surveyor
from surveyor import judge
from surveyor.api import prepare
from surveyor.batch import Draws
from surveyor.build import game_of
from surveyor.data import Options, Source
from surveyor.judgement import summary
from surveyor.judgement.remarks import remarks
from surveyor.kinds.assess import assess
from surveyor.kinds.loading import load
from surveyor.kinds.table.usefulness import column_task
from surveyor.measures import Figure, Figures, SeenRows, SeenRun
from surveyor.options.configure import configure
from tests.conftest import orders

MEMORISING = ("copies", "closer_to_training", "nearest_training", "membership_auc")


def torn(n: int, seed: int) -> pd.DataFrame:
    """Return orders whose columns are independent of one another."""
    rng, made = np.random.default_rng(seed), orders(n, seed)
    return pd.DataFrame({c: made[c].to_numpy()[rng.permutation(n)] for c in made})


@pytest.fixture(scope="module", name="side_by_side")
def _side_by_side() -> surveyor.judgement.Judgement:
    good, bad = orders(900, 2), torn(900, 3)
    return judge(orders(1500, 1), good, bad, holdout=orders(900, 4), target="late")


def test_rows_of_the_same_source_pass_and_torn_ones_do_not(side_by_side: Any) -> None:
    good, bad = side_by_side
    assert "cannot be told from held-out real data" in good.verdict
    assert "cannot be told" not in bad.verdict
    assert bad.evaluation["rule", "gross = net + tax"].known > 0.9
    assert good.evaluation["rule", "gross = net + tax"].known == 0
    assert any(text.startswith("Rules: they break none of the") for text in good.remarks)
    assert any(re.match(r"Rules: \d+\.\d% of the rows break “", text) for text in bad.remarks)
    assert side_by_side["synthetic 2"] is bad
    assert side_by_side.verdict.startswith("synthetic 1: ")
    with pytest.raises(KeyError, match="did you mean 'synthetic 1'"):
        side_by_side["synthetc 1"]


def test_a_target_is_predicted_as_well_from_good_rows_and_by_chance_from_torn_ones(
    side_by_side: Any,
) -> None:
    good, bad = (one.evaluation["usefulness"] for one in side_by_side)
    assert good.known == pytest.approx(good.known_floor, abs=0.05)
    assert good.known_floor > 0.95
    assert bad.known < 0.75


def test_what_needs_a_run_is_absent_and_the_rest_is_there(side_by_side: Any) -> None:
    figures = side_by_side[0].evaluation.by_name
    for name in ("critic_estimate", "gradient_norm", "gradient_norm_max", "proven_bound"):
        assert name not in figures
    for name in ("w1", "w1_self", "auc", "trends", *MEMORISING, "usefulness"):
        assert name in figures
    assert figures.parts("distance", "column")
    assert {f.of for f in figures.parts("contained", "file")} == {
        "the real rows", "the rows held out",
    }  # fmt: skip


def test_a_number_is_predicted_by_regression() -> None:
    good, bad = orders(700, 5), torn(700, 6)
    found = judge(orders(1400, 1), good, bad, target="gross")
    first, second = (one.evaluation["usefulness"] for one in found)
    assert first.known_floor > 0.9
    assert first.known == pytest.approx(first.known_floor, abs=0.05)
    assert second.known < 0.3
    assert "R squared" in first.unit
    assert "as well as when trained on real rows" in found[0].remarks[-1]
    assert (
        "worse than when trained on real rows" in found[1].remarks[-1]
        or "guess (" in found[1].remarks[-1]
    )


def test_many_labels_have_no_order_and_numbers_have_one() -> None:
    frame = orders(400, 1).assign(month=[f"m{k % 12}" for k in range(400)])
    data, config = prepare(frame, {})
    game = game_of(config, data.codec)
    seen = SeenRun(game, game.generator, data, 0, 50)
    tasks = {name: column_task(seen, name) for name in ("month", "net", "ordered")}
    assert {name: task.labels for name, task in tasks.items() if task is not None} == {
        "month": True, "net": False, "ordered": False,
    }  # fmt: skip


def test_a_target_with_one_value_in_the_synthetic_rows_is_a_guess() -> None:
    found = judge(orders(400, 1), orders(300, 2).assign(late="no"), target="late")
    assert found[0].evaluation["usefulness"].value == 0.5


def test_without_rows_held_out_memorising_is_not_measured_and_that_is_said() -> None:
    found = judge(orders(600, 1), orders(300, 2))
    assert not any(name in found[0].evaluation.by_name for name in MEMORISING)
    assert "may have seen all of the real rows" in found.note
    assert "cannot be said" in found.note
    assert "cannot be told from the real data" in found.verdict


def nearby(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return rows that are those of ``frame`` but for a few cents."""
    cents = np.random.default_rng(seed).integers(-3, 4, len(frame)) / 100
    return frame.assign(net=frame["net"] + cents)


def test_rows_near_those_that_the_maker_saw_are_seen_with_rows_held_out() -> None:
    real = orders(1200, 1)
    found = judge(real, nearby(real, 0), orders(1200, 2), holdout=orders(800, 3))
    codes = [{f.code for f in one.evaluation.findings} for one in found]
    assert {"R03", "R07"} <= codes[0]
    assert any("they reveal rows that the maker saw" in text for text in found[0].remarks)
    assert any("no sign that they reveal" in text for text in found[1].remarks)
    assert not {"R03", "R04", "R07", "R09"} & codes[1]
    assert "holds only if the maker saw none" in found.note


def test_a_copy_is_called_a_copy_in_any_order_of_rows() -> None:
    real, held = orders(300, 1), orders(200, 2)
    again = real.sample(frac=1, random_state=0)
    found = judge(real, again, held.iloc[::-1], again.iloc[1:], holdout=held)
    assert found[0].verdict.startswith("This is a copy of the real rows: it has the same 300 rows")
    assert found[1].verdict.startswith("This is a copy of the rows held out")
    assert found[2].verdict.startswith("100.0% of the rows are rows of the real rows")
    assert not any("cannot be told from" in one.verdict[:60] for one in found)


def test_real_rows_among_synthetic_ones_are_counted() -> None:
    real = orders(1000, 1)
    mixture = pd.concat([real.iloc[:100], orders(400, 2)])
    found = judge(real, mixture)[0]
    assert found.evaluation["contained", "the real rows"].value == pytest.approx(0.2)
    assert found.verdict.startswith("20.0% of the rows are rows of the real rows")
    assert "R09" in {f.code for f in found.evaluation.findings}


def test_rows_that_are_equal_by_chance_are_no_copies() -> None:
    """Of three coins and a die all rows have been seen; of real rows as well."""

    def coins(seed: int) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        return pd.DataFrame(
            {c: rng.choice(["a", "b"], 500) for c in "xyz"} | {"d": rng.choice(list("123456"), 500)}
        )

    for held in (None, coins(3)):
        found = judge(coins(1), coins(2), holdout=held)[0]
        assert found.evaluation["contained", "the real rows"].known > 0.95
        assert "R09" not in {f.code for f in found.evaluation.findings}
        assert "are rows of" not in found.verdict


def test_sorted_files_are_judged_by_rows_from_all_over() -> None:
    real, held, made = (orders(n, k).sort_values("net") for n, k in ((800, 1), (900, 2), (300, 3)))
    found = judge(real, made, holdout=held)[0]
    assert "cannot be told" in found.verdict
    net = found.evaluation["distance", "net"]
    assert net.known < 20  # of rows taken from one end about 60
    assert net.known_floor < 20
    few = judge(real, made, rows=80)[0]
    assert "cannot be told" in few.verdict
    assert few.evaluation["w1"].ratio == pytest.approx(1, abs=0.15)  # of 80 rows in a row 1.3


class Returns(torch.nn.Module):
    """A generator that returns rows of a source, in an order of its latent."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self.source = source

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        rows = self.source.index[np.arange(len(z)) % len(self.source)]
        return self.source.codec.points(self.source.rows, rows)


def test_a_runs_samples_have_the_figures_of_the_run() -> None:
    """It is one evaluation, whether a generator draws the rows or a file holds them."""
    rng = np.random.default_rng(0)
    data = load(rng.normal(size=(900, 3)), Options())
    other = data.codec.rows(data.files.read(rng.normal(0.2, 1, (2048, 3))))
    source = Source(data.codec, other, np.arange(2048))
    game = game_of(configure({"critic": "mlp:width=8", "generator": "mlp:width=8"}, {}), data.codec)
    drawn = assess(SeenRun(game, Returns(source), data, 0, 64))
    raw = data.codec.decode(source.first(2048), np.zeros((2048, 0)), Draws(0))["x"]
    given = assess(SeenRows(data.files.read(raw), source, data, 0, 64))
    shared = [
        f for f in given.figures if f.name in ("w1", "w1_self", "auc", "p_value", *MEMORISING)
    ]
    assert len(shared) >= 10
    for figure in shared:
        same = drawn.by_name.get(figure.name, figure.of)
        assert same is not None
        assert same.value == pytest.approx(figure.value, abs=1e-6), figure.name


def digits(start: int, stop: int) -> dict[str, np.ndarray]:
    found = load_digits()
    order = np.random.default_rng(0).permutation(len(found.target))[start:stop]
    return {"images": found.images[order].astype(np.uint8), "digit": found.target[order]}


def labelled(n: int, seed: int, right: bool = True) -> dict[str, np.ndarray]:
    x = np.random.default_rng(seed).normal(size=(n, 3)).astype(np.float32)
    return {"x": x, "label": (x[:, 0] > 0).astype(int) if right else np.arange(n) % 2}


CASES: dict[str, tuple[Any, Any, Any, Any, str]] = {
    "table": (orders(400, 1), orders(300, 2), torn(300, 3), orders(300, 4), "late"),
    "vectors": (labelled(400, 1), labelled(300, 2), labelled(300, 3, False), labelled(300, 4), "label"),
    "images": (
        digits(0, 700), digits(700, 1000),
        {"images": np.random.default_rng(0).integers(0, 17, (300, 8, 8), np.uint8), "digit": np.arange(300) % 10},
        digits(1000, 1400), "digit",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", CASES)
def test_every_kind_of_data_is_judged(kind: str) -> None:
    real, good, bad, held, target = CASES[kind]
    found = judge(real, good, bad, holdout=held, target=target)
    assert found.kind == kind
    first, second = (one.evaluation for one in found)
    assert first["usefulness"].known > second["usefulness"].known + 0.2
    assert second.by_name["auc"].known > first.by_name["auc"].known
    assert first["contained", "the real rows"].value == 0
    assert first["w1_self"].n == 150
    assert first["w1_self"].ratio == pytest.approx(1, abs=0.2)
    if kind == "images":
        assert first["asked"].n == 300
    assert {line.label for line in summary(found)} >= {"Rows", "W1, the distance to real rows"}
    assert all(len(line.cells) == 2 for line in summary(found))


def test_a_floor_that_is_not_that_of_the_first_stands_in_the_cell() -> None:
    found = judge(orders(600, 1), orders(300, 2), orders(100, 3))
    line = next(line for line in summary(found) if line.label.startswith("W1"))
    assert "(real" not in line.cells[0]
    floor = found[1].evaluation["w1"].known_floor
    assert line.cells[1].endswith(f"(real {floor:.4g})")
    assert floor > found[0].evaluation["w1"].known_floor


def test_only_findings_of_memorising_are_called_so() -> None:
    figures = Figures((Figure("membership_auc", 0.5, 0.5),))
    assert remarks(figures, {"R06", "R09"}, None)[0].startswith("Memorising: no sign")
    assert "reveal rows" in remarks(figures, {"R04"}, None)[0]


@pytest.mark.parametrize(
    ("value", "floor", "unit", "words"),
    [
        (0.9, 0.9, "AUC of k", "as well as"),
        (0.87, 0.9, "AUC of k", "nearly as well as"),
        (0.78, 0.9, "AUC of k", "less well than"),
        (0.6, 0.9, "AUC of k", "much worse than"),
        (0.52, 0.9, "AUC of k", "no better than a guess"),
        (0.2, 0.52, "AUC of k", "not even real rows"),
        (0.87, 0.9, "R squared of k", "nearly as well as"),
        (-3.0, 0.9, "R squared of k", "no better than a guess"),
        (None, None, "AUC of k", "cannot be measured"),
    ],
)
def test_usefulness_is_said_by_what_is_gained_over_a_guess(
    value: float | None, floor: float | None, unit: str, words: str
) -> None:
    (said,) = remarks(Figures((Figure("usefulness", value, floor, unit),)), set(), "k")
    assert f" {words}" in said


@pytest.mark.parametrize("files", [False, True])
def test_numbers_finer_than_real_ones_are_named(files: bool, tmp_path: Path) -> None:
    real, made = orders(600, 1), orders(300, 2)
    made["net"] += 0.001 * (np.arange(300) % 2)
    real, made = real.assign(whole=np.arange(600) // 3), made.assign(whole=np.arange(300) + 0.5)
    paths = [str(tmp_path / name) for name in ("real.csv", "made.csv")]
    for path, frame in zip(paths, (real, made), strict=True):
        frame.to_csv(path, index=False)
    found = judge(*(paths if files else (real, made)))[0]
    told = {f.of: f.known for f in found.evaluation.parts("finer", "column")}
    assert told == {"net": 0.5, "whole": 1.0}
    said = next(r for r in found.remarks if r.startswith("Numbers: "))
    assert "whole, net have more decimals" in said
    assert "(100.0% of whole; the real ones are whole)" in said
