"""One suite that every constraint runs through, and the penalty on critics with known slopes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from surveyor.batch import Batch, Draws
from surveyor.catalog import parse, text_of
from surveyor.critics import critics
from surveyor.critics.conv import Conv
from surveyor.critics.mlp import Mlp
from surveyor.data import Space
from surveyor.diagnostics import slopes
from surveyor.errors import InputError
from surveyor.generators import Latent, generators
from surveyor.layers.activations import Absolute, Fourier, GroupSort, LeakyReLU
from surveyor.lipschitz import Constraint, certify, constraints
from surveyor.lipschitz.certificate import norm_bound, weighted
from surveyor.lipschitz.clip import Clip
from surveyor.lipschitz.gradient_penalty import matched
from surveyor.lipschitz.orthogonal import Orthogonal, orthogonalised
from surveyor.lipschitz.spectral import Spectral
from surveyor.objectives import objectives
from surveyor.training import Game

NAMES = sorted(constraints())
FLAT, PICTURE = Space((6,), 3, (6,)), Space((1, 8, 8), 3, (1, 8, 8))


def critic_of(kind: str) -> tuple[nn.Module, Space]:
    torch.manual_seed(0)
    if kind == "mlp":
        return Mlp(width=32, depth=2).build(FLAT), FLAT
    return Conv(width=8).build(PICTURE), PICTURE


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


@pytest.mark.parametrize(
    ("said", "kind"),
    [({}, GroupSort), ({"group": 4}, GroupSort), ({"activation": "absolute"}, Absolute)],
)
def test_an_orthogonal_critic_has_the_activations_asked_for(
    said: dict[str, Any], kind: type[nn.Module]
) -> None:
    critic, _ = critic_of("mlp")
    Orthogonal(**said).install(critic)
    found = [m for m in critic.modules() if isinstance(m, GroupSort | Absolute | LeakyReLU)]
    assert found
    assert {type(m) for m in found} == {kind}
    assert {m.group for m in found if isinstance(m, GroupSort)} <= {said.get("group", 8)}


FORMS = [
    *NAMES, "orthogonal:activation=absolute", "gradient-penalty:points=both,target=0",
    "gradient-penalty:points=real,side=two", "gradient-penalty:points=fake,every=2",
    "gradient-penalty:pairs=optimal",
]  # fmt: skip


def game_for(form: str, kind: str, objective: str = "wasserstein") -> tuple[Game, Batch]:
    torch.manual_seed(0)
    space = {"conv": PICTURE, "odd conv": Space((3, 11, 9), 3, (3, 11, 9))}.get(kind, FLAT)
    text = {"mlp": "mlp:width=32,depth=2", "fourier": "mlp:width=16,depth=2"}.get(
        kind, "conv:width=8"
    )
    more = ",fourier=4" if kind == "fourier" else ""
    critic = parse(text + more, critics(), "critic").build(space)
    latent = Latent(4)
    constraint = parse(form, constraints(), "constraint")
    constraint.install(critic)
    chosen = objectives()[objective]()
    game = Game(
        parse(text, generators(), "generator").build(space, latent),
        critic,
        chosen,
        (constraint,),
        latent,
        lambda raw, _: raw,
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


def deviation(found: list[Tensor], wanted: list[Tensor]) -> float:
    a, b = (torch.cat([g.flatten() for g in gradients]) for gradients in (found, wanted))
    return float((a - b).norm() / b.norm())


@pytest.mark.parametrize("kind", ["mlp", "conv", "odd conv"])
@pytest.mark.parametrize("form", ["gradient-penalty", "spectral", "condition-penalty"])
def test_half_precision_loses_no_more_than_autograds(form: str, kind: str) -> None:
    """Over some draws: of one, a small net's deviation is a matter of chance."""
    game, real = game_for(form, kind)
    half = replace(game, precision=torch.bfloat16)
    lost: dict[str, list[float]] = {"critic": [], "generator": []}
    usual: dict[str, list[float]] = {"critic": [], "generator": []}
    for k in range(8):
        for side, loss, steps in (
            ("critic", Game.critic_loss, Game.critic_gradients),
            ("generator", Game.generator_loss, Game.generator_gradients),
        ):
            module = getattr(game, side)
            exact = by_autograd(loss(game, real, Draws(k), 0.1), module)
            other = by_autograd(loss(half, real, Draws(k), 0.1), module)
            lost[side].append(deviation(steps(half, real, Draws(k), 0.1)[1], exact))
            usual[side].append(deviation(other, exact))
    for side in lost:
        own, beside = float(np.mean(lost[side])), float(np.mean(usual[side]))
        assert own < min(0.08, 1.3 * beside + 0.005), side


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


@pytest.mark.parametrize("kind", ["mlp", "conv"])
def test_the_spectral_norm_of_every_layer_is_one(kind: str) -> None:
    """Of every layer on the data's path, the last included, as the critic's own weights say."""
    critic, _ = trained(Spectral(), kind)
    for _ in range(300):  # the iteration converges once the weights stand still
        Spectral().project(critic)
    layers = [m for m in critic.layers.modules() if isinstance(m, (nn.Linear, nn.Conv2d))]  # type: ignore[union-attr]
    assert len(layers) >= 3
    for layer in layers:
        norms = torch.linalg.svdvals(layer.weight.detach().flatten(1))
        assert float(norms[0]) == pytest.approx(1, abs=2e-3)


def test_more_iterations_bring_the_spectral_norm_closer() -> None:
    off = []
    for iterations in (1, 30):
        critic, _ = critic_of("mlp")
        constraint = Spectral(iterations)
        constraint.install(critic)
        torch.manual_seed(1)
        with torch.no_grad():
            for layer in weighted(critic):
                layer.parametrizations["weight"].original.normal_()  # type: ignore[index, union-attr]
        constraint.project(critic)
        norms = [
            torch.linalg.matrix_norm(w.weight.detach().flatten(1), 2) for w in weighted(critic)
        ]
        off.append(max(abs(float(n) - 1) for n in norms))
    assert off[1] < 0.02 < off[0]


def test_activations_that_bend_a_gradients_norm_are_refused() -> None:
    wrong: Any = "relu"
    with pytest.raises(InputError, match="activation 'relu'; known: groupsort, absolute"):
        Orthogonal(activation=wrong)
    with pytest.raises(InputError, match="group 1: sort at least 2"):
        Orthogonal(group=1)


def test_an_orthogonal_mlp_keeps_the_gradient_norm() -> None:
    torch.manual_seed(0)
    critic = Mlp(width=32, depth=3).build(Space((6,), 0, (6,)))
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


def test_matched_pairs_are_the_cheapest_within_a_condition() -> None:
    torch.manual_seed(0)
    x = torch.randn(12, 3)
    order = torch.randperm(12)
    moved = Batch((x + 0.01)[order])
    assert torch.equal(matched(Batch(x), moved).x, x + 0.01)
    cond = torch.eye(2)[torch.arange(12) % 2]
    real, fake = Batch(x, cond), Batch(x.roll(1, 0) + 0.01, cond)
    found = matched(real, fake)
    own = [int((fake.x == row).all(1).nonzero()[0, 0]) for row in found.x]
    assert sorted(own) == list(range(12))
    assert torch.equal(cond[own], cond)
