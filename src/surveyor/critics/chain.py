"""A critic that is a chain of layers, with handwritten gradients.

Under a gradient penalty autograd differentiates twice: it carries second derivatives that are zero
for piecewise linear layers, and traverses the layers once for the scores and again for the
gradients in x. The handwritten gradients share these passes. Let h_k be the input of layer k, g_k
the gradient of f in its output, s_i the derivative of the loss in score i and t_i its derivative
in |grad_x f|^2 at point i. Then

    dW_k = sum_i g_k,i (s_i h_k,i + u_k,i)',    u_1,i = 2 t_i grad_x f_i,    u_k+1 = D_k u_k,

with D_k the derivative of layer k: a forward pass (h), a backward pass (g), a second forward pass
(u, at the penalised rows only), and one product per layer for the weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from surveyor.layers.activations import Absolute, Fourier, GroupSort, LeakyReLU

Terms = dict[str, Tensor]
Loss = Callable[[Tensor, Tensor | None], Terms]
Rows = tuple[int, int]
ALL: Rows = (0, 2**62)


class ChainCritic(nn.Module):
    """A chain of layers on the data; the condition shifts the output of every hidden layer.

    h <- layer(h) + V c, and finally f(x, c) = gain * h. For a fixed condition the Lipschitz
    constant in x is at most gain times the product of the layers' norms, whatever V is.
    """

    gain: Tensor

    def __init__(
        self, layers: nn.Sequential, cond: int, shifts: dict[int, int], gain: float
    ) -> None:
        """``shifts`` maps the index of each layer to shift to its number of channels."""
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
            shift = self.shifts[str(k)] if cond is not None and str(k) in self.shifts else None
            h = layer(h) if shift is None else _shifted(layer(h), shift(cond))
        scores: Tensor = self.gain * h.flatten()
        return scores

    def chain(self) -> Chain | None:
        """Return the layers and their weights; None if a layer's derivative is unknown.

        Weights that a constraint computes from parameters keep their autograd graph.
        """
        layers: list[nn.Module] = []
        weights: list[Weights] = []
        for k, outer in enumerate(self.layers):
            for layer in _flat(outer):
                layers.append(layer)
                weights.append((getattr(layer, "weight", None), getattr(layer, "bias", None), None))
            if str(k) in self.shifts:
                weights[-1] = (*weights[-1][:2], self.shifts[str(k)].weight)  # type: ignore[assignment]
        known = all(isinstance(layer, tuple(DERIVATIVES)) and _usual(layer) for layer in layers)
        return Chain(layers, weights, self.gain) if known else None


Weights = tuple[Tensor | None, Tensor | None, Tensor | None]  # a layer's weight, bias and shift V


@dataclass(frozen=True)
class Chain:
    """f(x, c) = gain * h after the last layer, h <- layer(h) + V c, with each layer's weights."""

    layers: Sequence[nn.Module]
    weights: Sequence[Weights]
    gain: Tensor


def critic_loss_and_grad(
    chain: Chain,
    x: Tensor,
    cond: Tensor | None,
    rows: Rows | None,
    loss: Loss,
    dtype: torch.dtype = torch.float32,
) -> tuple[Terms, list[Tensor | None]]:
    """Return the terms of a loss and the gradient of their sum in each weight.

    ``loss`` takes the scores (n,) of all points and |grad_x f|^2 of the points in ``rows``.
    """
    layers, inputs, scores = _forward(chain, x, cond, dtype)
    first = next(k for k, d in enumerate(layers) if d.weight_vjp is not None)
    g = chain.gain.to(dtype).expand(len(x), 1)
    gradients = [g] * len(layers)
    for k in range(len(layers) - 1, first, -1):
        gradients[k] = g
        g = layers[k].vjp(g, ALL)
    gradients[first] = g
    gradient, squares = None, None
    if rows is not None:
        gradient = g[rows[0] : rows[1]]
        for d in reversed(layers[: first + 1]):
            gradient = d.vjp(gradient, rows)
        squares = gradient.flatten(1).float().square().sum(1)
    terms, s, t = _sensitivities(loss, scores, squares)
    u = None
    if gradient is not None and t is not None and rows is not None:
        u = _scaled(gradient, 2 * t)
    found: list[Tensor | None] = []
    for d, h, g, weights in zip(layers, inputs, gradients, chain.weights, strict=True):
        weight, bias, shift = weights
        if d.weight_vjp is not None and weight is not None:
            found.append(d.weight_vjp(g, _mixed(h, s, u, rows)).to(weight.dtype))
            total = g.float() if g.ndim == 2 else g.flatten(2).float().sum(2)
            found.append(None if bias is None else s @ total)
            found.append(None if shift is None or cond is None else total.T @ _scaled(cond, s))
        else:
            found += [None, None, None]
        u = None if u is None or rows is None else d.jvp(u, rows)
    return terms, found


