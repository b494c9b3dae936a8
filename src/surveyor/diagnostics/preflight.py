"""The preflight: known mistakes, found before the first step. One function a mistake."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from surveyor.data import Data
from surveyor.data.table import TableCodec
from surveyor.data.vectors import VectorCodec
from surveyor.diagnostics.findings import Finding
from surveyor.layers.activations import LeakyReLU
from surveyor.lipschitz.certificate import weighted
from surveyor.lipschitz.clip import Clip
from surveyor.lipschitz.gradient_penalty import GradientPenalty
from surveyor.training import Game, Plan

Check = Callable[["Setting"], Iterator[Finding]]
FEW_ROWS = 30  # of a group
FEW_LIKE, MINOR = 10, 0.02  # distinct numbers, and the share of rows, that make a column mixed
FORMS = {
    "numbers": re.compile(r"[-+]?\d+([.,]\d+)*"),
    "dates as 2026-11-25": re.compile(r"\d{4}-\d{2}-\d{2}.*"),
}
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


@dataclass(frozen=True)
class Setting:
    """What the preflight looks at."""

    game: Game
    data: Data
    plan: Plan

    @property
    def penalty(self) -> GradientPenalty | None:
        """Return the gradient penalty in force."""
        return next((c for c in self.game.constraints if isinstance(c, GradientPenalty)), None)


def preflight(game: Game, data: Data, plan: Plan) -> list[Finding]:
    """Return every finding, the gravest first."""
    setting = Setting(game, data, plan)
    found = [finding for check in CHECKS for finding in check(setting)]
    return sorted(found, key=lambda f: ("refuse", "warn", "note").index(f.level))


def batch_norm(s: Setting) -> Iterator[Finding]:
    """BatchNorm makes a sample's score depend on its neighbours."""
    names = [n for n, m in s.game.critic.named_modules() if isinstance(m, BATCH_NORMS)]
    if names and s.penalty is not None:
        yield Finding(
            "P01",
            "refuse",
            f"the critic has BatchNorm ({names[0]}) under a gradient penalty, whose gradient "
            "is then no longer that of one sample",
            "Use LayerNorm, GroupNorm with statistics of one sample, or no normalisation",
        )
    elif names:
        yield Finding(
            "P01",
            "warn",
            f"the critic has BatchNorm ({names[0]}), so its slope is not bounded",
            "Use LayerNorm or no normalisation",
        )


def relu(s: Setting) -> Iterator[Finding]:
    """ReLU units that are off pass no gradient to the generator."""
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
            f"the critic uses ReLU or nearly so ({dead[0]})",
            "LeakyReLU with slope 0.2, or GroupSort, keeps a gradient everywhere",
        )


def held(s: Setting) -> Iterator[Finding]:
    """A Wasserstein critic that nothing holds has no distance to tell."""
    if s.game.objective.is_distance and all(c.beyond for c in s.game.constraints):
        yield Finding(
            "P03",
            "refuse",
            "a Wasserstein objective without a constraint on the slope grows without bound",
            "Add --constraint gradient-penalty",
        )


def penalty_weight(s: Setting) -> Iterator[Finding]:
    """A penalty far from the working range is ignored or flattens the critic."""
    p = s.penalty
    if p is None or p.target == 0:
        return
    if p.weight < 0.1:
        yield Finding(
            "P04",
            "warn",
            f"penalty weight {p.weight:g} is too small to hold the slope",
            "Weights from 1 to 100 have worked; 10 is usual",
        )
    elif p.weight > 1000:
        yield Finding(
            "P04",
            "warn",
            f"penalty weight {p.weight:g} flattens the critic and loses modes",
            "Weights from 1 to 100 have worked; 10 is usual",
        )


def lazy(s: Setting) -> Iterator[Finding]:
    """A penalty applied too seldom lets the slope grow between."""
    p = s.penalty
    if p is not None and p.every > 16:
        yield Finding(
            "P05",
            "warn",
            f"the penalty is applied every {p.every} steps only",
            "Up to 16 is common (Karras et al. 2020)",
        )


