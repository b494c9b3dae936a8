"""Translation by a run with a task: enlarged or translated pictures, or pictures of vectors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from surveyor.batch import Batch, Draws
from surveyor.build import options_of
from surveyor.data.bounds import refuse_beyond_memory
from surveyor.data.sources import resolve
from surveyor.errors import InputError
from surveyor.run.folder import Run
from surveyor.streams import Stream

PIXELS = 2**18  # per batch
TRIAL = 64  # side of a trial picture, in pixels


def answered(run: Run, pictures: Any, seed: int = 0) -> dict[str, np.ndarray]:
    """Translate pictures or vectors; return the results by the name of the target data."""
    codec = run.codec
    if run.kind.read_condition is None:
        raise InputError(
            "the run has no task, it only generates; train with --task super-resolution or "
            "translate"
        )
    if not 0 <= seed < 2**63:
        raise InputError(f"--seed {seed}: give a number from 0 to 2^63")
    source = run.kind.read_condition(codec, resolve(pictures), options_of(run.config))
    return answer(run, source, seed)


@torch.no_grad()
def answer(run: Run, source: Tensor, seed: int) -> dict[str, np.ndarray]:
    """Return the results for encoded conditions (n, ...)."""
    codec, game = run.codec, run.game
    device = next(game.critic.parameters()).device
    at_once = max(1, PIXELS // max(source[0].numel(), codec.space.width))
    _refuse_beyond_memory(run, source[:at_once])
    draws, made = Draws(seed, 0, Stream.ANSWER), []
    for part in torch.split(source, at_once):
        batch = game.generate(len(part), part.to(device), draws.on(device)).to("cpu")
        codes = np.zeros((len(part), 0), np.int32)
        made.append(codec.decode(Batch(batch.x), codes, draws))
    return {name: np.concatenate([part[name] for part in made]) for name in made[0]}


def _refuse_beyond_memory(run: Run, source: Tensor) -> None:
    """Raise InputError if a batch exceeds memory, extrapolating from a small picture."""
    if source.ndim < 4 or source.numel() <= PIXELS:
        return
    size = 0

    def count(_: nn.Module, __: Any, made: Any) -> None:
        nonlocal size
        size += made.nbytes if isinstance(made, Tensor) else 0

    leaves = [m for m in run.game.generator.modules() if not list(m.children())]
    handles = [m.register_forward_hook(count) for m in leaves]
    small = source[:1, :, :TRIAL, :TRIAL]
    device = next(run.game.critic.parameters()).device
    run.game.generate(1, small.to(device), Draws(0, 0, Stream.ANSWER, 0, device))
    for handle in handles:
        handle.remove()
    height, width = source.shape[2:]
    refuse_beyond_memory(
        math.ceil(size * source.numel() / small.numel()),
        f"a picture of {width:,} x {height:,} takes",
        "give smaller pictures, or split it",
    )
