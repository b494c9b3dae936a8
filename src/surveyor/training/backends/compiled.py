"""Compiled: the pass written out as generated code, with the pointwise work fused."""

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
    """``written`` is the generator that was compiled, ``fused`` what came of it."""

    written: nn.Module = field(default_factory=nn.Identity)
    fused: nn.Module = field(default_factory=nn.Identity)

    def net(self, generator: nn.Module) -> nn.Module:
        """Return the compiled generator for the one it was compiled from."""
        return self.fused if generator is self.written else generator


def compiled(game: Game, trial: Batch, backend: str = "inductor") -> tuple[Game, str | None]:
    """Return ``game`` with compiled steps, tried on ``trial``; or as it is, and why.

    What is compiled: the critic's scores, slopes and weight gradients in one graph, objective and
    penalties included; its gradient in the points, for the generator; and the generator, forward
    and back. Draws, the average and the optimizer stay as they are.
    """
    if any(isinstance(c, TermPenalty) for c in game.constraints):
        return game, "steps run uncompiled: the condition penalty is left to autograd"
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
            warnings.simplefilter("ignore")  # the compiler's own use of what is deprecated
            made.critic_gradients(trial, Draws(0))
            made.generator_gradients(trial, Draws(0))
    except Exception as error:  # whatever a compiler may raise about somebody's module
        reason = " ".join(str(error).split("\n\n")[0].split())[:200]
        return game, f"steps run uncompiled: {reason}"
    return made, None
