"""A committee's views shorten nothing but what they leave out, and it trains like any critic."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from surveyor import fit, load
from surveyor.batch import Batch, Draws
from surveyor.catalog import parse
from surveyor.critics import Critic, critics
from surveyor.critics.committee import CommitteeCritic
from surveyor.data import Space
from surveyor.diagnostics import slopes
from surveyor.errors import InputError
from tests.conftest import QUICK, WGAN

PICTURE = Space((3, 12, 10), 0, (3, 12, 10))
SEES = ["projections", "columns", "patches", "bands", "channels"]


def committee(see: str, net: str = "mlp", space: Space = PICTURE) -> CommitteeCritic:
    torch.manual_seed(0)
    made: Critic = parse(f"committee:see={see},of={net}", critics(), "critic")
    critic = made.build(space)
    assert isinstance(critic, CommitteeCritic)
    return critic


@pytest.mark.parametrize("see", SEES)
def test_no_view_is_longer_than_the_data(see: str) -> None:
    x = torch.randn(50, *PICTURE.shape)
    for view in committee(see).views:
        seen = view(x).flatten(1).norm(dim=1)
        assert bool((seen <= x.flatten(1).norm(dim=1) * (1 + 1e-5)).all())
        assert float(seen.min()) > 0


def test_bands_and_channels_add_up_to_the_picture_and_patches_cover_it() -> None:
    x = torch.randn(4, *PICTURE.shape)
    assert torch.allclose(sum(view(x) for view in committee("bands").views), x, atol=1e-5)
    assert torch.equal(torch.cat([view(x) for view in committee("channels").views], dim=1), x)
    covered = torch.zeros_like(x).requires_grad_(True)
    torch.stack([view(covered).sum() for view in committee("patches").views]).sum().backward()
    assert covered.grad is not None
    assert bool((covered.grad > 0).all())


def test_bands_are_orthogonal_to_each_other() -> None:
    x, y = torch.randn(2, 1, 3, 12, 12), torch.randn(2, 1, 3, 12, 12)
    bands = committee("bands", space=Space((3, 12, 12), 0, (3, 12, 12))).views
    for i, a in enumerate(bands):
        for b in list(bands)[:i]:
            assert float((a(x[0]) * b(y[0])).sum()) == pytest.approx(0, abs=1e-3)


def test_members_are_scored_and_penalised_one_by_one() -> None:
    critic = committee("projections", space=Space((6,), 2, (6,)))
    real, fake = (
        Batch(torch.randn(9, 6), torch.randn(9, 2)),
        Batch(torch.randn(9, 6), torch.randn(9, 2)),
    )
    assert critic(real.x, real.cond).shape == (4, 9)
    told = slopes(critic, real, real, Draws(0)).at["real"]
    each = []
    for k in range(4):
        x = real.x.clone().requires_grad_(True)
        (g,) = torch.autograd.grad(critic(x, real.cond)[k].sum(), x)
        each.append(g.norm(dim=1))
    assert torch.allclose(told, torch.stack(each).max(0).values, atol=1e-5)
    assert len(fake) == 9


@pytest.mark.parametrize("see", ["projections", "columns"])
@pytest.mark.parametrize("width", [6, 7])
def test_two_members_share_a_basis_out(see: str, width: int) -> None:
    views = committee(see, space=Space((width,), 0, (width,))).views
    for one, two in (views[:2], views[2:]):
        seen = [view(torch.eye(width)) for view in (one, two)]
        whole = torch.cat(seen, dim=1)
        # The QR factors of a few float32 columns are orthonormal to about 1e-6.
        assert torch.allclose(whole @ whole.T, torch.eye(width), atol=1e-5)
        assert seen[0].shape[1] - seen[1].shape[1] in (0, 1)


@pytest.mark.parametrize(
    ("see", "net", "data"),
    [
        ("columns", "mlp", "toy:ring:300"),
        ("bands", "conv", "example:digits"),
        ("patches", "conv", "example:digits"),
    ],
)
def test_a_committee_trains_is_saved_and_loaded(
    see: str, net: str, data: str, tmp_path: Path
) -> None:
    said = QUICK | WGAN | {"critic": f"committee:see={see},of={net},members=3"}
    model = fit(data, tmp_path / "run", **said)
    assert np.isfinite(model.evaluation["w1"].known)
    assert "critic_estimate" in model.evaluation.by_name
    again = load(tmp_path / "run")
    assert again.score(data, by="critic").ndim == 1
    kept = (
        torch.cat([p.flatten() for p in m.run.game.critic.state_dict().values()])
        for m in (model, again)
    )
    assert torch.equal(*kept)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("committee:net=mlp", "unknown field 'net'; known: of, members, see"),
        ("committee:members=0", "give 1 to"),
        ("committee:see=patches", "is only for pictures"),
        ("committee:of=conv", "see=projections gives vectors; conv: only for pictures; use mlp"),
    ],
)
def test_a_committee_of_nonsense_is_refused(text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        parse(text, critics(), "critic").build(Space((6,), 0, (6,)))
