"""Adam, optionally with optimistic gradients."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from surveyor.errors import InputError
from surveyor.training.optimizers import Updates


@dataclass(frozen=True)
class Adam(Updates):
    """Adam (Kingma and Ba 2015). A beta1 of 0 or .5 suits a game, where old gradients mislead.

    With ``optimism`` o, each step uses g_t + o (g_t - g_{t-1}) in place of g_t, which damps the
    rotation of a game (Daskalakis et al. 2018, for o = 1), once the share ``after`` of training is
    done.
    """

    beta1: float = 0.0
    beta2: float = 0.9
    eps: float = 1e-8
    optimism: float = 0.0
    after: float = 0.0

    def __post_init__(self) -> None:
        if not (0 <= self.beta1 < 1 and 0 <= self.beta2 < 1):
            raise InputError(
                f"adam: betas {self.beta1}, {self.beta2}: give numbers from 0 to below 1"
            )
        if self.optimism < 0:
            raise InputError(f"adam: optimism {self.optimism}: give a number from 0")

    @property
    def capturable(self) -> bool:
        """Return that its steps read nothing from the host."""
        return True

    def over(self, parameters: Iterable[nn.Parameter], rate: float) -> torch.optim.Optimizer:
        """Return the optimizer."""
        own = list(parameters)
        on_card = bool(own) and own[0].is_cuda
        optimizer = torch.optim.Adam(
            own,
            lr=torch.tensor(rate, device=own[0].device) if on_card else rate,
            betas=(self.beta1, self.beta2),
            eps=self.eps,
            fused=True,
            capturable=on_card,
        )
        if on_card:
            optimizer.param_groups[0]["progress"] = torch.ones((), device=own[0].device)
        if self.optimism:
            _add_optimism(optimizer, self.optimism, self.after)
        return optimizer


def _add_optimism(optimizer: torch.optim.Optimizer, optimism: float, after: float) -> None:
    """Extrapolate gradients before every step; the optimizer's state holds the previous ones."""
    last: list[Tensor] = []

    def before(*_: object) -> None:
        late = optimizer.param_groups[0].get("progress", 1.0) >= after
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        now = [p.grad for p in parameters]
        past = [optimizer.state[p].get("previous", g) for p, g in zip(parameters, now, strict=True)]
        apart = torch._foreach_sub(now, past)
        if isinstance(late, Tensor):
            torch._foreach_mul_(apart, optimism * late)
            ahead = torch._foreach_add(now, apart)
        else:
            ahead = torch._foreach_add(now, apart, alpha=optimism * late)
        for p, g in zip(parameters, ahead, strict=True):
            p.grad = g
        last[:] = now

    def keep(*_: object) -> None:
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        for p, g in zip(parameters, last, strict=True):
            state = optimizer.state[p]
            if g.is_cuda and "previous" in state:  # in place: a graph reads the same memory again
                state["previous"].copy_(g)
            else:
                state["previous"] = g

    optimizer.register_step_pre_hook(before)
    optimizer.register_step_post_hook(keep)
