"""One suite that every critic runs through, wrappers included, and what single ones promise."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from surveyor.catalog import parse
from surveyor.critics import Critic, critics
from surveyor.data import Space
from surveyor.data.graphs import GraphSpace
from surveyor.errors import InputError
from surveyor.layers.residual import Attention, Block
from surveyor.lipschitz import certify

GRAPH = GraphSpace(3, 2, 2, (3, 2), (1, 2), (0, 0), cycles=1, parts=2)
SPACES = [
    *[Space((GRAPH.width,), cond, (GRAPH.width,), 0.5, graph=GRAPH) for cond in (0, 4)],
    *[Space((5,), cond, (5,), 0.5) for cond in (0, 4)],
    *[
        Space(shape, cond, shape, 0.5)
        for shape in [(1, 8, 8), (3, 9, 13), (1, 28, 28), (3, 4, 4), (1, 33, 20)]
        for cond in (0, 4)
    ],
    Space((3, 32, 32), 0, (3, 32, 32), 0.5, cond_shape=(3, 8, 8)),
    Space((1, 15, 21), 0, (1, 15, 21), 0.5, cond_shape=(1, 5, 7)),
    Space((1, 9, 13), 0, (1, 9, 13), 0.5, cond_shape=(1, 9, 13)),
    Space((3, 16, 16), 0, (3, 16, 16), 0.5, cond_shape=(1, 16, 16)),
]
NAMES = sorted(critics())
FORMS = [
    *NAMES, "residual:width=8,label=concatenation,attention=true", "mlp:fourier=4", "patch:per=patch", "patch:halvings=4",
    "committee:of=conv,see=patches", "committee:of=residual,see=bands,members=3",
    "committee:of=(committee:see=columns,members=2),members=3", "committee:of=(packed:of=mlp),members=2",
    "packed:of=mlp,members=3", "packed:of=(residual:width=8)", "packed:of=(patch:per=patch)",
    "packed:of=(committee:members=2)", "packed:of=(packed:of=mlp,members=2),members=3",
]  # fmt: skip


def asked(space: Space, n: int) -> tuple[Tensor, ...]:
    """Return conditions of ``n`` points; none where the space has none."""
    if space.cond_shape:
        return (torch.randn(n, *space.cond_shape),)
    return (torch.randn(n, space.cond),) if space.cond else ()


def built(part: Critic, space: Space) -> nn.Module | None:
    """Return a seeded critic with no weight at zero; None where the part refuses the space."""
    torch.manual_seed(0)
    module, problems = None, []
    try:
        module = part.build(space)
    except InputError as error:
        problems = [*error.problems]
    assert all(": " in p for p in problems)
    for p in module.parameters() if module is not None else ():
        if not p.any():
            nn.init.normal_(p, std=0.05)
    return module


@pytest.fixture(params=FORMS, name="part")
def part_of(request: pytest.FixtureRequest) -> Critic:
    return parse(request.param, critics(), "critic")


def taken(part: Critic) -> list[tuple[Space, nn.Module]]:
    # Pictures to be answered go to those parts alone that say they answer.
    found = [
        (space, built(part, space))
        for space in SPACES
        if part.takes_pictures or not space.cond_shape
    ]
    return [(space, module) for space, module in found if module is not None]


def test_every_critic_judges_some_of_the_spaces_and_refuses_the_others_in_a_line(
    part: Critic,
) -> None:
    assert len(taken(part)) >= 2


def test_a_critic_has_a_score_a_sample_and_member(part: Critic) -> None:
    for space, module in taken(part):
        members = set()
        for n in (1, 6, 7):
            scores = module(torch.randn(n, *space.shape), *asked(space, n))
            assert scores.shape[-1] == n
            assert scores.ndim <= 2
            assert scores.dtype == torch.float32
            assert bool(scores.isfinite().all())
            members.add(scores.shape[:-1])
        assert len(members) == 1


def test_a_critic_sees_the_condition(part: Critic) -> None:
    for space, module in taken(part):
        x, cond = torch.randn(6, *space.shape), asked(space, 6)
        if cond:
            assert not torch.allclose(module(x, *cond), module(x, 3 * cond[0] + 1))


def test_a_score_depends_on_the_samples_of_its_own_pack_alone(part: Critic) -> None:
    pack = part.together
    for space, module in taken(part):
        n = 3 * pack
        x, cond = torch.randn(n, *space.shape, requires_grad=True), asked(space, n)
        scores = module(x, *cond).view(-1, n)
        for start in range(0, n, pack):
            own = slice(start, start + pack)
            assert bool((scores[:, own] == scores[:, own][:, :1]).all())
            (moved,) = torch.autograd.grad(scores[:, start].sum(), x, retain_graph=True)
            seen = moved.flatten(1).abs().sum(1) > 0
            assert seen.tolist() == [start <= k < start + pack for k in range(n)]
        other = torch.cat([x[:pack], 9 * x[pack:]])
        assert torch.allclose(
            module(other, *cond).view(-1, n)[:, :pack], scores[:, :pack], atol=1e-4
        )


def test_the_unit_scales_a_critic(part: Critic) -> None:
    for space, module in taken(part):
        x, cond = torch.randn(5, *space.shape), asked(space, 5)
        larger = built(part, replace(space, unit=500 * space.unit))
        assert larger is not None
        assert torch.allclose(500 * module(x, *cond), larger(x, *cond), rtol=1e-3, atol=1e-3)


def test_a_critic_is_a_function_of_the_seed(part: Critic) -> None:
    for space, module in taken(part):
        again = built(part, space)
        assert again is not None
        for a, b in zip(module.state_dict().values(), again.state_dict().values(), strict=True):
            assert torch.equal(a, b)


def test_scores_have_a_gradient_in_every_weight(part: Critic) -> None:
    for space, module in taken(part):
        scores = module(torch.randn(48, *space.shape), *asked(space, 48))
        (scores * torch.randn(scores.shape)).sum().backward()
        without = [k for k, p in module.named_parameters() if p.grad is None or not p.grad.any()]
        assert without == []


@pytest.mark.parametrize(
    "text",
    ["mlp:width=0", "mlp:fourier=-1", "mlp:depth=0", "mlp:residual=true", "conv:width=0",
     "residual:label=none", "patch:per=row", "patch:halvings=0"],
)  # fmt: skip
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse(text, critics(), "critic")


@pytest.mark.parametrize("name", ["unet", "upscale", "autoregressive"])
def test_a_generator_is_no_critic(name: str) -> None:
    with pytest.raises(InputError, match=f"unknown critic '{name}'; known: committee, conv, mlp"):
        parse(name, critics(), "critic")


@pytest.mark.parametrize("size", [8, 16, 32, 64, 128, 256])
@pytest.mark.parametrize(
    "text",
    [
        "conv:width=4",
        "residual:width=4,blocks=2,attention=true",
        "residual:width=4,label=concatenation",
    ],
)
def test_pictures_of_every_size_are_judged(text: str, size: int) -> None:
    space = Space((3, size, size), 2, (3, size, size))
    with torch.no_grad():
        net = parse(text, critics(), "critic").build(space)
        assert net(torch.randn(2, 3, size, size), torch.randn(2, 2)).shape == (2,)


def test_a_signals_mean_square_halves_from_layer_to_layer() -> None:
    torch.manual_seed(0)
    critic = parse("mlp:width=1024,depth=5", critics(), "critic").build(Space((1024,), 0, (1024,)))
    sizes: list[float] = []
    for module in critic.modules():
        if isinstance(module, torch.nn.Linear) and module.out_features > 1:
            module.register_forward_hook(
                lambda m, i, y: sizes.append(float(y.detach().square().mean()))
            )
    critic(torch.randn(200, 1024))
    # E y^2 -> E y^2 (1 + s^2) / 2 by the activation and / (1 + s^2) by the layer.
    assert [b / a for a, b in zip(sizes[:-1], sizes[1:], strict=True)] == pytest.approx(
        [0.5] * 4, rel=0.15
    )


def test_a_deep_residual_net_begins_as_a_shallow_one() -> None:
    torch.manual_seed(0)
    block, attention = Block(8, 0.2), Attention(8)
    for p in block.parameters():
        torch.nn.init.normal_(p)
    critic = parse("residual:width=8,blocks=3", critics(), "critic").build(
        Space((1, 8, 8), 0, (1, 8, 8))
    )
    h = torch.randn(2, 8, 5, 5)
    assert torch.equal(attention(h), h)
    assert not torch.allclose(block(h), h)
    fresh = [m for m in critic.modules() if isinstance(m, Block)]
    assert len(fresh) == 6
    assert all(
        torch.equal(b(g), g) for b in fresh for g in [torch.randn(2, b.first.in_channels, 5, 5)]
    )


def test_attention_looks_at_every_place_and_has_no_certificate() -> None:
    torch.manual_seed(0)
    attention = Attention(8)
    torch.nn.init.ones_(attention.share)
    h = torch.randn(1, 8, 4, 4, requires_grad=True)
    (seen,) = torch.autograd.grad(attention(h)[0, :, 0, 0].sum(), h)
    assert bool((seen.abs().sum(1) > 0).all())
    space = Space((1, 8, 8), 0, (1, 8, 8))
    assert (
        certify(parse("residual:width=4,attention=true", critics(), "critic").build(space)) is None
    )


def test_a_critic_of_patches_is_the_sum_of_its_patches_over_the_root_of_their_number() -> None:
    space, x = Space((1, 16, 16), 0, (1, 16, 16), cond_shape=(1, 16, 16)), torch.randn(5, 1, 16, 16)
    scores = []
    for per in ("image", "patch"):
        torch.manual_seed(0)
        scores.append(parse(f"patch:per={per}", critics(), "critic").build(space)(x, x))
    assert scores[1].shape == (16, 5)
    assert torch.allclose(scores[0], scores[1].sum(0) / 4, atol=1e-5)


def test_a_patch_sees_what_is_near_it_and_nothing_else() -> None:
    space = Space((1, 64, 64), 0, (1, 64, 64), cond_shape=(1, 64, 64))
    critic = parse("patch:per=patch,halvings=2", critics(), "critic").build(space)
    x = torch.randn(1, 1, 64, 64, requires_grad=True)
    (seen,) = torch.autograd.grad(critic(x, torch.zeros(1, 1, 64, 64))[8 * 16 + 8, 0], x)
    rows = seen[0, 0].abs().sum(1).nonzero()
    # 4, then 4 at every second, then 3 at every fourth pixel: 4 + 3 * 2 + 2 * 4.
    assert int(rows.max() - rows.min()) + 1 == 18