def clip_limit(s: Setting) -> Iterator[Finding]:
    """A limit c gives layers of norm about c times the root of their size."""
    clip = next((c for c in s.game.constraints if isinstance(c, Clip)), None)
    if clip is None:
        return
    sizes = [w.weight.flatten(1).shape for w in weighted(s.game.critic)]
    gain = float(np.prod([clip.limit * np.sqrt(a * b) for a, b in sizes]))
    if gain < 0.05 or gain > 1e4:
        middle = float(np.prod([np.sqrt(a * b) for a, b in sizes])) ** (-1 / len(sizes))
        yield Finding(
            "P06",
            "warn",
            f"a clip limit of {clip.limit:g} allows a slope of at most {gain:.2g} in this critic",
            f"A limit near {2 * middle:.2g} fits its {len(sizes)} layers",
        )


def critic_steps(s: Setting) -> Iterator[Finding]:
    """A clipped or spectral critic that lags behind points nowhere."""
    slow = [c for c in s.game.constraints if not isinstance(c, GradientPenalty)]
    if s.game.objective.is_distance and slow and s.plan.critic_steps < 2:
        yield Finding(
            "P07",
            "warn",
            "one critic step a generator step leaves this critic behind",
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


def geometry(s: Setting) -> Iterator[Finding]:
    """One slope for all directions sees only the widest of them."""
    codec = s.data.codec
    if not isinstance(codec, VectorCodec) or codec.whitening is not None:
        return
    points = s.data.train.first(2000).x
    spread = points.std(0)
    constant = int((spread < 1e-6 * spread.max()).sum())
    if constant:
        yield Finding(
            "P10",
            "warn",
            f"{constant} of {len(spread)} columns are constant",
            "Drop them: they carry nothing and cost width",
        )
    values = torch.linalg.eigvalsh(torch.cov(points.T).reshape(len(spread), -1)).clamp(min=1e-12)
    live = values[values > 1e-9 * values.max()]
    if float(live.max() / live.min()) > 1e4:
        columns = float(spread.max() / spread[spread > 1e-6 * spread.max()].min())
        what = "columns differ in scale" if columns > 100 else "the data are strongly anisotropic"
        yield Finding(
            "P08",
            "warn",
            f"{what}: the widest direction is {float((live.max() / live.min()).sqrt()):.0f} times "
            "the narrowest, which the critic will hardly see",
            "Use --whiten, or give every column a unit of like size",
        )


def extremes(s: Setting) -> Iterator[Finding]:
    """A few rows far out pull the scale of all the others."""
    if not isinstance(s.data.codec, VectorCodec):
        return
    furthest = float(s.data.train.first(20_000).x.abs().max())
    if furthest > 30:
        yield Finding(
            "P09",
            "warn",
            f"some entries lie {furthest:.0f} deviations out",
            "Look at those rows; clip them or take logarithms",
        )


def table_columns(s: Setting) -> Iterator[Finding]:
    """Columns that carry nothing, or more categories than rows can teach."""
    codec = s.data.codec
    if not isinstance(codec, TableCodec):
        return
    n = len(s.data.train)
    for column in codec.columns:
        name = column.name
        if column.missing and column.size == 1:
            yield Finding(
                "P10",
                "warn",
                f"column {name!r} holds nothing but missing values",
                f"Leave it out with --drop {name}; it is returned empty",
            )
        elif column.size == 1:
            yield Finding(
                "P10",
                "warn",
                f"column {name!r} is constant",
                f"Leave it out with --drop {name}; it is returned as it is",
            )
        elif not column.ordered and column.size > max(50, n / 20):
            yield Finding(
                "P11",
                "warn",
                f"column {name!r} has {column.size:,} categories in {n:,} rows",
                "Rare ones will be learnt poorly; group them, or drop the column",
            )
        elif column.kind == "integer" and _identifier(column.cells, column.exact, n):
            yield Finding(
                "P12",
                "warn",
                f"column {name!r} counts the rows like an identifier",
                f"Leave it out with --drop {name}",
            )


def mixed_columns(s: Setting) -> Iterator[Finding]:
    """A column of numbers or dates with text among them is read as categories."""
    codec = s.data.codec
    if not isinstance(codec, TableCodec):
        return
    for column in (*codec.columns, *codec.conditions.columns):
        for what, form in FORMS.items():
            like = np.array([bool(form.fullmatch(label)) for label in column.labels], dtype=bool)
            share = float(column.frequency[: len(like)][like].sum())
            if like.sum() >= FEW_LIKE and MINOR < share < 1 - MINOR:
                odd = next(label for label, one in zip(column.labels, like, strict=True) if not one)
                yield Finding(
                    "P16",
                    "warn",
                    f"column {column.name!r}: {share:.0%} of the rows hold {what}, others text "
                    f"such as {odd[:40]!r}, so all are read as categories",
                    "Correct those values, or leave them empty",
                )


def empty_columns(s: Setting) -> Iterator[Finding]:
    """With differential privacy a column can have no value that enough rows share."""
    codec, account = s.data.codec, s.data.codec.account
    columns = codec.columns if isinstance(codec, TableCodec) else ()
    for column in (*columns, *codec.conditions.columns) if account is not None else ():
        if account is not None and column.size == column.missing:
            yield Finding(
                "P18",
                "warn",
                f"column {column.name!r}: with this --epsilon none of its values stands in enough "
                f"rows to be shown, about {account.threshold:,.0f}, so samples leave it empty",
                f"Leave it out with --drop {column.name}, or give a larger --epsilon",
            )


def small_groups(s: Setting) -> Iterator[Finding]:
    """A group of a few rows can be neither learnt nor measured."""
    group = getattr(s.data.codec, "group", None)
    if group is None:
        return
    codes = s.data.train.rows["group"][s.data.train.index]
    counts = np.bincount(codes[codes < len(group.labels)], minlength=len(group.labels))
    for label, count in zip(group.labels, counts, strict=True):
        if count < FEW_ROWS:
            yield Finding(
                "P17",
                "warn",
                f"group {group.name}={label} has {count} training rows: it is trained on like all "
                "others, and too small to be learnt or measured by itself",
                "Gather more of its rows, or join it to another group",
            )


def _identifier(cells: np.ndarray, exact: int, n: int) -> bool:
    low, high = cells.min(), cells.max()
    return exact == 0 and n > 100 and 0.9 * n < high - low < 1.5 * n and len(cells) >= 10


def size(s: Setting) -> Iterator[Finding]:
    """A critic with many more parameters than numbers in the data can memorise them."""
    parameters = sum(p.numel() for p in s.game.critic.parameters())
    rows = len(s.data.train)
    if parameters > 100 * rows:
        yield Finding(
            "P13",
            "warn" if parameters > 1000 * rows else "note",
            f"the critic has {parameters:,} parameters for {rows:,} training rows",
            "Watch its gap on training against held-out rows in the report, or narrow it",
        )
    if rows < 200:
        yield Finding(
            "P14",
            "warn",
            f"only {rows:,} training rows and {len(s.data.holdout):,} held out",
            "Every distance below has a wide margin; read it beside its floor",
        )


def batch(s: Setting) -> Iterator[Finding]:
    """A batch larger than the data repeats rows."""
    if s.plan.batch > len(s.data.train):
        yield Finding(
            "P15",
            "note",
            f"the batch of {s.plan.batch} exceeds the {len(s.data.train):,} training rows",
            "Rows are drawn with replacement; a smaller --batch is as good",
        )


CHECKS: tuple[Check, ...] = (
    batch_norm,
    relu,
    held,
    penalty_weight,
    lazy,
    clip_limit,
    critic_steps,
    geometry,
    extremes,
    table_columns,
    mixed_columns,
    empty_columns,
    small_groups,
    size,
    batch,
)
