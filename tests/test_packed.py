"""A critic of packs: what it is told, what it scores, and that it is held."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from surveyor import fit
from surveyor.batch import Batch
from surveyor.catalog import parse
from surveyor.critics import critics
from surveyor.critics.packed import PackedCritic
from surveyor.data import Space
from surveyor.errors import InputError
from surveyor.lipschitz import squared_gradient_norms
from surveyor.options import configure
from tests.conftest import QUICK

SHAPES = [((5,), "mlp"), ((2, 8, 8), "conv"), ((1, 8, 8), "residual")]


@pytest.mark.parametrize("n", [6, 7])
@pytest.mark.parametrize("cond", [0, 3])
@pytest.mark.parametrize(("shape", "net"), SHAPES)
def test_a_pack_has_one_score_which_every_sample_of_it_moves(
    shape: tuple[int, ...], net: str, cond: int, n: int
) -> None:
    torch.manual_seed(0)
    critic = parse(f"packed:of={net},members=3", critics(), "critic").build(
        Space(shape, cond, shape)
    )
    x = torch.randn(n, *shape, requires_grad=True)
    told = (torch.randn(n, cond),) if cond else ()
    scores = critic(x, *told)
    assert scores.shape == (n,)
    assert scores[0] == scores[1] == scores[2] != scores[3]
    (moved,) = torch.autograd.grad(scores[0], x, retain_graph=True)
    assert (moved.flatten(1).abs().sum(1) > 0).tolist() == [True] * 3 + [False] * (n - 3)


def test_a_pack_of_committees_has_every_members_score() -> None:
    torch.manual_seed(0)
    text = "packed:of=(committee:of=mlp:width=8,members=3),members=2"
    critic = parse(text, critics(), "critic").build(Space((4,), 2, (4,)))
    assert isinstance(critic, PackedCritic)
    x, c = torch.randn(6, 4), torch.randn(6, 2)
    scores = critic(x, c)
    alone = critic.inner(x.view(3, 8), c.view(3, 4))
    assert scores.shape == (3, 6)
    assert torch.equal(scores, torch.stack([alone, alone], dim=2).flatten(1))


@pytest.mark.parametrize(
    ("critic", "told"),
    [
        ("packed:of=mlp,members=3", "packs of 3 do not divide batch=16"),
        ("packed:of=(packed:of=mlp,members=2),members=5", "packs of 10 do not divide"),
        ("committee:of=(packed:of=mlp,members=3)", "packs of 3 do not divide"),
    ],
)
def test_a_batch_that_is_not_of_whole_packs_is_refused(
    critic: str, told: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=told):
        fit("toy:ring:200", tmp_path / "run", **QUICK | {"critic": critic})


@pytest.mark.parametrize("critic", ["packed:of=mlp", "committee:of=(packed:of=mlp)"])
def test_rows_are_not_judged_together_under_privacy(critic: str) -> None:
    with pytest.raises(InputError, match="mixes rows"):
        configure({"privacy": "gaussian:epsilon=3", "critic": critic}, {})


def test_a_samples_slope_is_that_of_the_pack_times_its_members() -> None:
    torch.manual_seed(0)
    critic = parse("packed:of=mlp,members=2", critics(), "critic").build(Space((4,), 0, (4,)))
    x = torch.randn(6, 4, requires_grad=True)
    (on_pack,) = torch.autograd.grad(critic(x)[::2].sum(), x)
    (squares,) = squared_gradient_norms(critic, Batch(x.detach()), graph=False)
    assert squares == pytest.approx(4 * on_pack.square().sum(1), rel=1e-4)


def test_a_critic_sees_in_packs_what_single_samples_hide() -> None:
    """Equal marginals: packs of two equal samples against packs of independent ones."""
    torch.manual_seed(0)
    critic = parse("packed:of=mlp,members=2", critics(), "critic").build(Space((1,), 0, (1,)))
    optimizer = torch.optim.Adam(critic.parameters(), 1e-3)
    for _ in range(200):
        a = torch.randn(256, 1)
        b = torch.randn(128, 1).repeat_interleave(2, dim=0)
        loss = (
            torch.nn.functional.softplus(-critic(a)).mean()
            + torch.nn.functional.softplus(critic(b)).mean()
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    a, b = torch.randn(512, 1), torch.randn(256, 1).repeat_interleave(2, dim=0)
    # 2 log 2 = 1.39 is what a critic of single samples can reach; measured .2 at most.
    loss = (
        torch.nn.functional.softplus(-critic(a)).mean()
        + torch.nn.functional.softplus(critic(b)).mean()
    )
    assert float(loss.detach()) < 0.7


def test_a_packed_critic_trains_and_repeats(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("packed")
    said = QUICK | {"critic": "packed:of=mlp,members=2", "condition": ["digit"]}
    one, same = (fit("example:digits", path / name, **said) for name in "ab")
    assert (one.run.path / "critic.safetensors").read_bytes() == (
        same.run.path / "critic.safetensors"
    ).read_bytes()
    assert "packed" in one.run.config.critic


@pytest.mark.parametrize(
    "text", ["packed:members=1", "packed:of=other", "packed:of=", "packed:net=conv"]
)
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse(text, critics(), "critic")
