"""A critic that is a chain of layers, its gradient in x, and one backward pass for both.

Under a gradient penalty autograd differentiates twice: it carries second derivatives that are zero
for piecewise linear layers, and goes through the layers once for the scores and once more for the
slopes. Written out there is one pass each way. With h_k the input of layer k, g_k the gradient of f
in its output, s_i what the loss makes of score i and t_i what it makes of slope i,

    dW_k = sum_i g_k,i (s_i h_k,i + u_k,i)',    u_1 = t,    u_k+1 = D_k u_k,

D_k the derivative of layer k: a pass forward (h), one back (g), one forward (u), and one product a
layer for the weights, where autograd needs six passes' worth of products.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from surveyor.nets.activations import Absolute, Fourier, GroupSort, LeakyReLU

Map = Callable[[Tensor], Tensor]


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
            h = _shifted(layer(h), self._shift(k, cond))
        scores: Tensor = self.gain * h.flatten()
        return scores

    def traced(self, x: Tensor, cond: Tensor | None = None) -> tuple[Tensor, Tensor] | None:
        """Return scores (n,) and the gradient of f in x, (n, ...), both differentiable in weights.

        The second derivative in x is left out: it is zero for piecewise linear layers. None where
        the chain has a layer whose derivative is not known here.
        """
        links: list[nn.Module] = []
        given: list[Tensor | None] = []
        for k, layer in enumerate(self.layers):
            for link in _links(layer):
                links.append(link)
                given += [getattr(link, "weight", None), getattr(link, "bias", None), None]
            given[-1] = self._shift(k, cond)
        if not all(isinstance(link, tuple(DERIVATIVES)) and _usual(link) for link in links):
            return None
        made: tuple[Tensor, Tensor] = _Traced.apply(links, self.gain, x, *given)  # type: ignore[no-untyped-call]
        return made

    def slope(self, x: Tensor, cond: Tensor | None = None) -> Tensor | None:
        """Return the gradient of f in x, (n, ...), as ``traced`` does."""
        traced = self.traced(x, cond)
        return None if traced is None else traced[1]

    def _shift(self, k: int, cond: Tensor | None) -> Tensor | None:
        return None if cond is None or str(k) not in self.shifts else self.shifts[str(k)](cond)


def _shifted(h: Tensor, shift: Tensor | None) -> Tensor:
    return h if shift is None else h + shift.view(*shift.shape, *([1] * (h.ndim - 2)))


def _links(layer: nn.Module) -> Iterator[nn.Module]:
    if isinstance(layer, nn.Sequential):
        for inner in layer:
            yield from _links(inner)
    else:
        yield layer


def _usual(link: nn.Module) -> bool:
    return not isinstance(link, nn.Conv2d) or (link.groups == 1 and link.padding_mode == "zeros")


@dataclass(frozen=True)
class Derivative:
    """A layer at one input: its output, its derivative D and the transpose, at every sample.

    ``push`` takes u to D u, ``pull`` g to D' g, and ``learn``, of a layer with weights, (g, m) to
    sum_i g_i m_i' in the weights' shape.
    """

    output: Tensor
    push: Map
    pull: Map
    learn: Callable[[Tensor, Tensor], Tensor] | None = None


PLAIN = (False, [0, 0], 1)  # not transposed, no output padding, one group


# Under autocast the first product decides the type, and the others follow it.
def _linear(layer: nn.Module, x: Tensor, w: Tensor, b: Tensor | None) -> Derivative:
    y = functional.linear(x, w, b)
    v, dtype = w.to(y.dtype), y.dtype
    return Derivative(
        y,
        lambda u: u.to(dtype) @ v.T,
        lambda g: g.to(dtype) @ v,
        lambda g, m: g.to(dtype).T @ m.to(dtype),
    )


def _conv(layer: nn.Module, x: Tensor, w: Tensor, b: Tensor | None) -> Derivative:
    assert isinstance(layer, nn.Conv2d)
    how: Any = (layer.stride, layer.padding, layer.dilation)
    back: Any = torch.ops.aten.convolution_backward
    y = functional.conv2d(x, w, b, *how)
    v, dtype = w.to(y.dtype), y.dtype
    return Derivative(
        y,
        lambda u: functional.conv2d(u.to(dtype), v, None, *how),
        lambda g: back(g.to(dtype), x.to(dtype), v, None, *how, *PLAIN, [True, False, False])[0],
        lambda g, m: back(g.to(dtype), m.to(dtype), v, None, *how, *PLAIN, [False, True, False])[1],
    )


def _leaky(layer: nn.Module, x: Tensor, w: None, b: None) -> Derivative:
    assert isinstance(layer, LeakyReLU)

    def turn(g: Tensor) -> Tensor:
        turned: Tensor = torch.ops.aten.leaky_relu_backward(g, x, layer.slope, False)
        return turned

    return Derivative(layer(x), turn, turn)


def _absolute(layer: nn.Module, x: Tensor, w: None, b: None) -> Derivative:
    sign = x.sign()
    return Derivative(x.abs(), lambda u: u * sign, lambda g: g * sign)


def _flatten(layer: nn.Module, x: Tensor, w: None, b: None) -> Derivative:
    return Derivative(x.flatten(1), lambda u: u.flatten(1), lambda g: g.view(x.shape))


def _fourier(layer: nn.Module, x: Tensor, w: None, b: None) -> Derivative:
    assert isinstance(layer, Fourier)
    f = layer.frequencies
    y = layer(x)
    _, sin, cos = torch.split(y, [len(f), f.shape[1], f.shape[1]], dim=1)

    def push(u: Tensor) -> Tensor:
        phase = u @ f
        return torch.cat([u, cos * phase, -sin * phase], dim=1)

    def pull(g: Tensor) -> Tensor:
        on_x, on_sin, on_cos = torch.split(g, [len(f), f.shape[1], f.shape[1]], dim=1)
        return on_x + (on_sin * cos - on_cos * sin) @ f.T

    return Derivative(y, push, pull)


def _group_sort(layer: nn.Module, x: Tensor, w: None, b: None) -> Derivative:
    assert isinstance(layer, GroupSort)
    y, order = layer.sorted(x)
    return Derivative(y, lambda u: u.gather(1, order), lambda g: g.gather(1, order.argsort(dim=1)))


DERIVATIVES: Mapping[type[nn.Module], Callable[..., Derivative]] = {
    nn.Linear: _linear, nn.Conv2d: _conv, LeakyReLU: _leaky, Absolute: _absolute,
    nn.Flatten: _flatten, Fourier: _fourier, GroupSort: _group_sort,
}  # fmt: skip


def _derivative(link: nn.Module, x: Tensor, w: Tensor | None, b: Tensor | None) -> Derivative:
    (found,) = (made for kind, made in DERIVATIVES.items() if isinstance(link, kind))
    return found(link, x, w, b)


class _Traced(torch.autograd.Function):
    """(x, weights) -> scores, slopes; the backward pass is the equation at the top."""

    @staticmethod
    def forward(
        ctx: Any, links: list[nn.Module], gain: Tensor, x: Tensor, *given: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        chain: list[Derivative] = []
        inputs: list[Tensor] = []
        h = x
        for k, link in enumerate(links):
            weight, bias, shift = given[3 * k : 3 * k + 3]
            inputs.append(h)
            chain.append(_derivative(link, h, weight, bias))
            h = _shifted(chain[-1].output, shift)
        gradients = []
        g = gain.to(h.dtype).expand(h.shape)
        for d in reversed(chain):
            gradients.append(g)
            g = d.pull(g)
        ctx.chain, ctx.inputs, ctx.gradients = chain, inputs, gradients[::-1]
        ctx.slope, ctx.given = g, given
        ctx.set_materialize_grads(False)
        return gain * h.flatten(), g.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, s: Tensor | None, u: Tensor | None) -> Any:
        found: list[Tensor | None] = []
        for k, (d, h, g) in enumerate(zip(ctx.chain, ctx.inputs, ctx.gradients, strict=True)):
            weight, bias, shift = ctx.given[3 * k : 3 * k + 3]
            on_output = None if s is None or (bias is None and shift is None) else _times(g, s)
            found.append(None if weight is None else d.learn(g, _mixed(h, s, u)).to(weight.dtype))
            found.append(_summed(on_output, bias, [0, *range(2, g.ndim)]))
            found.append(_summed(on_output, shift, list(range(2, g.ndim))))
            u = None if u is None else d.push(u)
        on_x = None if s is None or not ctx.needs_input_grad[2] else _times(ctx.slope, s)
        return None, None, on_x, *found


def _mixed(h: Tensor, s: Tensor | None, u: Tensor | None) -> Tensor:
    """Return s h + u, a missing one as 0."""
    if s is None:
        return torch.zeros_like(h) if u is None else u
    return _times(h, s) if u is None else torch.addcmul(u, h, _along(s, h).to(h.dtype))


def _times(values: Tensor, s: Tensor) -> Tensor:
    return values * _along(s, values).to(values.dtype)


def _along(s: Tensor, like: Tensor) -> Tensor:
    return s.view(-1, *([1] * (like.ndim - 1)))


def _summed(values: Tensor | None, target: Tensor | None, axes: list[int]) -> Tensor | None:
    if values is None or target is None:
        return None
    return (values.float().sum(axes) if axes else values).to(target.dtype)
