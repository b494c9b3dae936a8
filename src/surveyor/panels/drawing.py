"""Figures as data URIs: in an <img> nothing can execute, and names are drawn, not markup."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch import Tensor

from surveyor.data.columns import Column
from surveyor.panels.style import Figure, MaxNLocator, drawn, styled
from surveyor.training import Measurement
from surveyor.training.records import best_of

Field = Callable[[np.ndarray], Tensor]
Arrows = Callable[[np.ndarray], np.ndarray]

REAL, FAKE, FLOOR, CRITIC = "#1f2d3d", "#e4572e", "#8a94a6", "#2a7f9e"


def svg(figure: Figure) -> str:
    """Return a figure as a data URI, reproducible to the byte."""
    content = io.BytesIO()
    with styled():
        figure.savefig(content, format="svg", metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(content.getvalue()).decode()


def png(picture: Image.Image) -> str:
    """Return a picture as a data URI."""
    content = io.BytesIO()
    picture.save(content, format="PNG")
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()


def safe(name: object, longest: int = 28) -> str:
    """Return an untrusted name for drawing, without math markup or control characters."""
    text = "".join(c if c.isprintable() else " " for c in str(name))
    text = text if len(text) <= longest else text[: longest - 1] + "…"
    return text.replace("\\", "/").replace("$", r"\$")


def _figure(
    width: float, height: float, rows: int = 1, columns: int = 1
) -> tuple[Figure, np.ndarray]:
    figure = Figure(figsize=(width, height))
    return figure, np.atleast_1d(figure.subplots(rows, columns)).ravel()


@drawn
def progress(history: Sequence[Measurement], what: str = "W1", warm: int = 0) -> str:
    """Draw ``what`` and its floor over the steps, and the critic's estimate after ``warm``."""
    figure, (axis,) = _figure(7.6, 3.1)
    at = [m.step for m in history]
    axis.plot(at, [m.w1 for m in history], color=FAKE, lw=1.8, label=f"{what}, exact, held out")
    axis.plot(
        at, [m.w1_floor for m in history], color=FLOOR, ls="--", label="floor: real against real"
    )
    played = [m for m in history if m.step > warm]
    if played and all(m.critic_estimate is not None for m in played):
        estimates = [m.critic_estimate for m in played]
        steps = [m.step for m in played]
        axis.plot(steps, estimates, color=CRITIC, lw=1, label="critic's own estimate")
    if played and warm:
        axis.axvline(warm, color=FLOOR, lw=0.8, ls=":", label="end of the warm start")
    axis.set_ylim(bottom=min(0, *(m.critic_estimate or 0 for m in history)))
    top = sorted(m.w1 for m in history)[-1]
    best = best_of(history)
    axis.plot(best.step, best.w1, "o", color=FAKE, ms=5)
    axis.annotate(
        f"best {best.w1:.3g}", (best.step, best.w1), (0, 9), textcoords="offset points", ha="center"
    )
    axis.set_ylim(top=1.1 * max(top, best.w1_floor))
    axis.set(xlabel="generator steps", ylabel="distance")
    axis.legend(fontsize=8)
    return svg(figure)


@drawn
def slope_figure(history: Sequence[Measurement], histogram: dict[str, list[int]]) -> str:
    """Draw the critic's slope over the steps, and its distribution at the end."""
    figure, (left, right) = _figure(7.6, 2.8, 1, 2)
    at = [m.step for m in history]
    left.plot(at, [m.slope_mean for m in history], color=CRITIC, label="mean, between")
    left.plot(at, [m.slope_max for m in history], color=FAKE, lw=1, label="largest, anywhere")
    left.axhline(1, color=FLOOR, ls="--", lw=1)
    left.set(xlabel="generator steps", ylabel="slope / target")
    left.set_ylim(0, min(10, 1.1 * max([1.0, *(m.slope_max for m in history)])))
    left.legend(fontsize=8)
    left.set_visible(bool(history))
    colours = {"real": REAL, "fake": FAKE, "between": CRITIC}
    for place, colour in colours.items():
        counts = histogram[place]
        edges = np.linspace(0, 2, len(counts) + 1)
        share = np.array(counts) / max(sum(counts), 1)
        right.stairs(share, edges, color=colour, label=f"at {place} points", lw=1.4)
    right.axvline(1, color=FLOOR, ls="--", lw=1)
    right.set(xlabel="slope (2 and more in the last bin)", ylabel="share of points")
    right.legend(fontsize=8)
    return svg(figure)


