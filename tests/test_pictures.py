"""Rulers of pictures: closed forms, extremes, and a classifier that reads what is there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from surveyor import Model, fit
from surveyor.api import prepare
from surveyor.kinds.images.measures import feature_figures, label_classifier, labels
from surveyor.kinds.images.panels import Sheets, preview
from surveyor.measures import SeenRun
from surveyor.measures.classifier import Classifier
from surveyor.measures.features import frechet, kernel_distance, precision_recall
from surveyor.measures.memorising import nearest
from surveyor.panels import Picture, Shown
from tests.conftest import QUICK


def gaussian(n: int, mean: float, spread: float, seed: int, d: int = 3) -> np.ndarray:
    return np.asarray(mean + spread * np.random.default_rng(seed).normal(size=(n, d)))


def test_the_frechet_distance_of_gaussians_follows_mean_and_spread() -> None:
    a, b = gaussian(200_000, 0.0, 1.0, 0), gaussian(200_000, 2.0, 3.0, 1)
    # d (m^2 + (s - t)^2) = 3 (4 + 4); the error of 200,000 points' moments is about a hundredth.
    assert frechet(a, b) == pytest.approx(24, rel=0.01)


def test_the_frechet_distance_is_that_of_the_covariances_not_of_the_axes() -> None:
    a = gaussian(100_000, 0.0, 1.0, 0, 2) @ np.diag([3.0, 1.0])
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    # The spreads change places: (3 - 1)^2 twice.
    assert frechet(a, a @ turn) == pytest.approx(8, rel=0.02)
    assert frechet(a, a) == pytest.approx(0, abs=1e-8)


def test_the_kernel_distance_is_unbiased_and_sees_a_shift() -> None:
    alike = [
        kernel_distance(gaussian(100, 0, 1, k), gaussian(100, 0, 1, k + 99)) for k in range(60)
    ]
    # Four standard errors of the mean of 60.
    assert abs(np.mean(alike)) < 4 * np.std(alike) / np.sqrt(60)
    assert kernel_distance(gaussian(100, 0, 1, 1), gaussian(100, 1, 1, 2)) > 10 * np.std(alike)


def test_precision_falls_with_bad_samples_and_recall_with_missing_ones() -> None:
    real = np.concatenate([gaussian(300, 0, 1, 0), gaussian(300, 50, 1, 1)])
    one_mode = gaussian(600, 0, 1, 2)
    stray = np.concatenate([real[:300] + 0.01, gaussian(300, 500, 1, 3)])
    assert precision_recall(one_mode, real) == pytest.approx((0.95, 0.5), abs=0.06)
    assert precision_recall(stray, real)[0] == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    "shape", [(1, 4, 4), (3, 8, 8), (1, 28, 28), (3, 40, 64), (3, 200, 200), (1, 4, 512)]
)
def test_a_classifier_takes_pictures_of_any_size(shape: tuple[int, ...]) -> None:
    net = Classifier(shape, 5)
    x = torch.zeros(2, *shape)
    assert net.features(x).shape == (2, 128)
    assert net(x).shape == (2, 5)


def test_a_classifier_reads_digits_it_has_not_seen() -> None:
    data, _ = prepare("example:digits", QUICK | {"condition": ["digit"]})
    found = labels(data)
    assert found is not None
    column, codes, place = found
    assert (column.name, place) == ("digit", 0)
    held = data.holdout.first(len(data.holdout))
    answers = label_classifier(data, column, codes, 0).predict(held.x)
    assert (answers == codes[data.holdout.index]).mean() > 0.95


def test_labels_beside_the_pictures_serve_where_there_is_no_condition() -> None:
    data, _ = prepare("example:digits", QUICK)
    found = labels(data)
    assert found is not None
    assert found[0].name == "digit"
    assert found[2] is None
    plain, _ = prepare(
        np.random.default_rng(0).integers(0, 255, (50, 8, 8)).astype(np.uint8), QUICK
    )
    assert labels(plain) is None


def test_pictures_without_labels_are_told_by_imagenets_features(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("efficientnet_lite_pytorch")
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 255, (150, 8, 8)).astype(np.uint8)
    model, held = fit(pictures, tmp_path / "run", **QUICK), prepare(pictures, QUICK)[0].holdout
    told = model.evaluation
    assert "ImageNet" in told["frechet"].unit
    assert "asked" not in told.by_name
    # As many of each side as there are held-out ones, where these are few.
    assert told["frechet"].n == len(held)
    monkeypatch.setattr("surveyor.kinds.images.measures.FEW", 12)
    assert model.evaluate(pictures)["frechet"].n == 12
    assert told["frechet"].known > (told["frechet"].floor or 0) > 0


def test_a_run_of_pictures_tells_them_beside_real_ones(digits_run: Model) -> None:
    told = digits_run.evaluation
    assert (told["asked"].floor or 0) > 0.9  # the classifier's accuracy
    assert told["frechet"].known > (told["frechet"].floor or 0) > 0  # six steps: far from real
    assert told["asked"].known < 0.5
    assert told["precision"].known < (told["precision"].floor or 0)
    (worst,) = told.parts("asked", "label")
    assert worst.known <= told["asked"].known
    assert told["usefulness"].floor == told["asked"].floor
    assert told["usefulness"].known < 0.5
    assert "Classified as the label asked for" in (digits_run.run.path / "report.html").read_text()


def test_every_figure_of_features_is_in_their_unit_and_has_its_better_side() -> None:
    sides = [gaussian(60, 0, 1, k) for k in range(3)]
    found = {f.name: (f.unit, f.better, f.n) for f in feature_figures("the net", *sides)}
    better = {"frechet": "lower", "kernel": "lower", "precision": "higher", "recall": "higher"}
    assert found == {name: ("the net", side, 60) for name, side in better.items()}


class Shade(torch.nn.Module):
    """A generator of one shade for each label."""

    def forward(self, z: torch.Tensor, cond: torch.Tensor) -> torch.Tensor:
        return cond.argmax(1).mul(0.3).sub(1.35)[:, None, None, None].expand(-1, 1, 8, 8)


def test_samples_are_shown_a_line_for_each_label(digits_run: Model) -> None:
    data, _ = prepare("example:digits", QUICK | {"condition": ["digit"]})
    name, picture = preview(SeenRun(digits_run.run.game, Shade(), data, 0))
    assert name == "samples.png"
    cells = np.asarray(picture).reshape(10, 45, 10, 45)[:, :40, :, :40].swapaxes(1, 2)
    shades = [np.unique(line).tolist() for line in cells]
    assert all(len(own) == 1 for own in shades)
    assert shades == sorted(shades)
    assert len(np.unique(shades)) == 10


def test_real_and_generated_pictures_are_side_by_side_and_not_smoothed(digits_run: Model) -> None:
    run = digits_run.run
    data, _ = prepare("example:digits", QUICK | {"condition": ["digit"]})
    seen = SeenRun(run.game, run.game.generator, data, 0)
    (section,) = Sheets()(Shown(seen, digits_run.evaluation))
    shown = [(b.beside, b.pixels) for b in section.blocks if isinstance(b, Picture)]
    assert shown == [(False, True), (True, True), (False, True)]


def test_the_nearest_training_picture_is_found(digits_run: Model) -> None:
    data, _ = prepare("example:digits", QUICK | {"condition": ["digit"]})
    rows = data.train.index[[3, 700, 1200]]
    points = data.codec.points(data.train.rows, rows) + 0.01
    assert nearest(points, data.train).tolist() == rows.tolist()
    assert "the nearest of the first" in (digits_run.run.path / "report.html").read_text()


NOISE = np.random.default_rng(0).integers(0, 255, (90, 8, 8)).astype(np.uint8)


@pytest.mark.parametrize(
    "column",
    [
        np.array([f"{k}.png" for k in range(90)]),
        np.where(np.arange(90) < 9, np.inf, np.arange(90.0)),
        np.array([b"a"] * 90),
    ],
    ids=["names", "infinite", "bytes"],
)
def test_a_column_beside_the_pictures_that_is_no_label_is_left_alone(column: np.ndarray) -> None:
    data, _ = prepare({"images": NOISE, "other": column}, QUICK)
    assert labels(data) is None


def test_missing_labels_and_few_pictures_are_no_reason_to_fail(tmp_path: Path) -> None:
    told = np.where(np.arange(90) % 3 == 0, np.nan, np.arange(90) % 3)
    said = QUICK | {"condition": ["told"]}
    model = fit({"images": NOISE, "told": told}, tmp_path / "a", **said)
    assert "asked" in model.evaluation.by_name
    few = fit({"images": NOISE, "told": np.arange(90) % 2}, tmp_path / "b", holdout=0.01, **said)
    assert "frechet" not in few.evaluation.by_name
