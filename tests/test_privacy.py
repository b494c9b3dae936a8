"""Training with differential privacy: what the guarantee rests on, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from surveyor import fit, load
from surveyor.api import prepare
from surveyor.batch import Batch, Draws
from surveyor.build import game_of, plan_of
from surveyor.catalog import parse
from surveyor.data import Source, Space
from surveyor.errors import InputError
from surveyor.nets import nets
from surveyor.nets.conv import Conv
from surveyor.nets.mlp import Mlp
from surveyor.training import State, steps
from surveyor.training.privacy import Privacy, _Likelihood, private
from tests.conftest import mixed

pytest.importorskip("dp_accounting", reason="pip install 'surveyor[privacy]'")
PRIVATE: dict[str, Any] = {"steps": 6, "batch": 16, "measure_rows": 32, "threads": 1, "epsilon": 2}


def privacy(norm: float = 1.0, noise: float = 1.0, rate: float = 0.1) -> Privacy:
    return Privacy(1.0, 1e-5, norm, noise, rate, 10)


def one_by_one(net: nn.Module, batch: Batch, norm: float) -> list[Tensor]:
    """Return the sum of clipped gradients, each row's by itself."""
    sums = [torch.zeros_like(p) for p in net.parameters()]
    for k in range(len(batch)):
        row = batch.part(k, k + 1)
        out = net(row.x) if row.cond is None else net(row.x, row.cond)
        found = torch.autograd.grad(
            out.sum(), list(net.parameters()), allow_unused=True, materialize_grads=True
        )
        size = torch.cat([g.flatten() for g in found]).norm()
        for total, g in zip(sums, found, strict=True):
            total += g * min(1.0, norm / float(size))
    return sums


def critic(kind: str) -> tuple[nn.Module, Batch]:
    torch.manual_seed(0)
    space = Space((1, 8, 8), 3, (1, 8, 8)) if kind == "conv" else Space((6,), 3, (6,))
    net = Conv(width=8) if kind == "conv" else Mlp(width=16, depth=2)
    return net.critic(space), Batch(3 * torch.randn(70, *space.shape), torch.randn(70, 3))


@pytest.mark.parametrize("kind", ["mlp", "conv"])
@pytest.mark.parametrize("norm", [0.5, 1000.0])
def test_every_rows_gradient_is_clipped_by_itself(kind: str, norm: float) -> None:
    net, batch = critic(kind)
    told = one_by_one(net, batch, norm)
    for found in (privacy(norm).clipped(net, batch), privacy(norm)._row_by_row(net, batch)):
        for a, b in zip(found, told, strict=True):
            assert torch.allclose(a, b, rtol=1e-4, atol=1e-5)


def test_a_tables_likelihood_is_clipped_row_by_row() -> None:
    data, config = prepare(mixed(300), PRIVATE | {"condition": ["town"]})
    net = _Likelihood(game_of(config, data.codec).generator)  # type: ignore[arg-type]
    rows = data.train.first(20)
    batch = Batch(net.generator.blocks(rows.x), rows.cond)
    found, told = privacy(0.5).clipped(net, batch), one_by_one(net, batch, 0.5)
    for a, b in zip(found, told, strict=True):
        assert torch.allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["mlp", "conv"])
def test_one_row_more_moves_the_sum_by_at_most_the_norm(kind: str) -> None:
    net, batch = critic(kind)
    sums = [privacy(0.7).clipped(net, batch.part(0, n)) for n in (69, 70)]
    moved = torch.cat([(a - b).flatten() for a, b in zip(*sums, strict=True)]).norm()
    assert 0 < moved <= 0.7 * (1 + 1e-3)  # sums of float32


def test_attention_is_clipped_too_and_batch_norm_refused(tmp_path: Path) -> None:
    space = Space((1, 8, 8), 0, (1, 8, 8))
    net = parse("residual:width=4,attention=true", nets(), "net").critic(space)
    batch = Batch(torch.randn(5, 1, 8, 8))
    for a, b in zip(privacy(0.5).clipped(net, batch), one_by_one(net, batch, 0.5), strict=True):
        assert torch.allclose(a, b, rtol=1e-4, atol=1e-5)
    mixing = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.Linear(8, 1), nn.Flatten(0))
    with pytest.raises(InputError, match="BatchNorm"):
        fit("toy:ring:200", tmp_path / "run", critic=mixing, **PRIVATE)


