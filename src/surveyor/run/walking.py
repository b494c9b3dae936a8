"""A walk through the latent and through conditions, as frames that change smoothly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from surveyor.batch import Batch, Draws
from surveyor.data.bounds import refuse_beyond_memory
from surveyor.data.where import read_where
from surveyor.errors import InputError
from surveyor.run.folder import Run
from surveyor.streams import Stream

COPIES = 16  # bytes per number of a walk: as generated, in user units, and as frames


def walk(
    run: Run, frames: int, where: Sequence[Mapping[str, Any]] = (), stops: int = 4, seed: int = 0
) -> dict[str, np.ndarray]:
    """Return ``frames`` samples along a closed walk, arrays by name.

    The latent moves through ``stops`` draws and back to the first. Its Gaussian part moves along
    great circles, which keep the length that straight lines would shorten (White 2016); its signs
    change halfway. The embedded condition moves in straight lines through ``where``; without
    ``where`` it stays at one combination from training.

    Raises:
        InputError: the run is of a table or lacks these conditions, or there are too few frames.
    """
    codec, game = run.codec, run.game
    problems = []
    if not codec.continuous:
        problems.append(
            "walks are only for pictures and vectors, since rows of a table have nothing between"
        )
    if not codec.condition.drawable:
        problems.append("the run translates pictures; use surveyor translate")
    if not 0 <= seed < 2**63:
        problems.append(f"--seed {seed}: give a number from 0 to 2^63")
    if frames < 2 or stops < 1:
        problems.append(f"{frames} frames, {stops} stops; give at least 2 and 1")
    if where and not codec.condition.columns:
        problems.append("--where: the run has no conditions (train with --condition)")
    if problems:
        raise InputError(*problems)
    refuse_beyond_memory(
        COPIES * frames * codec.space.width,
        f"-n {frames:,}: frames of {codec.space.width:,} numbers, {COPIES} bytes each, take",
        "ask for fewer",
    )
    draws = Draws(seed, 0, Stream.WALK)
    wanted = [read_where(w, codec.condition.columns, "no condition") for w in (where or [{}])]
    codes = np.concatenate([codec.condition.draw(1, draws, w) for w in wanted])
    latents = game.latent.draw(max(stops, len(codes)), draws)
    at = torch.arange(frames) / frames
    z = _along(latents, at, game.latent.dimensions)
    ends = codec.condition.embed(codes)
    cond = None if ends is None else _straight(ends, at)
    device = next(game.critic.parameters()).device
    with torch.no_grad():
        inputs = (z.to(device),) if cond is None else (z.to(device), cond.to(device))
        x = game.head(game.generator(*inputs).float(), draws.on(device)).cpu()
    nearest = ((at * len(codes)).round().long() % len(codes)).numpy()
    made: dict[str, np.ndarray] = codec.decode(Batch(x), codes[nearest], draws)
    for name in {name for w in wanted for name, one in w.items() if one.column.ordered}:
        exact = [w[name] for w in wanted if name in w and w[name].value is not None]
        if len(exact) == len(wanted):
            values = [one.column.repeated(one.value, 1).to_numpy() for one in exact]
            made[name] = np.concatenate(values)[nearest]
    return made


def _along(ends: Tensor, at: Tensor, normal: int) -> Tensor:
    """Return points (f, d) at positions ``at`` in [0, 1] on the closed path through ``ends``."""
    first, second, share = _legs(ends, at)
    u, v = first[:, :normal], second[:, :normal]
    size = [w.norm(dim=1, keepdim=True).clamp_min(1e-12) for w in (u, v)]
    cosine = (u / size[0] * (v / size[1])).sum(1, keepdim=True).clamp(-1, 1)
    angle = cosine.acos()
    part = [torch.sin((1 - share) * angle), torch.sin(share * angle)]
    round_ = (part[0] * u + part[1] * v) / torch.sin(angle)
    moved = torch.where(angle.sin() < 1e-4, torch.lerp(u, v, share), round_)
    signs = torch.where(share < 0.5, first[:, normal:], second[:, normal:])
    return torch.cat([moved, signs], dim=1)


def _straight(ends: Tensor, at: Tensor) -> Tensor:
    first, second, share = _legs(ends, at)
    return torch.lerp(first, second, share)


def _legs(ends: Tensor, at: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    place = at * len(ends)
    leg = place.floor().long()
    return ends[leg % len(ends)], ends[(leg + 1) % len(ends)], (place - leg).unsqueeze(1)
