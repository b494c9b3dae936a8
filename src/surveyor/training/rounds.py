"""A round: the updates of one step, in order, and then the generator's average."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from surveyor.batch import Draws
from surveyor.critics.chain import Terms
from surveyor.errors import Diverged
from surveyor.lipschitz import Constraint
from surveyor.streams import Stream
from surveyor.training.game import Game
from surveyor.training.gradients import TermsAndGrads
from surveyor.training.noise import Deviation
from surveyor.training.plan import Plan, State, average_weight
from surveyor.training.step import REMEDY, Reduce, finite_now, no_reduce, update


@dataclass(frozen=True)
class Move:
    """One update of ``net``: its gradients, given draws and the deviation of the noise.

    Step s draws number ``of`` s + ``place`` of its ``stream``. ``constraints`` are projected onto
    afterwards.
    """

    net: nn.Module
    optimizer: torch.optim.Optimizer
    gradients: Callable[[Draws, Deviation], TermsAndGrads]
    stream: Stream = Stream.GENERATOR
    place: int = 0
    of: int = 1
    constraints: tuple[Constraint, ...] = ()


@dataclass
class Rounds:
    """Plays the rounds of a phase; every update is checked at once.

    On CUDA ``own`` holds a generator of random numbers for each move, seeded for every draw; it is
    empty elsewhere.
    """

    game: Game
    plan: Plan
    state: State
    moves: Sequence[Move]
    reduce: Reduce = no_reduce
    own: list[torch.Generator] = field(default_factory=list)

    def __post_init__(self) -> None:
        device = self.game.device
        if device.type == "cuda":
            self.own = [torch.Generator(device) for _ in self.moves]

    def __call__(self, step: int, noise: float) -> Terms:
        """Play round ``step``; return the terms of its last critic and generator updates."""
        return self.play(step, self.draws(step), noise, average_weight(step, self.plan.ema_decay))

    def draws(self, step: int) -> list[Draws]:
        """Return the draws of every move of a round."""
        return [self._draws(k, step) for k in range(len(self.moves))]

    def _draws(self, k: int, step: int) -> Draws:
        move, plan = self.moves[k], self.plan
        own = self.own[k] if self.own else None
        count = step * move.of + move.place
        return Draws(plan.seed, count, move.stream, plan.rank, self.game.device, own)

    def play(
        self, step: int, draws: Sequence[Draws], noise: Deviation, weight: float | Tensor
    ) -> Terms:
        """Make every move of a round with ``draws``, then move the average."""
        last: dict[nn.Module, Terms] = {}
        for move, own in zip(self.moves, draws, strict=True):
            last[move.net] = self.make(move, step, own, noise)
            for constraint in move.constraints:
                constraint.project(move.net)
        self.state.update_average(weight)
        return {name: value for terms in last.values() for name, value in terms.items()}

    def make(self, move: Move, step: int, draws: Draws, noise: Deviation) -> Terms:
        """Make one move; return its terms.

        Raises:
            Diverged: a term or a gradient is not finite.
        """
        terms, found = move.gradients(draws, noise)
        update(terms, found, move.net, move.optimizer, step + 1, self.reduce, self.finite)
        return terms

    def finite(self, size: Tensor) -> bool:
        """Return whether the size of an update is finite."""
        return finite_now(size)


@dataclass
class Unwaiting(Rounds):
    """Plays rounds without waiting for the device.

    From the first number on that is not finite, a flag on the device withholds all updates, so that
    the weights stay as they were. ``settle`` reads it, and makes that update again to say what was
    wrong. ``flag`` is 1 from then on, and ``made`` counts the updates until then.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        device = self.game.device
        self.flag = torch.zeros((), device=device)
        self.made = torch.zeros((), dtype=torch.int64, device=device)
        self.first = self.state.step
        self.noises: dict[int, float] = {}  # of the steps since the host last waited
        for move in self.moves:
            move.optimizer.found_inf = self.flag  # type: ignore[attr-defined]
        self.state.settle = self.settle

    def __call__(self, step: int, noise: float) -> Terms:
        """Play round ``step``."""
        self.noises[step] = noise
        return super().__call__(step, noise)

    def finite(self, size: Tensor) -> bool:
        """Raise the flag unless the size of an update is finite; never wait for it."""
        self.flag.copy_(torch.maximum(self.flag, (~torch.isfinite(size)).float()))
        self.made.add_(1 - self.flag.long())
        return True

    def settle(self) -> None:
        """Wait for the device.

        Raises:
            Diverged: a term or a gradient was not finite.
        """
        stopped = bool(self.flag)
        if not stopped:
            self.noises.clear()
            return
        rounds, k = divmod(int(self.made), len(self.moves))
        step = self.first + rounds
        self.flag.zero_()
        again = Rounds(self.game, self.plan, self.state, self.moves, self.reduce)
        again.make(self.moves[k], step, self._draws(k, step), self.noises[step])
        raise Diverged(f"step {step + 1}: a loss or a gradient was not finite. {REMEDY}")
