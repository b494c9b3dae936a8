"""A critic without training: cones on the potentials of exact transport."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from surveyor.transport import ground_costs, transport
from surveyor.transport.checks import Array

DIRECT = 8  # coordinates up to which distances are summed up


class Cones(nn.Module):
    """f(x) = (max_i (u_i - |x - a_i|) + min_j (|x - b_j| - v_j)) / 2, of slope at most 1.

    u and v are the dual potentials of transport between a (n, d) and b (m, d): f equals u at a and
    -v at b (McShane 1934, from above and from below), so E f(a) - E f(b) is their exact W1. On
    other data it is a lower bound. Every cone has slope 1, and so has their mean: ``bound`` is 1.
    """

    a: Tensor
    b: Tensor
    u: Tensor
    v: Tensor
    bound = 1.0

    def __init__(self, a: Array, b: Array) -> None:
        super().__init__()
        solved = transport(ground_costs(a, b))
        for name, values in (("a", a), ("b", b), ("u", solved.u), ("v", solved.v)):
            self.register_buffer(name, torch.as_tensor(values, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        """Return scores (n,) of points (n, d)."""
        wide = x.flatten(1).double()
        below = (self.u - far(wide, self.a)).amax(1)
        above = (far(wide, self.b) - self.v).amin(1)
        return (below + above) / 2


def far(x: Tensor, a: Tensor) -> Tensor:
    """Return |x_i - a_j|, (n, m): summed up in few coordinates, from products in many.

    Products are quicker, and near a peak they lose half the digits.
    """
    way = "donot_use_mm_for_euclid_dist" if x.shape[1] <= DIRECT else "use_mm_for_euclid_dist"
    return torch.cdist(x, a, compute_mode=way)
