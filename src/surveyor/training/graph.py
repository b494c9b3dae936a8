"""Rounds on CUDA, each captured once as a graph of the device and replayed."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from surveyor.batch import Draws
from surveyor.critics.chain import Terms
from surveyor.errors import notify
from surveyor.training.noise import Deviation
from surveyor.training.plan import average_weight
from surveyor.training.rounds import Unwaiting

LONGEST = 64  # rounds until penalties repeat, each with a graph of its own
Key = tuple[int, bool]


@dataclass
class Captured(Unwaiting):
    """Replays a round as one graph: one call of the host for all its kernels.

    The first rounds run eagerly, since libraries allocate on first use. The second tells whether a
    part waits for the device; then all do. Random numbers come from generators that the graph
    knows, and are seeded before each replay as those of an eager round are.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        device = self.game.device
        self.weight = torch.zeros((), device=device)
        self.deviation = torch.zeros((), device=device)
        self.graphs: dict[Key, tuple[torch.cuda.CUDAGraph, Terms]] = {}
        self.tried: dict[Key, int] = {}
        lags = (getattr(c, "every", 1) for m in self.moves for c in m.constraints)
        self.period = math.lcm(1, *lags)
        self.eager = self.period > LONGEST

    def __call__(self, step: int, noise: float) -> Terms:
        """Play round ``step``."""
        self.noises[step] = noise
        draws = self.draws(step)
        self.weight.fill_(average_weight(step, self.plan.ema_decay))
        self.deviation.fill_(noise)
        key = (step % self.period, noise == 0)
        level: Deviation = 0.0 if noise == 0 else self.deviation
        if key in self.graphs:
            graph, terms = self.graphs[key]
            graph.replay()
            return terms
        count = self.tried[key] = self.tried.get(key, 0) + 1
        if self.eager or count == 1:
            return self.play(step, draws, level, self.weight)
        if count == 2:
            return self._watched(step, draws, level)
        return self._captured(key, step, draws, level)

    def _watched(self, step: int, draws: Sequence[Draws], noise: Deviation) -> Terms:
        """Play a round eagerly; if it waits for the device, no round is captured."""
        mode = torch.cuda.get_sync_debug_mode()
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            torch.cuda.set_sync_debug_mode("warn")
            try:
                terms = self.play(step, draws, noise, self.weight)
            finally:
                torch.cuda.set_sync_debug_mode(mode)
        self.eager = any("called a synchronizing" in str(w.message) for w in found)
        return terms

    def _captured(self, key: Key, step: int, draws: Sequence[Draws], noise: Deviation) -> Terms:
        graph = torch.cuda.CUDAGraph()
        for generator in self.own:
            graph.register_generator_state(generator)
        try:
            with torch.cuda.graph(graph):
                terms = self.play(step, draws, noise, self.weight)
        except RuntimeError as error:
            reason = " ".join(str(error).split("\n\n")[0].split())[:200]
            notify(f"training steps run one kernel at a time, not as a graph: {reason}")
            self.eager, self.own = True, [torch.Generator(g.device) for g in self.own]
            return self.play(step, self.draws(step), noise, self.weight)
        self.graphs[key] = graph, terms
        graph.replay()
        return terms
