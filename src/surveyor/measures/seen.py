"""The samples behind an evaluation, drawn once and shared by every measure, finding and panel."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from surveyor.batch import Batch, Draws, stacked
from surveyor.data import Codec, Data, Source
from surveyor.diagnostics import Slopes, slopes
from surveyor.errors import InputError, notify
from surveyor.streams import Stream
from surveyor.training import Game

T = TypeVar("T")
ROWS = 2048  # per side, for the exact transport of an evaluation
BLOCK = 2048  # generated points per draw: the first n do not depend on how many are drawn
TRIES = 20  # draws in place of points whose rows break rules kept by rejection


@torch.no_grad()
def generated(
    game: Game, generator: nn.Module, cond: Tensor | None, n: int, draws: Draws, at_once: int = 2048
) -> Batch:
    """Return ``n`` generated points on the CPU, made in batches to bound memory.

    Raises:
        InputError: a point is not finite.
    """
    device = game.device
    was = generator.training
    if was:  # write only if needed: threads may share a generator
        generator.eval()
    parts = []
    for start in range(0, n, at_once):
        stop = min(n, start + at_once)
        c = None if cond is None else cond[start:stop].to(device)
        parts.append(game.generate(stop - start, c, draws.on(device), generator).to("cpu"))
    if was:
        generator.train()
    if not all(bool(p.x.isfinite().all()) for p in parts):
        raise InputError("the generator produces points that are not finite; train it again")
    conds = [p.cond for p in parts if p.cond is not None]
    return Batch(torch.cat([p.x for p in parts]), torch.cat(conds) if conds else None)


class Seen(ABC):
    """Real rows and the generated ones that are measured on them.

    If the data are not the generator's ``own``, their training half was not trained on, and figures
    of training rows are left out. ``rows`` bounds both sides of exact transport, whose cost grows
    roughly with its cube.
    """

    data: Data
    seed: int
    rows: int
    own: bool

    @cached_property
    def _made(self) -> dict[str, Any]:
        return {}

    def once(self, name: str, make: Callable[[], T]) -> T:
        """Return the result of ``make``, cached under ``name``."""
        if name not in self._made:
            self._made[name] = make()
        found: T = self._made[name]
        return found

    @property
    def device(self) -> torch.device:
        """Return the device on which nets of a measure may be trained."""
        return torch.device("cpu")

    @property
    def codec(self) -> Codec:
        """Return the codec."""
        return self.data.codec

    @property
    def unit(self) -> float:
        """Return the user's distance per encoded distance."""
        return self.codec.space.unit

    @property
    def n(self) -> int:
        """Return the number of rows per side of exact transport."""
        return min(self.rows, len(self.data.holdout), len(self.data.train))

    def held(self, n: int) -> Batch:
        """Return the first ``n`` held-out rows."""
        return self.data.holdout.first(n)

    def train(self, n: int, skip: int = 0) -> Batch:
        """Return ``n`` training rows."""
        return self.data.train.first(n, skip)

    @abstractmethod
    def fake(self, n: int) -> Batch:
        """Return the first ``n`` generated points, or all if there are fewer."""

    @abstractmethod
    def codes(self, n: int) -> np.ndarray:
        """Return the codes of the same points' conditions, (n, k)."""

    @abstractmethod
    def decoded(self, n: int) -> Any:
        """Return the same points in user units."""

    def labelled(self, n: int) -> Any:
        """Return the same points in user units, with as many wrong labels as the real rows have."""
        return self.decoded(n)

    @abstractmethod
    def delivered(self, n: int) -> Batch:
        """Return the same points as a user has them: decoded and encoded again."""

    def draws(self, step: int, stream: Stream, rank: int = 0) -> Draws:
        """Return the random numbers of one stream, for a measure's own draws."""
        return Draws(self.seed, step, stream, rank)


@dataclass(frozen=True, eq=False)
class SeenRows(Seen):
    """Rows made elsewhere: ``raw`` as read, of which ``made`` are measured, in random order."""

    raw: Any
    made: Source
    data: Data
    seed: int
    rows: int = ROWS
    own: bool = True

    @property
    def n(self) -> int:
        """Return the number of rows per side of exact transport."""
        return min(super().n, len(self.made))

    def fake(self, n: int) -> Batch:
        """Return the first ``n`` rows, or all if there are fewer."""
        return self.made.first(n)

    def codes(self, n: int) -> np.ndarray:
        """Return the codes of the same rows' conditions, (n, k)."""
        return self.made.codes(n)

    def decoded(self, n: int) -> Any:
        """Return the same rows as they were read."""
        return self.data.files.take(self.raw, np.sort(self.made.index[:n]))

    def delivered(self, n: int) -> Batch:
        """Return the same rows."""
        return self.fake(n)


@dataclass(frozen=True, eq=False)
class Block:
    """Generated points and the codes of their conditions.

    With rules kept by rejection they have their ``rows`` in user units, and those ``labelled`` with
    as many wrong labels as the real rows have; a ``share`` of the points drawn obeys the rules.
    """

    codes: np.ndarray
    batch: Batch
    rows: Any = None
    labelled: Any = None
    share: float = 1.0


