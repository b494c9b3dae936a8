"""The panel of pictures: real and generated ones, nearest training pictures, figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
from PIL.Image import Image

import surveyor.panels.drawing as draw
from surveyor.kinds.images.codec import ImageCodec
from surveyor.kinds.images.sheets import sheet
from surveyor.measures import SeenRun, generated
from surveyor.measures.memorising import nearest
from surveyor.panels import Panel, Picture, Section, Shown, Table, Text, TwoSets
from surveyor.streams import Stream

PICTURES, LINES, PER_LINE = 100, 20, 10
WITH_NEAREST = 10  # generated pictures shown with their nearest training picture
ROWS = {
    "frechet": "Fréchet distance to held-out pictures (0 is best)",
    "kernel": "Kernel distance (0 is best; below 0 by chance)",
    "precision": "Precision: near a held-out picture",
    "recall": "Recall: held-out pictures near a generated one",
    "asked": "Classified as the label asked for",
    "usefulness": "Accuracy on held-out pictures of a classifier trained on generated ones",
}


@dataclass(frozen=True)
class Sheets(Panel):
    """Held-out pictures, generated ones under the same conditions, and the figures."""

    def __call__(self, shown: Shown) -> Iterator[Section]:
        """Yield the sheets, the nearest training pictures, and the figures."""
        seen, codec = shown.seen, cast(ImageCodec, shown.seen.codec)
        holdout, conditions = seen.data.holdout, codec.condition
        n = min(PICTURES, len(holdout))
        codes, index = holdout.codes(n), holdout.index[:n]
        order = np.lexsort(codes.T[::-1]) if conditions.columns else np.arange(n)
        codes, held = codes[order], codec.batch(holdout.rows, index[order])
        draws = seen.draws(0, Stream.REPORT)
        fake = generated(seen.game, seen.generator, conditions.embed(codes), n, draws)
        made = codec.decode(fake, codes, draws)[codec.main]
        real = codec.decode(held, codes, draws)[codec.main]
        same = ", under the same conditions" if conditions.columns else ""
        blocks: list[Picture | Table | Text] = [
            _sheet(codec, real, "real pictures", "Real, held out"),
            _sheet(codec, made, "generated pictures", f"Generated, uncurated{same}", True),
        ]
        if shown.evaluation.privacy is None:
            some = np.linspace(0, n - 1, min(WITH_NEAREST, n)).astype(int)
            close = nearest(fake.x[some], seen.data.train)
            known = codec.batch(seen.data.train.rows, close)
            below = codec.decode(known, codes[some], draws)[codec.main]
            pair = sheet(np.concatenate([made[some], below]), columns=len(some), white=codec.top)
            instead = "generated pictures above their nearest training pictures"
            blocks.append(Picture(draw.png(pair), instead, NEAREST_CAPTION, pixels=True))
        yield Section("Pictures", (*blocks, *_figures(shown)))


def preview(seen: SeenRun) -> tuple[str, Image]:
    """Return a sheet of samples, with one line per condition if there are few."""
    codec = cast(ImageCodec, seen.codec)
    columns = codec.condition.columns
    if len(columns) == 1 and (not columns[0].ordered or columns[0].size <= LINES):
        codes = np.repeat(np.arange(min(columns[0].size, LINES), dtype=np.int32), PER_LINE)[:, None]
    else:
        codes = seen.codes(PICTURES)
    draws, cond = seen.draws(1, Stream.REPORT), codec.condition.embed(codes)
    fake = generated(seen.game, seen.generator, cond, len(codes), draws)
    made = codec.decode(fake, codes, draws)[codec.main]
    return "samples.png", sheet(made, columns=PER_LINE, zoom=max(1, 40 // made.shape[1]))


def sheets(sets: TwoSets) -> Iterator[Section]:
    """Yield pictures of both sets."""
    n = min(*map(len, sets.raw), PICTURES // 2)
    first, second = (draw.png(sheet(r.main[:n], columns=10)) for r in sets.raw)
    yield Section(
        "Pictures",
        (
            Picture(first, "pictures", _capital(sets.names[0]), pixels=True),
            Picture(second, "pictures", _capital(sets.names[1]), pixels=True, beside=True),
        ),
    )


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def _sheet(
    codec: ImageCodec, pictures: np.ndarray, instead: str, caption: str, beside: bool = False
) -> Picture:
    picture = sheet(pictures, columns=10, white=codec.top)
    return Picture(draw.png(picture), instead, caption, pixels=True, beside=beside)


def _figures(shown: Shown) -> Iterator[Table | Text]:
    figures = shown.evaluation.by_name
    rows: list[tuple[str, float | None, float | None]] = []
    for name, label in ROWS.items():
        if (f := figures.get(name)) is not None:
            rows.append((label, f.value, f.floor))
        for part in shown.evaluation.parts(name, "label"):
            rows.append((f"The same for the worst label, {part.of}", part.value, part.floor))
    if rows and (frechet := figures.get("frechet")) is not None:
        yield Table(("", "generated", "training pictures"), tuple(rows))
        note = (
            f"Distances are between features of {frechet.unit}; {frechet.n} pictures per side. "
            "Such features depend on the data: compare the figures only between runs on the same "
            "data."
        )
        yield Text(note, note=True)


NEAREST_CAPTION = (
    "Above: generated pictures. Below each: the nearest of the first 50,000 training pictures, in "
    "the distance that W1 uses."
)
