"""Layers of many nets at once: what a group sees, and the gradients of single rows."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from surveyor.layers.grouped import AT_ONCE, Earlier, Grouped, RowGradients
from surveyor.layers.smooth import SmoothLogits

ROWS = 7
SEEN = [0, 2, 2, 3, 5, 6, 7, 8, 9, 11]


def layers() -> list[tuple[RowGradients, Tensor]]:
    torch.manual_seed(0)
    smooth = SmoothLogits(5, 6, 3, [2], torch.linspace(0.1, 0.9, 6))
    return [
        (Grouped(3, 4, 5, 0.2), torch.randn(3, ROWS, 4)),
        (Earlier(SEEN, 4, 0.2), torch.randn(ROWS, 11)),
        (smooth, torch.randn(ROWS, 5)),
    ]


@pytest.mark.parametrize("k", range(len(layers())))
def test_gradients_of_rows_are_those_that_autograd_finds(k: int) -> None:
    layer, a = layers()[k]
    d = torch.randn_like(layer(a))
    scale = torch.rand(ROWS)
    rows = a.ndim - 2  # the dimension of rows, in input and output
    ahead = d.ndim - 2
    sums = [torch.zeros_like(p) for p in layer.parameters()]
    for i in range(ROWS):
        one = layer(a.narrow(rows, i, 1))
        found = torch.autograd.grad(one, list(layer.parameters()), d.narrow(ahead, i, 1))
        square = sum(float(g.square().sum()) for g in found)
        assert float(layer.squares(a, d)[i]) == pytest.approx(square, rel=1e-4)
        for total, g in zip(sums, found, strict=True):
            total += scale[i] * g
    for told, total in zip(layer.weighted(scale, a, d), sums, strict=True):
        torch.testing.assert_close(told, total, rtol=1e-4, atol=1e-5)  # float32, two orders


def test_a_group_sees_the_first_entries_and_no_others() -> None:
    assert len(SEEN) > AT_ONCE
    layer, x = Earlier(SEEN, 4, 0.2), torch.randn(ROWS, 11, requires_grad=True)
    for own, seen in zip(layer(x), SEEN, strict=True):
        (found,) = torch.autograd.grad(own.sum(), x, retain_graph=True)
        assert (found[:, :seen] != 0).all()
        assert (found[:, seen:] == 0).all()


def test_each_group_is_a_linear_layer_of_its_own_entries() -> None:
    layer, x = Earlier(SEEN, 4, 0.2), torch.randn(ROWS, 11)
    nn.init.normal_(layer.bias)
    for k, seen in enumerate(SEEN):
        told = x[:, :seen] @ layer.weight[k, :, :seen].T + layer.bias[k]
        torch.testing.assert_close(layer(x)[k], told)
