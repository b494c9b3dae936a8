"""A verdict is not fooled: four ways in which rows differ that W1 on a sample does not show."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import surveyor
from surveyor.run.folder import read_history
from surveyor.training.records import Measurement, best_of
from tests.conftest import orders


def test_rows_that_are_right_but_for_a_sum_can_be_told() -> None:
    made = orders(1500, 2)
    made["gross"] += np.random.default_rng(0).normal(0, 2, len(made)).round(2)
    (one,) = surveyor.judge(orders(3000, 1), made)
    w1 = one.evaluation["w1"]
    assert w1.known < 1.2 * w1.known_floor
    assert "cannot be told" not in one.verdict
    assert "break the rule gross = net + tax" in one.verdict


def numbers(n: int, seed: int, noise: float) -> pd.DataFrame:
    """Return columns two of which follow others, up to ``noise``."""
    x = np.random.default_rng(seed).normal(size=(n, 6))
    x[:, 4] = x[:, 0] + noise * x[:, 4]
    x[:, 5] = np.sin(2 * x[:, 1]) + noise * x[:, 5]
    return pd.DataFrame(x, columns=list("abcdef"))


@pytest.mark.parametrize(
    ("noise", "words"),
    [
        (0.1, "cannot be told from held-out real data with 3,000 rows a side"),
        (0.15, "close to held-out real data, and measurably apart: of two rows"),
    ],
)
def test_what_only_the_classifier_sees_is_in_the_verdict(noise: float, words: str) -> None:
    made, held = numbers(3000, 2, noise), numbers(3000, 3, 0.1)
    (one,) = surveyor.judge(numbers(5000, 1, 0.1), made, holdout=held)
    w1 = one.evaluation["w1"]
    assert w1.known < 1.02 * w1.known_floor
    assert words in one.verdict


@pytest.mark.parametrize("what", ["moved", "wider", "correlated"])
def test_one_column_of_twenty_that_differs_a_little_is_found(what: str) -> None:
    a, b = np.random.default_rng(5).normal(size=(2, 20_000, 20))
    if what == "moved":
        b[:, 7] += 0.1
    if what == "wider":
        b[:, 7] *= 1.2
    if what == "correlated":
        b[:, 7] = 0.3 * b[:, 3] + np.sqrt(1 - 0.3**2) * b[:, 7]
    names = [f"c{k}" for k in range(20)]
    found = surveyor.distance(
        pd.DataFrame(a, columns=names), pd.DataFrame(b, columns=names), limit=300
    )
    assert found.p_value < 0.001
    assert found.verdict.startswith("The two differ")
    assert re.search(r"What shows it best: .*\bc7\b", found.verdict)


def test_the_weights_delivered_are_the_latest_that_w1_does_not_refute(tmp_path: Path) -> None:
    model = surveyor.fit(orders(600, 1), tmp_path / "run", steps=60, measure="w1:every=20")
    history = read_history(tmp_path / "run" / "history.jsonl")
    assert len({m.log_loss for m in history}) > 2
    least = min(m.excess for m in history)
    near = [m.step for m in history if m.excess <= least + 3 * m.w1_noise]
    assert model.evaluation.best_step == max(near)


def test_chance_does_not_choose_among_steps_at_the_floor() -> None:
    """Of 40 measurements at the floor the best is one of the last, never one of the warm start."""
    rng = np.random.default_rng(0)
    for _ in range(300):
        steps = [
            Measurement(k, 5 + 0.1 * rng.normal(), 5, 0.1, 5, None, None, 0, 0, log_loss=9.0)
            for k in range(1, 41)
        ]
        assert best_of(steps).step > 30
