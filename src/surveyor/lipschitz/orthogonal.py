"""Orthogonal layers with GroupSort: a slope provably at most 1 and close to 1 everywhere."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from surveyor.errors import InputError
from surveyor.layers.activations import Absolute, GroupSort, LeakyReLU
from surveyor.lipschitz import Constraint
from surveyor.lipschitz.certificate import overlap, weighted


@dataclass(frozen=True)
class Orthogonal(Constraint):
    """Semi-orthogonal matrices and activations that preserve the gradient norm.

    ``activation`` is ``groupsort``, over ``group`` channels (Anil et al. 2019), or ``absolute``.

    After each step W <- 1.5 W - 0.5 W W' W until W W' = I (Newton-Schulz, Bjorck and Bowie 1971).
    A convolution's reshaped kernel is made semi-orthogonal and divided by the square root of the
    number of windows that contain a pixel, so that its norm is at most 1.
    """

    group: int = 8
    activation: Literal["groupsort", "absolute"] = "groupsort"

    def __post_init__(self) -> None:
        if self.group < 2:
            raise InputError(f"orthogonal: group {self.group}: sort at least 2 channels together")
        if self.activation not in ("groupsort", "absolute"):
            raise InputError(
                f"orthogonal: activation {self.activation!r}; known: groupsort, absolute"
            )

    def install(self, critic: nn.Module) -> None:
        """Replace pointwise activations and initialise with orthogonal matrices."""
        for module in list(critic.modules()):
            for name, child in list(module.named_children()):
                if isinstance(child, (LeakyReLU, nn.LeakyReLU, nn.ReLU)):
                    folds = self.activation == "absolute"
                    setattr(module, name, Absolute() if folds else GroupSort(self.group))
        with torch.no_grad():
            for layer in weighted(critic):
                nn.init.orthogonal_(layer.weight)
                layer.weight.div_(math.sqrt(overlap(layer)))

    @torch.no_grad()
    def project(self, critic: nn.Module) -> None:
        """Replace every matrix by the nearest semi-orthogonal one."""
        for layer in weighted(critic):
            scale = math.sqrt(overlap(layer))
            nearest = orthogonalised(layer.weight.flatten(1) * scale)
            layer.weight.copy_(nearest.view_as(layer.weight) / scale)


def orthogonalised(w: Tensor, tolerance: float = 1e-4, most: int = 20) -> Tensor:
    """Return the semi-orthogonal matrix nearest to ``w``, by Newton-Schulz.

    The iteration converges for singular values in (0, sqrt 3); a larger matrix is scaled first.
    """
    tall = w.shape[0] > w.shape[1]
    w = w.T if tall else w
    eye = torch.eye(w.shape[0], dtype=w.dtype, device=w.device)
    gram = w @ w.T
    if float(gram.norm()) > 3 * math.sqrt(len(w)) or float(gram.diagonal().max()) > 2.5:
        w = w / w.norm()
        most *= 3
        gram = w @ w.T
    for _ in range(most):
        if float((gram - eye).norm()) < tolerance:
            break
        w = 1.5 * w - 0.5 * gram @ w
        gram = w @ w.T
    return w.T if tall else w
