"""Brackets of W1 on networks: they hold W1, are certified, narrow, and are told as brackets."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from surveyor.cli import main
from surveyor.transport import bracket, graph_bracket, graph_transport, wasserstein_1_graph
from tests.test_networks import certified, graph, three

__all__ = ["three"]


@pytest.mark.parametrize("cell", [3, 8, 1_000])
@pytest.mark.parametrize("seed", range(4))
def test_a_bracket_holds_w1_and_both_ends_are_certified(
    seed: int, cell: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In any number of cells, some of one node, with parallel edges and several parts."""
    monkeypatch.setattr(bracket, "CELL", cell)
    (edges, lengths), n = graph(seed), 24
    edges, lengths = np.r_[edges, edges + n], np.r_[lengths, lengths]
    p, q = np.random.default_rng(seed).dirichlet(np.full(n, 0.3), 2)
    p, q = np.r_[p, q] / 2, np.r_[q, p] / 2
    seen: list[tuple[float, float]] = []
    found = graph_bracket(edges, lengths, p, q, 1e-9, lambda low, high: seen.append((low, high)))
    certified(found, edges, lengths, p - q)
    assert found.high == pytest.approx(lengths @ np.abs(found.flow))
    assert found.low == pytest.approx(found.potential @ (p - q))
    exact = wasserstein_1_graph(edges, lengths, p, q)
    assert found.low - 1e-9 <= exact <= found.high + 1e-9
    lows, highs = np.array(seen).T
    assert (np.diff(lows) >= -1e-9).all()  # every sweep narrows it
    assert (np.diff(highs) <= 1e-9).all()
    if cell == 1_000:
        assert found.low == pytest.approx(exact)
        assert found.high == pytest.approx(exact)


def test_a_bracket_becomes_as_narrow_as_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bracket, "CELL", 150)
    side = 30
    place = np.arange(side**2).reshape(side, side)
    pairs = [(place[:, :-1], place[:, 1:]), (place[:-1], place[1:])]
    edges = np.concatenate([np.c_[a.ravel(), b.ravel()] for a, b in pairs])
    rng = np.random.default_rng(0)
    lengths = rng.uniform(0.5, 1.5, len(edges))
    p, q = rng.dirichlet(np.ones(side**2), 2)
    found = graph_bracket(edges, lengths, p, q, 0.05)
    exact = graph_transport(edges, lengths, p, q).high
    assert found.low <= exact <= found.high
    assert 1e-6 < (found.high - found.low) / found.high <= 0.05


def test_the_command_tells_a_bracket_as_one(
    three: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    *sets, edges = three
    asked = ["distance", *sets, "--graph", edges, "--length", "km", "--bracket", "2%"]
    assert main([*asked, "--html", str(tmp_path / "a.html")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "W1 is between 4.1, which a potential of slope 1 proves, and 4.1" in said
    assert "exact" not in said
    assert "bracket of W1" in (tmp_path / "a.html").read_text()
    assert main([*asked, "--json"]) == 0
    numbers = json.loads(capsys.readouterr().out)
    assert (numbers["w1"], numbers["floor"]) == (None, None)
    assert numbers["low"] == pytest.approx(4.1)
    assert numbers["high"] == pytest.approx(4.1)