@drawn
def marginals(
    columns: Sequence[Column], held: pd.DataFrame, made: pd.DataFrame, most: int = 24
) -> tuple[str, int]:
    """Draw each column's real and generated marginal; return the figure and how many are left."""
    shown = list(columns)[:most]
    lines = -(-len(shown) // 3)
    figure, axes = _figure(7.6, 1.75 * lines, lines, 3)
    for axis, column in zip(axes, shown, strict=False):
        axis.set_title(safe(column.name), fontsize=8.5, loc="left")
        if column.ordered:
            _numbers(axis, column, held[column.name], made[column.name])
        else:
            _categories(axis, column, held[column.name], made[column.name])
        axis.tick_params(labelsize=7)
        axis.set_yticks([])
        axis.spines["left"].set_visible(False)
    for axis in axes[len(shown) :]:
        axis.set_visible(False)
    return svg(figure), len(columns) - len(shown)


def _numbers(axis: Any, column: Column, real: pd.Series, fake: pd.Series) -> None:
    a, b = (column.numbers(s) for s in (real, fake))
    a, b = a[~np.isnan(a)], b[~np.isnan(b)]
    if len(a) == 0:
        return
    low, high = np.quantile(np.concatenate([a, b]), [0.005, 0.995])
    edges = np.linspace(low, high if high > low else low + 1, 31)
    for values, colour, fill in ((a, REAL, True), (b, FAKE, False)):
        share = np.histogram(values.clip(low, high), edges)[0] / max(len(values), 1)
        axis.stairs(share, edges, color=colour, fill=fill, alpha=0.35 if fill else 1, lw=1.3)
    axis.xaxis.set_major_locator(MaxNLocator(4))
    if column.form.scale.example:
        ticks = np.linspace(edges[0], edges[-1], 3)
        axis.set_xticks(ticks, [column.format_value(int(t)) for t in ticks])


def _categories(axis: Any, column: Column, real: pd.Series, fake: pd.Series) -> None:
    names = [*column.labels, *(["(missing)"] if column.missing else [])]
    top = np.argsort(-column.frequency, kind="stable")[:8]
    shares = [
        np.bincount(column.encode(s), minlength=column.size + 1) / max(len(s), 1)
        for s in (real, fake)
    ]
    at = np.arange(len(top))
    axis.bar(at, shares[0][top], 0.8, color=REAL, alpha=0.35)
    axis.plot(at, shares[1][top], "_", color=FAKE, ms=13, mew=2)
    axis.set_xticks(at, [safe(names[k], 9) for k in top], rotation=40, ha="right")


@drawn
def clouds(
    real: np.ndarray,
    fake: np.ndarray,
    critic: Field | None,
    arrows: Arrows | None = None,
    names: tuple[str, str] = ("held out", "generated"),
) -> str:
    """Draw two clouds in the plane, the second over the critic's contours, if there is a critic."""
    figure, axes = _figure(7.6, 3.7, 1, 2)
    both = np.concatenate([real, fake]) if arrows is not None else real
    low, high = both.min(0), both.max(0)
    pad = 0.12 * (high - low + 1e-9)
    low, high = low - pad, high + pad
    if critic is not None:
        _landscape(axes[1], critic, low, high)
    if arrows is not None:
        u, v = np.meshgrid(*(np.linspace(low[k], high[k], 16)[1:-1] for k in (0, 1)))
        along = arrows(np.stack([u.ravel(), v.ravel()], axis=1))
        axes[0].quiver(u, v, along[:, 0], along[:, 1], color=CRITIC, alpha=0.7, width=0.004)
    for axis, points, colour, name in (
        (axes[0], real, REAL, names[0]),
        (axes[1], fake, FAKE, names[1]),
    ):
        axis.plot(points[:, 0], points[:, 1], ".", color=colour, ms=2.2, alpha=0.6, rasterized=True)
        axis.set(title=f"{name} ({len(points):,})", xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    return svg(figure)


def _landscape(axis: Any, critic: Field, low: np.ndarray, high: np.ndarray) -> None:
    side = 80
    u, v = np.meshgrid(np.linspace(low[0], high[0], side), np.linspace(low[1], high[1], side))
    with torch.no_grad():
        scores = critic(np.stack([u.ravel(), v.ravel()], axis=1)).numpy().reshape(side, side)
    axis.contourf(u, v, scores, 24, cmap="Blues", alpha=0.55)
    axis.contour(u, v, scores, 12, colors="#2a7f9e", linewidths=0.4)


@drawn
def bracket(low: float, high: float, value: float, floor: float) -> str:
    """Draw the bracket of W1, its value and its floor on one line."""
    figure, (axis,) = _figure(7.6, 1.3)
    high = high if np.isfinite(high) else value
    axis.plot([low, high], [0, 0], color=CRITIC, lw=7, solid_capstyle="butt", alpha=0.45)
    axis.plot(value, 0, "o", color=FAKE, ms=8)
    axis.axvline(floor, color=FLOOR, ls="--")
    for x, text, lift in ((value, f"W1 {value:.3g}", 9), (floor, f"floor {floor:.3g}", -16)):
        axis.annotate(text, (x, 0), (0, lift), textcoords="offset points", ha="center", fontsize=8)
    axis.set(yticks=[], ylim=(-1, 1), xlim=(0, 1.15 * max(high, floor, value, 1e-300)))
    axis.spines["left"].set_visible(False)
    return svg(figure)
