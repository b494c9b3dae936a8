"""The squared norm of any critic's gradient in x, by autograd."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from surveyor.batch import Batch


def squared_gradient_norms(critic: nn.Module, batch: Batch, graph: bool = True) -> list[Tensor]:
    """Return |grad_x f(x, c)|^2 (n,), one tensor for each member of a committee.

    Members are differentiated one by one: the gradient of their sum would give the norm of the
    sum, not the sum of norms. With ``graph`` the result can be differentiated again, also through
    x if x requires a gradient.
    """
    own = graph and batch.x.requires_grad
    x = batch.x if own else batch.x.detach().requires_grad_(True)
    scores = critic(x) if batch.cond is None else critic(x, batch.cond)
    members = scores.view(-1, len(x))
    squares = []
    for k, member in enumerate(members):
        keep = graph or k + 1 < len(members)
        (gradient,) = torch.autograd.grad(member.sum(), x, create_graph=graph, retain_graph=keep)
        wide = gradient if gradient.dtype == torch.float64 else gradient.float()
        squares.append(wide.flatten(1).square().sum(1))
    return squares
