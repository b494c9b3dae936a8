"""The final numbers of a run: one dictionary, ready for JSON, the verdict first."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import nn

from surveyor.batch import Batch, Draws
from surveyor.data import Data
from surveyor.data.images import ImageCodec
from surveyor.data.labels import WrongLabels
from surveyor.data.table import TableCodec
from surveyor.evaluation.findings import findings
from surveyor.evaluation.formulas import formula_figures
from surveyor.evaluation.heldout import ROWS, Ruler, generated, noise, of_critic, steepness, w1
from surveyor.evaluation.memorising import Joint, Memorising, delivered, memorising, most
from surveyor.evaluation.pictures import picture_figures
from surveyor.evaluation.table import features, table_fidelity
from surveyor.evaluation.two_sample import two_sample
from surveyor.evaluation.verdict import verdict
from surveyor.streams import Stream
from surveyor.training import Game

FEWEST = 20  # rows a condition or group needs for a W1 of its own
MOST_PARTS = 24
REPEATS = 3  # sets of rows that a part's W1 and floor are averaged over


def assess(
    game: Game,
    generator: nn.Module,
    data: Data,
    seed: int,
    rows: int = ROWS,
    against: str = "held-out real data",
    own: bool = True,
) -> dict[str, Any]:
    """Measure ``generator`` on held-out data; every distance stands beside its floor.

    ``against`` names in the verdict what the samples were held against. Unless the data are the
    run's ``own``, nothing is told of memorising: their training half was not trained on.

    ``rows`` bounds both sides of exact transport, whose cost grows with about their cube.
    """
    unit = data.codec.space.unit
    ruler = Ruler(game, data.train, data.holdout, rows, seed, unit, stream=Stream.HELD_OUT)
    measurement = ruler(generator)
    n, spread = ruler.n, float(np.std(ruler.floors))
    held = data.holdout.first(n)
    draws = Draws(seed, 0, Stream.HELD_OUT)
    codes = data.codec.conditions.draw(n, draws)
    fake = generated(game, generator, data.codec.conditions.embed(codes), n, draws)
    device = next(game.critic.parameters()).device
    slope = steepness(game, held, fake, Draws(seed, 1, Stream.HELD_OUT, 0, device))
    bounds = [c.bound(game.critic) for c in game.constraints]
    bound = min((b for b in bounds if b is not None), default=None)
    table = _table(game, generator, data, seed) if isinstance(data.codec, TableCodec) else None
    told = two_sample(*(table[1] if table else _seen(data, fake, codes)))
    result: dict[str, Any] = {
        "verdict": verdict(measurement.w1, ruler.floor, n, told.auc, told.floor, against, told.n),
        "w1": measurement.w1,
        "w1_floor": ruler.floor,
        "w1_floor_spread": spread,
        "w1_self": measurement.w1_self,
        "ratio": measurement.w1 / ruler.floor if ruler.floor > 0 else None,
        "n": n,
        "unit": data.codec.unit_name,
        "two_sample": asdict(told),
        "critic": of_critic(measurement, slope)
        | {"proven_bound": None if bound is None else bound / game.unit},
        "conditions": _parts(game, generator, data, seed, "cond"),
        "label_noise": getattr(game.channel, "share", 0.0),
        "groups": _parts(game, generator, data, seed, "group"),
    }
    if own:
        result["memorising"] = asdict(_memorising(game, generator, data, seed, rows))
    if table is not None:
        result["table"] = table[0]
    if isinstance(data.codec, ImageCodec):
        result["pictures"] = picture_figures(game, generator, data, seed)
    result["findings"] = [asdict(f) for f in findings(result, game)]
    return result


def _memorising(game: Game, generator: nn.Module, data: Data, seed: int, rows: int) -> Memorising:
    """Compare training rows with as many samples, at least ``rows``, as far as there is room."""
    codec, draws = data.codec, Draws(seed, 0, Stream.MEMORISING)
    width = data.holdout.first(1).joint().shape[1]
    n = min(max(rows, len(data.train)), most(width))
    codes = codec.conditions.draw(n, draws)
    made = generated(game, generator, codec.conditions.embed(codes), n, draws)
    samples = delivered(codec, made, codes, draws).joint()
    return memorising(samples, Joint(data.train), Joint(data.holdout), seed)


def _table(
    game: Game, generator: nn.Module, data: Data, seed: int, rows: int = 5000
) -> tuple[dict[str, Any], tuple[np.ndarray, ...]]:
    codec = data.codec
    assert isinstance(codec, TableCodec)
    n = min(rows, len(data.holdout))
    draws = Draws(seed, 0, Stream.TABLE)
    codes = codec.conditions.draw(n, draws)
    fake = generated(game, generator, codec.conditions.embed(codes), n, draws)
    if isinstance(game.channel, WrongLabels):
        codes = game.channel.labelled(codes, draws)  # as the real rows are
    made = codec.decode(fake, codes, draws)
    columns = codec.measured
    frames = made, data.held_out(n), data.training(n)
    fidelity = table_fidelity(columns, *frames)
    worst = sorted(fidelity.pairs.items(), key=lambda item: item[1])[:20]
    report = {
        "columns": [asdict(c) for c in fidelity.columns],
        "trends": fidelity.trends,
        "trends_floor": fidelity.trends_floor,
        "weakest_pairs": [{"pair": k, "agreement": v} for k, v in worst],
    }
    if codec.formulas:
        every = data.training(len(data.train))
        report["formulas"] = formula_figures(codec.formulas, frames[0], frames[1], every)
    return report, features(columns, *frames)


def _seen(data: Data, fake: Batch, codes: np.ndarray) -> list[np.ndarray]:
    """Return generated, held-out and training points as a user gets them, rounded like the data.

    A picture's exact zeros must not give the generated ones away.
    """
    n, held, train, draws = len(codes), data.holdout, data.train, Draws(0)
    sides = (fake, codes), (held.first(n), held.codes(n)), (train.first(n), train.codes(n))
    made = [next(iter(data.codec.decode(*side, draws).values())) for side in sides]
    conds = [batch.cond for batch, _ in sides]
    return [
        np.concatenate([m.reshape(n, -1), np.empty((n, 0)) if c is None else c.numpy()], axis=1)
        for m, c in zip(made, conds, strict=True)
    ]


def _parts(
    game: Game, generator: nn.Module, data: Data, seed: int, what: str
) -> list[dict[str, Any]]:
    """Return W1 and floor within each frequent condition or group, the most frequent first."""
    held = data.holdout
    if what not in held.rows or held.rows[what].size == 0:
        return []
    codes = held.rows[what].reshape(len(held.rows[what]), -1)
    own, inverse, counts = np.unique(
        codes[held.index], axis=0, return_inverse=True, return_counts=True
    )
    result = []
    frequent = [k for k in np.argsort(-counts, kind="stable") if counts[k] >= FEWEST]
    for k in frequent[:MOST_PARTS]:
        inside = held.index[inverse.ravel() == k][:500]
        other = data.train.index[(codes[data.train.index] == own[k]).all(1)]
        if len(other) < FEWEST:
            continue
        sets = max(1, min(REPEATS, len(other) // len(inside)))
        other = other[: sets * len(inside)]
        real = data.codec.batch(held.rows, inside)
        draws = Draws(seed, int(k), Stream.PARTS)
        if what == "cond":
            fake = _labelled(game, generator, data, own[k], sets * len(inside), draws)
            name = data.codec.conditions.names(own[k])
        else:
            fake, name = _of_group(game, generator, data, int(own[k][0]), len(inside), draws)
            if len(fake) < FEWEST:
                result.append(
                    {"name": name, "n": len(inside), "w1": None, "floor": None, "slope": None}
                )
                continue
        rows = data.codec.batch(held.rows, other)
        unit, floors = data.codec.space.unit, _w1s(real, rows)
        result.append(
            {
                "name": name,
                "n": len(inside),
                "w1": unit * float(np.mean(_w1s(real, fake))),
                "floor": unit * float(np.mean(floors)),
                "floor_spread": unit * noise(floors),
                "slope": _slope(game, real, fake, seed),
            }
        )
    return result


def _labelled(
    game: Game, generator: nn.Module, data: Data, code: np.ndarray, n: int, draws: Draws
) -> Batch:
    """Return ``n`` generated points that are all labelled ``code``.

    Where a share of the labels is wrong, real rows of a label are of other conditions too: the
    generated ones are then of conditions as such rows have them.
    """
    conditions, label = data.codec.conditions, np.tile(code, (n, 1))
    channel = game.channel
    codes = channel.behind(code, n, draws) if isinstance(channel, WrongLabels) else label
    fake = generated(game, generator, conditions.embed(codes), n, draws)
    return Batch(fake.x, conditions.embed(label))


def _w1s(real: Batch, other: Batch) -> list[float]:
    """Return W1 between real points and sets of as many others, or all others if fewer."""
    n = min(len(real), len(other))
    parts = torch.split(other.x.flatten(1)[: len(other) // n * n], n)
    return [w1(real.x.flatten(1), part) for part in parts]


def _slope(game: Game, real: Batch, fake: Batch, seed: int) -> float:
    """Return the critic's mean slope between real and generated points, per unit asked for."""
    n = min(len(real), len(fake))
    draws = Draws(seed, 0, Stream.PARTS, 1, next(game.critic.parameters()).device)
    return steepness(game, real.part(0, n), fake.part(0, n), draws).mean("between")


def _of_group(
    game: Game, generator: nn.Module, data: Data, code: int, n: int, draws: Draws
) -> tuple[Any, str]:
    """Return generated points that fell into a group of a table, and the group's name."""
    codec = data.codec
    group: Any = getattr(codec, "group", None)
    name = f"{group.name}={[*group.labels, *['missing'] * group.missing, 'unseen'][code]}"
    if not isinstance(codec, TableCodec):
        cond = codec.conditions.embed(codec.conditions.draw(n, draws))
        return generated(game, generator, cond, n, draws), f"{name} (against all generated)"
    codes = codec.conditions.draw(20 * n, draws)
    fake = generated(game, generator, codec.conditions.embed(codes), 20 * n, draws)
    made = codec.decode(fake, codes, draws)[group.name]
    inside = np.flatnonzero(group.encode(made) == code)[:n]
    kept = torch.from_numpy(inside)
    return type(fake)(fake.x[kept], None if fake.cond is None else fake.cond[kept]), name
