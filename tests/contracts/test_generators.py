"""One suite that every generator runs through, and what single ones promise beside."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from surveyor.batch import Draws
from surveyor.catalog import parse, text_of
from surveyor.data import Space
from surveyor.data.graphs import GraphSpace
from surveyor.errors import InputError
from surveyor.generators import Generator, Latent, TabularLikelihood, generators, latents
from surveyor.generators.conv import Enlarge
from surveyor.generators.upscale import SubPixel
from surveyor.layers.pictures import levels

LATENT = Latent(12, 3, 0.5)
GRAPH = GraphSpace(3, 2, 2, (3, 2), (1, 2), (0, 0), cycles=1, parts=2)
BLOCKS = Space((7,), 2, (7,), 1.0, None, (3, 4))
SPACES = [
    Space((5,), 0, (7,)),
    Space((5,), 4, (5,)),
    replace(BLOCKS, cond=0),
    BLOCKS,
    *[Space((GRAPH.width,), cond, (GRAPH.width,), graph=GRAPH) for cond in (0, 2)],
    *[
        Space(shape, cond, shape)
        for shape in [(1, 8, 8), (3, 9, 13), (1, 28, 28), (3, 4, 4), (1, 33, 20)]
        for cond in (0, 4)
    ],
    Space((3, 32, 32), 0, (3, 32, 32), cond_shape=(3, 8, 8)),
    Space((1, 15, 21), 0, (1, 15, 21), cond_shape=(1, 5, 7)),
    Space((1, 9, 13), 0, (1, 9, 13), cond_shape=(1, 9, 13)),
    Space((3, 16, 16), 0, (3, 16, 16), cond_shape=(1, 16, 16)),
]
NAMES = sorted(generators())


def asked(space: Space, n: int) -> tuple[Tensor, ...]:
    """Return conditions of ``n`` samples; none where the space has none."""
    if space.cond_shape:
        return (torch.randn(n, *space.cond_shape),)
    return (torch.randn(n, space.cond),) if space.cond else ()


def built(part: Generator, space: Space) -> nn.Module | None:
    """Return a seeded generator with no weight at zero; None where the part refuses the space."""
    torch.manual_seed(0)
    module, problems = None, []
    try:
        module = part.build(space, LATENT)
    except InputError as error:
        problems = [*error.problems]
    name = text_of(part).partition(":")[0]
    assert all(p.startswith(f"{name}: ") for p in problems)
    for p in module.parameters() if module is not None else ():
        if not p.any():
            nn.init.normal_(p, std=0.05)
    return module


@pytest.fixture(params=NAMES, name="part")
def part_of(request: pytest.FixtureRequest) -> Generator:
    return generators()[request.param]()


def taken(part: Generator) -> list[tuple[Space, nn.Module]]:
    # Pictures to be answered go to those parts alone that say they answer.
    found = [
        (space, built(part, space))
        for space in SPACES
        if part.takes_pictures or not space.cond_shape
    ]
    return [(space, module) for space, module in found if module is not None]


def test_every_generator_makes_some_of_the_spaces_and_refuses_the_others_in_a_line(
    part: Generator,
) -> None:
    assert len(taken(part)) >= 2


def test_a_generators_output_has_the_shape_asked_for(part: Generator) -> None:
    for space, module in taken(part):
        for n in (1, 6):
            made = module(LATENT.draw(n, Draws(0)), *asked(space, n))
            assert made.shape == (n, *space.raw)
            assert made.dtype == torch.float32
            assert bool(made.isfinite().all())


def test_a_generator_follows_latent_and_condition(part: Generator) -> None:
    for space, module in taken(part):
        z, cond = LATENT.draw(64, Draws(0)), asked(space, 64)
        made = module(z, *cond)
        assert torch.equal(made, module(z, *cond))
        assert not torch.allclose(made, module(LATENT.draw(64, Draws(1)), *cond))
        if cond:
            assert not torch.allclose(made, module(z, 3 * cond[0] + 1))


def test_one_sample_does_not_depend_on_the_others(part: Generator) -> None:
    for space, module in taken(part):
        z, cond = LATENT.draw(5, Draws(0)), asked(space, 5)
        alone = module(z[:2], *(c[:2] for c in cond))
        assert torch.allclose(alone, module(z, *cond)[:2], atol=1e-5)


def test_a_generator_is_a_function_of_the_seed(part: Generator) -> None:
    for space, module in taken(part):
        again = built(part, space)
        assert again is not None
        for a, b in zip(module.state_dict().values(), again.state_dict().values(), strict=True):
            assert torch.equal(a, b)


def test_samples_have_a_gradient_in_every_weight(part: Generator) -> None:
    for space, module in taken(part):
        made = module(LATENT.draw(64, Draws(1)), *asked(space, 64))
        (made * torch.randn(space.raw)).sum().backward()
        without = [k for k, p in module.named_parameters() if p.grad is None or not p.grad.any()]
        assert without == []


def test_a_tables_generator_starts_at_the_marginals() -> None:
    bias = torch.tensor([0.7, 0.2, 0.1]).log()
    net = parse("mlp:width=16", generators(), "generator")
    generator = net.build(Space((3,), 0, (3,), 1.0, bias), LATENT)
    with torch.no_grad():
        generator.last.weight.zero_()  # type: ignore[union-attr, operator]
    raw = generator(LATENT.draw(2, Draws(0)))
    assert raw.softmax(1)[0].detach() == pytest.approx(torch.tensor([0.7, 0.2, 0.1]))


@pytest.mark.parametrize(("size", "halvings"), [(4, 1), (8, 1), (16, 2), (28, 2), (32, 3), (64, 4)])
def test_pictures_are_halved_to_about_four_pixels(size: int, halvings: int) -> None:
    assert levels(size, size) == halvings


def test_latents_have_the_moments_they_name() -> None:
    z = Latent(2, 3, 0.7).draw(20_000, Draws(0))
    assert z.shape == (20_000, 5)
    assert z[:, :2].std(0) == pytest.approx(torch.tensor([0.7, 0.7]), abs=0.02)
    assert set(z[:, 2:].unique().tolist()) == {-1.0, 1.0}
    assert z[:, 2:].mean(0).abs().max() < 0.03


@pytest.mark.parametrize(
    "text",
    ["mlp:width=0", "mlp:depth=0", "mlp:fourier=1", "conv:width=0", "residual:blocks=0",
     "residual:label=projection", "unet:width=0", "upscale:blocks=0", "autoregressive:width=0",
     "autoregressive:dropout=1"],
)  # fmt: skip
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse(text, generators(), "generator")


@pytest.mark.parametrize("name", ["patch", "committee", "packed"])
def test_a_critic_is_no_generator(name: str) -> None:
    with pytest.raises(
        InputError, match=f"unknown generator '{name}'; known: autoregressive, conv"
    ):
        parse(name, generators(), "generator")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("gaussian:dimensions=0", "latent 'gaussian': dimensions=0,bits=0: give at least one"),
        (
            "gaussian:dimensions=70000,bits=-1,spread=0",
            "latent 'gaussian': dimensions=70000: give a number from 0 to 65,536; "
            "bits=-1: give a number from 0 to 65,536; spread=0.0: give a number from 1e-09",
        ),
        ("normal", "unknown latent 'normal'; known: gaussian"),
    ],
)
def test_a_latent_that_cannot_be_drawn_is_refused(text: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(text, latents(), "latent")
    assert told in str(caught.value)


def test_a_latent_stays_drawable_however_much_it_is_narrowed() -> None:
    assert Latent(2, 3, 0.5).narrowed(0.5) == Latent(2, 3, 0.25)
    assert Latent(2).narrowed(1e-12).spread > 0


@pytest.mark.parametrize("size", [8, 16, 32, 64, 128, 256])
@pytest.mark.parametrize("text", ["conv:width=4", "residual:width=4,blocks=2,attention=true"])
def test_pictures_of_every_size_are_made(text: str, size: int) -> None:
    space = Space((3, size, size), 2, (3, size, size))
    with torch.no_grad():
        net = parse(text, generators(), "generator").build(space, LATENT)
        assert net(LATENT.draw(2, Draws(0)), torch.randn(2, 2)).shape == (2, 3, size, size)


@pytest.mark.parametrize(
    ("text", "space", "told"),
    [
        ("unet", Space((1, 8, 8), 0, (1, 8, 8), cond_shape=(1, 4, 4)), "task translate"),
        ("upscale", Space((1, 8, 8), 0, (1, 8, 8), cond_shape=(1, 8, 8)), "task super-resolution"),
        ("conv", Space((4,), 0, (4,)), "use mlp"),
        ("residual", Space((4,), 0, (4,)), "use mlp"),
        ("autoregressive", Space((2,), 0, (2,)), "only for tables"),
    ],
)
def test_data_of_another_kind_are_refused_with_a_remedy(text: str, space: Space, told: str) -> None:
    with pytest.raises(InputError, match=told):
        parse(text, generators(), "generator").build(space, LATENT)


def test_a_trained_answering_net_takes_pictures_of_other_sizes() -> None:
    torch.manual_seed(0)
    z = LATENT.draw(2, Draws(0))
    larger = generators()["upscale"]().build(
        Space((3, 24, 24), 0, (3, 24, 24), cond_shape=(3, 8, 8)), LATENT
    )
    assert larger(z, torch.randn(2, 3, 21, 10)).shape == (2, 3, 63, 30)
    other = generators()["unet"]().build(
        Space((3, 16, 16), 0, (3, 16, 16), cond_shape=(1, 16, 16)), LATENT
    )
    assert other(z, torch.randn(2, 1, 37, 22)).shape == (2, 3, 37, 22)
    assert other(z, torch.randn(2, 1, 3, 22)).shape == (2, 3, 3, 22)


def test_enlarging_starts_at_bicubic_enlargement() -> None:
    space = Space((1, 32, 32), 0, (1, 32, 32), cond_shape=(1, 8, 8))
    c = torch.randn(3, 1, 8, 8)
    made = generators()["upscale"]().build(space, LATENT)(LATENT.draw(3, Draws(0)), c)
    told = torch.nn.functional.interpolate(c, scale_factor=4.0, mode="bicubic")
    assert torch.allclose(made, told.clamp(-1, 1), atol=1e-6)


def test_enlarging_is_nearest_neighbours_and_a_convolution() -> None:
    torch.manual_seed(0)
    layer, h = Enlarge(6, 4), torch.randn(2, 6, 5, 7, requires_grad=True)
    wide = torch.nn.functional.interpolate(h, scale_factor=2.0, mode="nearest")
    usual = torch.nn.functional.conv2d(wide, layer.weight, layer.bias, padding=1)
    # The same sums in another order: measured 5e-7 apart, gradients 2e-5.
    assert torch.allclose(layer(h), usual, atol=1e-5)
    weights, direction = (h, *layer.parameters()), torch.randn_like(usual)
    for one, other in zip(
        torch.autograd.grad(layer(h), weights, direction),
        torch.autograd.grad(usual, weights, direction),
        strict=True,
    ):
        assert torch.allclose(one, other, atol=1e-4)


def test_sub_pixels_start_without_a_checkerboard() -> None:
    torch.manual_seed(0)
    made = SubPixel(6, 2, 3)(torch.randn(2, 6, 5, 5))
    assert made.shape == (2, 2, 15, 15)
    assert torch.equal(made, made[:, :, ::3, ::3].repeat_interleave(3, 2).repeat_interleave(3, 3))


def autoregressive(cond: int = 0, text: str = "autoregressive:width=8") -> TabularLikelihood:
    torch.manual_seed(0)
    space = replace(BLOCKS, cond=cond)
    made = parse(text, generators(), "generator").build(space, LATENT)
    assert isinstance(made, TabularLikelihood)
    return made


def rows(codes: torch.Tensor) -> torch.Tensor:
    """Return (n, 2) codes as points: one-hot blocks over sqrt 2."""
    eye = torch.nn.functional.one_hot
    return torch.cat([eye(codes[:, 0], 3), eye(codes[:, 1], 4)], dim=1) / 2**0.5


def test_an_autoregressive_likelihood_sums_to_one_under_every_condition() -> None:
    generator = autoregressive(cond=2)
    every = rows(torch.cartesian_prod(torch.arange(3), torch.arange(4)))
    for c in ([0.0, 0.0], [1.0, -2.0]):
        cond = torch.tensor([c]).expand(12, 2)
        total = generator.log_likelihood(every, cond).exp().sum().item()
        assert total == pytest.approx(1, abs=1e-5)


def test_autoregressive_samples_follow_their_likelihood() -> None:
    generator, n = autoregressive(), 40_000
    with torch.no_grad():
        hot = generator(LATENT.draw(n, Draws(3)))
    assert bool(((hot == 0) | (hot == 1)).all())
    pairs = hot[:, :3].argmax(1) * 4 + hot[:, 3:].argmax(1)
    seen = torch.bincount(pairs, minlength=12) / n
    every = rows(torch.cartesian_prod(torch.arange(3), torch.arange(4)))
    told = generator.log_likelihood(every).exp().detach()
    # Four deviations of a share of n draws, at most .0025 each.
    assert float((seen - told).abs().max()) < 0.01


@pytest.mark.parametrize("cond", [0, 2])
@pytest.mark.parametrize(
    "text", ["autoregressive:width=8", "autoregressive:width=8,depth=1,embedding=3"]
)
def test_codes_are_drawn_by_the_law_of_the_latent(text: str, cond: int) -> None:
    generator = autoregressive(cond, text)
    z = LATENT.draw(5000, Draws(4))
    c = torch.randn(5000, 2) if cond else None
    u = torch.special.ndtr(z[:, :2] / LATENT.spread)
    with torch.no_grad():
        hot = generator(z, c)
    told = torch.stack([block.argmax(1) for block in torch.split(hot, [3, 4], dim=1)], dim=1)
    drawn = generator.walker().draw(u, c)
    # Sums in another order: a code differs where u falls onto an edge.
    assert (drawn != told).any(1).float().mean() < 1e-3


@pytest.mark.parametrize("cond", [0, 2])
def test_products_of_half_precision_leave_the_draws_exact(cond: int) -> None:
    """Codes are looked up among sums of probabilities in float32."""
    generator = autoregressive(cond)
    z, c = LATENT.draw(5000, Draws(4)), torch.randn(5000, 2) if cond else None
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        rough = generator(z, c)
    with torch.no_grad():
        exact = generator(z, c)
    # Logits to 1 in 256: a code differs where u falls that near to an edge.
    assert (rough != exact).any(1).float().mean() < 0.02


def test_a_sampled_row_has_a_gradient_in_every_weight_that_chose_it() -> None:
    generator = autoregressive(cond=2)
    (generator(LATENT.draw(50, Draws(1)), torch.randn(50, 2)) * torch.randn(7)).sum().backward()
    got = [p.grad is not None and bool(p.grad.abs().sum() > 0) for p in generator.parameters()]
    assert all(got)


def test_calibration_brings_the_marginals_and_keeps_what_columns_say_of_each_other() -> None:
    generator = autoregressive()
    shares = [torch.tensor([0.7, 0.2, 0.1]), torch.tensor([0.1, 0.2, 0.3, 0.4])]
    generator.calibrate(shares, 40_000, None, Draws(0))
    every = rows(torch.cartesian_prod(torch.arange(3), torch.arange(4)))
    told = generator.log_likelihood(every).exp().detach().view(3, 4)
    assert told.sum(1) == pytest.approx(shares[0], abs=1e-3)
    assert told.sum(0) == pytest.approx(shares[1], abs=1e-3)


def test_dropout_is_a_function_of_the_draws() -> None:
    generator = autoregressive(text="autoregressive:width=8,dropout=0.5")
    every = rows(torch.cartesian_prod(torch.arange(3), torch.arange(4)))
    one, same, other = (generator.log_likelihood(every, None, Draws(k)) for k in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert not torch.equal(one, generator.log_likelihood(every))


def test_an_autoregressive_net_is_refused_where_the_latent_is_too_narrow() -> None:
    net = parse("autoregressive", generators(), "generator")
    with pytest.raises(InputError, match="latent=gaussian:dimensions=2"):
        net.build(BLOCKS, Latent(1, 0))
