"""The preflight: checks for known mistakes before the first step, one function each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from surveyor.data import Data
from surveyor.data.columns import Column
from surveyor.findings import Finding
from surveyor.layers.activations import LeakyReLU
from surveyor.lipschitz import TermPenalty
from surveyor.privacy import CodecAccount
from surveyor.training import Game, Plan

Check = Callable[["Setting"], Iterator[Finding]]
FEW_ROWS = 30  # per group
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


@dataclass(frozen=True)
class Setting:
    """What the preflight checks."""

    game: Game
    data: Data
    plan: Plan


def preflight(game: Game, data: Data, plan: Plan, checks: Sequence[Check] = ()) -> list[Finding]:
    """Return every finding, including those of the kind's own ``checks``, most severe first."""
    setting = Setting(game, data, plan)
    found = [finding for check in (*CHECKS, *checks) for finding in check(setting)]
    return sorted(found, key=lambda f: ("refuse", "warn", "note").index(f.level))


def batch_norm(s: Setting) -> Iterator[Finding]:
    """BatchNorm makes a sample's score depend on its batch."""
    names = [n for n, m in s.game.critic.named_modules() if isinstance(m, BATCH_NORMS)]
    if names and any(c.per_sample for c in s.game.constraints):
        yield Finding(
            "P01",
            "refuse",
            f"the critic has BatchNorm ({names[0]}) under a gradient penalty, which then no longer "
            "sees the gradient of a single sample",
            "Use LayerNorm, GroupNorm or no normalisation",
        )
    elif names:
        yield Finding(
            "P01",
            "warn",
            f"the critic has BatchNorm ({names[0]}), so its slope is not bounded",
            "Use LayerNorm or no normalisation",
        )


def relu(s: Setting) -> Iterator[Finding]:
    """Inactive ReLU units pass no gradient to the generator."""
    off = (nn.ReLU,)
    dead = [
        n
        for n, m in s.game.critic.named_modules()
        if isinstance(m, off) or (isinstance(m, LeakyReLU) and m.slope < 0.05)
    ]
    if dead:
        yield Finding(
            "P02",
            "warn",
            f"the critic uses ReLU, or LeakyReLU with a slope near 0 ({dead[0]})",
            "LeakyReLU with slope 0.2, or GroupSort, keeps a gradient everywhere",
        )


def held(s: Setting) -> Iterator[Finding]:
    """The gap of an unconstrained Wasserstein critic is not a distance."""
    if s.game.objective.is_distance and all(isinstance(c, TermPenalty) for c in s.game.constraints):
        yield Finding(
            "P03",
            "refuse",
            "the Wasserstein objective is unbounded without a constraint on the critic's slope",
            "Add --constraint gradient-penalty",
        )


def critic_steps(s: Setting) -> Iterator[Finding]:
    """A clipped or spectrally normalised critic needs several steps to keep up."""
    lags = any(c.lags for c in s.game.constraints)
    if s.game.objective.is_distance and lags and s.plan.critic_steps < 2:
        yield Finding(
            "P07",
            "warn",
            "with one critic step per generator step this critic lags behind",
            "Use --critic-steps 5",
        )
    ratio = s.plan.critic_rate / s.plan.generator_rate
    if s.game.objective.is_distance and ratio * s.plan.critic_steps < 0.5:
        yield Finding(
            "P07",
            "warn",
            "the critic learns more slowly than the generator",
            "Raise --critic-rate or --critic-steps",
        )


def constraints(s: Setting) -> Iterator[Finding]:
    """The checks of each constraint."""
    for constraint in s.game.constraints:
        yield from constraint.checks(s.game.critic)


def empty_conditions(s: Setting) -> Iterator[Finding]:
    """Under differential privacy a column may have no value frequent enough to release."""
    yield from empty(s.data.codec.condition.columns, s.data.codec.account)


def empty(columns: Iterable[Column], account: CodecAccount | None) -> Iterator[Finding]:
    """Yield the columns without any released value under a privacy account."""
    for column in columns if account is not None else ():
        if account is not None and column.size == column.missing:
            yield Finding(
                "P18",
                "warn",
                f"column {column.name!r}: with this --privacy no value is frequent enough to be "
                f"released (about {account.threshold:,.0f} rows), so samples leave it empty",
                f"Leave it out with --drop {column.name}, or give --privacy a larger epsilon",
            )


def small_groups(s: Setting) -> Iterator[Finding]:
    """A group of few rows can be neither learnt nor measured."""
    group = s.data.codec.group
    if group is None:
        return
    codes = s.data.train.rows["group"][s.data.train.index]
    counts = np.bincount(codes[codes < len(group.labels)], minlength=len(group.labels))
    for label, count in zip(group.labels, counts, strict=True):
        if count < FEW_ROWS:
            yield Finding(
                "P17",
                "warn",
                f"group {group.name}={label} has {count} training rows: it is trained on like any "
                "other, but is too small to be learnt or measured on its own",
                "Collect more rows, or merge it with another group",
            )


def size(s: Setting) -> Iterator[Finding]:
    """A critic with many more parameters than numbers in the data can memorise them."""
    parameters = sum(p.numel() for p in s.game.critic.parameters())
    rows = len(s.data.train)
    if parameters > 100 * rows:
        yield Finding(
            "P13",
            "warn" if parameters > 1000 * rows else "note",
            f"the critic has {parameters:,} parameters for {rows:,} training rows",
            "Compare its gap on training and held-out rows in the report, or use a narrower critic",
        )
    if rows < 200:
        yield Finding(
            "P14",
            "warn",
            f"only {rows:,} training rows and {len(s.data.holdout):,} held out",
            "Every distance has a wide margin of error; read it beside its floor",
        )


def batch(s: Setting) -> Iterator[Finding]:
    """A batch larger than the data repeats rows."""
    if s.plan.batch > len(s.data.train):
        yield Finding(
            "P15",
            "note",
            f"the batch of {s.plan.batch} exceeds the {len(s.data.train):,} training rows",
            "Rows are drawn with replacement; a smaller --batch works as well",
        )


CHECKS: tuple[Check, ...] = (
    batch_norm,
    relu,
    held,
    constraints,
    critic_steps,
    empty_conditions,
    small_groups,
    size,
    batch,
)
