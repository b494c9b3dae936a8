"""How a small game moves near where it stands: the eigenvalues of its linearised dynamics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from surveyor.batch import Batch, Draws, Scores
from surveyor.errors import InputError
from surveyor.training import Game

MOST = 4000  # parameters, whose square the Jacobian has
STILL = 1e-9  # a real part below this counts as none

Loss = Callable[[], Tensor]
Motion = Literal["node", "spiral", "centre", "unstable"]


@dataclass(frozen=True)
class Dynamics:
    """The Jacobian J of v = (-dL_C/dc, -dL_G/dg), critic parameters c first, generator's g after.

    Near a stationary point small deviations follow x' = J x (Mescheder et al. 2018).
    """

    jacobian: np.ndarray
    critic: int
    force: float

    @property
    def values(self) -> np.ndarray:
        """Return the eigenvalues, the slowest to decay first."""
        found = np.linalg.eigvals(self.jacobian)
        return np.asarray(found[np.argsort(-found.real)])

    def motion(self) -> Motion:
        """Return how deviations move under small steps.

        A ``node`` decays without turning, a ``spiral`` turns as it decays, a ``centre`` turns for
        ever, and an ``unstable`` point is left.
        """
        return _motion(self.values.real.max(), self.values)

    def steps(
        self, critic_rate: float, generator_rate: float, critic_steps: int = 1
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the map of one alternating step of gradient descent, and its multipliers.

        The critic moves ``critic_steps`` times, then the generator sees the critic moved.
        Deviations die out where every multiplier is below 1 in modulus.
        """
        n, k = len(self.jacobian), self.critic
        first, second = np.eye(n), np.eye(n)
        first[:k] += critic_rate * self.jacobian[:k]
        second[k:] += generator_rate * self.jacobian[k:]
        whole = second @ np.linalg.matrix_power(first, critic_steps)
        found = np.linalg.eigvals(whole)
        return whole, np.asarray(found[np.argsort(-np.abs(found))])


def dynamics(
    critic_loss: Loss, generator_loss: Loss, critic: nn.Module, generator: nn.Module
) -> Dynamics:
    """Linearise a game of two losses where its nets stand; ``force`` is |v| there.

    The losses take no argument and no chance: what is random in them must be drawn before. Double
    precision is worth its while.

    Raises:
        InputError: more than 4,000 parameters.
    """
    own, others = _parameters(critic), _parameters(generator)
    count = sum(p.numel() for p in (*own, *others))
    if count > MOST:
        raise InputError(f"{count:,} parameters: the Jacobian has their square; at most {MOST:,}")
    force = torch.cat(
        [
            -_flat(critic_loss(), own),
            -_flat(generator_loss(), others),
        ]
    )
    rows = [_flat(entry, [*own, *others], False) for entry in force]
    jacobian = torch.stack(rows).detach().numpy()
    return Dynamics(jacobian, sum(p.numel() for p in own), float(force.detach().norm()))


def losses(game: Game, real: Batch, z: Tensor, draws: Draws | None = None) -> tuple[Loss, Loss]:
    """Return a game's critic loss and generator loss on fixed real points and latents."""

    def told() -> tuple[Batch, Scores]:
        draw = Draws(0) if draws is None else draws
        raw = game.generator(z) if real.cond is None else game.generator(z, real.cond)
        fake = Batch(game.head(raw, draw), real.cond)
        scores = [
            game.critic(b.x) if b.cond is None else game.critic(b.x, b.cond) for b in (real, fake)
        ]
        return fake, Scores(scores[0], scores[1])

    def critic_loss() -> Tensor:
        fake, scores = told()
        total = game.objective.critic(scores) / game.unit
        for constraint in game.constraints:
            step = Draws(0, 0, 1) if draws is None else draws
            term = constraint.penalty(game.critic, real, fake, step)
            total = total if term is None else total + term / game.unit
        return total

    def generator_loss() -> Tensor:
        return game.objective.generator(told()[1]) / game.unit

    return critic_loss, generator_loss


def _motion(real: float, values: np.ndarray) -> Motion:
    if real > STILL:
        return "unstable"
    if real > -STILL:
        return "centre"
    return "spiral" if np.abs(values.imag).max() > STILL else "node"


def _parameters(net: nn.Module) -> list[nn.Parameter]:
    return [p for p in net.parameters() if p.requires_grad]


def _flat(value: Tensor, parameters: Sequence[Tensor], graph: bool = True) -> Tensor:
    if not value.requires_grad:
        return torch.cat([torch.zeros_like(p).flatten() for p in parameters])
    found = torch.autograd.grad(
        value, list(parameters), create_graph=graph, retain_graph=True,
        allow_unused=True, materialize_grads=True,
    )  # fmt: skip
    return torch.cat([g.flatten() for g in found])
