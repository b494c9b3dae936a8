"""Penalties on critics whose gradients are known, at the points and rows they are asked about."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from surveyor.batch import Batch, Draws
from surveyor.catalog import parse
from surveyor.data import Space
from surveyor.errors import InputError
from surveyor.lipschitz import constraints
from surveyor.lipschitz.condition_penalty import ConditionPenalty
from surveyor.lipschitz.gradient_penalty import GradientPenalty
from tests.contracts.test_constraints import batches, game_for


class Linear(nn.Module):
    """A critic whose gradient is w everywhere."""

    def __init__(self, w: Tensor) -> None:
        super().__init__()
        self.w = nn.Parameter(w)

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        return x.flatten(1) @ self.w


@pytest.mark.parametrize(
    ("points", "side", "target", "norm"),
    list(
        itertools.product(
            ["between", "real", "fake", "both"],
            ["one", "two"],
            [0.0, 0.5, 1.0, 4.0],
            [0.2, 1.0, 3.0],
        )
    ),
)
def test_the_penalty_of_a_linear_critic_is_known(
    points: str, side: str, target: float, norm: float
) -> None:
    w = torch.zeros(6)
    w[1], w[4] = 0.6 * norm, 0.8 * norm
    real, fake = batches(Space((2, 3), 0, (2, 3)), 16)
    real, fake = Batch(real.x), Batch(fake.x)
    penalty = GradientPenalty(7.0, points, side, target)  # type: ignore[arg-type]
    if target == 0:
        expected = norm**2
    else:
        over = norm - target if side == "two" else max(norm - target, 0)
        expected = over**2 / target
    value = penalty.penalty(Linear(w), real, fake, Draws(0))
    assert value is not None
    # The root holds an epsilon of 1e-6 of the target.
    assert float(value.detach()) == pytest.approx(
        7 * expected * (2 if points == "both" else 1), rel=1e-4, abs=1e-9
    )


def test_the_penalty_of_a_quadratic_critic_depends_on_the_points() -> None:
    class Quadratic(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return 0.5 * x.square().sum(1)

    real, fake = Batch(torch.full((8, 1), 3.0)), Batch(torch.full((8, 1), -1.0))
    at = {
        p: GradientPenalty(1, p, "one", 0.0).penalty(Quadratic(), real, fake, Draws(0))
        for p in ("real", "fake", "both", "between")
    }
    values = {name: v.item() for name, v in at.items() if v is not None}
    assert values["real"] == pytest.approx(9)
    assert values["fake"] == pytest.approx(1)
    assert values["both"] == pytest.approx(10)
    e = Draws(0).uniform(8, 1)
    assert values["between"] == pytest.approx(float((3 * e - (1 - e)).square().mean()))


def test_every_sample_has_a_point_of_its_own() -> None:
    seen: list[Tensor] = []

    class Spy(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(x.detach())
            return x.sum(1)

    GradientPenalty().penalty(Spy(), Batch(torch.ones(50, 2)), Batch(torch.zeros(50, 2)), Draws(0))
    along = seen[0]
    assert torch.equal(along[:, 0], along[:, 1])
    assert len(along[:, 0].unique()) == 50


def test_the_gradient_is_taken_for_a_fixed_condition() -> None:
    class Product(nn.Module):
        def forward(self, x: Tensor, cond: Tensor) -> Tensor:
            return 2 * x.sum(1) + 100 * cond.sum(1)

    cond = torch.randn(10, 1)
    value = GradientPenalty(1, "real", "two", 0.0).penalty(
        Product(), Batch(torch.randn(10, 1), cond), Batch(torch.randn(10, 1), cond), Draws(0)
    )
    assert float(value.detach()) == pytest.approx(4)  # type: ignore[union-attr]


def test_a_lazy_penalty_is_as_strong_on_average() -> None:
    real, fake = batches(Space((3,), 0, (3,)), 8)
    real, fake = Batch(real.x), Batch(fake.x)
    critic = Linear(torch.tensor([0.0, 3.0, 0.0]))
    lazy, always = GradientPenalty(every=4), GradientPenalty()
    values = [lazy.penalty(critic, real, fake, Draws(0, step)) for step in range(8)]
    assert [v is not None for v in values] == [True, False, False, False] * 2
    total = sum(float(v.detach()) for v in values if v is not None)
    each = always.penalty(critic, real, fake, Draws(0))
    assert each is not None
    assert total == pytest.approx(8 * float(each.detach()), rel=1e-5)


def test_a_committee_is_penalised_member_by_member() -> None:
    class Committee(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.stack([3 * x[:, 0], -3 * x[:, 0]])

    batch = Batch(torch.randn(12, 2))
    value = GradientPenalty(1, "real", "two", 1.0).penalty(Committee(), batch, batch, Draws(0))
    # The members' sum is flat; each alone has slope 3.
    assert float(value.detach()) == pytest.approx(2 * 4, rel=1e-4)  # type: ignore[union-attr]


@pytest.mark.parametrize("target", [0.0, 1.0])
def test_a_flat_critic_has_a_finite_gradient(target: float) -> None:
    critic = Linear(torch.zeros(2))
    value = GradientPenalty(10, "real", "two", target).penalty(
        critic, Batch(torch.randn(4, 2)), Batch(torch.randn(4, 2)), Draws(0)
    )
    assert value is not None
    value.backward()
    assert critic.w.grad is not None
    assert bool(critic.w.grad.isfinite().all())


def test_the_target_follows_the_unit_of_the_data() -> None:
    assert GradientPenalty().with_target(0.5).target == 0.5
    assert GradientPenalty(target=2.0).with_target(0.5).target == 2.0


@pytest.mark.parametrize(
    "text",
    [
        "gradient-penalty:weight=-1", "gradient-penalty:weight=nan", "gradient-penalty:side=both",
        "gradient-penalty:every=0", "gradient-penalty:weigth=1", "gradient-penlty",
        "clip:limit=0", "clip:limit=x", "spectral:iterations=0", "orthogonal:group=1",
    ],
)  # fmt: skip
def test_nonsense_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(text, constraints(), "constraint")
    assert caught.value.problems
    assert all("\n" not in problem for problem in caught.value.problems)


def test_with_groups_the_smallest_weighs_as_much_in_the_penalty_as_the_largest() -> None:
    class Quadratic(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return 0.5 * x.square().sum(1)

    x = torch.tensor([[1.0]] * 9 + [[3.0]])
    real = Batch(x, group=torch.tensor([4] * 9 + [2]))
    plain, even = (GradientPenalty(1, "real", "one", 0.0, groups=g) for g in (False, True))
    values = [p.penalty(Quadratic(), real, real, Draws(0)) for p in (plain, even)]
    assert [v.item() for v in values if v is not None] == pytest.approx([1.8, 5.0])


class Square(nn.Module):
    """A critic whose slope at x is |x|, and in its condition |x| as well."""

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        own = 0.5 * x.square().sum(1)
        return own if cond is None else own + (x * cond).sum(1)


@pytest.mark.parametrize(
    ("points", "sides"), [("real", (3.0,)), ("fake", (5.0,)), ("both", (3.0, 5.0))]
)
@pytest.mark.parametrize("groups", [False, True])
def test_rows_weigh_what_they_are_told_in_the_penalty(
    points: str, sides: tuple[float, ...], groups: bool
) -> None:
    """Three rows of weights 1, 3 and 2, the first two of one group, which as a whole weighs half."""
    scale = torch.tensor([[1.0], [2.0], [0.0]])
    weight, group = torch.tensor([1.0, 3.0, 2.0]), torch.tensor([7, 7, 4])
    real, fake = (Batch(side * scale, None, weight, group) for side in (3.0, 5.0))
    value = GradientPenalty(1, points, "one", 0.0, groups=groups).penalty(  # type: ignore[arg-type]
        Square(), real, fake, Draws(0)
    )
    assert value is not None
    mean = (1 * 1 + 3 * 4) / 4 / 2 if groups else (1 * 1 + 3 * 4) / 6
    assert value.item() == pytest.approx(sum(side**2 * mean for side in sides))


def test_without_groups_in_the_data_every_row_weighs_its_own() -> None:
    real = Batch(torch.tensor([[1.0], [3.0]]))
    value = GradientPenalty(1, "real", "one", 0.0, groups=True).penalty(
        Square(), real, real, Draws(0)
    )
    assert value is not None
    assert value.item() == pytest.approx(5)


def test_between_optimal_pairs_are_the_points_of_the_shortest_lines() -> None:
    x = Draws(1).normal(20, 2)
    real, fake = Batch(x), Batch((x + 0.01).flip(0))
    (drawn,), (optimal,) = (
        GradientPenalty(pairs=p).penalised(real, fake, Draws(2)) for p in ("drawn", "optimal")
    )
    assert float((optimal.x - x).norm(dim=1).max()) < 0.015
    assert float((drawn.x - x).norm(dim=1).max()) > 0.5


@pytest.mark.parametrize("values", [{"weight": -1.0}, {"target": float("nan")}])
def test_a_condition_penalty_that_cannot_be_is_refused(values: dict[str, float]) -> None:
    ((name, value),) = values.items()
    with pytest.raises(InputError, match=f"^condition-penalty: {name} {value}: give a number"):
        ConditionPenalty(**values)


def test_the_condition_penalty_looks_between_and_weighs_rows() -> None:
    """The slope of x . c in c is x, at e x_real + (1 - e) x_fake with one e a row."""
    real = Batch(Draws(1).normal(5, 2) + 4, Draws(2).normal(5, 2), torch.tensor([1.0, 2, 3, 4, 0]))
    fake = Batch(Draws(3).normal(5, 2) - 4, real.cond)
    value = ConditionPenalty(3.0).penalty(Square(), real, fake, Draws(9))
    e = Draws(9).uniform(5, 1)
    squares = (e * real.x + (1 - e) * fake.x).square().sum(1)
    assert value is not None
    assert real.weight is not None
    assert value.item() == pytest.approx(3 * float((squares * real.weight).sum()) / 10, rel=1e-5)


def test_the_condition_penalty_of_a_committee_is_its_members_sum() -> None:
    class Two(nn.Module):
        def forward(self, x: Tensor, cond: Tensor) -> Tensor:
            return torch.stack([2 * cond[:, 0], -3 * cond[:, 1]])

    real = Batch(torch.randn(6, 2), torch.randn(6, 2))
    value = ConditionPenalty(1.0).penalty(Two(), real, real, Draws(0))
    assert value is not None
    assert value.item() == pytest.approx(4 + 9)
    none = ConditionPenalty(1.0).penalty(Two(), Batch(real.x), Batch(real.x), Draws(0))
    assert none is not None
    assert none.item() == 0


@pytest.mark.parametrize(("target", "cost"), [(0.0, 25.0), (2.0, 9.0), (6.0, 0.0)])
def test_the_condition_penalty_of_a_linear_critic_is_known(target: float, cost: float) -> None:
    class Both(nn.Module):
        def forward(self, x: Tensor, cond: Tensor) -> Tensor:
            return 100 * x.sum(1) + 3 * cond[:, 0] - 4 * cond[:, 1]

    real = Batch(torch.randn(8, 2), torch.randn(8, 2))
    value = ConditionPenalty(0.5, target).penalty(Both(), real, real, Draws(0))
    assert value is not None
    assert value.item() == pytest.approx(0.5 * cost, abs=1e-5)


def test_a_condition_penalty_joins_the_critics_loss_and_its_gradient() -> None:
    game, real = game_for("condition-penalty:weight=2", "mlp")
    plain = replace(game, constraints=())
    terms, gradients = game.critic_gradients(real, Draws(1))
    assert terms["condition-penalty"] > 0
    assert (
        terms["critic objective"] == plain.critic_gradients(real, Draws(1))[0]["critic objective"]
    )
    moved = [
        not torch.equal(a, b)
        for a, b in zip(gradients, plain.critic_gradients(real, Draws(1))[1], strict=True)
    ]
    assert any(moved)
