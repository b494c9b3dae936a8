"""Builds the report of a run from its folder and its data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL.Image import Image

import surveyor.report.figures as fig
from surveyor.batch import Batch, Draws
from surveyor.build import plan_of
from surveyor.config import dumps
from surveyor.data import Data
from surveyor.data.images import ImageCodec, sheet
from surveyor.data.pairs import PairCodec, enlarged
from surveyor.data.table import TableCodec
from surveyor.data.vectors import VectorCodec
from surveyor.errors import InputError
from surveyor.evaluation import generated
from surveyor.evaluation.memorising import nearest
from surveyor.report.pages import page
from surveyor.run import Lock, Run, answer
from surveyor.streams import Stream
from surveyor.writing import write_bytes

POINTS = 2000
PICTURES = 100
STRIP = 10  # held-out pictures shown with their answers
BESIDE = 10  # generated pictures shown with their nearest training picture


def build_report(run: Run, data: Data) -> Path:
    """Write ``report.html`` beside the evaluation and return its path.

    Raises:
        InputError: the run has not been evaluated yet.
    """
    if run.evaluation is None or "w1" not in run.evaluation:
        raise InputError(f"{run.path}: not evaluated yet; run: surveyor evaluate {run.path}")
    path = run.measured / "report.html"
    made = page_of(run, data)
    with Lock(run.path):
        write_bytes(path, made.encode())
    return path


def page_of(run: Run, data: Data) -> str:
    """Return the report of an evaluated run as a page."""
    result = run.evaluation
    assert result is not None
    paired = run.codec.answers
    what = "W1 between patches" if paired else "W1"
    figures: dict[str, Any] = {
        "slope": fig.slope_figure(run.history, result["critic"]["slope_histogram"]),
    }
    if run.history:
        figures["progress"] = fig.progress(run.history, what, plan_of(run.config).warm)
    figures |= _of_kind(run, data)
    return page(
        "answers.html.j2" if paired else "report.html.j2",
        name=run.path.name,
        kind=run.kind.name,
        data_name=Path(run.data_name).name if "://" not in run.data_name else run.data_name,
        result=result,
        figures=figures,
        facts=run.history[-1].facts if run.history else {},
        training_rows=len(data.train),
        held_rows=len(data.holdout),
        config=dumps(run.config, run.data_name),
    )


def _followers(codec: TableCodec) -> list[str]:
    made = codec.columns[len(codec.free) :]
    return [
        f"{column.name} from {codec.columns[derived.parent].name}"
        for column, derived in zip(made, codec.derived, strict=True)
    ]


def strip(run: Run, data: Data) -> Image:
    """Return held-out pictures one above another: given, enlarged if so, answered, and wanted."""
    codec = run.codec
    assert isinstance(codec, PairCodec)
    index = data.holdout.index[:STRIP]
    small = data.holdout.rows["given"][index]
    told = data.holdout.first(len(index)).cond
    assert told is not None
    made = answer(run, told, run.config.seed)[codec.main]
    wanted = data.holdout.rows["x"][index]
    lines, top = [small] if small.ndim > 2 else [], getattr(codec.given, "top", 1.0)
    if codec.scale is not None:
        large = small.repeat(codec.scale, axis=1).repeat(codec.scale, axis=2)
        lines = [large, enlarged(small, codec.scale, top)]
    scaled = [(line / top * 255).astype(np.uint8) for line in lines]
    scaled += [(line / codec.wanted.top * 255).astype(np.uint8) for line in (made, wanted)]
    if any(line.ndim == 4 for line in scaled):
        scaled = [np.repeat(x[..., None], 3, 3) if x.ndim == 3 else x for x in scaled]
    return sheet(np.concatenate(scaled), columns=len(index), zoom=2)


def _of_kind(run: Run, data: Data) -> dict[str, Any]:
    codec, game = run.codec, run.game
    if isinstance(codec, PairCodec):
        return {"strip": fig.png(strip(run, data)), "shown": data.train.rows["given"].ndim > 2}
    n = min(POINTS if not isinstance(codec, ImageCodec) else PICTURES, len(data.holdout))
    held = data.holdout.first(n)
    codes = data.holdout.codes(n)
    draws = Draws(run.config.seed, 0, Stream.REPORT)
    if isinstance(codec, ImageCodec) and codec.conditions.columns:
        codes = codes[np.lexsort(codes.T[::-1])]
        order = np.lexsort(data.holdout.codes(n).T[::-1])
        held = codec.batch(data.holdout.rows, data.holdout.index[:n][order])
    fake = generated(game, game.generator, codec.conditions.embed(codes), n, draws)
    made = codec.decode(fake, codes, draws)
    if isinstance(codec, TableCodec):
        picture, left = fig.marginals(codec.columns, data.held_out(n), made)
        return {"marginals": picture, "columns_left_out": left, "derived": _followers(codec)}
    if isinstance(codec, ImageCodec):
        real = codec.decode(held, codes, draws)[codec.main]
        sheets = {
            "real_sheet": fig.png(sheet(real, columns=10, white=codec.top)),
            "fake_sheet": fig.png(sheet(made[codec.main], columns=10, white=codec.top)),
        }
        if run.config.epsilon is not None:
            return sheets
        some = np.linspace(0, n - 1, min(BESIDE, n)).astype(int)
        index = nearest(fake.x[torch.from_numpy(some)], data.train)
        known = codec.decode(codec.batch(data.train.rows, index), codes[some], draws)[codec.main]
        beside = np.concatenate([made[codec.main][some], known])
        return sheets | {"nearest": fig.png(sheet(beside, columns=len(some), white=codec.top))}
    assert isinstance(codec, VectorCodec)
    real, points = data.held_out(n).main.astype(float), made[codec.main].astype(float)
    if real.shape[1] == 1:
        return {}
    if real.shape[1] == 2:
        field = (
            None
            if codec.conditions.columns
            else lambda p: game.opinion(Batch(torch.from_numpy(codec.encoded(p))))
        )
        return {"clouds": fig.clouds(real, points, field), "clouds_title": "The two clouds"}
    axes = np.linalg.svd(real - real.mean(0), full_matrices=False)[2][:2].T
    flat, flat_points = ((p - real.mean(0)) @ axes for p in (real, points))
    title = "The two clouds, along the two widest directions of the real data"
    return {"clouds": fig.clouds(flat, flat_points, None), "clouds_title": title}
