"""One suite that every family of nets runs through."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from surveyor.batch import Draws
from surveyor.catalog import parse
from surveyor.data import Space
from surveyor.errors import InputError
from surveyor.lipschitz import certify
from surveyor.nets import Latent, Net, Sampler, nets
from surveyor.nets.conv import Enlarge, SubPixel, levels
from surveyor.nets.residual import Attention, Block

SHAPES = [(1, 8, 8), (3, 9, 13), (1, 28, 28), (3, 4, 4), (1, 33, 20)]
LATENT = Latent(5, 3, 0.5)


ANSWERING = sorted(name for name, kind in nets().items() if kind.answers)


# Autoregressive nets make tables only, some answer pictures; their own tests are below. A committee
# has several scores, a packed critic one for several samples.
@pytest.fixture(
    params=sorted(set(nets()) - {"autoregressive", "committee", "packed", *ANSWERING}), name="net"
)
def net_of(request: pytest.FixtureRequest) -> Net:
    return nets()[request.param]()


@pytest.mark.parametrize("cond", [0, 4])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_shapes(net: Net, shape: tuple[int, ...], cond: int) -> None:
    torch.manual_seed(0)
    space = Space(shape, cond, shape)
    generator, critic = net.generator(space, LATENT), net.critic(space)
    c = torch.randn(6, cond) if cond else None
    z = LATENT.draw(6, Draws(0))
    x = generator(z) if c is None else generator(z, c)
    assert x.shape == (6, *shape)
    scores = critic(x) if c is None else critic(x, c)
    assert scores.shape == (6,)
    assert bool(scores.isfinite().all())


def test_a_condition_is_heard_by_both(net: Net) -> None:
    torch.manual_seed(0)
    space = Space((1, 8, 8), 2, (1, 8, 8))
    generator, critic = net.generator(space, LATENT), net.critic(space)
    z, x = LATENT.draw(4, Draws(0)), torch.randn(4, 1, 8, 8)
    one, other = torch.zeros(4, 2), torch.ones(4, 2)
    assert not torch.allclose(generator(z, one), generator(z, other))
    assert not torch.allclose(critic(x, one), critic(x, other))


def test_one_samples_score_does_not_depend_on_the_others(net: Net) -> None:
    torch.manual_seed(0)
    critic = net.critic(Space((1, 8, 8), 0, (1, 8, 8)))
    x = torch.randn(5, 1, 8, 8)
    assert torch.allclose(critic(x)[:1], critic(torch.cat([x[:1], 9 * x[1:]]))[:1], atol=1e-5)


def test_the_unit_scales_the_critic(net: Net) -> None:
    x = torch.randn(5, 1, 8, 8)
    scores = []
    for unit in (1.0, 250.0):
        torch.manual_seed(0)
        scores.append(net.critic(Space((1, 8, 8), 0, (1, 8, 8), unit))(x))
    assert torch.allclose(250 * scores[0], scores[1], rtol=1e-4)


def test_a_signals_mean_square_halves_from_layer_to_layer() -> None:
    torch.manual_seed(0)
    critic = parse("mlp:width=1024,depth=5", nets(), "net").critic(Space((1024,), 0, (1024,)))
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


def test_a_tables_generator_starts_at_the_marginals() -> None:
    bias = torch.tensor([0.7, 0.2, 0.1]).log()
    net = parse("mlp:width=16", nets(), "net")
    generator = net.generator(Space((3,), 0, (3,), 1.0, bias), LATENT)
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


@pytest.mark.parametrize("text", ["mlp:width=0", "mlp:fourier=-1", "conv:width=0", "mlp:depth=0"])
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse(text, nets(), "net")


def test_an_empty_latent_is_refused() -> None:
    with pytest.raises(InputError):
        Latent(0, 0)


FORMS = [
    "conv:width=4",
    "residual:width=4,blocks=2,attention=true",
    "residual:width=4,label=concatenation",
]


@pytest.mark.parametrize("size", [8, 16, 32, 64, 128, 256])
@pytest.mark.parametrize("text", FORMS)
def test_pictures_of_every_size_are_made_and_judged(text: str, size: int) -> None:
    net, space = parse(text, nets(), "net"), Space((3, size, size), 2, (3, size, size))
    cond = torch.randn(2, 2)
    with torch.no_grad():
        x = net.generator(space, LATENT)(LATENT.draw(2, Draws(0)), cond)
        assert x.shape == (2, 3, size, size)
        assert net.critic(space)(x, cond).shape == (2,)


def test_a_deep_residual_net_begins_as_a_shallow_one() -> None:
    torch.manual_seed(0)
    block, attention = Block(8, 0.2), Attention(8)
    for p in block.parameters():
        torch.nn.init.normal_(p)
    critic = parse("residual:width=8,blocks=3", nets(), "net").critic(
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
    assert certify(parse("residual:width=4,attention=true", nets(), "net").critic(space)) is None


# What is given, and what is wanted.
ASKED = [((3, 8, 8), (3, 32, 32)), ((1, 5, 7), (3, 15, 21)), ((1, 9, 13), (3, 9, 13))]


@pytest.mark.parametrize(("given", "wanted"), ASKED, ids=str)
@pytest.mark.parametrize("name", ANSWERING)
def test_pictures_are_answered_and_answers_judged(
    name: str, given: tuple[int, ...], wanted: tuple[int, ...]
) -> None:
    torch.manual_seed(0)
    net, space = nets()[name](), Space(wanted, 0, wanted, 0.5, given=given)
    c, x = torch.randn(4, *given), torch.randn(4, *wanted)
    critic = net.critic(space)
    scores = critic(x, c)
    assert scores.shape == (4,)
    assert not torch.allclose(scores, critic(x, -c))
    assert torch.allclose(scores[:1], critic(torch.cat([x[:1], 9 * x[1:]]), c)[:1], atol=1e-5)
    if name == "patch" or (name == "upscale") == (given[1] == wanted[1]):
        with pytest.raises(InputError):
            net.generator(space, LATENT)
        return
    generator = net.generator(space, LATENT)
    for p in generator.parameters():  # the last layer starts at zero
        torch.nn.init.normal_(p, std=0.05)
    z = LATENT.draw(4, Draws(0))
    made = generator(z, c)
    assert made.shape == (4, *wanted)
    assert not torch.allclose(made, generator(-z, c))
    assert not torch.allclose(made, generator(z, -c))


def test_a_trained_answering_net_takes_pictures_of_other_sizes() -> None:
    torch.manual_seed(0)
    z = LATENT.draw(2, Draws(0))
    larger = nets()["upscale"]().generator(
        Space((3, 24, 24), 0, (3, 24, 24), given=(3, 8, 8)), LATENT
    )
    assert larger(z, torch.randn(2, 3, 21, 10)).shape == (2, 3, 63, 30)
    other = nets()["unet"]().generator(
        Space((3, 16, 16), 0, (3, 16, 16), given=(1, 16, 16)), LATENT
    )
    assert other(z, torch.randn(2, 1, 37, 22)).shape == (2, 3, 37, 22)
    assert other(z, torch.randn(2, 1, 3, 22)).shape == (2, 3, 3, 22)


def test_enlarging_starts_at_bicubic_enlargement() -> None:
    space = Space((1, 32, 32), 0, (1, 32, 32), given=(1, 8, 8))
    c = torch.randn(3, 1, 8, 8)
    made = nets()["upscale"]().generator(space, LATENT)(LATENT.draw(3, Draws(0)), c)
    told = torch.nn.functional.interpolate(c, scale_factor=4.0, mode="bicubic")
    assert torch.allclose(made, told.clamp(-1, 1), atol=1e-6)


def test_a_critic_of_patches_is_the_sum_of_its_patches_over_the_root_of_their_number() -> None:
    space, x = Space((1, 16, 16), 0, (1, 16, 16), given=(1, 16, 16)), torch.randn(5, 1, 16, 16)
    scores = []
    for per in ("image", "patch"):
        torch.manual_seed(0)
        scores.append(parse(f"patch:per={per}", nets(), "net").critic(space)(x, x))
    assert scores[1].shape == (16, 5)
    assert torch.allclose(scores[0], scores[1].sum(0) / 4, atol=1e-5)


def test_a_patch_sees_what_is_near_it_and_nothing_else() -> None:
    space = Space((1, 64, 64), 0, (1, 64, 64), given=(1, 64, 64))
    critic = parse("patch:per=patch,halvings=2", nets(), "net").critic(space)
    x = torch.randn(1, 1, 64, 64, requires_grad=True)
    (seen,) = torch.autograd.grad(critic(x, torch.zeros(1, 1, 64, 64))[8 * 16 + 8, 0], x)
    rows = seen[0, 0].abs().sum(1).nonzero()
    # 4, then 4 at every second, then 3 at every fourth pixel: 4 + 3 * 2 + 2 * 4.
    assert int(rows.max() - rows.min()) + 1 == 18


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


BLOCKS = Space((7,), 2, (7,), 1.0, None, (3, 4))


def autoregressive(cond: int = 0, text: str = "autoregressive:width=8") -> Sampler:
    torch.manual_seed(0)
    space = replace(BLOCKS, cond=cond)
    made = parse(text, nets(), "net").generator(space, LATENT)
    assert isinstance(made, Sampler)
    return made


def rows(codes: torch.Tensor) -> torch.Tensor:
    """Return (n, 2) codes as one-hot blocks."""
    eye = torch.nn.functional.one_hot
    return torch.cat([eye(codes[:, 0], 3), eye(codes[:, 1], 4)], dim=1).float()


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
    drawn = generator.drawer()(u, c)
    # Sums in another order: a code differs where u falls onto an edge.
    assert (drawn != told).any(1).float().mean() < 1e-3


def test_a_sampled_row_has_a_gradient_in_every_weight_that_chose_it() -> None:
    generator = autoregressive()
    (generator(LATENT.draw(50, Draws(1))) * torch.randn(7)).sum().backward()
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


@pytest.mark.parametrize("text", ["autoregressive:width=0", "autoregressive:dropout=1"])
def test_an_autoregressive_net_of_nonsense_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse(text, nets(), "net")


def test_an_autoregressive_net_is_refused_where_there_are_no_columns_or_too_few_latents() -> None:
    net = parse("autoregressive", nets(), "net")
    with pytest.raises(InputError, match="generates tables"):
        net.generator(Space((2,), 0, (2,)), LATENT)
    with pytest.raises(InputError, match="--latent-normal 2"):
        net.generator(BLOCKS, Latent(1, 0))
