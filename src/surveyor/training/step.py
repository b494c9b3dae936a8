"""A step: gradients, reduce, update."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from surveyor.errors import Diverged
from surveyor.training.game import Terms

Reduce = Callable[[Sequence[Tensor]], None]


def alone(gradients: Sequence[Tensor]) -> None:
    """Leave gradients as they are: the ``reduce`` of a single process."""


def update(
    terms: Terms,
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    step: int,
    reduce: Reduce = alone,
) -> None:
    """Differentiate the sum of ``terms``, reduce the gradients, and move ``module``.

    Raises:
        Diverged: a term or a gradient is not finite; nothing has been moved.
    """
    parameters: list[nn.Parameter] = optimizer.param_groups[0]["params"]
    total = torch.stack(list(terms.values())).sum()
    gradients: tuple[Tensor | None, ...] = torch.autograd.grad(total, parameters, allow_unused=True)
    # A parameter without a gradient counts as zero, so that all processes reduce the same list.
    filled = [
        torch.zeros_like(p) if g is None else g for p, g in zip(parameters, gradients, strict=True)
    ]
    reduce(filled)
    size = torch.stack([total.detach(), *torch._foreach_norm(filled)]).sum()
    if not bool(torch.isfinite(size)):
        raise Diverged(_cause(terms, module, filled, step))
    for parameter, gradient in zip(parameters, filled, strict=True):
        parameter.grad = gradient
    optimizer.step()


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
    where = (
        f"weights of layer {weights[0]!r}"
        if weights
        else (f"gradient of layer {layers[-1]!r}" if layers else "no layer")
    )
    return (
        f"step {step}: {what}, first seen in the {where}; the last good state is kept. "
        "Lower the learning rate or the penalty weight, or look for extreme values in the data"
    )
