"""One optimizer update: reduce the gradients, check them, move the weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from surveyor.critics.chain import Terms
from surveyor.errors import Diverged

REMEDY = "Lower the learning rate or the penalty weight, or look for extreme values in the data"
Reduce = Callable[[Sequence[Tensor]], None]
Check = Callable[[Tensor], bool]


def finite_now(size: Tensor) -> bool:
    """Return whether ``size`` is finite; on an accelerator the host waits for it."""
    return bool(torch.isfinite(size))


def no_reduce(gradients: Sequence[Tensor]) -> None:
    """Leave gradients as they are: the ``reduce`` of a single process."""


def update(
    terms: Terms,
    gradients: Sequence[Tensor],
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    step: int,
    reduce: Reduce = no_reduce,
    finite: Check = finite_now,
) -> None:
    """Reduce the ``gradients`` of the sum of ``terms``, and update ``module``.

    There must be one gradient per parameter, zeros where there is none, so that all processes
    reduce the same list. ``finite`` is asked about the sum of all terms and norms of gradients.

    Raises:
        Diverged: a term or a gradient is not finite; no weight has changed.
    """
    reduce(gradients)
    size = torch.stack([*terms.values(), *torch._foreach_norm(list(gradients))]).sum()
    if not finite(size):
        raise Diverged(_cause(terms, module, gradients, step))
    parameters: list[nn.Parameter] = optimizer.param_groups[0]["params"]
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = match_layout(gradient, parameter)
    optimizer.step()


def match_layout(x: Tensor, parameter: Tensor) -> Tensor:
    """Return ``x``, a gradient or a moment, in the memory layout of its parameter.

    PyTorch's fused Adam pairs entries in memory order. Where strides differ, as for the gradient of
    a transposed weight, it silently updates the wrong weights.
    """
    if x.stride() == parameter.stride():
        return x
    return torch.empty_like(parameter).copy_(x)


def _cause(terms: Terms, module: nn.Module, gradients: Sequence[Tensor], step: int) -> str:
    bad_terms = [name for name, value in terms.items() if not bool(torch.isfinite(value))]
    names = [name for name, p in module.named_parameters() if p.requires_grad]
    layers = [
        name for name, g in zip(names, gradients, strict=True) if not bool(g.isfinite().all())
    ]
    weights = [name for name, p in module.named_parameters() if not bool(p.isfinite().all())]
    what = (
        f"term {bad_terms[0]!r} is {terms[bad_terms[0]].item()}"
        if bad_terms
        else ("the loss is finite but its gradient is not")
    )
    where = ""
    if weights:
        where = f", first seen in the weights of layer {weights[0]!r}"
    elif layers:
        where = f", first seen in the gradient of layer {layers[-1]!r}"
    return f"step {step}: {what}{where}. {REMEDY}"
