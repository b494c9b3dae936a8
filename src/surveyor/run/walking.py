"""A walk through the latent, and from condition to condition: frames that change smoothly."""

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

COPIES = 16  # bytes a number of a walk: as made, in user units, and as frames


def walk(
    run: Run, frames: int, where: Sequence[Mapping[str, Any]] = (), stops: int = 4, seed: int = 0
) -> dict[str, np.ndarray]:
    """Return ``frames`` samples along a closed walk, arrays by name.

    The latent goes from one draw to the next, ``stops`` of them, and back to the first: its
    Gaussian part along great circles, whose points are as long as the ends and not shorter, as on
    the straight line (White 2016); its signs change halfway. The embedded condition goes straight
    from each of ``where`` to the next; without it one combination of training stays.

    Raises:
        InputError: a table, too few frames, or conditions that the run does not have.
    """
    codec, game = run.codec, run.game
    problems = []
    if not codec.continuous:
        problems.append(
            "walks are for pictures and vectors; between two rows of a table lies nothing"
        )
    if not codec.condition.drawable:
        problems.append("the run translates pictures: give them to surveyor translate")
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
    asked = [codec.condition.draw(1, draws, w) for w in wanted]
    latents = game.latent.draw(max(stops, len(asked)), draws)
    at = torch.arange(frames) / frames
    z = _along(latents, at, game.latent.normal)
    ends = codec.condition.embed(np.concatenate(asked))
    cond = None if ends is None else _straight(ends, at)
    device = next(game.critic.parameters()).device
    with torch.no_grad():
        told = None if cond is None else cond.to(device)
        raw = game.generator(z.to(device)) if told is None else game.generator(z.to(device), told)
        x = game.head(raw.float(), draws).cpu()
    nearest = (at * len(asked)).round().long() % len(asked)
    codes = np.concatenate(asked)[nearest.numpy()]
    made: dict[str, np.ndarray] = codec.decode(Batch(x), codes, draws)
    for name in {name for w in wanted for name, one in w.items() if one.column.ordered}:
        said = [w[name] for w in wanted if name in w and w[name].value is not None]
        if len(said) == len(wanted):
            values = [one.column.told(one.value, 1).to_numpy() for one in said]
            made[name] = np.concatenate(values)[nearest.numpy()]
    return made


def _along(ends: Tensor, at: Tensor, normal: int) -> Tensor:
    """Return points (f, d) at shares ``at`` of the closed way through ``ends`` (k, d)."""
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
