"""Training with differential privacy: what the guarantee rests on, and what is refused."""

from __future__ import annotations

import math
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
from surveyor.critics import critics
from surveyor.critics.conv import Conv
from surveyor.critics.mlp import Mlp
from surveyor.data import Source, Space
from surveyor.errors import InputError
from surveyor.privacy import DEVIATION, Spending, noisy_counts
from surveyor.run import start
from surveyor.training import State, steps
from surveyor.training.privacy import (
    SLACK,
    Privacy,
    _factored,
    _Likelihood,
    privacy_for,
    sample_conditions,
)
from tests.conftest import mixed

dp = pytest.importorskip("dp_accounting", reason="pip install 'surveyor[privacy]'")
pld = pytest.importorskip("dp_accounting.pld")
PRIVATE: dict[str, Any] = {
    "steps": 6,
    "batch": 16,
    "measure": "w1:rows=32",
    "threads": 1,
    "privacy": "gaussian:epsilon=2",
}


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
    return net.build(space), Batch(3 * torch.randn(70, *space.shape), torch.randn(70, 3))


@pytest.mark.parametrize("kind", ["mlp", "conv"])
@pytest.mark.parametrize("norm", [0.5, 1000.0])
def test_every_rows_gradient_is_clipped_by_itself(kind: str, norm: float) -> None:
    net, batch = critic(kind)
    told = one_by_one(net, batch, norm)
    for found in (privacy(norm).clipped_sum(net, batch), privacy(norm)._row_by_row(net, batch)):
        for a, b in zip(found, told, strict=True):
            assert torch.allclose(a, b, rtol=1e-4, atol=1e-5)


def test_a_tables_likelihood_is_clipped_row_by_row() -> None:
    data, config = prepare(mixed(300), PRIVATE | {"condition": ["town"]})
    net = _Likelihood(game_of(config, data.codec).generator)  # type: ignore[arg-type]
    batch = replace(data.train.first(20), group=None)
    found, told = privacy(0.5).clipped_sum(net, batch), one_by_one(net, batch, 0.5)
    for a, b in zip(found, told, strict=True):
        assert torch.allclose(a, b, rtol=1e-4, atol=1e-5)


def test_only_nets_of_linear_layers_are_clipped_by_what_enters_and_leaves_them() -> None:
    net, batch = critic("mlp")
    found = _factored(net, batch)
    assert found is not None
    assert set(found) == {m for m in net.modules() if isinstance(m, nn.Linear)}
    assert _factored(*critic("conv")) is None


@pytest.mark.parametrize("kind", ["mlp", "conv"])
def test_one_row_more_moves_the_sum_by_at_most_the_norm(kind: str) -> None:
    net, batch = critic(kind)
    sums = [privacy(0.7).clipped_sum(net, batch.part(0, n)) for n in (69, 70)]
    moved = torch.cat([(a - b).flatten() for a, b in zip(*sums, strict=True)]).norm()
    assert 0 < moved <= 0.7 * (1 + 1e-3)  # sums of float32


def test_attention_is_clipped_too_and_batch_norm_refused(tmp_path: Path) -> None:
    space = Space((1, 8, 8), 0, (1, 8, 8))
    net = parse("residual:width=4,attention=true", critics(), "critic").build(space)
    batch = Batch(torch.randn(5, 1, 8, 8))
    for a, b in zip(privacy(0.5).clipped_sum(net, batch), one_by_one(net, batch, 0.5), strict=True):
        assert torch.allclose(a, b, rtol=1e-4, atol=1e-5)
    mixing = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.Linear(8, 1), nn.Flatten(0))
    with pytest.raises(InputError, match="BatchNorm"):
        fit("toy:ring:4000", tmp_path / "run", critic=mixing, **PRIVATE)


def test_the_noise_has_the_deviation_that_the_accountant_was_told() -> None:
    sums = [torch.zeros(300, 300)]
    found = privacy(norm=0.5, noise=4.0, rate=0.1).add_noise(sums, 50)[0]
    # 0.5 * 4 / (0.1 * 50) = 0.4; a deviation of 90,000 numbers is known to a quarter of a percent.
    assert float(found.std()) == pytest.approx(0.4, rel=0.012)


def test_rows_are_taken_independently_at_the_rate() -> None:
    data, _ = prepare(mixed(600), PRIVATE)
    sizes = np.array([len(privacy(rate=0.1).sample_rows(data.train)) for _ in range(400)])
    n = len(data.train)
    # Four standard errors of the mean of 400 binomial counts; a fixed batch would not vary.
    assert sizes.mean() == pytest.approx(0.1 * n, abs=4 * np.sqrt(n * 0.09 / 400))
    assert sizes.std() == pytest.approx(np.sqrt(n * 0.09), rel=0.2)


def test_a_single_gaussian_step_on_all_rows_has_the_known_epsilon() -> None:
    found = privacy_for(1.0, 1e-5, 1.0, 100, 100, 1)
    # Balle and Wang 2018: sigma 3.73 is exact for (1, 1e-5); Renyi accounting asks for more.
    assert 3.73 < found.noise < 4.6
    assert 0.97 < found.epsilon <= 1.0