def generator_loss_and_grad_x(
    chain: Chain,
    x: Tensor,
    cond: Tensor | None,
    rows: Rows,
    loss: Loss,
    dtype: torch.dtype = torch.float32,
) -> tuple[Terms, Tensor]:
    """Return the terms of a loss over scores (n,), and its gradient in the points in ``rows``."""
    layers, _, scores = _forward(chain, x, cond, dtype)
    terms, s, _ = _sensitivities(loss, scores, None)
    g = (chain.gain * s[rows[0] : rows[1]]).unsqueeze(1).to(dtype)
    for d in reversed(layers):
        g = d.vjp(g, rows)
    return terms, g.float()


def _forward(
    chain: Chain, x: Tensor, cond: Tensor | None, dtype: torch.dtype
) -> tuple[list[Derivative], list[Tensor], Tensor]:
    """Return each layer's derivative at its input, the inputs, and the scores."""
    found: list[Derivative] = []
    inputs: list[Tensor] = []
    h = x.to(dtype)
    for layer, (weight, bias, shift) in zip(chain.layers, chain.weights, strict=True):
        inputs.append(h)
        w, b = (None if v is None else v.to(dtype) for v in (weight, bias))
        (derivative,) = (made for kind, made in DERIVATIVES.items() if isinstance(layer, kind))
        found.append(derivative(layer, h, w, b))
        h = found[-1].output
        if shift is not None and cond is not None:
            h = _shifted(h, (cond @ shift.T).to(dtype))
    return found, inputs, (chain.gain * h.flatten()).float()


def _sensitivities(
    loss: Loss, scores: Tensor, squares: Tensor | None
) -> tuple[Terms, Tensor, Tensor | None]:
    """Return the loss and its derivatives in every score and every squared gradient norm."""

    def total(*of: Tensor) -> tuple[Tensor, Terms]:
        terms = loss(of[0], of[1] if len(of) > 1 else None)
        return torch.stack(list(terms.values())).sum(), terms

    at: tuple[Tensor, ...] = (scores,) if squares is None else (scores, squares)
    if torch.compiler.is_compiling():
        found, (_, terms) = torch.func.grad_and_value(total, tuple(range(len(at))), has_aux=True)(
            *at
        )
    else:
        with torch.enable_grad():
            at = tuple(v.detach().requires_grad_(True) for v in at)
            value, terms = total(*at)
            found = torch.autograd.grad(value, at, materialize_grads=True)
    return {k: v.detach() for k, v in terms.items()}, *found, *[None] * (2 - len(at))


def _shifted(h: Tensor, shift: Tensor) -> Tensor:
    return h + shift.view(*shift.shape, *([1] * (h.ndim - 2)))


def _mixed(h: Tensor, s: Tensor, u: Tensor | None, rows: Rows | None) -> Tensor:
    """Return s h, plus u in ``rows``."""
    scaled = _scaled(h, s)
    if u is not None and rows is not None:
        scaled[rows[0] : rows[1]] += u
    return scaled


def _scaled(values: Tensor, s: Tensor) -> Tensor:
    return values * s.view(-1, *[1] * (values.ndim - 1)).to(values.dtype)


def _flat(layer: nn.Module) -> Iterator[nn.Module]:
    if isinstance(layer, nn.Sequential):
        for inner in layer:
            yield from _flat(inner)
    else:
        yield layer


def _usual(layer: nn.Module) -> bool:
    return not isinstance(layer, nn.Conv2d) or (layer.groups == 1 and layer.padding_mode == "zeros")


