"""Small experiments on points in memory: critics alone, and games."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from surveyor.batch import Draws
from surveyor.errors import InputError
from surveyor.generators import Latent
from surveyor.lipschitz import certify
from surveyor.objectives.hinge import Hinge
from surveyor.training import Game, lab
from surveyor.training.lab import (
    Points,
    critic_of,
    game_of,
    gap,
    generator_of,
    gradient,
    measuring_critic,
    sampled,
)
from surveyor.training.step import update


def flat(net: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in net.parameters()])


SMALL = "mlp:width=16,depth=1"
TWO = Points(Draws(0).normal(64, 2))


def test_nets_repeat_by_their_seed_and_leave_torchs_own_as_it_was() -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first, again, other = (critic_of(SMALL, TWO, seed) for seed in (1, 1, 2))
    made, same, new = (generator_of(SMALL, TWO, Latent(3), seed) for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(flat(first), flat(again))
    assert not torch.equal(flat(first), flat(other))
    assert torch.equal(flat(made), flat(same))
    assert not torch.equal(flat(made), flat(new))
    assert critic_of(first, TWO) is first
    assert generator_of(made, TWO, Latent(3)) is made
    assert made(torch.zeros(5, 3)).shape == (5, 2)


def test_nets_are_told_conditions_where_points_have_them() -> None:
    told = Points(TWO.x, Draws(1).normal(64, 3))
    game = game_of(told, SMALL, SMALL, seed=3)
    made = sampled(
        game, game.generator, 10, told.cond[:10] if told.cond is not None else None, seed=4
    )
    assert made.shape == (10, 2)
    assert gap(game.critic, told, told) == 0
    terms, _ = game.critic_gradients(told.draw(8, Draws(0)), Draws(0))
    assert set(terms) == {"critic objective", "gradient-penalty"}


def test_a_game_has_the_parts_that_are_named() -> None:
    game = game_of(TWO, SMALL, SMALL, ["clip:limit=0.1", "none"], "hinge", Latent(4, 2))
    assert game.objective == Hinge()
    assert [type(c).__name__ for c in game.constraints] == ["Clip"]
    assert (game.latent, game.unit) == (Latent(4, 2), 1.0)
    assert (
        max(
            float(p.detach().abs().max())
            for n, p in game.critic.named_parameters()
            if "weight" in n
        )
        <= 0.1 + 1e-6
    )
    assert game_of(TWO, SMALL, SMALL, objective=Hinge()).objective == Hinge()
    assert game_of(TWO, SMALL, SMALL).latent == Latent(8)


@pytest.mark.parametrize("unit", [1.0, 0.25])
def test_a_measuring_critic_finds_the_distance_of_a_shift(unit: float) -> None:
    """Points scaled by 1 / unit: a critic of slope ``unit`` measures in the unit before."""
    x = Draws(1).normal(400, 2)
    high, low = Points((x + torch.tensor([2.0, 0.0])) / unit), Points(x / unit)
    critic = measuring_critic(high, low, SMALL, count=400, batch=64, rate=5e-3, seed=2, unit=unit)
    # Few steps, on points four times as far apart: a third too much; of slope 1 it would be 8.
    assert gap(critic, high, low) == pytest.approx(2, rel=0.4)
    slopes = gradient(critic, high.x).norm(dim=1)
    assert float(slopes.median()) == pytest.approx(unit, rel=0.4)
    with pytest.raises(InputError, match="weights are not supported"):
        measuring_critic(Points(high.x, weight=torch.ones(400)), low)
    with pytest.raises(InputError, match="weights are not supported"):
        measuring_critic(high, Points(low.x, weight=torch.ones(400)))


def test_a_measuring_critic_takes_its_constraint_objective_and_seed() -> None:
    low = Points(TWO.x + 1)
    said: dict[str, Any] = {"critic": SMALL, "count": 60, "batch": 16}
    plain = measuring_critic(TWO, low, **said)
    assert torch.equal(flat(plain), flat(measuring_critic(TWO, low, **said)))
    for more in (
        {"seed": 1},
        {"objective": "hinge"},
        {"rate": 1e-2},
        {"optimizer": "sgd"},
        {"count": 61},
        {"batch": 17},
    ):
        assert not torch.equal(flat(plain), flat(measuring_critic(TWO, low, **said | more))), more
    bound = certify(measuring_critic(TWO, low, constraint="orthogonal", **said))
    assert bound == pytest.approx(1, abs=1e-3)


def test_an_optimizer_that_is_not_known_is_named() -> None:
    game = game_of(TWO, SMALL, SMALL)
    runs = (
        lambda: lab.train_critic(game, TWO, 1, optimizer="adm"),
        lambda: next(lab.play(game, TWO, 1, optimizer="adm")),
    )
    for run in runs:
        with pytest.raises(InputError, match=r"^unknown optimizer 'adm'; did you mean 'adam'"):
            run()


def test_a_measuring_critic_speaks_in_its_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Adam does not see the unit of a loss: what is trained does."""
    told: list[Any] = []
    monkeypatch.setattr(lab, "train_critic", lambda game, *more: told.append((game, *more)))
    measuring_critic(
        TWO, TWO, SMALL, count=7, batch=9, rate=0.5, optimizer="sgd", seed=3, unit=0.25
    )
    (game, high, *more) = told[0]
    assert more == [7, 9, 0.5, "sgd", 3]
    assert game.unit == game.constraints[0].target == 0.25
    assert float(game.critic.gain) == 0.25
    assert high is game.low is TWO


def test_a_critics_rate_stays_for_half_of_the_steps_and_falls_to_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rates, own = [], update

    def spied(
        terms: Any, found: Any, net: nn.Module, moves: torch.optim.Optimizer, step: int
    ) -> None:
        rates.append(moves.param_groups[0]["lr"])
        own(terms, found, net, moves, step)

    monkeypatch.setattr(lab, "update", spied)
    game = game_of(TWO, SMALL, SMALL)
    lab.train_critic(game, TWO, 8, batch=8, rate=0.1)
    assert rates == pytest.approx([0.1] * 5 + [0.075, 0.05, 0.025])


def test_a_game_is_played_under_its_plan() -> None:
    seen: list[int] = []

    class Told(Points):
        def draw(self, n: int, draws: Draws) -> Any:
            seen.append(n)
            return super().draw(n, draws)

    def fresh() -> Game:
        return game_of(TWO, SMALL, SMALL)

    *_, (state, record) = lab.play(fresh(), Told(TWO.x), 3, batch=12, critic_steps=4)
    assert (record.step, state.step, seen) == (3, 3, [12] * 15)
    ends = []
    for more in (
        {},
        {},
        {"critic_rate": 2e-3},
        {"generator_rate": 2e-3},
        {"seed": 1},
        {"hold": 0.0},
        {"noise": "anneal:start=0.5"},
    ):
        game = fresh()
        list(lab.play(game, TWO, 4, batch=12, **more))
        ends.append(flat(game.generator))
    assert torch.equal(ends[0], ends[1])
    assert all(not torch.equal(ends[0], end) for end in ends[2:])


def test_the_gradient_of_a_committee_is_that_of_its_mean() -> None:
    class Both(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.stack([3 * x[:, 0], x[:, 1].square()])

    x = torch.tensor([[1.0, 2.0], [0.0, -1.0]])
    assert gradient(Both(), x).tolist() == [[1.5, 2.0], [1.5, -1.0]]


def test_samples_of_the_lab_repeat_by_their_seed() -> None:
    game = game_of(TWO, SMALL, SMALL)
    first, again, other = (sampled(game, game.generator, 20, seed=s) for s in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not first.requires_grad
