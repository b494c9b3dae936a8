"""Blocks of many columns: products and draws of a few at once are those of all, one by one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from surveyor.batch import Draws
from surveyor.data.fitting import CELLS, FEWEST_CELLS, MOST_CODES, WIDE, WIDE_CELLS, cells_for
from surveyor.kinds.table.blocks import TOGETHER, Weighted, hot_blocks

SIZES = [3, 3, 3, 7, 2, 2, 5] * 20


def test_the_product_of_some_columns_at_a_time_is_that_of_all() -> None:
    rng = np.random.default_rng(0)
    assert len(SIZES) > 2 * TOGETHER
    weights = [None if k % 5 == 3 else rng.random(size) for k, size in enumerate(SIZES)]
    kept = [(w, k) for k, w in enumerate(weights) if w is not None]
    dense, starts = np.zeros((sum(SIZES), len(kept))), np.cumsum([0, *SIZES])
    for j, (w, k) in enumerate(kept):
        dense[starts[k] : starts[k + 1], j] = w
    hot = torch.from_numpy(rng.random((9, sum(SIZES))))
    product = Weighted.of(weights, SIZES)(hot.float())
    assert torch.allclose(product.double(), hot @ torch.from_numpy(dense), atol=1e-5)


@pytest.mark.parametrize("soft", [False, True])
def test_blocks_have_independent_codes_as_often_as_the_logits_say(soft: bool) -> None:
    torch.manual_seed(0)
    logits, n = torch.randn(1, sum(SIZES)), 20_000
    raw = logits.expand(n, -1).clone().requires_grad_(soft)
    with torch.set_grad_enabled(soft):
        hot = hot_blocks(raw, SIZES, Draws(0)).detach()
    blocks = torch.split(hot, SIZES, dim=1)
    assert all(torch.allclose(b.sum(1), torch.ones(n), atol=1e-5) for b in blocks)
    assert hot.round().unique().tolist() == [0.0, 1.0]
    odds = torch.cat([b.softmax(1) for b in torch.split(logits, SIZES, dim=1)], dim=1)
    spread = (odds * (1 - odds) / n).sqrt()
    assert ((hot.mean(0) - odds) / spread).abs().max() < 5  # of 500 standard normal numbers
    codes = torch.stack([b.argmax(1) for b in blocks]).double()
    assert codes.corrcoef().fill_diagonal_(0).abs().max() < 6 / n**0.5  # of 10,000 pairs


def test_the_gradient_is_that_of_the_soft_sample() -> None:
    torch.manual_seed(0)
    raw = torch.randn(4, sum(SIZES), requires_grad=True)
    weight = torch.randn(sum(SIZES))
    (hot_blocks(raw, SIZES, Draws(3)) @ weight).sum().backward()
    again = raw.detach().clone().requires_grad_(True)
    noisy = again + Draws(3).gumbel(*raw.shape)
    soft = torch.cat([b.softmax(1) for b in torch.split(noisy, SIZES, dim=1)], dim=1)
    (soft @ weight).sum().backward()
    assert raw.grad is not None
    assert again.grad is not None
    assert torch.allclose(raw.grad, again.grad, atol=1e-6)


def test_wide_tables_have_fewer_cells_a_column_but_never_too_few() -> None:
    assert cells_for(1) == cells_for(WIDE) == CELLS
    found = [cells_for(k) for k in range(WIDE + 1, 5000)]
    assert found == sorted(found, reverse=True)
    assert found[0] == WIDE_CELLS
    assert found[-1] == FEWEST_CELLS
    assert all(k * cells <= max(MOST_CODES, FEWEST_CELLS * k) for k, cells in enumerate(found, 65))
