"""Toy distributions: what they are, and how modes are counted."""

from __future__ import annotations

import numpy as np
import pytest

from surveyor.data.toy import TOYS, draw, grid_modes, ring_modes
from surveyor.measures.coverage import coverage


def test_the_truth_has_the_published_ceilings() -> None:
    rng = np.random.default_rng(0)
    for name, modes, sigma in (("ring", ring_modes(), 0.01), ("grid", grid_modes(), 0.05)):
        found = coverage(draw(name, 50_000, rng), modes, sigma)
        assert found.modes == len(modes)
        # P(|x| < 3 sigma) = 1 - exp(-9/2) in the plane; 4 standard errors of 50,000 draws.
        assert found.high_quality == pytest.approx(1 - np.exp(-4.5), abs=0.002)
        assert found.reverse_kl < 0.002
        assert max(found.spread) < 1.1
        assert min(found.spread) > 0.9


def test_a_collapsed_generator_is_seen() -> None:
    rng = np.random.default_rng(0)
    points = ring_modes()[2] + 0.001 * rng.standard_normal((500, 2))
    found = coverage(points, ring_modes(), 0.01)
    assert found.modes == 1
    assert found.high_quality == 1
    assert found.reverse_kl == pytest.approx(np.log(8))
    assert found.spread[2] == pytest.approx(0.1, rel=0.1)


def test_no_good_sample_is_no_mode() -> None:
    found = coverage(np.full((10, 2), 9.0), ring_modes(), 0.01)
    assert (found.modes, found.high_quality, found.reverse_kl) == (0, 0, 0)


@pytest.mark.parametrize("name", TOYS)
def test_toys_are_what_they_say(name: str) -> None:
    points = draw(name, 1000, np.random.default_rng(0))
    assert points.shape == (1000, 2)
    assert np.isfinite(points).all()


def test_a_ring_has_eight_places_an_eighth_of_a_turn_apart() -> None:
    modes = ring_modes()
    assert np.linalg.norm(modes, axis=1) == pytest.approx(np.ones(8))
    turned = modes @ np.array([[1, 1], [-1, 1]]) / 2**0.5
    assert turned == pytest.approx(np.roll(modes, -1, axis=0))


def test_parallel_lines_lie_about_the_origin() -> None:
    points = draw("parallel-lines", 1000, np.random.default_rng(0))
    assert np.unique(points[:, 0]).tolist() == [-1.5, -0.5, 0.5, 1.5]
    assert np.abs(points[:, 1]).max() == pytest.approx(1, abs=0.01)
