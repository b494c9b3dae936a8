"""The training loop: steps, averages, schedules, exact resumption, divergence."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from surveyor.batch import Draws
from surveyor.catalog import parse
from surveyor.errors import Diverged
from surveyor.training import Game, Measurement, Plan, State, steps
from surveyor.training.checkpoint import load_checkpoint, save_checkpoint
from surveyor.training.loop import plateaued
from surveyor.training.optimizers import optimizers
from surveyor.training.optimizers.muon import Muon
from surveyor.training.plan import update_average
from surveyor.training.records import best_of
from surveyor.training.schedules import schedules
from surveyor.training.step import update
from tests.conftest import built


def test_a_run_of_weights_in_channels_last_resumes_as_the_same_run(tmp_path: Path) -> None:
    def fresh() -> tuple[Any, Game, Plan, State]:
        nets = {"generator": "conv:width=8", "critic": "residual:width=8"}
        data, game, plan, _ = built("example:digits", **nets, batch=16)
        for p in (*game.generator.parameters(), *game.critic.parameters()):
            if p.ndim == 4:
                p.data = p.data.contiguous(memory_format=torch.channels_last)
        return data, game, plan, State.start(game, plan)

    data, game, plan, state = fresh()
    list(steps(game, data.train, plan, state))
    _, first, _, half = fresh()
    list(islice(steps(first, data.train, plan, half), 3))
    save_checkpoint(tmp_path / "state", first, half)
    _, second, _, rest = fresh()
    load_checkpoint(tmp_path / "state", second, rest, plan)
    list(steps(second, data.train, plan, rest))
    assert torch.equal(weights(second), weights(game))


@pytest.mark.parametrize("net", ["conv", "residual:width=8", "packed:of=conv,members=2"])
def test_adams_first_step_moves_every_weight_against_its_own_gradient(net: str) -> None:
    data, game, _plan, state = built(
        "example:digits", generator="conv:width=8", critic=net, batch=16, optimizer="adam"
    )
    real = data.train.draw(16, Draws(0))
    for found, module, optimizer in (
        (game.critic_gradients(real, Draws(1)), game.critic, state.critic_optimizer),
        (game.generator_gradients(real, Draws(2)), game.generator, state.generator_optimizer),
    ):
        before = [p.detach().clone() for p in module.parameters()]
        rate = optimizer.param_groups[0]["lr"]
        update(*found, module, optimizer, 1)
        for p, old, gradient in zip(module.parameters(), before, found[1], strict=True):
            clear = gradient.abs() > 1e-6  # beside them Adam's eps of 1e-8 is 1%
            torch.testing.assert_close(
                (p.detach() - old)[clear], -rate * gradient.sign()[clear], rtol=0.02, atol=1e-7
            )


def weights(game: Game) -> torch.Tensor:
    nets = (game.generator, game.critic)
    return torch.cat([p.detach().flatten() for net in nets for p in net.parameters()])


def test_muon_moves_matrices_by_orthogonal_steps_and_all_else_by_adam() -> None:
    torch.manual_seed(0)
    matrices = [torch.nn.Parameter(torch.randn(*s)) for s in ((2, 9), (9, 2), (3, 4, 4))]
    others = [torch.nn.Parameter(torch.randn(*s)) for s in ((7,), (1, 5), (2, 2, 3, 3))]
    optimizer = Muon(rounds=12).over([*matrices, *others], 0.01)
    for p in (*matrices, *others):
        p.grad = torch.randn_like(p)
    for _ in range(2):
        before = [p.detach().clone() for p in (*matrices, *others)]
        optimizer.step()
        moved = [(b - p.detach()) / 0.01 for b, p in zip(before, (*matrices, *others), strict=True)]
        for way in moved[: len(matrices)]:
            # The iteration's singular values settle between .68 and 1.14.
            singular = torch.linalg.svdvals(way)
            assert float(singular.min()) > 0.65
            assert float(singular.max()) < 1.15
        for way, p in zip(moved[len(matrices) :], others, strict=True):
            assert p.grad is not None
            # Adam's mean and deviation are a constant gradient's own, from the first step on.
            assert torch.allclose(way, p.grad.sign(), atol=1e-3)


@pytest.mark.parametrize("optimizer", [*sorted(optimizers()), "adam:optimism=1"])
@pytest.mark.parametrize("objective", ["wasserstein", "relativistic"])
def test_a_resumed_run_is_the_same_run(tmp_path: Path, optimizer: str, objective: str) -> None:
    said: dict[str, Any] = {
        "optimizer": optimizer,
        "objective": objective,
        "noise": "anneal:start=0.2",
    }
    if objective == "relativistic":
        said |= {"noise": "adaptive:start=0.2,end=0.01,until=1,auc=0.6"}
    data, game, plan, state = built(**said)
    list(steps(game, data.train, plan, state))
    _, first, _, half = built(**said)
    list(islice(steps(first, data.train, plan, half), 3))
    save_checkpoint(tmp_path / "state", first, half)
    _, second, _, rest = built(**said)
    for net in (second.generator, second.critic, rest.average):
        for p in net.parameters():
            torch.nn.init.normal_(p)
    load_checkpoint(tmp_path / "state", second, rest, plan)
    assert rest.step == 3
    list(steps(second, data.train, plan, rest))
    assert torch.equal(weights(second), weights(game))
    assert torch.equal(
        *(torch.cat([p.flatten() for p in s.average.parameters()]) for s in (rest, state))
    )


def test_seeds_differ_and_repeat() -> None:
    runs = []
    for seed in (0, 0, 1):
        data, game, plan, state = built(seed=seed)
        list(steps(game, data.train, plan, state))
        runs.append(weights(game))
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])


def test_training_brings_the_samples_closer() -> None:
    from surveyor.measures.ruler import RowRuler

    data, game, plan, state = built(
        "toy:gaussian:2000", steps=150, batch=128, generator_rate=2e-3, critic_rate=2e-3
    )
    ruler = RowRuler(game, data.train, data.validation, 128, 0, data.codec.space.unit)
    before = ruler(game.generator).w1
    list(steps(game, data.train, plan, state))
    assert ruler(state.average).w1 < 0.5 * before


def test_the_critic_steps_before_the_generator() -> None:
    data, game, plan, state = built(critic_steps=3)
    before = [p.detach().clone() for p in game.generator.parameters()]
    record = next(steps(game, data.train, plan, state))
    assert record.step == state.step == 1
    assert {"critic objective", "gradient-penalty", "generator objective"} == set(record.losses())
    counts = [int(s["step"]) for s in state.critic_optimizer.state_dict()["state"].values()]
    assert set(counts) == {3}
    after = game.generator.parameters()
    assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_optimism_settles_a_game_that_rotates_without_it() -> None:
    """min over x, max over y of x y: gradient steps spiral out, optimistic ones spiral in."""
    ends = {}
    for text in ("adam:eps=1e3,beta2=0", "adam:eps=1e3,beta2=0,optimism=1"):
        # With a large epsilon Adam's step is proportional to the gradient: rate / eps = .1.
        updates = parse(text, optimizers(), "optimizer")
        x, y = (torch.nn.Parameter(torch.tensor([1.0])) for _ in range(2))
        players = [updates.over([p], 100.0) for p in (x, y)]
        for _ in range(200):
            x.grad, y.grad = y.detach().clone(), -x.detach().clone()
            for player in players:
                player.step()
        ends[text] = float((x**2 + y**2).detach())
    plain, optimistic = ends.values()
    # The squared radius grows by 1 + .01 a step, and 1.01^200 = 7.3 of the 2 at the start.
    assert plain == pytest.approx(2 * 1.01**200, rel=0.05)
    assert optimistic < 0.5


def test_the_average_is_exponential() -> None:
    average, moving = [torch.ones(2), torch.tensor(3)], [torch.zeros(2), torch.tensor(7)]
    update_average(average, moving, 0.1)
    assert average[0] == pytest.approx(torch.full((2,), 0.9))
    assert int(average[1]) == 7


MIDDLE = {"cosine": 0.505, "linear": 0.505, "exponential": 0.1}


@pytest.mark.parametrize("name", schedules())
def test_rates_hold_and_then_fall(name: str) -> None:
    _, _, plan, _ = built()
    schedule = schedules()[name](0.2, 0.01, 0.1)
    plan = replace(plan, steps=100, schedule=schedule, critic_rate=2.0, generator_rate=1.0)
    assert plan.rates(0) == plan.rates(20) == (2, 1)
    assert plan.rates(60)[1] == pytest.approx(MIDDLE[name])
    assert plan.rates(100) == pytest.approx((0.2, 0.01))
    for values in zip(*(plan.rates(s) for s in range(101)), strict=True):
        assert list(values) == sorted(values, reverse=True)


def test_a_plateau_is_a_best_that_grows_old() -> None:
    values = [5, 4, 3, 3.5, 3.2, 3.1]
    assert not plateaued(values[:5], 3)
    assert plateaued(values, 3)
    assert not plateaued(values, 0)


def test_the_later_of_equal_steps_is_the_best() -> None:
    """Within the noise the latest step; beyond it the least value, however early."""

    def history(*values: float, noise: float) -> list[Measurement]:
        return [Measurement(k + 1, v, 1, noise, 0, None, None, 0, 0) for k, v in enumerate(values)]

    assert best_of(history(5, 3.0, 3.1, 3.05, 4, noise=0.2)).step == 4
    assert best_of(history(5, 3.0, 3.1, 3.05, 4, noise=0.0)).step == 2
    assert best_of(history(1, 2, 3, noise=0.5)).step == 1


def test_a_step_under_noise_is_best_only_among_its_like() -> None:
    noisy = [Measurement(k, 1.0, 1, 0, 0, None, None, 0, 0, noise=0.1) for k in (1, 2)]
    assert best_of(noisy).step == 2
    assert best_of([*noisy, Measurement(3, 2.0, 1, 0, 0, None, None, 0, 0)]).step == 3
    assert not plateaued([], 3)


@pytest.mark.parametrize(
    ("broken", "term"), [("critic", "critic objective"), ("generator", "critic objective")]
)
def test_a_number_that_is_not_finite_names_term_layer_and_step(broken: str, term: str) -> None:
    data, game, plan, state = built()
    list(islice(steps(game, data.train, plan, state), 2))
    with torch.no_grad():
        next(getattr(game, broken).parameters()).fill_(np.inf)
    before = weights(game)
    with pytest.raises(Diverged) as caught:
        list(steps(game, data.train, plan, state))
    assert term in str(caught.value)
    assert "step 3" in str(caught.value)
    assert "layer" in str(caught.value)
    assert torch.equal(weights(game), before)


def test_an_infinite_gradient_is_caught_before_it_moves_anything() -> None:
    data, game, plan, _state = built()

    class Root(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = torch.nn.Parameter(torch.zeros(2))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return (x * self.w).sum(1).abs().sqrt()

    bad = replace(game, critic=Root(), constraints=())
    fresh = State.start(bad, plan)
    with pytest.raises(Diverged, match="gradient of layer 'w'"):
        next(steps(bad, data.train, plan, fresh))
    assert float(weights(bad).sum()) == float(weights(bad).sum())
