"""Spectral normalisation by power iteration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from surveyor.errors import InputError
from surveyor.lipschitz import Constraint
from surveyor.lipschitz.certificate import weighted


class _Normalised(nn.Module):
    """W / (u' W v), where u and v track the leading singular vectors."""

    u: Tensor
    v: Tensor

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        u, _, v = torch.linalg.svd(weight.detach().flatten(1), full_matrices=False)
        self.register_buffer("u", u[:, 0].clone())
        self.register_buffer("v", v[0].clone())

    def forward(self, weight: Tensor) -> Tensor:
        # This one number scales the whole layer, so it stays in full precision.
        device = "cpu" if weight.is_meta else weight.device.type
        with torch.autocast(device, enabled=False):
            return weight / torch.dot(self.u, weight.flatten(1) @ self.v)

    def iterate(self, weight: Tensor) -> None:
        w = weight.flatten(1)
        self.v.copy_(nn.functional.normalize(w.T @ self.u, dim=0))
        self.u.copy_(nn.functional.normalize(w @ self.v, dim=0))


@dataclass(frozen=True)
class Spectral(Constraint):
    """W / sigma(W), with ``iterations`` power iterations per critic step (Miyato et al. 2018).

    As in the paper, a convolution is divided by the norm of its reshaped kernel, which is not its
    operator norm; and power iteration approaches sigma from below. ``bound`` therefore computes
    the norms by SVD; it is slightly above 1 for linear layers and larger for convolutions.
    """

    iterations: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.iterations <= 1000:
            raise InputError(f"spectral: iterations {self.iterations}: give 1 to 1000")

    def install(self, critic: nn.Module) -> None:
        """Parametrise every layer on the data's path."""
        for layer in weighted(critic):
            parametrize.register_parametrization(layer, "weight", _Normalised(layer.weight))

    @torch.no_grad()
    def project(self, critic: nn.Module) -> None:
        """Advance the power iteration."""
        for layer in weighted(critic):
            parametrisation: Any = layer.parametrizations["weight"]  # type: ignore[index]
            for _ in range(self.iterations):
                parametrisation[0].iterate(parametrisation.original)
