"""Figures of generated pictures, on features of a classifier of their labels or of ImageNet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from surveyor.batch import Draws
from surveyor.data import Data
from surveyor.data.columns import Column
from surveyor.data.fitting import fit_label
from surveyor.measures import Figure, Measure, Seen, imagenet
from surveyor.measures.classifier import Trained, fit_classifier
from surveyor.measures.features import frechet, kernel_distance, precision_recall
from surveyor.streams import Stream

MOST_LABELS, FEWEST = 200, 10  # labels; training pictures per label
ROWS, NEAR = 10_000, 2000  # pictures per side; those for nearest neighbours and kernels
FEW = 500  # pictures per side for the ImageNet net, which is slow


@dataclass(frozen=True)
class Pictures(Measure):
    """Frechet and kernel distance, precision and recall, between features of pictures.

    The features are those of a classifier of the labels if there are labels; else those of the
    ImageNet net if it is installed. If a condition is a label, there are two more figures:
    ``asked``, the share of generated pictures that the classifier assigns to the label asked for,
    with its accuracy on held-out pictures as the floor; and ``usefulness``, the accuracy on
    held-out pictures of a classifier trained on generated pictures alone (classification accuracy
    score, Ravuri and Vinyals 2019).
    """

    def __call__(self, seen: Seen) -> Iterator[Figure]:
        """Yield the figures, each with that of as many training pictures as its floor."""
        data = seen.data
        found, n = labels(data), min(ROWS, len(data.holdout), len(data.train))
        if n < FEWEST:
            return
        if found is None:
            pixels = getattr(seen.codec, "whitening", None) is None
            if pixels and imagenet.available():
                n = min(FEW, n)
                sides = seen.delivered(n).x, seen.held(n).x, seen.train(n).x
                yield from feature_figures(
                    imagenet.NAME, *(imagenet.features(x).numpy() for x in sides)
                )
            return
        yield from _by_label(seen, *found, n)


def _by_label(
    seen: Seen, column: Column, codes: np.ndarray, place: int | None, n: int
) -> Iterator[Figure]:
    trained = label_classifier(seen.data, column, codes, seen.seed, seen.device)
    held, real, made = seen.held(n).x, seen.train(n).x, seen.delivered(n).x
    truth = codes[seen.data.holdout.index[:n]]
    by = f"a classifier of {column.name}, trained on the training pictures"
    yield from feature_figures(by, *(trained.features(x) for x in (made, held, real)))
    if place is None:
        return
    accuracy = float((trained.predict(held) == truth).mean())
    n = len(made)
    asked = seen.codes(n)[:, place]
    right = trained.predict(made) == asked
    yield Figure("asked", float(right.mean()), accuracy, by, "higher", n=n)
    each = {k: float(right[asked == k].mean()) for k in np.unique(asked)}
    worst = min(each, key=lambda k: each[k])
    name = f"{column.name}={[*column.labels, 'missing', 'unseen'][worst]}"
    yield Figure("asked", each[worst], accuracy, by, "higher", name, "label")
    useful = _usefulness(seen, column, place, held, truth)
    yield Figure("usefulness", useful, accuracy, by, "higher", n=n)


def feature_figures(
    by: str, made: np.ndarray, held: np.ndarray, real: np.ndarray
) -> Iterator[Figure]:
    """Yield the figures of features (n, d) of generated, held-out and training pictures."""
    few = [side[:NEAR] for side in (made, held, real)]
    n, near = len(made), len(few[0])
    yield Figure("frechet", frechet(made, held), frechet(real, held), by, "lower", n=n)
    kernels = kernel_distance(few[0], few[1]), kernel_distance(few[2], few[1])
    yield Figure("kernel", *kernels, by, "lower", n=near)
    own, floor = precision_recall(few[0], few[1]), precision_recall(few[2], few[1])
    yield Figure("precision", own[0], floor[0], by, "higher", n=near)
    yield Figure("recall", own[1], floor[1], by, "higher", n=near)


def labels(data: Data) -> tuple[Column, np.ndarray, int | None] | None:
    """Return a column of labels, the code of each row, and its index among the conditions.

    This is the first condition that is a category; else the first such column of the data, with
    None for the index. Return None if there are no labels.
    """
    columns = data.codec.condition.columns
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


def label_classifier(
    data: Data, column: Column, codes: np.ndarray, seed: int, device: torch.device | str = "cpu"
) -> Trained:
    """Return a classifier of ``column``, trained on the training pictures."""
    source = data.train

    def draw(n: int, draws: Draws) -> tuple[Tensor, Tensor]:
        index = source.index[draws.index(n, len(source)).numpy()]
        return data.codec.points(source.rows, index), torch.from_numpy(codes[index])

    shape = data.codec.space.shape
    return fit_classifier(draw, len(source), shape, column.size, seed, device=device)


def _learnable(codes: np.ndarray, size: int) -> bool:
    counts = np.bincount(codes, minlength=size)
    return 2 <= size <= MOST_LABELS and bool((counts[:size] >= FEWEST).sum() >= 2)


def _usefulness(seen: Seen, column: Column, place: int, held: Tensor, truth: np.ndarray) -> float:
    made = seen.delivered(min(ROWS, len(seen.data.train))).x
    n = len(made)
    own = torch.from_numpy(seen.codes(n)[:, place].astype(np.int64))

    def draw(count: int, draws: Draws) -> tuple[Tensor, Tensor]:
        index = draws.index(count, n)
        return made[index], own[index]

    shape = seen.codec.space.shape
    how = (shape, column.size, seen.seed, Stream.USEFULNESS, seen.device)
    trained = fit_classifier(draw, n, *how)
    return float((trained.predict(held) == truth).mean())
