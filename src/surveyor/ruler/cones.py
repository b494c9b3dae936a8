"""A critic that needs no training: cones on the dual potentials of exact transport."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from surveyor.transport import ground_costs, transport
from surveyor.transport.checks import Array

DIRECT = 8  # the most coordinates for which distances are summed directly


class Cones(nn.Module):
    """f(x) = (max_i (u_i - |x - a_i|) + min_j (|x - b_j| - v_j)) / 2, of slope at most 1.

    u and v are the dual potentials of transport between a (n, d) and b (m, d). f equals u at a and
    -v at b (the upper and lower extensions of McShane 1934), so E f(a) - E f(b) is their exact W1;
    on other data the gap is a lower bound. Cones have slope 1, hence ``bound`` 1.
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
    """Return |x_i - a_j|, (n, m), by direct sums in few coordinates and matrix products in many.

    Matrix products are faster, but lose half the digits near a peak.
    """
    way = "donot_use_mm_for_euclid_dist" if x.shape[1] <= DIRECT else "use_mm_for_euclid_dist"
    return torch.cdist(x, a, compute_mode=way)
