"""A critic that is a chain of layers, and its gradient in x as a second chain.

Under a gradient penalty autograd differentiates twice, and carries through the whole forward graph
second derivatives that are zero for piecewise linear layers. Written out, the gradient in x is one
more pass through the transposed layers with the same masks, and one ordinary backward pass serves.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from surveyor.nets.activations import Fourier, GroupSort, LeakyReLU

Pull = Callable[[Tensor], Tensor]


class ChainCritic(nn.Module):
    """A chain of layers on the data; the condition shifts the output of every hidden layer.

    h <- layer(h) + V c, and f(x, c) = gain * h at the end. For a fixed condition the Lipschitz
    constant in x is at most gain times the product of the layers' norms: no V enters it.
    """

    gain: Tensor

    def __init__(
        self, layers: nn.Sequential, cond: int, shifts: dict[int, int], gain: float
    ) -> None:
        """``shifts`` gives, for the number of each layer to shift, its channels."""
        super().__init__()
        self.layers = layers
        self.shifts = nn.ModuleDict(
            {str(k): nn.Linear(cond, wide, bias=False) for k, wide in shifts.items() if cond}
        )
        self.register_buffer("gain", torch.tensor(float(gain)))

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return scores (n,)."""
        h = x
        for k, layer in enumerate(self.layers):
            h = self._shifted(k, layer(h), cond)
        scores: Tensor = self.gain * h.flatten()
        return scores

    def slope(self, x: Tensor, cond: Tensor | None = None) -> Tensor | None:
        """Return the gradient of f in x, (n, ...), differentiable in the weights.

        The second derivative in x is left out: it is zero for piecewise linear layers. None where
        the chain has a layer for which that does not hold or whose transpose is not known here.
        """
        pulls: list[Pull] = []
        with torch.no_grad():
            h = x
            for k, layer in enumerate(self.layers):
                step = transposed(layer, h)
                if step is None:
                    return None
                h = self._shifted(k, step[0], cond)
                pulls.append(step[1])
        g: Tensor = self.gain.expand(h.shape)
        for pull in reversed(pulls):
            g = pull(g)
        return g

    def _shifted(self, k: int, h: Tensor, cond: Tensor | None) -> Tensor:
        if cond is None or str(k) not in self.shifts:
            return h
        shift: Tensor = self.shifts[str(k)](cond)
        return h + shift.view(*shift.shape, *([1] * (h.ndim - 2)))


def transposed(layer: nn.Module, x: Tensor) -> tuple[Tensor, Pull] | None:
    """Return a layer's output at x and the map from a gradient of the output to one of x."""
    y: Tensor
    if isinstance(layer, nn.Sequential):
        pulls: list[Pull] = []
        for inner in layer:
            step = transposed(inner, x)
            if step is None:
                return None
            x = step[0]
            pulls.insert(0, step[1])
        return x, lambda g: _along(pulls, g)
    if isinstance(layer, nn.Linear):
        return layer(x), lambda g: g @ layer.weight
    if isinstance(layer, LeakyReLU):
        leaky = torch.ops.aten.leaky_relu_backward
        return layer(x), lambda g: leaky(g, x, layer.slope, False)
    if isinstance(layer, nn.Flatten):
        return layer(x), lambda g: g.reshape(x.shape)
    if isinstance(layer, Fourier):
        y, phase = layer(x), x @ layer.frequencies
        width, count = layer.frequencies.shape
        sin, cos = phase.sin(), phase.cos()

        def unturned(g: Tensor) -> Tensor:
            on_x, on_sin, on_cos = torch.split(g, [width, count, count], dim=1)
            return on_x + (on_sin * cos - on_cos * sin) @ layer.frequencies.T

        return y, unturned
    if isinstance(layer, GroupSort):
        y, order = layer.sorted(x)
        back = order.argsort(dim=1)
        return y, lambda g: g.gather(1, back)
    if isinstance(layer, nn.Conv2d) and layer.groups == 1 and layer.padding_mode == "zeros":
        return layer(x), lambda g: _convolved_back(layer, g, x)
    return None


def _along(pulls: list[Pull], g: Tensor) -> Tensor:
    for pull in pulls:
        g = pull(g)
    return g


def _convolved_back(layer: nn.Conv2d, g: Tensor, x: Tensor) -> Tensor:
    padding = [int(p) for p in layer.padding]
    sizes = zip(
        x.shape[2:], g.shape[2:], layer.kernel_size, layer.stride, padding, layer.dilation,
        strict=True,
    )  # fmt: skip
    # What the strided windows left over at the far edge must be given back.
    rest = [n - ((m - 1) * s - 2 * p + d * (k - 1) + 1) for n, m, k, s, p, d in sizes]
    return functional.conv_transpose2d(
        g, layer.weight, None, layer.stride, padding, rest, 1, layer.dilation
    )
