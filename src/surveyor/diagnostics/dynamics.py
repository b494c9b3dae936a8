"""Local dynamics of a small game: the eigenvalues of its linearisation."""

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

MOST = 4000  # parameters; the Jacobian has their square
STILL = 1e-9  # real and imaginary parts below this, relative to the Jacobian's norm, count as 0

Loss = Callable[[], Tensor]
Motion = Literal["node", "spiral", "centre", "unstable", "flat"]


@dataclass(frozen=True)
class Dynamics:
    """The Jacobian J of v = (-dL_C/dc, -dL_G/dg), with critic parameters c and generator's g.

    Near a stationary point small deviations follow x' = J x (Mescheder et al. 2018).
    """

    jacobian: np.ndarray
    critic: int
    force: float

    @property
    def values(self) -> np.ndarray:
        """Return the eigenvalues, slowest decay first."""
        found = np.linalg.eigvals(self.jacobian)
        return np.asarray(found[np.argsort(-found.real)])

    def motion(self) -> Motion:
        """Return the type of the stationary point under small steps.

        Deviations decay without rotation at a ``node``, with rotation at a ``spiral``, rotate
        forever around a ``centre``, and grow at an ``unstable`` point. Directions with zero
        eigenvalue, such as the critic's last bias, are ignored; without others it is ``flat``.
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
        """Return the linear map of one alternating gradient step, and its eigenvalues.

        The critic takes ``critic_steps`` steps, then the generator takes one against the updated
        critic. Deviations decay if every eigenvalue is below 1 in modulus.
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
    """Linearise a game of two losses at its current parameters; ``force`` is |v| there.

    The losses take no arguments and must be deterministic: draw everything random beforehand.
    Use double precision.

    Raises:
        InputError: the nets have more than 4,000 parameters.
    """
    own, others = _parameters(critic), _parameters(generator)
    count = sum(p.numel() for p in (*own, *others))
    if count > MOST:
        raise InputError(
            f"{count:,} parameters: the Jacobian has as many rows and columns; give nets with at "
            f"most {MOST:,}"
        )
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

    Other random numbers, such as those of a penalty's points, come from ``seed``, the same at
    every call.

    Raises:
        InputError: the game has a reconstruction term or label noise, which are not supported.
    """
    if game.terms or game.label_noise is not None:
        raise InputError("dynamics: only for games without reconstruction and without label noise")

    def fake_and_scores() -> tuple[Batch, Scores]:
        raw = game.generator(z) if real.cond is None else game.generator(z, real.cond)
        fake = Batch(game.head(raw, Draws(seed, device=raw.device)), real.cond, real.weight)
        scores = [
            game.critic(b.x) if b.cond is None else game.critic(b.x, b.cond) for b in (real, fake)
        ]
        return fake, Scores(scores[0], scores[1], real.weight, real.weight, real.group)

    def critic_loss() -> Tensor:
        fake, scores = fake_and_scores()
        total = game.objective.critic(scores) / game.unit
        for constraint in game.constraints:
            term = constraint.penalty(game.critic, real, fake, Draws(seed, device=real.x.device))
            total = total if term is None else total + term / game.unit
        return total

    def generator_loss() -> Tensor:
        return game.objective.generator(fake_and_scores()[1]) / game.unit

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
