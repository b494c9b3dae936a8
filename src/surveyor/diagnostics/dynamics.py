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
STILL = 1e-9  # a part below this, of the Jacobian's size, counts as none

Loss = Callable[[], Tensor]
Motion = Literal["node", "spiral", "centre", "unstable", "flat"]


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
        ever, an ``unstable`` point is left. Directions that do not move at all, such as a critic's
        last bias, are left out; without others it is ``flat``.
        """
        still = STILL * max(1.0, float(np.linalg.norm(self.jacobian)))
        moving = self.values[np.abs(self.values) > still]
        if len(moving) == 0:
            return "flat"
        if moving.real.max() > still:
            return "unstable"
        if moving.real.max() > -still:
            return "centre"
        return "spiral" if np.abs(moving.imag).max() > still else "node"

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


def losses(game: Game, real: Batch, z: Tensor, seed: int = 0) -> tuple[Loss, Loss]:
    """Return a game's critic loss and generator loss on fixed real points and latents.

    What else is random, such as the points between, is drawn from ``seed``, alike at every call.

    Raises:
        InputError: a game with a content loss or a channel of labels, which are left out here.
    """
    if game.terms or game.label_noise is not None:
        raise InputError("dynamics: of games without a content loss and without label noise")

    def told() -> tuple[Batch, Scores]:
        raw = game.generator(z) if real.cond is None else game.generator(z, real.cond)
        fake = Batch(game.head(raw, Draws(seed)), real.cond, real.weight)
        scores = [
            game.critic(b.x) if b.cond is None else game.critic(b.x, b.cond) for b in (real, fake)
        ]
        return fake, Scores(scores[0], scores[1], real.weight, real.weight, real.group)

    def critic_loss() -> Tensor:
        fake, scores = told()
        total = game.objective.critic(scores) / game.unit
        for constraint in game.constraints:
            term = constraint.penalty(game.critic, real, fake, Draws(seed))
            total = total if term is None else total + term / game.unit
        return total

    def generator_loss() -> Tensor:
        return game.objective.generator(told()[1]) / game.unit

    return critic_loss, generator_loss


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
