"""One suite that every constraint runs through, and the penalty on critics with known slopes."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from surveyor.batch import Batch, Draws
from surveyor.catalog import parse, text_of
from surveyor.data import Space
from surveyor.diagnostics import slopes
from surveyor.errors import InputError
from surveyor.lipschitz import Constraint, certify, constraints
from surveyor.lipschitz.certificate import norm_bound, weighted
from surveyor.lipschitz.clip import Clip
from surveyor.lipschitz.condition_penalty import ConditionPenalty
from surveyor.lipschitz.gradient_penalty import GradientPenalty
from surveyor.lipschitz.orthogonal import Orthogonal, orthogonalised
from surveyor.nets import Latent, Net
from surveyor.nets.activations import Fourier
from surveyor.nets.conv import Conv
from surveyor.nets.mlp import Mlp
from surveyor.objectives import objectives
from surveyor.training import Game

NAMES = sorted(constraints())
FLAT, PICTURE = Space((6,), 3, (6,)), Space((1, 8, 8), 3, (1, 8, 8))


def critic_of(kind: str) -> tuple[nn.Module, Space]:
    torch.manual_seed(0)
    if kind == "mlp":
        return Mlp(width=32, depth=2).critic(FLAT), FLAT
    return Conv(width=8).critic(PICTURE), PICTURE


def batches(space: Space, n: int = 64, seed: int = 0) -> tuple[Batch, Batch]:
    draws = Draws(seed)
    cond = draws.normal(n, space.cond)
    real, fake = draws.normal(n, *space.shape) + 1, 0.7 * draws.normal(n, *space.shape)
    return Batch(real, cond), Batch(fake, cond)


def trained(constraint: Constraint, kind: str, steps: int = 30) -> tuple[nn.Module, Space]:
    critic, space = critic_of(kind)
    constraint.install(critic)
    optimizer = torch.optim.Adam(critic.parameters(), lr=2e-3)
    for step in range(steps):
        real, fake = batches(space, seed=step)
        loss = critic(fake.x, fake.cond).mean() - critic(real.x, real.cond).mean()
        penalty = constraint.penalty(critic, real, fake, Draws(1, step))
        optimizer.zero_grad()
        (loss if penalty is None else loss + penalty).backward()
        optimizer.step()
        constraint.project(critic)
    return critic, space


@pytest.mark.parametrize("kind", ["mlp", "conv"])
@pytest.mark.parametrize("name", NAMES)
def test_the_bound_holds_after_training(name: str, kind: str) -> None:
    constraint = constraints()[name]()
    critic, space = trained(constraint, kind)
    real, fake = batches(space, 256, seed=99)
    bound = constraint.bound(critic)
    assert bound is not None
    assert slopes(critic, real, fake, Draws(2)).max() <= bound
    with torch.no_grad():
        rise = critic(real.x, real.cond) - critic(fake.x, real.cond)
    distance = (real.x - fake.x).flatten(1).norm(dim=1)
    assert float((rise.abs() / distance).max()) <= bound


FORMS = [
    *NAMES, "orthogonal:activation=absolute", "gradient-penalty:points=both,target=0",
    "gradient-penalty:points=real,side=two", "gradient-penalty:points=fake,every=2",
]  # fmt: skip


def game_for(form: str, kind: str, objective: str = "wasserstein") -> tuple[Game, Batch]:
    torch.manual_seed(0)
    net: Net = Mlp(width=32, depth=2)
    space = PICTURE if kind == "conv" else FLAT
    if kind == "fourier":
        net = Mlp(width=16, depth=2, fourier=4)
    elif kind == "conv":
        net = Conv(width=8)
    elif kind == "odd conv":
        net, space = Conv(width=8), Space((3, 11, 9), 3, (3, 11, 9))
    critic, latent = net.critic(space), Latent(4)
    constraint = parse(form, constraints(), "constraint")
    constraint.install(critic)
    chosen = objectives()[objective]()
    game = Game(
        net.generator(space, latent), critic, chosen, (constraint,), latent, lambda raw, _: raw
    )
    real, _ = batches(space, 16)
    weight = torch.rand(16) + 0.5
    return game, Batch(real.x, real.cond, weight / weight.sum())


def by_autograd(terms: dict[str, Tensor], net: nn.Module) -> list[Tensor]:
    total = torch.stack(list(terms.values())).sum()
    return list(
        torch.autograd.grad(
            total, list(net.parameters()), allow_unused=True, materialize_grads=True
        )
    )


@pytest.mark.parametrize("kind", ["mlp", "conv", "odd conv", "fourier"])
@pytest.mark.parametrize("form", FORMS)
def test_the_written_out_gradients_are_autograds(form: str, kind: str) -> None:
    game, real = game_for(form, kind)
    for step in (0, 1):
        terms, gradients = game.critic_gradients(real, Draws(1, step), 0.1)
        loss = game.critic_loss(real, Draws(1, step), 0.1)
        assert terms.keys() == loss.keys()
        for name, value in loss.items():
            assert torch.allclose(terms[name], value, atol=1e-6)
        for one, other in zip(gradients, by_autograd(loss, game.critic), strict=True):
            assert torch.allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("kind", ["mlp", "conv"])
@pytest.mark.parametrize("objective", sorted(objectives()))
def test_every_objective_has_the_gradients_of_autograd(objective: str, kind: str) -> None:
    game, real = game_for("gradient-penalty:weight=0.1", kind, objective)
    terms, gradients = game.critic_gradients(real, Draws(1), 0.1)
    for one, other in zip(
        gradients, by_autograd(game.critic_loss(real, Draws(1), 0.1), game.critic), strict=True
    ):
        assert torch.allclose(one, other, atol=1e-5)
    terms, gradients = game.generator_gradients(real, Draws(2), 0.1)
    loss = game.generator_loss(real, Draws(2), 0.1)
    assert terms.keys() == loss.keys()
    for one, other in zip(gradients, by_autograd(loss, game.generator), strict=True):
        assert torch.allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_the_critic_separates_under_the_constraint(name: str) -> None:
    constraint = (
        parse("clip:limit=0.1", constraints(), "constraint")
        if name == "clip"
        else constraints()[name]()
    )
    critic, space = trained(constraint, "mlp", 150)
    real, fake = batches(space, 512, seed=7)
    with torch.no_grad():
        gap = float(critic(real.x, real.cond).mean() - critic(fake.x, fake.cond).mean())
    assert gap > 0.05


@pytest.mark.parametrize("name", NAMES)
def test_weights_survive_saving(name: str) -> None:
    constraint = constraints()[name]()
    critic, space = trained(constraint, "mlp")
    again, _ = critic_of("mlp")
    constraint.install(again)
    again.load_state_dict(critic.state_dict())
    real, _ = batches(space)
    assert torch.equal(critic(real.x, real.cond), again(real.x, real.cond))


@pytest.mark.parametrize("name", NAMES)
def test_its_text_names_it_in_full(name: str) -> None:
    constraint = constraints()[name]()
    assert parse(text_of(constraint), constraints(), "constraint") == constraint


@pytest.mark.parametrize("kind", ["mlp", "conv"])
def test_orthogonal_layers_have_a_proven_bound_of_one(kind: str) -> None:
    critic, _ = trained(Orthogonal(), kind)
    bound = Orthogonal().bound(critic)
    # The Newton-Schulz iteration stops at |W W' - I| < 1e-4, half of which is left in the norm.
    assert bound is not None
    assert bound <= 1 + 1e-4 * len(list(weighted(critic)))


def test_an_orthogonal_mlp_keeps_the_gradient_norm() -> None:
    torch.manual_seed(0)
    critic = Mlp(width=32, depth=3).critic(Space((6,), 0, (6,)))
    Orthogonal().install(critic)
    real = Batch(torch.randn(100, 6))
    # Past the widening first layer W' W = I on the way in, every layer preserves norms but the
    # last rows, which project: slopes lie close to 1, never above.
    slope = slopes(critic, real, real, Draws(0))
    assert slope.max() <= 1 + 1e-4
    assert slope.mean("real") > 0.3


@pytest.mark.parametrize("shape", [(8, 8), (20, 5), (5, 20), (1, 16)])
def test_orthogonalised_has_singular_values_one(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    for scale in (0.3, 1.0, 40.0):
        values = torch.linalg.svdvals(orthogonalised(scale * torch.randn(shape)))
        assert values == pytest.approx(torch.ones(min(shape)), abs=1e-4)


def test_clipping_touches_weights_only_and_counts_those_at_the_limit() -> None:
    critic, _ = critic_of("mlp")
    biases = [layer.bias.clone() for layer in weighted(critic) if layer.bias is not None]
    clip = Clip(0.05)
    clip.install(critic)
    assert max(
        float(layer.weight.detach().abs().max()) for layer in weighted(critic)
    ) <= np.float32(0.05)
    after = [layer.bias for layer in weighted(critic) if layer.bias is not None]
    assert all(torch.equal(b, a) for b, a in zip(biases, after, strict=True))
    every = torch.cat([layer.weight.detach().flatten() for layer in weighted(critic)])
    expected = float((every.abs() >= 0.05 * (1 - 1e-6)).float().mean())
    assert 0.01 < expected < 1
    assert clip.facts(critic)["share of weights at the clip limit"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("kernel", "stride", "padding"), [(3, 1, 1), (4, 2, 1), (2, 2, 0), (5, 3, 2)]
)
def test_the_norm_bound_of_a_convolution_is_above_its_operator_norm(
    kernel: int, stride: int, padding: int
) -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(2, 3, kernel, stride, padding, bias=False)
    eye = torch.eye(2 * 9 * 9).view(-1, 2, 9, 9)
    operator = layer(eye).flatten(1).detach()
    exact = float(torch.linalg.matrix_norm(operator, 2))
    assert exact <= norm_bound(layer) * (1 + 1e-6)
    if kernel == stride:
        assert exact == pytest.approx(norm_bound(layer), rel=1e-5)


def test_the_bound_of_fourier_features_is_reached() -> None:
    torch.manual_seed(0)
    layer = Fourier(3, 8, 2.0)
    x = torch.randn(200, 3)
    jacobians = torch.func.vmap(torch.func.jacrev(lambda v: layer(v[None])[0]))(x)
    norms = torch.linalg.matrix_norm(jacobians, 2)
    assert norms == pytest.approx(torch.full_like(norms, layer.bound()), rel=1e-4)


def test_an_unknown_layer_has_no_certificate() -> None:
    assert certify(nn.Sequential(nn.Linear(2, 2), nn.SiLU(), nn.Linear(2, 1))) is None


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
    assert GradientPenalty().aimed(0.5).target == 0.5
    assert GradientPenalty(target=2.0).aimed(0.5).target == 2.0


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
