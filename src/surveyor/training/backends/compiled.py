"""The written-out pass compiled by ``torch.compile``, with pointwise operations fused."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import nn

from surveyor.batch import Batch, Draws
from surveyor.lipschitz import TermPenalty
from surveyor.training.backends.written_out import (
    WrittenOut,
    critic_loss_and_grad,
    generator_loss_and_grad_x,
)
from surveyor.training.game import Game


@dataclass(frozen=True)
class Compiled(WrittenOut):
    """The compiled pass; ``fused`` is the compiled form of the generator ``written``."""

    written: nn.Module = field(default_factory=nn.Identity)
    fused: nn.Module = field(default_factory=nn.Identity)

    def net(self, generator: nn.Module) -> nn.Module:
        """Return the compiled generator, if ``generator`` is the one it was compiled from."""
        return self.fused if generator is self.written else generator


def compiled(game: Game, trial: Batch, backend: str = "inductor") -> tuple[Game, str | None]:
    """Return ``game`` with compiled steps, tried on ``trial``; or unchanged, and the reason.

    Compiled are the critic's scores, slopes and weight gradients in one graph, objective and
    penalties included; its gradient in the points, for the generator; and the generator, forward
    and backward. Draws, the average and the optimizer are not.
    """
    if any(isinstance(c, TermPenalty) for c in game.constraints):
        return game, "steps run uncompiled: the condition penalty needs autograd"
    how: Any = {"fullgraph": True, "dynamic": False, "backend": backend, "isolate_recompiles": True}
    fused: nn.Module = torch.compile(game.generator, **how)  # type: ignore[assignment]
    made = replace(
        game,
        backend=Compiled(
            torch.compile(critic_loss_and_grad, **how),
            torch.compile(generator_loss_and_grad_x, **how),
            game.generator,
            fused,
        ),
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # deprecations inside the compiler
            made.critic_gradients(trial, Draws(0, device=game.device))
            made.generator_gradients(trial, Draws(0, device=game.device))
    except Exception as error:  # a compiler may raise anything on a user's module
        reason = " ".join(str(error).split("\n\n")[0].split())[:200]
        return game, f"steps run uncompiled: {reason}"
    return made, None