def test_more_updates_and_a_smaller_epsilon_ask_for_more_noise() -> None:
    noise = [
        privacy_for(e, 1e-5, 1.0, 50, 5000, n).noise for e, n in ((4, 100), (4, 1000), (1, 1000))
    ]
    assert noise[0] < noise[1] < noise[2]


def test_a_private_run_tells_its_epsilon_and_repeats_no_noise(tmp_path: Path) -> None:
    runs = [fit(mixed(400), tmp_path / str(k), **PRIVATE) for k in (1, 2)]
    told = runs[0].evaluation.privacy
    assert told is not None
    assert 1.9 < told.epsilon <= 2
    assert told.updates == 6
    page = runs[0].report(mixed(400)).read_text()
    assert "Differential privacy" in page
    assert "The last step is kept" in page
    assert "best step was chosen" not in page
    one, two = (torch.cat([p.flatten() for p in r.run.game.generator.parameters()]) for r in runs)
    assert not torch.equal(one, two)
    assert len(load(tmp_path / "1").sample(5)) == 5


def test_nothing_but_the_sums_sees_training_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    data, config = prepare(mixed(400), PRIVATE | {"condition": ["town"], "warm_start": 0.5})
    game = game_of(config, data.codec)
    plan = plan_of(config)
    plan = replace(plan, privacy=privacy_for(2, None, 1.0, 16, len(data.train), plan.updates))

    def refused(self: Source, n: int, draws: Draws) -> Batch:
        raise AssertionError("a step drew training rows outside the accounting")

    monkeypatch.setattr(Source, "draw", refused)
    assert len(list(steps(game, data.train, plan, State.start(game, plan)))) == 6


def plain(net: nn.Module, batch: Batch) -> list[Tensor]:
    """Return the gradient of the mean of net(row)."""
    value = net(batch.x) if batch.cond is None else net(batch.x, batch.cond)
    return list(torch.autograd.grad(value.mean(), list(net.parameters())))


def test_without_noise_and_clipping_a_private_step_is_the_plain_one() -> None:
    data, config = prepare(mixed(600), PRIVATE | {"condition": ["town"], "steps": 6})
    game, train = game_of(config, data.codec), data.train
    everything = Privacy(1.0, 1e-5, norm=1e9, noise=0.0, rate=1.0, updates=1)
    real = train.first(len(train))
    fake = game.generate(len(train), sample_conditions(train, len(train), Draws(3)), Draws(3))
    _, found = everything.critic_gradients(game, train, Draws(3))
    # The second call draws on from where the first stopped, as the step itself does.
    draws = Draws(3)
    fake = game.generate(len(train), sample_conditions(train, len(train), draws), draws)
    up, down = plain(game.critic, fake), plain(game.critic, real)
    for got, f, r in zip(found, up, down, strict=True):
        assert torch.allclose(got, f - r, rtol=1e-3, atol=1e-6)
    assert max(float((f - r).abs().max()) for f, r in zip(up, down, strict=True)) > 1e-3
    wanted = plain(_Likelihood(game.generator), real)  # type: ignore[arg-type]
    for got, w in zip(
        everything.likelihood_gradients(game, train, Draws(3))[1], wanted, strict=True
    ):
        assert torch.allclose(got, -w, rtol=1e-3, atol=1e-5)


def test_rows_that_cannot_be_taken_one_by_one_are_no_private_ones() -> None:
    data, config = prepare("toy:ring:400", PRIVATE)
    game, plan = game_of(config, data.codec), plan_of(config)
    plan = replace(plan, privacy=privacy(), warm=0)

    class Memory:
        def draw(self, n: int, draws: Draws) -> Batch:
            return data.train.draw(n, draws)

    with pytest.raises(ValueError, match="needs a Source"):
        next(steps(game, Memory(), plan, State.start(game, plan)))
    assert next(steps(game, data.train, plan, State.start(game, plan))).step == 1


def test_private_training_raises_the_likelihood_of_held_out_rows() -> None:
    said = PRIVATE | {
        "privacy": "gaussian:epsilon=200",
        "steps": 40,
        "batch": 200,
        "warm_start": 1.0,
    }
    one = np.random.default_rng(0).choice(list("abcd"), 1200)
    data, config = prepare(pd.DataFrame({"one": one, "two": one, "three": one}), said)
    game, plan = game_of(config, data.codec), plan_of(config)
    plan = replace(plan, privacy=privacy_for(200, None, 1.0, 200, len(data.train), plan.updates))
    held = data.holdout.first(200)

    def likelihood() -> float:
        with torch.no_grad():
            return float(game.generator.log_likelihood(held.x).mean())  # type: ignore[operator]

    before = likelihood()
    for _ in steps(game, data.train, plan, State.start(game, plan)):
        pass
    assert likelihood() > before + 0.1


