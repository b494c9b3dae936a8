"""W1 within each condition and each group, each beside its own floor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from surveyor.batch import Batch, Draws
from surveyor.findings import Finding
from surveyor.measures import Figure, Figures, RunMeasure, Seen, SeenRun, generated
from surveyor.measures.wasserstein import REPEATS, noise, w1
from surveyor.streams import Stream
from surveyor.transport import Metric

FEWEST = 20  # the fewest rows of a part with its own W1
MOST = 24  # parts
ROWS = 500  # per part
ROUNDS = 20  # samples drawn per row of a group


@dataclass(frozen=True)
class ByPart(RunMeasure):
    """W1 and the critic's slope in each frequent condition or group, in order of frequency."""

    by: Literal["condition", "group"]

    def of_run(self, seen: SeenRun) -> Iterator[Figure]:
        """Yield ``w1`` and ``gradient_norm`` of each part; W1 is None if it is hardly generated."""
        for code, inside, other in _frequent(seen, "cond" if self.by == "condition" else "group"):
            sets = max(1, min(REPEATS, len(other) // len(inside)))
            batch, rows = seen.codec.batch, seen.data.holdout.rows
            real, more = batch(rows, inside), batch(rows, other[: sets * len(inside)])
            draws = seen.draws(int(code[0]) if len(code) else 0, Stream.PARTS, *_rank(self.by))
            if self.by == "condition":
                name = seen.codec.condition.names(code.tolist())
                fake = _labelled(seen, code, sets * len(inside), draws)
            else:
                name, fake = _of_group(seen, int(code[0]), len(inside), draws)
            n, unit, metric = len(inside), seen.codec.unit_name, seen.codec.metric
            if len(fake) < FEWEST:
                yield Figure("w1", None, None, unit, "lower", name, self.by, n)
                continue
            value, floors = np.mean(_w1s(real, fake, metric)), _w1s(real, more, metric)
            floor, spread = seen.unit * float(np.mean(floors)), seen.unit * noise(floors)
            own = seen.unit * float(value)
            yield Figure("w1", own, floor, unit, "lower", name, self.by, n, spread)
            k = min(len(real), len(fake))
            steep = seen.gradient_norms(real.part(0, k), fake.part(0, k), Stream.PARTS)
            slope = steep.mean("between")
            yield Figure("gradient_norm", slope, None, "", "floor", name, self.by, k)

    def findings_of_run(self, figures: Figures, seen: SeenRun) -> Iterator[Finding]:
        """Yield parts with a W1 worse than the rest, and parts where the critic's slope differs."""
        yield from _uneven(figures, self.by)
        if self.by == "group" and seen.game.objective.is_distance:
            yield from _unevenly_held(figures)


def _rank(by: str) -> tuple[int]:
    return (0 if by == "condition" else 1,)


def _frequent(seen: Seen, what: str) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield each frequent part's code, its held-out rows, and its training rows."""
    held, train = seen.data.holdout, seen.data.train
    if what not in held.rows or held.rows[what].size == 0:
        return
    codes = held.rows[what].reshape(len(held.rows[what]), -1)
    own, inverse, counts = np.unique(
        codes[held.index], axis=0, return_inverse=True, return_counts=True
    )
    frequent = [k for k in np.argsort(-counts, kind="stable") if counts[k] >= FEWEST]
    for k in frequent[:MOST]:
        other = train.index[(codes[train.index] == own[k]).all(1)]
        if len(other) >= FEWEST:
            yield own[k], held.index[inverse.ravel() == k][:ROWS], other


def _labelled(seen: SeenRun, code: np.ndarray, n: int, draws: Draws) -> Batch:
    """Return ``n`` generated points that are all labelled ``code``.

    With label noise, real rows with this label also come from other conditions; the generated
    points are then drawn under conditions in the same proportions.
    """
    conditions, label = seen.codec.condition, np.tile(code, (n, 1))
    noise = seen.game.label_noise
    codes = label if noise is None else noise.conditions_given_label(code, n, draws)
    fake = generated(seen.game, seen.generator, conditions.embed(codes), n, draws)
    return Batch(fake.x, conditions.embed(label))


def _of_group(seen: SeenRun, code: int, n: int, draws: Draws) -> tuple[str, Batch]:
    """Return a group's name, and at most ``n`` generated points in that group.

    If generated rows lack the group's column, all of them are used.
    """
    codec, conditions = seen.codec, seen.codec.condition
    group = codec.group
    assert group is not None
    name = f"{group.name}={[*group.labels, *['missing'] * group.missing, 'unseen'][code]}"
    codes = conditions.draw(ROUNDS * n, draws)
    fake = generated(seen.game, seen.generator, conditions.embed(codes), len(codes), draws)
    made = codec.group_codes(fake, codes, draws)
    if made is None:
        return f"{name} (against all generated)", fake.part(0, n)
    members = torch.from_numpy(np.flatnonzero(made == code)[:n])
    return name, Batch(fake.x[members], None if fake.cond is None else fake.cond[members])


def _w1s(real: Batch, other: Batch, metric: Metric) -> list[float]:
    """Return W1 between real points and each set of as many others, or all others if fewer."""
    n = min(len(real), len(other))
    parts = torch.split(other.x.flatten(1)[: len(other) // n * n], n)
    return [w1(real.x.flatten(1), part, metric) for part in parts]


def _uneven(figures: Figures, by: Literal["condition", "group"]) -> Iterator[Finding]:
    overall = figures["w1"].ratio or 1.0
    limit = 1.5 * max(overall, 1)
    for part in figures.parts("w1", by):
        if part.value is None or part.floor is None:
            yield Finding(
                "R05", "warn", f"{part.of}: hardly ever generated", "Make it a --condition"
            )
        # Beyond the floor's variation between sets of rows.
        elif part.floor > 0 and part.value - 2 * (part.spread or 0) > limit * part.floor:
            yield Finding(
                "R05",
                "warn",
                f"{part.of}: W1 / floor is {part.ratio:.2f}, {overall:.2f} overall",
                "Use its samples with care, or train on it alone",
            )


def _unevenly_held(figures: Figures) -> Iterator[Finding]:
    parts = figures.parts("gradient_norm", "condition", "group")
    if len(parts) < 2:
        return
    low, *_, high = sorted(parts, key=lambda part: part.known)
    if high.known > 2 * low.known:
        yield Finding(
            "R08",
            "warn",
            f"the critic's mean slope is {high.known:.2f} at {high.of} and {low.known:.2f} at "
            f"{low.of}: the penalty does not hold all parts equally",
            "If the steeper part has the larger W1 / floor, name its column with --group and "
            "add --balance",
        )