@dataclass(frozen=True)
class Derivative:
    """A layer's output at one input, and products with its derivative D at each sample.

    ``jvp`` maps u to D u and ``vjp`` maps g to D' g, at the given rows. For a layer with weights,
    ``weight_vjp`` maps (g, m) to sum_i g_i m_i' in the weights' shape.
    """

    output: Tensor
    jvp: Callable[[Tensor, Rows], Tensor]
    vjp: Callable[[Tensor, Rows], Tensor]
    weight_vjp: Callable[[Tensor, Tensor], Tensor] | None = None


PLAIN = (False, [0, 0], 1)  # not transposed, no output padding, one group


def _linear(layer: nn.Module, x: Tensor, w: Tensor, b: Tensor | None) -> Derivative:
    return Derivative(
        functional.linear(x, w, b),
        lambda u, _: u @ w.T,
        lambda g, _: g @ w,
        lambda g, m: g.T @ m,
    )


def _conv(layer: nn.Module, x: Tensor, w: Tensor, b: Tensor | None) -> Derivative:
    assert isinstance(layer, nn.Conv2d)
    how: Any = (layer.stride, layer.padding, layer.dilation)
    back: Any = torch.ops.aten.convolution_backward
    return Derivative(
        functional.conv2d(x, w, b, *how),
        lambda u, _: functional.conv2d(u, w, None, *how),
        lambda g, rows: back(g, x[rows[0] : rows[1]], w, None, *how, *PLAIN, [True, False, False])[
            0
        ],
        lambda g, m: back(g, m, w, None, *how, *PLAIN, [False, True, False])[1],
    )


def _leaky(layer: nn.Module, x: Tensor, w: None, b: None) -> Derivative:
    assert isinstance(layer, LeakyReLU)
    slope = layer.slope

    def turn(g: Tensor, rows: Rows) -> Tensor:
        turned: Tensor = torch.ops.aten.leaky_relu_backward(g, x[rows[0] : rows[1]], slope, False)
        return turned

    return Derivative(functional.leaky_relu(x, slope), turn, turn)


def _absolute(layer: nn.Module, x: Tensor, w: None, b: None) -> Derivative:
    sign = x.sign()

    def turn(g: Tensor, rows: Rows) -> Tensor:
        return g * sign[rows[0] : rows[1]]

    return Derivative(x.abs(), turn, turn)


def _flatten(layer: nn.Module, x: Tensor, w: None, b: None) -> Derivative:
    shape = x.shape[1:]
    return Derivative(x.flatten(1), lambda u, _: u.flatten(1), lambda g, _: g.view(-1, *shape))


def _fourier(layer: nn.Module, x: Tensor, w: None, b: None) -> Derivative:
    assert isinstance(layer, Fourier)
    f = layer.frequencies.to(x.dtype)
    phase = x @ f
    sin, cos = phase.sin(), phase.cos()

    def jvp(u: Tensor, rows: Rows) -> Tensor:
        turned = u @ f
        a, b = rows
        return torch.cat([u, cos[a:b] * turned, -sin[a:b] * turned], dim=1)

    def vjp(g: Tensor, rows: Rows) -> Tensor:
        on_x, on_sin, on_cos = torch.split(g, [len(f), f.shape[1], f.shape[1]], dim=1)
        a, b = rows
        return on_x + (on_sin * cos[a:b] - on_cos * sin[a:b]) @ f.T

    return Derivative(torch.cat([x, sin, cos], dim=1), jvp, vjp)


def _group_sort(layer: nn.Module, x: Tensor, w: None, b: None) -> Derivative:
    assert isinstance(layer, GroupSort)
    y, order = layer.sorted(x)
    back = order.argsort(dim=1)
    return Derivative(
        y,
        lambda u, rows: u.gather(1, order[rows[0] : rows[1]]),
        lambda g, rows: g.gather(1, back[rows[0] : rows[1]]),
    )


DERIVATIVES: Mapping[type[nn.Module], Callable[..., Derivative]] = {
    nn.Linear: _linear, nn.Conv2d: _conv, LeakyReLU: _leaky, Absolute: _absolute,
    nn.Flatten: _flatten, Fourier: _fourier, GroupSort: _group_sort,
}  # fmt: skip