@pytest.mark.parametrize("warm", [1.0, 0.5, 0.0])
def test_the_accountant_is_told_of_every_update_that_sees_rows(
    warm: float, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = PRIVATE | {"warm_start": warm, "critic_steps": 2}
    data, config = prepare(mixed(400), said)
    session = start(data, "", config, tmp_path / "run")
    seen: list[int] = []

    def counted(self: Privacy, source: Source) -> Batch:
        seen.append(len(source))
        return source.first(9)

    monkeypatch.setattr(Privacy, "sample_rows", counted)
    assert len(list(session.records())) == 6
    assert session.plan.privacy is not None
    assert session.plan.privacy.updates == len(seen) == 6 * warm + 12 * (1 - warm)


def renyi(rate: float, noise: float, updates: int, delta: float) -> float:
    """Return epsilon by the sum over whole orders of Mironov, Talwar and Zhang 2019."""
    found = []
    for order in range(2, 200):
        terms = [
            math.lgamma(order + 1) - math.lgamma(k + 1) - math.lgamma(order - k + 1)
            + (order - k) * math.log1p(-rate) + k * math.log(rate) + k * (k - 1) / (2 * noise**2)
            for k in range(order + 1)
        ]  # fmt: skip
        top = max(terms)
        once = (top + math.log(sum(math.exp(t - top) for t in terms))) / (order - 1)
        found.append(
            updates * once + math.log1p(-1 / order) - math.log(delta * order) / (order - 1)
        )
    return min(found)


@pytest.mark.parametrize(
    ("rate", "noise", "updates", "stored"),
    [(0.01, 1.0, 1000, 2.10), (0.08, 3.0, 600, 3.09), (0.004, 0.8, 5000, 2.93)],
)
def test_epsilon_agrees_with_two_other_accountants(
    rate: float, noise: float, updates: int, stored: float
) -> None:
    told = Spending(1e-5, rate, updates).epsilon(noise)
    assert told == pytest.approx(renyi(rate, noise, updates, 1e-5), rel=0.01)
    assert told == pytest.approx(stored, rel=0.02)
    once = dp.PoissonSampledDpEvent(rate, dp.GaussianDpEvent(noise))
    exact = pld.PLDAccountant().compose(dp.SelfComposedDpEvent(once, updates)).get_epsilon(1e-5)
    assert 0.8 * told < exact < told


def test_what_the_codec_spends_is_taken_from_the_nets() -> None:
    codec = noisy_counts(1.0, 1e-5, 10_000, 12.0, 5)[1]
    alone = privacy_for(1.0, 1e-5, 1.0, 500, 10_000, 300)
    both = privacy_for(1.0, 1e-5, 1.0, 500, 10_000, 300, codec)
    assert both.noise > 1.02 * alone.noise
    assert both.epsilon <= 1
    assert both.epsilon == pytest.approx(1, rel=0.01)
    assert max(both.codec_epsilon, both.training_epsilon) < 1
    assert both.codec_epsilon + both.training_epsilon > 1
    # A Gaussian mechanism alone: rho + 2 sqrt(rho log 1 / delta) bounds its epsilon from above.
    rho = codec.weight / (2 * codec.noise**2)
    assert both.codec_epsilon < rho + 2 * math.sqrt(rho * math.log(1 / (1e-5 - codec.shown)))
    assert both.codec_epsilon > 0.6 * (rho + 2 * math.sqrt(rho * math.log(1e5)))


def test_sums_are_rounded_and_the_accountant_is_told_of_it() -> None:
    sums = [torch.rand(300, 200), torch.rand(50)]
    found = privacy(norm=2.0, noise=5.0, rate=0.5).add_noise(sums, 40)
    steps_of = DEVIATION / 5.0 - math.sqrt(60_050)
    grain = 2.0 * (1 + SLACK) / steps_of
    values = torch.cat([f.flatten() for f in found]).double().numpy() * 20 / grain
    # float32 has 24 bits, so that only small values show the grid; all do not by accident.
    small = np.abs(values) < 2**18
    assert small.sum() > 10
    assert np.abs(values[small] - np.rint(values[small])).max() < 0.05


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"objective": "relativistic"}, "sum over rows"),
        ({"constraint": "gradient-penalty"}, "must not read rows"),
        ({"calibrate": "yes"}, "calibrate"),
        ({"measure": "w1:patience=3"}, "every and patience of measure"),
        ({"measure": "w1:every=2"}, "every and patience of measure"),
        ({"minutes": 1}, "minutes"),
        ({"balance": True, "group": "member"}, "balance"),
        ({"privacy": "gaussian:epsilon=-1"}, "at least 0.001"),
    ],
)
def test_what_would_break_the_guarantee_is_refused(said: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        prepare(pd.DataFrame(mixed(100)), PRIVATE | said)


def test_an_epsilon_out_of_reach_is_told() -> None:
    with pytest.raises(InputError, match="no noise up to"):
        privacy_for(1e-3, 1e-9, 1.0, 5000, 5000, 10_000)