def test_the_noise_has_the_deviation_that_the_accountant_was_told() -> None:
    sums = [torch.zeros(300, 300)]
    found = privacy(norm=0.5, noise=4.0, rate=0.1).noised(sums, 50)[0]
    # 0.5 * 4 / (0.1 * 50) = 0.4; a deviation of 90,000 numbers is known to a quarter of a percent.
    assert float(found.std()) == pytest.approx(0.4, rel=0.012)


def test_rows_are_taken_independently_at_the_rate() -> None:
    data, _ = prepare(mixed(600), PRIVATE)
    sizes = np.array([len(privacy(rate=0.1).taken(data.train)) for _ in range(400)])
    n = len(data.train)
    # Four standard errors of the mean of 400 binomial counts; a fixed batch would not vary.
    assert sizes.mean() == pytest.approx(0.1 * n, abs=4 * np.sqrt(n * 0.09 / 400))
    assert sizes.std() == pytest.approx(np.sqrt(n * 0.09), rel=0.2)


def test_a_single_gaussian_step_on_all_rows_has_the_known_epsilon() -> None:
    found = private(1.0, 1e-5, 1.0, 100, 100, 1)
    # Balle and Wang 2018: sigma 3.73 is exact for (1, 1e-5); Renyi accounting asks for more.
    assert 3.73 < found.noise < 4.6
    assert 0.97 < found.epsilon <= 1.0


def test_more_updates_and_a_smaller_epsilon_ask_for_more_noise() -> None:
    noise = [private(e, 1e-5, 1.0, 50, 5000, n).noise for e, n in ((4, 100), (4, 1000), (1, 1000))]
    assert noise[0] < noise[1] < noise[2]


def test_a_private_run_tells_its_epsilon_and_repeats_no_noise(tmp_path: Path) -> None:
    runs = [fit(mixed(400), tmp_path / str(k), **PRIVATE) for k in (1, 2)]
    told = runs[0].evaluation["privacy"]
    assert 1.9 < told["epsilon"] <= 2
    assert told["updates"] == 6
    assert "Differential privacy" in runs[0].report(mixed(400)).read_text()
    one, two = (torch.cat([p.flatten() for p in r.run.game.generator.parameters()]) for r in runs)
    assert not torch.equal(one, two)
    assert len(load(tmp_path / "1").sample(5)) == 5


def test_nothing_but_the_sums_sees_training_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    data, config = prepare(mixed(400), PRIVATE | {"condition": ["town"], "warm_start": 0.5})
    game = game_of(config, data.codec)
    plan = plan_of(config)
    plan = replace(plan, privacy=private(2, None, 1.0, 16, len(data.train), plan.updates))

    def refused(self: Source, n: int, draws: Draws) -> Batch:
        raise AssertionError("a step drew training rows outside the accounting")

    monkeypatch.setattr(Source, "draw", refused)
    assert len(list(steps(game, data.train, plan, State.start(game, plan)))) == 6


def test_a_private_generator_starts_without_the_rows_frequencies() -> None:
    one, two = mixed(400), mixed(400)
    two["member"] = [True] * 399 + [False]
    starts = []
    for frame in (one, two):
        data, config = prepare(frame[["town", "member", "visits"]], PRIVATE)
        starts.append(game_of(config, data.codec).generator.columns[1][-1].bias)  # type: ignore[index, union-attr]
    assert torch.equal(*starts)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"objective": "relativistic"}, "sum over rows"),
        ({"constraint": "gradient-penalty"}, "by its weights"),
        ({"calibrate": "yes"}, "--calibrate"),
        ({"patience": 3}, "--patience"),
        ({"measure_every": 2}, "--measure-every"),
        ({"minutes": 1}, "--minutes"),
        ({"balance": True, "group": "member"}, "--balance"),
        ({"epsilon": -1}, "--epsilon"),
    ],
)
def test_what_would_break_the_guarantee_is_refused(said: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        prepare(pd.DataFrame(mixed(100)), PRIVATE | said)


def test_an_epsilon_out_of_reach_is_told() -> None:
    with pytest.raises(InputError, match="no noise up to"):
        private(1e-3, 1e-9, 1.0, 5000, 5000, 10_000)
