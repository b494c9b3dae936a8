"""Figures of generated pictures, by features of a classifier of their labels or of ImageNet's."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from surveyor.batch import Draws
from surveyor.data import Data
from surveyor.data.columns import Column
from surveyor.data.fitting import fit_label
from surveyor.data.images import ImageCodec
from surveyor.evaluation import imagenet
from surveyor.evaluation.classifier import Labelled, Trained, fit_classifier
from surveyor.evaluation.features import frechet, kernel_distance, precision_recall
from surveyor.evaluation.heldout import generated
from surveyor.streams import Stream
from surveyor.training import Game

MOST_LABELS, FEWEST = 200, 10  # labels, and training pictures a label
ROWS, NEAR = 10_000, 2000  # pictures a side, and those whose neighbours are looked for
FEW = 500  # pictures a side by the ImageNet net, which is slow


@dataclass(frozen=True)
class Pictures:
    """``by`` names the features. Each figure stands beside that of as many training pictures.

    ``accuracy`` is the classifier's on held-out pictures; ``asked`` the share of generated ones
    that it reads as the label asked for, ``asked_worst`` that of the worst label; ``usefulness``
    the accuracy on held-out pictures of one trained on generated pictures alone (classification
    accuracy score, Ravuri and Vinyals 2019). None without a label among the conditions.
    """

    by: str
    n: int
    frechet: float
    frechet_floor: float
    kernel: float
    kernel_floor: float
    precision: float
    precision_floor: float
    recall: float
    recall_floor: float
    accuracy: float | None = None
    asked: float | None = None
    asked_worst: str | None = None
    usefulness: float | None = None


def picture_figures(
    game: Game, generator: nn.Module, data: Data, seed: int
) -> dict[str, Any] | None:
    """Return the figures; None where nothing gives features, or with too few pictures.

    Features are those of a classifier of the labels, where there are labels; else those of the
    ImageNet net, where it is installed.
    """
    found, n = labels(data), min(ROWS, len(data.holdout), len(data.train))
    if n < FEWEST:
        return None
    if found is None:
        pixels = isinstance(data.codec, ImageCodec) and data.codec.whitening is None
        usable = pixels and imagenet.available()
        return _by_imagenet(game, generator, data, seed) if usable else None
    column, codes, place = found
    trained = ruler(data, column, codes, seed)
    held, real = data.holdout.first(n).x, data.train.first(n).x
    truth = codes[data.holdout.index[:n]]
    asked, made = _made(game, generator, data, n, Draws(seed, 0, Stream.PICTURES))
    right = answered = None
    useful, worst = None, None
    if place is not None:
        answered = trained.answers(made) == asked[:, place]
        right = float(answered.mean())
        each = {k: float(answered[asked[:, place] == k].mean()) for k in np.unique(asked[:, place])}
        least = min(each, key=lambda k: each[k])
        names = [*column.labels, "missing", "unseen"]
        worst = f"{each[least]:.3f} ({column.name}={names[least]})"
        useful = _usefulness(game, generator, data, (column, place), held, truth, seed)
    by = f"a classifier of {column.name}, trained on the training pictures"
    accuracy = float((trained.answers(held) == truth).mean())
    told = _compared(by, *(trained.features(x) for x in (made, held, real)))
    return asdict(
        replace(told, accuracy=accuracy, asked=right, asked_worst=worst, usefulness=useful)
    )


def _by_imagenet(game: Game, generator: nn.Module, data: Data, seed: int) -> dict[str, Any]:
    n = min(FEW, len(data.holdout), len(data.train))
    _, made = _made(game, generator, data, n, Draws(seed, 0, Stream.PICTURES))
    pictures = made, data.holdout.first(n).x, data.train.first(n).x
    return asdict(_compared(imagenet.NAME, *(imagenet.features(x).numpy() for x in pictures)))


def _compared(by: str, made: np.ndarray, held: np.ndarray, real: np.ndarray) -> Pictures:
    """Return the figures of features (n, d) of generated, held-out and training pictures."""
    few = [side[:NEAR] for side in (made, held, real)]
    own, floor = precision_recall(few[0], few[1]), precision_recall(few[2], few[1])
    return Pictures(
        by,
        len(made),
        frechet(made, held),
        frechet(real, held),
        kernel_distance(few[0], few[1]),
        kernel_distance(few[2], few[1]),
        own[0],
        floor[0],
        own[1],
        floor[1],
    )


def labels(data: Data) -> tuple[Column, np.ndarray, int | None] | None:
    """Return a column of labels, every row's code, and its place among the conditions.

    The first condition that is a category; else the first such column beside the pictures.
    """
    columns = data.codec.conditions.columns
    for place, column in enumerate(columns):
        codes = data.train.rows["cond"][:, place]
        if not column.ordered and _learnable(codes[data.train.index], column.size):
            return column, codes.astype(np.int64), place
    for name, values in getattr(data.raw, "columns", {}).items():
        if np.asarray(values).dtype.kind not in "biuOU":
            continue
        series = pd.Series(np.asarray(values))
        counts = series.value_counts()
        enough = int((counts >= FEWEST).sum()) >= 2 and len(counts) <= MOST_LABELS
        if enough and not series.isna().any():
            column = fit_label(name, series)
            codes = column.encode(series)
            if not column.ordered and _learnable(codes[data.train.index], column.size):
                return column, codes.astype(np.int64), None
    return None


def ruler(data: Data, column: Column, codes: np.ndarray, seed: int) -> Trained:
    """Return a classifier of the training pictures."""
    source = data.train

    def draw(n: int, draws: Draws) -> tuple[Tensor, Tensor]:
        index = source.index[draws.index(n, len(source)).numpy()]
        return data.codec.points(source.rows, index), torch.from_numpy(codes[index])

    return fit_classifier(draw, len(source), data.codec.space.shape, column.size, seed)


def _learnable(codes: np.ndarray, size: int) -> bool:
    counts = np.bincount(codes, minlength=size)
    return 2 <= size <= MOST_LABELS and bool((counts[:size] >= FEWEST).sum() >= 2)


def _made(
    game: Game, generator: nn.Module, data: Data, n: int, draws: Draws
) -> tuple[np.ndarray, Tensor]:
    """Return generated pictures as a user gets them, in the critic's space, and their codes."""
    codec = data.codec
    codes = codec.conditions.draw(n, draws)
    batch = generated(game, generator, codec.conditions.embed(codes), n, draws)
    main = next(iter(codec.decode(batch, codes, draws).values()))
    return codes, codec.points({"x": main}, np.arange(n))


def _usefulness(
    game: Game,
    generator: nn.Module,
    data: Data,
    of: tuple[Column, int],
    held: Tensor,
    truth: np.ndarray,
    seed: int,
) -> float:
    column, place = of
    n = min(ROWS, len(data.train))
    codes, made = _made(game, generator, data, n, Draws(seed, 0, Stream.USEFULNESS))
    own = torch.from_numpy(codes[:, place].astype(np.int64))

    def draw(count: int, draws: Draws) -> tuple[Tensor, Tensor]:
        index = draws.index(count, n)
        return made[index], own[index]

    labelled: Labelled = draw
    trained = fit_classifier(
        labelled, n, data.codec.space.shape, column.size, seed, Stream.USEFULNESS
    )
    return float((trained.answers(held) == truth).mean())