@dataclass(frozen=True, eq=False)
class SeenRun(Seen):
    """A trained game and its generated points, drawn once for all measures.

    Rows that break a rule kept by rejection are left out, as in samples.
    """

    game: Game
    generator: nn.Module
    data: Data
    seed: int
    rows: int = ROWS
    own: bool = True
    _blocks: list[Block] = field(default_factory=list, repr=False)

    @property
    def device(self) -> torch.device:
        """Return the device of the run."""
        return self.game.device

    def fake(self, n: int) -> Batch:
        """Return the first ``n`` generated points, with conditions drawn as in training.

        The conditions of held-out rows would flatter every distance.
        """
        parts = [block.batch for block in self._drawn(n)]
        conds = [p.cond for p in parts if p.cond is not None]
        x = torch.cat([p.x for p in parts])[:n]
        return Batch(x, torch.cat(conds)[:n] if conds else None)

    def codes(self, n: int) -> np.ndarray:
        """Return the codes of the same points' conditions, (n, k)."""
        return np.concatenate([block.codes for block in self._drawn(n)])[:n]

    def decoded(self, n: int) -> Any:
        """Return the same points in user units."""
        if self.codec.rejected_rules:
            return _first(n, [block.rows for block in self._drawn(n)])
        return self._decoded(n, self.codes(n))

    def labelled(self, n: int) -> Any:
        """Return the same points in user units, with as many wrong labels as the real rows have."""
        if self.codec.rejected_rules:
            return _first(n, [block.labelled for block in self._drawn(n)])
        codes, noise = self.codes(n), self.game.label_noise
        if noise is not None:
            codes = noise.labelled(codes, self.draws(0, Stream.TABLE))
        return self._decoded(n, codes)

    def _decoded(self, n: int, codes: np.ndarray) -> Any:
        return self.codec.decode(self.fake(n), codes, self.draws(0, Stream.DECODE))

    def delivered(self, n: int) -> Batch:
        """Return the same points as delivered to a user: decoded and encoded again."""

        def read() -> Batch:
            return self.codec.round_trip(self.fake(n), self.codes(n), self.draws(1, Stream.DECODE))

        return self.once(f"delivered {n}", read)

    def gradient_norms(self, real: Batch, fake: Batch, stream: Stream) -> Slopes:
        """Return the critic's gradient norms at real points, at generated ones, and between."""
        device = self.game.device
        draws = Draws(self.seed, 1, stream, 0, device)
        return slopes(self.game.critic, real.to(device), fake.to(device), draws, self.game.unit)

    @cached_property
    def slopes(self) -> Slopes:
        """Return the critic's gradient norms at held-out and generated points, and between."""
        return self.gradient_norms(self.held(self.n), self.fake(self.n), Stream.HELD_OUT)

    @property
    def obeying(self) -> float:
        """Return the share of generated rows that obey the rules kept by rejection."""
        return self._drawn(1)[0].share

    @property
    def lacking(self) -> bool:
        """Return whether so few do that others are measured as well."""
        return self.obeying * TRIES < 1

    def _drawn(self, n: int) -> list[Block]:
        count = -(-n // BLOCK)
        for k in range(len(self._blocks), count):
            rules = self.codec.rejected_rules
            self._blocks.append(self._obeying(k) if rules else Block(*self._points(k)))
        return self._blocks[:count]

    def _points(self, block: int, attempt: int = 0) -> tuple[np.ndarray, Batch]:
        draws = self.draws(block, Stream.HELD_OUT, attempt)
        codes, cond = self._conditions(block, draws)
        return codes, generated(self.game, self.generator, cond, len(codes), draws, self._at_once)

    def _obeying(self, block: int) -> Block:
        """Return points whose rows obey the rules kept by rejection; others only if too few do."""
        codes, obey = list[np.ndarray](), np.zeros(0, dtype=bool)
        batches, rows, labelled = list[Batch](), list[Any](), list[Any]()
        noise, decode = self.game.label_noise, self.codec.decode
        for attempt in range(TRIES):
            own, batch = self._points(block, attempt)
            made = decode(batch, own, self.draws(block, Stream.DECODE, attempt))
            told = made
            if noise is not None:
                wrong = noise.labelled(own, self.draws(block, Stream.TABLE, attempt))
                told = decode(batch, wrong, self.draws(block, Stream.DECODE, attempt))
            broken = list(self.codec.broken(made).values())
            obey = np.append(obey, ~np.any(broken, axis=0))
            codes, batches = [*codes, own], [*batches, batch]
            rows, labelled = [*rows, made], [*labelled, told]
            if obey.sum() >= BLOCK:
                break
        order = np.argsort(~obey, kind="stable")[:BLOCK]
        if block == 0 and obey.sum() < BLOCK:
            notify(
                f"only {obey.mean():.2%} of generated rows obey the rules kept by rejection; the "
                "figures include rows that break them"
            )
        frames = (pd.concat(parts, ignore_index=True) for parts in (rows, labelled))
        first, second = (frame.iloc[order].reset_index(drop=True) for frame in frames)
        batch = stacked(batches).take(torch.from_numpy(order))
        return Block(np.concatenate(codes)[order], batch, first, second, float(obey.mean()))

    def _conditions(self, block: int, draws: Draws) -> tuple[np.ndarray, Tensor | None]:
        """Return codes and conditions of a block; source pictures come from held-out rows."""
        if not self.codec.condition.drawable:
            cond = self.data.holdout.first(BLOCK, block * BLOCK).cond
            assert cond is not None
            return np.zeros((len(cond), 0), np.int32), cond
        codes = self.codec.condition.draw(BLOCK, draws)
        return codes, self.codec.condition.embed(codes)

    @property
    def _at_once(self) -> int:
        return 64 if not self.codec.condition.drawable else BLOCK


def _first(n: int, rows: list[Any]) -> Any:
    return pd.concat(rows, ignore_index=True).iloc[:n]
