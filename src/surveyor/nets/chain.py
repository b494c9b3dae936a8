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

from surveyor.nets.activations import Absolute, Fourier, GroupSort, LeakyReLU

Pull = Callable[[Tensor], Tensor]
Slope = Callable[[], Tensor]


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
        with torch.no_grad():
            slope = self.traced(x, cond)[1]
        return None if slope is None else slope()

    def traced(self, x: Tensor, cond: Tensor | None = None) -> tuple[Tensor, Slope | None]:
        """Return scores (n,) and what gives ``slope`` at the same x without a second pass."""
        pulls: list[Pull | None] = []
        h = x
        for k, layer in enumerate(self.layers):
            h, pull = transposed(layer, h)
            h = self._shifted(k, h, cond)
            pulls.append(pull)
        last = h

        def slope() -> Tensor:
            return _along(pulls, self.gain.expand(last.shape))

        return self.gain * h.flatten(), None if None in pulls else slope

    def _shifted(self, k: int, h: Tensor, cond: Tensor | None) -> Tensor:
        if cond is None or str(k) not in self.shifts:
            return h
        shift: Tensor = self.shifts[str(k)](cond)
        return h + shift.view(*shift.shape, *([1] * (h.ndim - 2)))


def transposed(layer: nn.Module, x: Tensor) -> tuple[Tensor, Pull | None]:
    """Return a layer's output at x and the map from a gradient of the output to one of x."""
    y: Tensor = x
    seen = x.detach()
    if isinstance(layer, nn.Sequential):
        pulls: list[Pull | None] = []
        for inner in layer:
            y, pull = transposed(inner, y)
            pulls.append(pull)
        return y, None if None in pulls else lambda g: _along(pulls, g)
    if isinstance(layer, nn.Linear):
        return layer(x), lambda g: g @ layer.weight
    if isinstance(layer, LeakyReLU):
        leaky = torch.ops.aten.leaky_relu_backward
        return layer(x), lambda g: leaky(g, seen, layer.slope, False)
    if isinstance(layer, Absolute):
        return layer(x), lambda g: g * seen.sign()
    if isinstance(layer, nn.Flatten):
        return layer(x), lambda g: g.reshape(seen.shape)
    if isinstance(layer, Fourier):
        y = layer(x)
        width, count = layer.frequencies.shape
        _, sin, cos = torch.split(y.detach(), [width, count, count], dim=1)

        def unturned(g: Tensor) -> Tensor:
            on_x, on_sin, on_cos = torch.split(g, [width, count, count], dim=1)
            return on_x + (on_sin * cos - on_cos * sin) @ layer.frequencies.T

        return y, unturned
    if isinstance(layer, GroupSort):
        y, order = layer.sorted(x)
        return y, lambda g: g.gather(1, order.argsort(dim=1))
    if isinstance(layer, nn.Conv2d) and layer.groups == 1 and layer.padding_mode == "zeros":
        return layer(x), lambda g: _convolved_back(layer, g, seen)
    y = layer(x)
    return y, None


def _along(pulls: list[Pull | None], g: Tensor) -> Tensor:
    for pull in reversed(pulls):
        assert pull is not None
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
